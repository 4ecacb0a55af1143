"""Daily tables, a row a day and place, a column a variable: what ASOS and the CSV of one place share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.ingest.daily_values import DailyRows, DailyValues, each_day_once
from aiops.ingest.texts import DATE_ALLOWED, FIRST_YEAR, LAST_YEAR, UNKNOWN, DateForm, Dates, numbers_of
from aiops.ingest.units import hint_of
from aiops.ingest.variables import VARIABLES, Variable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.ingest.reading import RowBlock
    from aiops.ingest.report import Refusals

_PLACE_IN_CATALOGUE = {variable.name: place for place, variable in enumerate(VARIABLES)}


@dataclass(frozen=True, slots=True)
class DailyColumn:
    """A column of the file and the variable that it holds."""

    column: str
    """Name in the file."""
    variable: Variable
    """Daily."""
    factor: float = 1.0
    """Stored value = given value × factor."""
    empty: float = np.nan
    """Stored where the field is empty in a row that has any value; in a file of such columns alone, in every row."""


class DailyTable:
    """Collects the rows of a file block by block, then lays them out as series."""

    def __init__(self, columns: Sequence[DailyColumn], refusals: Refusals) -> None:
        self._columns = tuple(sorted(columns, key=lambda c: _PLACE_IN_CATALOGUE[c.variable.name]))
        self._refusals = refusals
        self._dates = Dates()
        self._parts: list[DailyRows] = []

    def add(self, block: RowBlock, dates: Sequence[str], places: NDArray[np.int64], date_column: str) -> None:
        """Judge and keep a block of rows.

        Args:
            block: has the variables' columns.
            dates: the rows' dates as they stand in the file.
            places: (rows,) the rows' places, UNKNOWN where the reader has refused the row already.
            date_column: what the file calls the date.
        """
        days, forms = self._dates.read(dates)
        known = places != UNKNOWN
        for row in np.flatnonzero(known & (forms != DateForm.DAY)).tolist():
            allowed = f"{DATE_ALLOWED[Cadence.DAILY]}, years {FIRST_YEAR} to {LAST_YEAR}"
            self._refusals.refuse_row(block.lines[row], date_column, "not a day of the calendar", dates[row], allowed)
        usable = known & (forms == DateForm.DAY)
        # Where emptiness means something, an empty field does not tell whether anything was measured; one that is
        # filled does. In a file of such columns alone nothing else could tell, and every row counts.
        empty = np.full(usable.size, any(np.isnan(column.empty) for column in self._columns))
        values = np.empty((usable.size, len(self._columns)))
        for place, column in enumerate(self._columns):
            texts = block.columns[column.column]
            values[:, place] = self._column(column, texts, block.lines, usable)
            empty &= _blank(texts)
        for row in np.flatnonzero(usable & empty).tolist():
            self._refusals.refuse_row(
                block.lines[row], "row", "no value in any column used", dates[row], "at least one value"
            )
        usable &= ~empty
        self._order_extremes(values, block.lines, usable)
        lines = np.array(block.lines, dtype=np.int64)
        self._parts.append(DailyRows(places[usable], days[usable], lines[usable], values[usable]))

    def finish(self) -> DailyValues:
        """What was kept, in order, each day of a place once."""
        nothing = DailyRows(
            np.zeros(0, np.int64),
            np.zeros(0, "datetime64[D]"),
            np.zeros(0, np.int64),
            np.zeros((0, len(self._columns))),
        )
        parts = self._parts or [nothing]
        rows = DailyRows(
            places=np.concatenate([part.places for part in parts]),
            days=np.concatenate([part.days for part in parts]),
            lines=np.concatenate([part.lines for part in parts]),
            values=np.concatenate([part.values for part in parts]),
        )
        return each_day_once(rows, tuple(column.variable for column in self._columns), self._refusals)

    def _column(
        self,
        column: DailyColumn,
        texts: tuple[str, ...],
        lines: tuple[int, ...],
        usable: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        """One column in the unit of its variable; values that cannot be used are noted and NaN."""
        variable = column.variable
        values, bad = numbers_of(texts)
        values *= column.factor
        wild = ~np.isnan(values) & ~((values >= variable.minimum) & (values <= variable.maximum))
        for row in np.flatnonzero(usable & (bad | wild)).tolist():
            reason = "not a number" if bad[row] else "implausible"
            hint = "" if bad[row] else hint_of(variable, float(values[row]))
            stored = f", × {1 / column.factor:g} in the file" if column.factor != 1.0 else ""
            allowed = f"{variable.name} {variable.allowed}{stored}{hint}"
            self._refusals.refuse_value(lines[row], column.column, reason, texts[row], allowed)
        values[wild] = np.nan
        if not np.isnan(column.empty):
            values[_blank(texts)] = column.empty
        return values

    def _order_extremes(self, values: NDArray[np.float64], lines: tuple[int, ...], usable: NDArray[np.bool_]) -> None:
        """A day's minimum above its maximum: neither can be believed. Changes `values` in place."""
        names = [column.variable.name for column in self._columns]
        for low, high in (("tasmin", "tasmax"), ("hursmin", "hurs")):
            if low not in names or high not in names:
                continue
            lows, highs = names.index(low), names.index(high)
            swapped = values[:, lows] > values[:, highs]
            for row in np.flatnonzero(usable & swapped).tolist():
                given = f"{values[row, lows]:g} > {values[row, highs]:g}"
                column = self._columns[lows].column
                allowed = f"at most {self._columns[highs].column} of the day"
                self._refusals.refuse_value(lines[row], column, f"{low} above {high}", given, allowed)
            values[swapped, lows] = np.nan
            values[swapped, highs] = np.nan


def _blank(texts: Sequence[str]) -> NDArray[np.bool_]:
    return np.fromiter((not text or text.isspace() for text in texts), np.bool_, len(texts))
