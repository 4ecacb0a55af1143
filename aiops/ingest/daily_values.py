"""The usable rows of a daily table, each day of a place once, laid out as series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.ingest.packing import pack
from aiops.ingest.units import suspicion_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.ingest.report import Refusals
    from aiops.ingest.variables import Variable


@dataclass(frozen=True, slots=True)
class DailyRows:
    """Rows of a daily table; the same day of a place may stand there more than once."""

    places: NDArray[np.int64]
    """(rows,)."""
    days: NDArray[np.datetime64]
    """(rows,) datetime64[D]."""
    lines: NDArray[np.int64]
    """(rows,) lines of the file."""
    values: NDArray[np.float64]
    """(rows, variables); NaN is missing."""


@dataclass(frozen=True, slots=True)
class DailyValues:
    """The usable rows of a daily table, sorted by place and day, each day of a place once."""

    variables: tuple[Variable, ...]
    """(variables,), in the catalogue's order."""
    places: NDArray[np.int64]
    """(rows,)."""
    days: NDArray[np.datetime64]
    """(rows,) datetime64[D]."""
    values: NDArray[np.float32]
    """(rows, variables); NaN is missing."""

    @property
    def places_present(self) -> NDArray[np.int64]:
        """Places that have a row."""
        return np.unique(self.places)

    def series(self, grid_ids: Sequence[int], scenario: str) -> Iterator[Series]:
        """Packed series of every place and variable that has a value.

        Args:
            grid_ids: (places,) the cell of each place.
            scenario: one of SCENARIOS.
        """
        bounds = np.searchsorted(self.places, np.arange(len(grid_ids) + 1))
        for place in self.places_present:
            rows = slice(bounds[place], bounds[place + 1])
            for variable, values in zip(self.variables, self.values[rows].T, strict=True):
                there = ~np.isnan(values)
                if there.any():
                    days = self.days[rows][there]
                    yield pack(variable.name, scenario, grid_ids[place], days, values[there], cadence=Cadence.DAILY)

    def variables_present(self) -> tuple[Variable, ...]:
        """Variables that have a value anywhere."""
        columns = zip(self.variables, self.values.T, strict=True)
        return tuple(variable for variable, values in columns if not np.isnan(values).all())

    def suspicions(self) -> Iterator[str]:
        """Warnings about units."""
        for variable, values in zip(self.variables, self.values.T, strict=True):
            there = values[~np.isnan(values)]
            warning = suspicion_of(variable, there.size, float(there.max(initial=variable.minimum)))
            if warning is not None:
                yield warning


def each_day_once(rows: DailyRows, variables: tuple[Variable, ...], refusals: Refusals) -> DailyValues:
    """Sort the rows; of equal rows the first is kept, of rows that contradict each other none.

    Args:
        rows: in any order.
        variables: what the columns of their values are.
        refusals: where the rows left out are noted.
    """
    order = np.lexsort((rows.lines, rows.days, rows.places))
    places, days, values = rows.places[order], rows.days[order], rows.values[order]
    if order.size:
        first = np.concatenate(([True], (places[1:] != places[:-1]) | (days[1:] != days[:-1])))
        if not first.all():
            group = np.cumsum(first) - 1
            differs = ~_equal_rows(values, values[np.flatnonzero(first)[group]])
            conflicts = (np.bincount(group, weights=differs) > 0)[group]
            for at in np.flatnonzero(conflicts | ~first):
                reason = "different values for the same day" if conflicts[at] else "the same row again"
                line, day = int(rows.lines[order[at]]), str(days[at])
                refusals.refuse_row(line, "date", reason, day, "one row for a day and place")
            kept = first & ~conflicts
            places, days, values = places[kept], days[kept], values[kept]
    # −0 and 0 are one value, and must be one where bytes are compared.
    return DailyValues(variables, places, days, (values + 0.0).astype(np.float32))


def _equal_rows(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(((left == right) | (np.isnan(left) & np.isnan(right))).all(axis=1))
