"""Single observations, in any order, become packed series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Cadence, Series
from aiops.ingest.variables import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from aiops.ingest.report import Refusals

CELL_BITS = 19
_STEP = {Cadence.DAILY: "D", Cadence.MONTHLY: "M", Cadence.YEARLY: "Y"}


@dataclass(frozen=True, slots=True)
class Observations:
    """Values with what they are of; all arrays are (observations,)."""

    keys: NDArray[np.int64]
    """Variable, scenario and cell in one number: see `key_of`."""
    days: NDArray[np.datetime64]
    """datetime64[D]; the first day of a month or year."""
    values: NDArray[np.float32]
    """Never NaN."""
    lines: NDArray[np.int64]
    """Lines of the file."""

    @property
    def size(self) -> int:
        """How many."""
        return int(self.keys.size)


@dataclass(frozen=True, slots=True)
class SeriesIndex:
    """Observations in order, each once: an iterable of Series that makes one at a time."""

    observations: Observations
    """Sorted by key, then day."""
    starts: NDArray[np.int64]
    """Where each series begins, and the end."""

    def __iter__(self) -> Iterator[Series]:
        """The series by variable, scenario, cell."""
        sorted_ = self.observations
        for start, stop in zip(self.starts[:-1], self.starts[1:], strict=True):
            variable, scenario, grid_id = parts_of(sorted_.keys[start])
            entry = VARIABLES[variable]
            yield pack(
                entry.name,
                SCENARIOS[scenario],
                grid_id,
                sorted_.days[start:stop],
                sorted_.values[start:stop],
                cadence=entry.cadence,
            )


def key_of(
    variables: NDArray[np.int64], scenarios: NDArray[np.int64], grid_ids: NDArray[np.int64]
) -> NDArray[np.int64]:
    """One sortable number from the places in VARIABLES and SCENARIOS and the grid_id; all (observations,)."""
    return ((variables * len(SCENARIOS) + scenarios) << CELL_BITS) | grid_ids


def cells_of(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """The grid_id in each key."""
    return keys & ((1 << CELL_BITS) - 1)


def parts_of(key: int) -> tuple[int, int, int]:
    """Place in VARIABLES, place in SCENARIOS, grid_id."""
    variable, scenario = divmod(int(key) >> CELL_BITS, len(SCENARIOS))
    return variable, scenario, int(key) & ((1 << CELL_BITS) - 1)


def index_series(observations: Observations, refusals: Refusals) -> SeriesIndex:
    """Sort observations into series.

    A row that says again what an earlier line said is refused. Where two lines give different values for the
    same variable, scenario, cell and date, neither can be believed: all of them are refused. The outcome does
    not depend on the order of the rows.

    Args:
        observations: in any order.
        refusals: where duplicates are noted.
    """
    order = np.lexsort((observations.lines, observations.days, observations.keys))
    keys, days = observations.keys[order], observations.days[order]
    values, lines = observations.values[order], observations.lines[order]
    if keys.size:
        first = np.concatenate(([True], (keys[1:] != keys[:-1]) | (days[1:] != days[:-1])))
        if not first.all():
            groups = np.flatnonzero(first)
            conflict = np.maximum.reduceat(values, groups) != np.minimum.reduceat(values, groups)
            conflicts = conflict[np.cumsum(first) - 1]
            for place in np.flatnonzero(conflicts | ~first):
                _refuse_duplicate(refusals, int(lines[place]), keys[place], days[place], bool(conflicts[place]))
            kept = first & ~conflicts
            keys, days, values, lines = keys[kept], days[kept], values[kept], lines[kept]
    starts = np.flatnonzero(np.concatenate(([True], keys[1:] != keys[:-1]))) if keys.size else np.zeros(0, np.int64)
    return SeriesIndex(Observations(keys, days, values, lines), np.append(starts, keys.size))


def pack(
    variable: str,
    scenario: str,
    grid_id: int,
    days: NDArray[np.datetime64],
    values: NDArray[np.float32],
    *,
    cadence: Cadence,
) -> Series:
    """One series of whole years, NaN where there is no value.

    Args:
        variable: name in the catalogue.
        scenario: one of SCENARIOS.
        grid_id: the cell.
        days: datetime64[D] (values,), each once, in any order.
        values: (values,).
        cadence: of the variable.
    """
    first_year = days.min().astype("datetime64[Y]")
    end = days.max().astype("datetime64[Y]") + 1
    step = f"datetime64[{_STEP[cadence]}]"
    begin = first_year.astype(step)
    packed = np.full(int((end.astype(step) - begin).astype(int)), np.nan, dtype=np.float32)
    packed[(days.astype(step) - begin).astype(int)] = values
    return Series(variable, scenario, grid_id, int(first_year.astype(int)) + 1970, packed)


def _refuse_duplicate(refusals: Refusals, line: int, key: int, day: np.datetime64, conflict: bool) -> None:
    variable, scenario, grid_id = parts_of(key)
    given = f"{VARIABLES[variable].name} {SCENARIOS[scenario]} grid_id {grid_id} {day}"
    reason = "different values for the same date" if conflict else "the same row again"
    refusals.refuse_row(line, "date", reason, given, "one row for a variable, scenario, cell and date")
