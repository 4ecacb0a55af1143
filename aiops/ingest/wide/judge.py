"""The rows of a wide table become series: what cannot be used is left out, counted and named."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence, Series, calendar_days
from aiops.ingest.texts import FIRST_YEAR, LAST_YEAR
from aiops.ingest.units import hint_of
from aiops.ingest.wide.source import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from aiops.ingest.variables import Variable
    from aiops.ingest.wide.source import WideRow, WideTable

EXAMPLES = 5
"""That are kept of each reason."""
_EPOCH = 1970
_UNIT = {Cadence.DAILY: "D", Cadence.MONTHLY: "M", Cadence.YEARLY: "Y"}


@dataclass(frozen=True, slots=True)
class WideRefusals:
    """All that was left out for one reason."""

    what: str
    """`row` or `value`."""
    reason: str
    count: int
    examples: tuple[str, ...]


@dataclass(slots=True)
class Judge:
    """Turns the rows of one table into series, and counts what it leaves out."""

    table: WideTable
    variable: Variable
    rows_read: int = 0
    rows_refused: int = 0
    values_refused: int = 0
    first_year: int | None = None
    last_year: int | None = None
    _groups: dict[tuple[str, str], tuple[int, list[str]]] = field(default_factory=dict)

    def series(self, row: WideRow, grid_id: int) -> Iterator[Series]:
        """The series of one cell, whole years, NaN where nothing is given; a scenario without any value has none.

        Args:
            row: all that the table has of the cell.
            grid_id: of the frame.
        """
        steps, inside = self._steps(row)
        order = np.flatnonzero(inside)
        steps = steps[order]
        columns = [values[order] for values in row.values]
        usable = self._each_once(row, steps, columns)
        if not usable.any():
            return
        steps = steps[usable]
        first, last = (self._year_of(int(steps[place])) for place in (0, -1))
        self._extend(first, last)
        start = self._first_step(first)
        length = self._first_step(last + 1) - start
        for (column, scenario), given in zip(self.table.scenarios.items(), columns, strict=True):
            values = self._plausible(row, column, steps, given[usable])
            if np.isnan(values).all():
                continue
            laid = np.full(length, np.nan, dtype=np.float32)
            laid[steps - start] = values
            yield Series(self.variable.name, scenario, grid_id, first, laid)

    def refuse_cell(self, row: WideRow, reason: str, example: str) -> None:
        """Leave out all rows of a cell."""
        self._refuse_rows(row.n_rows, reason, example)

    def groups(self) -> tuple[WideRefusals, ...]:
        """What was left out by reason, the most frequent first."""
        found = [
            WideRefusals(what, reason, count, tuple(examples))
            for (what, reason), (count, examples) in self._groups.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.count, one.what, one.reason)))

    def _steps(self, row: WideRow) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Years, months or days since 1970 of the rows, and which of them can be used."""
        moments = row.moments.astype(np.int64)
        known = moments != NO_TIME
        if self.table.time == "year":
            steps, years = moments - _EPOCH, moments
        else:
            days = np.where(known, moments, 0).astype("datetime64[D]")
            years = days.astype("datetime64[Y]").astype(np.int64) + _EPOCH
            steps = days.astype(f"datetime64[{_UNIT[self.variable.cadence]}]").astype(np.int64)
        if not known.all():
            self._refuse_rows(int((~known).sum()), f"no {self.table.time}", f"grid_id {row.cell}")
        outside = known & ((years < FIRST_YEAR) | (years > LAST_YEAR))
        for year in np.unique(years[outside]).tolist() if outside.any() else ():
            count = int((years[outside] == year).sum())
            allowed = f"allowed: {FIRST_YEAR} to {LAST_YEAR}"
            self._refuse_rows(count, "year out of range", f"{self._at(row, year)}; {allowed}")
        return steps, known & ~outside

    def _each_once(
        self, row: WideRow, steps: NDArray[np.int64], columns: list[NDArray[np.float64]]
    ) -> NDArray[np.bool_]:
        """Which rows stand: of those that say the same of one time the first, of those that contradict none."""
        usable = np.ones(steps.size, dtype=np.bool_)
        for step in np.unique(steps[1:][steps[1:] == steps[:-1]]).tolist():
            places = np.flatnonzero(steps == step)
            usable[places] = False
            same = all(np.unique(values[places]).size == 1 for values in columns)
            usable[places[0]] = same
            reason = "the same twice" if same else "two that contradict each other"
            self._refuse_rows(places.size - same, reason, self._at(row, self._time_of(step)))
        return usable

    def _plausible(
        self, row: WideRow, column: str, steps: NDArray[np.int64], values: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Values within the plausible range; NaN for those beyond it."""
        wild = ~np.isnan(values) & ~((values >= self.variable.minimum) & (values <= self.variable.maximum))
        if not wild.any():
            return values
        self.values_refused += int(wild.sum())
        for place in np.flatnonzero(wild).tolist():
            value = float(values[place])
            self._note(
                "value",
                "implausible",
                1,
                f"{self._at(row, self._time_of(int(steps[place])))}, {column}: {value:g}; "
                f"allowed: {self.variable.name} {self.variable.allowed}{hint_of(self.variable, value)}",
            )
        return np.where(wild, np.nan, values)

    def _refuse_rows(self, count: int, reason: str, example: str) -> None:
        self.rows_refused += count
        self._note("row", reason, count, example)

    def _note(self, what: str, reason: str, count: int, example: str) -> None:
        known, examples = self._groups.setdefault((what, reason), (0, []))
        if len(examples) < EXAMPLES:
            examples.append(example)
        self._groups[what, reason] = (known + count, examples)

    def _at(self, row: WideRow, time: int | str) -> str:
        return f"{self.table.time} {time}, grid_id {row.cell}"

    def _time_of(self, step: int) -> str:
        """A step in the words of the table."""
        return str(np.array(step).astype(f"datetime64[{_UNIT[self.variable.cadence]}]"))

    def _year_of(self, step: int) -> int:
        return int(self._time_of(step)[:4])

    def _first_step(self, year: int) -> int:
        """The first step of a year."""
        match self.variable.cadence:
            case Cadence.DAILY:
                return int(calendar_days(year, 1)[0].astype(np.int64))
            case Cadence.MONTHLY:
                return 12 * (year - _EPOCH)
            case Cadence.YEARLY:
                return year - _EPOCH

    def _extend(self, first: int, last: int) -> None:
        self.first_year = first if self.first_year is None else min(self.first_year, first)
        self.last_year = last if self.last_year is None else max(self.last_year, last)
