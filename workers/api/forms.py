"""Forms of the dashboard, as browsers send them without a script."""

from __future__ import annotations

import urllib.parse
from typing import Any, Final

_MOST_FIELDS: Final = 30
_NUMBERS: Final = ("latitude", "longitude", "asset_value", "target_year")


def form_of(body: bytes) -> dict[str, str]:
    """The fields of a form, each once."""
    try:
        given = urllib.parse.parse_qsl(body.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        given = []
    return {name: value.strip().replace("\0", "") for name, value in given}


def question_of(given: dict[str, str]) -> dict[str, Any]:
    """What a form asks, as the parameters of a request; the database judges them."""
    asked: dict[str, Any] = {name: _number(given[name]) for name in _NUMBERS if given.get(name)}
    asked["scenario"] = given.get("scenario") or None
    if asked["scenario"] == "historical":
        asked.pop("target_year", None)
    if given.get("use"):
        asked["building"] = {"use": given["use"]}
    return asked


def _number(text: str) -> float | int | str:
    """A number where it is one; else the text, which is then refused by name."""
    try:
        value = float(text)
    except ValueError:
        return text
    if value != value or abs(value) == float("inf"):  # noqa: PLR0124  NaN
        return text
    return int(value) if value.is_integer() else value
