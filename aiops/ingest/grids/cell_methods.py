"""Cell methods of the CF conventions: what was done over time to make the values of a file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiops.climate import Cadence

_COMMENT = re.compile(r"\([^()]*\)")
_STATEMENT = re.compile(
    r"(?P<names>(?:\w+:\s*)+)(?P<method>[A-Za-z]\w*)(?P<span>(?:\s+(?:where|within|over)\s+\w+)*)", re.ASCII
)
_SHORT = {"max": "maximum", "min": "minimum", "average": "mean", "avg": "mean"}
_SHORTER_THAN_A_DAY = ("within hours", "within hour", "within minutes")


@dataclass(frozen=True, slots=True)
class TimeMethod:
    """One method over time."""

    method: str
    """As CF has it: mean, maximum, sum, …"""
    span: str
    """`within days`, `over days`, …; empty: it does not say."""


def methods_over_time(text: str) -> tuple[TimeMethod, ...]:
    """The methods over time of an attribute `cell_methods`, in the order in which they were applied.

    Those over space are passed over, and so is `point`: a value of one moment has been through no method.
    """
    found = []
    for match in _STATEMENT.finditer(_COMMENT.sub(" ", text)):
        names = [name.strip().casefold() for name in match["names"].split(":")]
        method = match["method"].casefold()
        if any(name.endswith("time") for name in names) and method != "point":
            found.append(TimeMethod(_SHORT.get(method, method), " ".join(match["span"].split()).casefold()))
    return tuple(found)


def method_of_day(methods: tuple[TimeMethod, ...], cadence: Cadence | None) -> str | None:
    """By which method each day has its value; None when nothing says it.

    Args:
        methods: as applied; `maximum within days, mean over days` has days' maxima.
        cadence: of the file. Without words such as `within days`, the last method made the steps of a daily file; of
            longer steps the first is that of the day.
    """
    within = [one.method for one in methods if "within days" in one.span or "within day" in one.span]
    if within:
        return within[-1]
    of_day = [one.method for one in methods if not any(span in one.span for span in _SHORTER_THAN_A_DAY)]
    if not of_day:
        return methods[-1].method if methods else None
    return of_day[-1] if cadence is Cadence.DAILY else of_day[0]


def method_of_step(methods: tuple[TimeMethod, ...]) -> str | None:
    """By which method the steps of the file were made last; None when nothing says it."""
    return methods[-1].method if methods else None
