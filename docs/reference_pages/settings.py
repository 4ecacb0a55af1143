"""Settings: name, default, what is allowed, what it means."""

from __future__ import annotations

import re
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

import aiops.settings
from aiops.settings import Settings
from reference_pages.markdown import code, page, table

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

_GROUP = re.compile(r"# --- (?P<title>.*?) -+$|(?P<field>[a-z_]+): ")
_BOUNDS = {"ge": "≥ {}", "gt": "> {}", "le": "≤ {}", "lt": "< {}", "min_length": "at least {} characters"}
_KINDS = {
    int: "whole number",
    float: "number",
    bool: "true or false",
    str: "text",
    Path: "path",
    SecretStr: "text, secret",
}


def settings_page() -> str:
    """The page of all settings, in the groups of the source."""
    parts = []
    for title, names in _groups():
        rows = [(code(name.upper()), _default(field), _allowed(field), field.description or "")
                for name, field in ((name, Settings.model_fields[name]) for name in names)]  # fmt: skip
        parts.append(f"## {title[0].upper()}{title[1:]}\n\n" + table(("variable", "default", "allowed", ""), rows))
    return page(
        "Settings",
        "aiops/settings.py",
        "Environment variables, or lines `NAME=VALUE` of a file `.env` in the working directory; the environment goes "
        "before the file, and an empty value counts as not given. A bad value stops the start with the variable's "
        "name, the value and what is allowed (exit code 2). `aiops doctor` names bad values, unused and misspelt ones. "
        "[.env.example](../../.env.example) is a file to begin with.",
        *parts,
    )


def _groups() -> list[tuple[str, list[str]]]:
    """The fields under the headings that the class has for them."""
    groups: list[tuple[str, list[str]]] = []
    source = Path(aiops.settings.__file__).read_text(encoding="utf-8").split("class Settings")[1]
    for line in source.splitlines():
        found = _GROUP.match(line.strip())
        if found and found["title"]:
            groups.append((found["title"], []))
        elif found and found["field"] in Settings.model_fields:
            groups[-1][1].append(found["field"])
    return groups


def _default(field: FieldInfo) -> str:
    if field.default_factory is not None:
        return "–"
    if field.default is None or field.default is PydanticUndefined:
        return "none"
    if isinstance(field.default, bool):
        return code(str(field.default).lower())
    return code(str(field.default)) or "none"


def _allowed(field: FieldInfo) -> str:
    kinds = [kind for kind in _alternatives(field.annotation) if kind is not NoneType]
    if get_origin(kinds[0]) is Literal:
        return ", ".join(code(str(value)) for value in get_args(kinds[0]))
    named = _KINDS.get(kinds[0], "text")
    bounds = [text.format(f"{limit:,}".replace(",", " ")) for one in field.metadata for text, limit in _limits(one)]
    return ", ".join((named, *bounds))


def _limits(metadata: Any) -> list[tuple[str, int]]:
    return [
        (text, getattr(metadata, name)) for name, text in _BOUNDS.items() if getattr(metadata, name, None) is not None
    ]


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
