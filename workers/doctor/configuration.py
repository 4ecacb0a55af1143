"""The settings: values that cannot be used, those that contradict each other, names that nobody reads."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from dotenv import dotenv_values

from aiops.settings import Settings, settings_problems
from workers.health.check import Check, failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAMES = tuple(name.upper() for name in Settings.model_fields)
_ALIKE = 0.85
"""How alike an unknown name must be to one of ours to be taken for a slip (difflib's ratio)."""
_PREFIX = "AIOPS_"
_OF_HOST = ("DATABASE_PORT", "DATABASE_NAME", "DATABASE_USER", "DATABASE_PASSWORD")
_EMBEDDED = ("EMBEDDED_POSTGRES", "EMBEDDED_DIRECTORY")


def check_settings() -> tuple[Check, ...]:
    """Every setting: of the environment, and of `.env` in the working directory."""
    problems = settings_problems()
    wrong = [failed("settings", said, "correct it in the environment or in .env, or take it out") for said in problems]
    given = _given() if not any(".env" in said for said in problems) else _of_environment()
    odd = [*_conflicts({name.upper(): value for name, value in given.items()}), *_misspelt(given)]
    if wrong or odd:
        return (*wrong, *odd)
    ours = [name for name in given if name.upper() in _NAMES]
    return (ok("settings", f"{len(ours)} set, the others at their defaults; .env is read in {Path.cwd()}"),)


def _given() -> dict[str, str]:
    """What is set, by name; the environment goes before `.env`."""
    of_file = dotenv_values(".env", encoding="utf-8") if Path(".env").is_file() else {}
    return {name: value for name, value in of_file.items() if value} | _of_environment()


def _of_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if value}


def _conflicts(given: Mapping[str, str]) -> Iterator[Check]:
    if "DATABASE_URL" in given:
        unused = [name for name in ("DATABASE_HOST", *_OF_HOST) if name in given]
        if unused:
            yield warning(
                "settings",
                f"DATABASE_URL is set, so {', '.join(unused)} {'is' if len(unused) == 1 else 'are'} not used",
                "keep one of the two: DATABASE_URL, or DATABASE_HOST and the others",
            )
    elif "DATABASE_HOST" not in given:
        unused = [name for name in (*_OF_HOST, "DATABASE_DIRECT_URL") if name in given]
        if unused:
            yield warning(
                "settings",
                f"{', '.join(unused)} {'is' if len(unused) == 1 else 'are'} set and neither DATABASE_URL nor "
                "DATABASE_HOST: the embedded server is used",
                "set DATABASE_HOST, or DATABASE_URL",
            )
    if "DATABASE_URL" in given or "DATABASE_HOST" in given:
        unused = [name for name in _EMBEDDED if name in given]
        if unused:
            yield warning(
                "settings",
                f"{', '.join(unused)} {'is' if len(unused) == 1 else 'are'} not used: DATABASE_URL or DATABASE_HOST "
                "names a server",
                "take out one of the two",
            )


def _misspelt(given: Mapping[str, str]) -> Iterator[Check]:
    for name in sorted(given):
        bare = name.upper().removeprefix(_PREFIX)
        if name.upper() in _NAMES:
            continue
        if name.upper().startswith(_PREFIX) and bare in _NAMES:
            found = [bare]
        else:
            found = get_close_matches(bare, _NAMES, n=1, cutoff=_ALIKE)
        if found:
            yield warning("settings", f"{name}: there is no such setting", f"did you mean {found[0]}?")
