"""Reasons and warnings in Korean: the database keeps them in English, some made of others."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiops.report import words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SENTENCES: Final = Path(__file__).parent / "korean_reasons.toml"


def in_korean(text: str) -> str:
    """A reason or a warning in Korean; as it stands where it is none of those in `korean_reasons.toml`."""
    for pattern, korean in _sentences():
        found = pattern.fullmatch(text)
        if found is not None:
            return korean.format(**{name: _part(name, part or "") for name, part in found.groupdict().items()}).strip()
    return text


@cache
def _sentences() -> list[tuple[re.Pattern[str], str]]:
    listed = tomllib.loads(_SENTENCES.read_text(encoding="utf-8"))["sentence"]
    return [(re.compile(one["en"]), one["ko"]) for one in listed]


def _part(name: str, english: str) -> str:
    say = _PARTS.get(name)
    return english if say is None else say(english)


def _word(table: Mapping[str, words.Words]) -> Callable[[str], str]:
    return lambda key: table[key].ko if key in table else key


def _horizon(name: str) -> str:
    return "기준 기간" if name == "baseline" else f"{name.removesuffix('s')}년대"


def _whose(names: str) -> str:
    sites = re.fullmatch(r"(\d+) sites", names)
    return f"사업장 {sites[1]}곳" if sites else ", ".join(map(_word(words.RISKS), names.split(", ")))


_PARTS: Final[Mapping[str, Callable[[str], str]]] = {
    "rest": in_korean,
    "whose": _whose,
    "risk": _word(words.RISKS),
    "status": _word(words.STATUSES),
    "scenario": _word(words.SCENARIOS),
    "horizon": _horizon,
    "purpose": lambda purpose: "구간의 재현 수준에 " if purpose else "",
    "fields": lambda names: ", ".join(map(_word(words.BUILDING), names.split(", "))),
}
"""How parts of a sentence are put into Korean, by their name in it; others stay as they are."""
