"""Arguments that commands have in common, and texts that may be numbers."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from aiops.errors import BadInput

# Numbers come as texts: what is no number, or not an allowed one, is refused where everything else is, by its name.
Latitude = Annotated[str, typer.Argument(metavar="LAT", help="Degrees north, such as 37.5665.", show_default=False)]
Longitude = Annotated[str, typer.Argument(metavar="LON", help="Degrees east, such as 126.978.", show_default=False)]


def value_of(text: str) -> float | bool | str:
    """A number, true or false; else, and for what JSON has no number for, the text as it stands."""
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        if math.isfinite(number):
            return number
    return text


def degrees(name: str, text: str) -> float:
    """A coordinate.

    Raises:
        BadInput: it is no number.
    """
    value = value_of(text)
    if isinstance(value, bool | str):
        raise BadInput(f"{name}: {text!r} is no number; allowed: degrees, as in 37.5665 126.978")
    return value
