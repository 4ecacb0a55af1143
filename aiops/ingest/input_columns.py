"""Columns of input tables: what may stand in them, and what a text there says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.ingest.texts import FIRST_YEAR, LAST_YEAR, MISSING_WORDS, find_scenario, numbers_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Value = float | str | None
    Judged = tuple[list[Value], list[str | None]]

MISSING, IMPLAUSIBLE = "missing", "implausible"
"""Faults that are treated in their own way: a value that is not there, a number beyond the bounds."""

_FLAGS = {
    **dict.fromkeys(("1", "1.0", "y", "yes", "t", "true", "o", "예", "유", "있음"), True),
    **dict.fromkeys(("0", "0.0", "n", "no", "f", "false", "x", "아니오", "아니요", "무", "없음"), False),
}
# A month or day of 00 is how registers write that only the year is known.
_YEAR = re.compile(
    r"(?P<year>\d{4})"
    r"(?:(?P<sign>[-/.] ?)(?:0?\d|1[0-2])(?:(?P=sign)(?:[0-2]?\d|3[01])\.?(?:[ T][0-9:.]+Z?)?)?"
    r"|(?:0\d|1[0-2])(?:[0-2]\d|3[01])?)?",
    re.ASCII,
)


class Kind(Enum):
    """What stands in a column."""

    TEXT = "text"
    NUMBER = "number"
    WHOLE = "whole number"
    SCENARIO = "scenario"
    FLAG = "yes or no"
    YEAR = "year, or a date in it"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a format."""

    name: str
    kind: Kind
    minimum: float = -np.inf
    """Of numbers and years."""
    maximum: float = np.inf
    """Of texts: letters."""
    unit: str = ""
    needed: bool = True
    """A row without a usable value is refused. Else the value alone is left out, and the column may be absent."""
    hint: str = ""
    """What a number beyond the bounds usually turns out to be."""
    aliases: tuple[str, ...] = ()
    """Other names of the column."""

    @property
    def allowed(self) -> str:
        """What may stand there, for a message."""
        match self.kind:
            case Kind.TEXT:
                return "a text" if np.isinf(self.maximum) else f"a text of at most {self.maximum:g} letters"
            case Kind.SCENARIO:
                return " ".join(SCENARIOS)
            case Kind.FLAG:
                return "yes or no"
            case Kind.YEAR:
                return f"a year, {self.minimum:g} to {self.maximum:g}, or a date in it"
            case _:
                whole = "a whole number, " if self.kind is Kind.WHOLE else ""
                return f"{whole}{self.minimum:g} to {self.maximum:g}{f' {self.unit}' if self.unit else ''}"


YEAR = Column("year", Kind.WHOLE, FIRST_YEAR, LAST_YEAR)
SCENARIO = Column("scenario", Kind.SCENARIO)


def judge_column(column: Column, texts: Sequence[str]) -> Judged:
    """Values, None where there is none, and what is wrong with the text there, None where nothing is."""
    match column.kind:
        case Kind.TEXT:
            return _texts(column, texts)
        case Kind.SCENARIO:
            return _looked_up(texts, find_scenario, "not known")
        case Kind.FLAG:
            return _looked_up(texts, lambda text: _FLAGS.get(text.strip().casefold()), "neither yes nor no")
        case Kind.YEAR:
            years, faults = _looked_up(texts, _year_of, "neither a year nor a date")
            beyond = [isinstance(year, int) and not column.minimum <= year <= column.maximum for year in years]
            return (
                [None if far else year for far, year in zip(beyond, years, strict=True)],
                [IMPLAUSIBLE if far else fault for far, fault in zip(beyond, faults, strict=True)],
            )
        case _:
            return _numbers(column, texts)


def _texts(column: Column, texts: Sequence[str]) -> Judged:
    words = [text.strip() for text in texts]
    faults = [MISSING if not word else "too long" if len(word) > column.maximum else None for word in words]
    return [None if fault else word for fault, word in zip(faults, words, strict=True)], faults


def _looked_up(texts: Sequence[str], find: Callable[[str], Value], fault: str) -> Judged:
    values = [find(text) for text in texts]
    faults = [
        None if value is not None else MISSING if text.strip().casefold() in MISSING_WORDS else fault
        for text, value in zip(texts, values, strict=True)
    ]
    return values, faults


def _year_of(text: str) -> int | None:
    match = _YEAR.fullmatch(text.strip())
    return int(match["year"]) if match else None


def _numbers(column: Column, texts: Sequence[str]) -> Judged:
    numbers, bad = numbers_of(texts)
    values: list[Value] = []
    faults: list[str | None] = []
    for number, is_bad in zip(numbers.tolist(), bad.tolist(), strict=True):
        fault = None
        if is_bad:
            fault = "not a number"
        elif np.isnan(number):
            fault = MISSING
        elif column.kind is Kind.WHOLE and not number.is_integer():
            fault = "not a whole number"
        elif not column.minimum <= number <= column.maximum:
            fault = IMPLAUSIBLE
        faults.append(fault)
        values.append(None if fault else int(number) if column.kind is Kind.WHOLE else number)
    return values, faults
