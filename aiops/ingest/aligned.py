"""Several variables of some cells on one axis of time, a scenario with the history in front of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence, Series, calendar_days
from aiops.indices.calendar import baseline_years

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from aiops.indices.calendar import Baseline

HISTORY = "historical"
_STEP = {Cadence.DAILY: "D", Cadence.MONTHLY: "M", Cadence.YEARLY: "Y"}


@dataclass(frozen=True, slots=True)
class Aligned:
    """Cells whose records of one scenario cover the same years."""

    scenario: str
    grid_ids: NDArray[np.int32]
    """(cells,)."""
    first_year: int
    """Of the values."""
    own_first_year: int
    """Of the scenario itself; the years before it are history."""
    dates: NDArray[np.datetime64]
    """(time,) of whole years, without gaps, in the unit of the cadence."""
    values: dict[str, NDArray[np.float64]]
    """By variable: (time, cells); NaN is missing, everywhere where a cell has none of the variable."""

    def series(
        self, variable: str, years: NDArray[np.int64], values: NDArray[np.float64], per_year: int = 1
    ) -> Iterator[Series]:
        """The scenario's own part of a result as series; cells without any value are left out.

        Args:
            variable: what the values are of.
            years: (years,).
            values: (years · per_year, cells).
            per_year: 1, or 12 for months.
        """
        own = np.repeat(years >= self.own_first_year, per_year)
        first_year = max(int(years[0]), self.own_first_year)
        for grid_id, column in zip(self.grid_ids.tolist(), values[own].T, strict=True):
            if not np.isnan(column).all():
                yield Series(variable, self.scenario, grid_id, first_year, column.astype(np.float32))

    @property
    def years(self) -> NDArray[np.int64]:
        """(years,) that the dates cover."""
        first, last = (int(day.astype("datetime64[Y]").astype(np.int64)) + 1970 for day in self.dates[[0, -1]])
        return np.arange(first, last + 1)


def align(
    series: Iterable[Series],
    variables: Collection[str],
    cadence: Cadence,
    needed: Collection[str] = (),
    *,
    with_history: bool = True,
) -> Iterator[Aligned]:
    """Lay series on common axes.

    Args:
        series: of any variables, cells and scenarios.
        variables: those that are taken, all of one cadence.
        cadence: of these variables.
        needed: variables of which a scenario must have rows of its own in a cell; others are passed over.
        with_history: put the history in front of a scenario's own first year.
    """
    found: dict[tuple[str, int], dict[str, Series]] = defaultdict(dict)
    for one in series:
        if one.variable in variables and one.values.size:
            found[one.scenario, one.grid_id][one.variable] = one
    groups: dict[tuple[str, int, int, int], list[tuple[int, dict[str, Series], dict[str, Series]]]] = defaultdict(list)
    for (scenario, grid_id), own in found.items():
        if not set(needed) <= own.keys():
            continue
        past = found.get((HISTORY, grid_id), {}) if with_history and scenario != HISTORY else {}
        own_first = min(one.first_year for one in own.values())
        first = min([own_first, *(one.first_year for one in past.values())])
        last = max(one.first_year + _whole_years(cadence, one) - 1 for one in own.values())
        groups[scenario, first, own_first, last].append((grid_id, own, past))
    for (scenario, first, own_first, last), cells in groups.items():
        dates = _dates(cadence, first, last)
        values = {name: np.full((dates.size, len(cells)), np.nan) for name in variables}
        for place, (_, own, past) in enumerate(cells):
            for name, one in past.items():
                end = own[name].first_year if name in own else own_first
                _put(values[name][:, place], one, cadence, first, end)
            for name, one in own.items():
                _put(values[name][:, place], one, cadence, first, last + 1)
        grid_ids = np.array([grid_id for grid_id, _, _ in cells], dtype=np.int32)
        yield Aligned(scenario, grid_ids, first, own_first, dates, values)


def by_baseline(years: NDArray[np.int64], complete: NDArray[np.bool_]) -> Iterator[tuple[Baseline, NDArray[np.intp]]]:
    """Cells with the same baseline, so that they can be worked on together; cells without one are left out.

    Args:
        years: (years,).
        complete: (years, cells): where a cell's year can be part of its baseline.

    Yields:
        The baseline by the rule of `baseline_years`, and the places of its cells.
    """
    baselines = [baseline_years(years[complete[:, cell]]) for cell in range(complete.shape[1])]
    for baseline in dict.fromkeys(baselines):
        if baseline is not None:
            yield baseline, np.flatnonzero([one == baseline for one in baselines])


def _put(row: NDArray[np.float64], one: Series, cadence: Cadence, first_year: int, end_year: int) -> None:
    """The values of a series before a year, on a row that starts with another year."""
    length = min(one.values.size, _steps(cadence, one.first_year, max(end_year, one.first_year)))
    start = _steps(cadence, first_year, one.first_year)
    row[start : start + length] = one.values[:length]


def _steps(cadence: Cadence, first_year: int, end_year: int) -> int:
    """Values from the beginning of one year to the beginning of another."""
    match cadence:
        case Cadence.DAILY:
            return int(calendar_days(first_year, end_year - first_year).size)
        case Cadence.MONTHLY:
            return 12 * (end_year - first_year)
        case Cadence.YEARLY:
            return end_year - first_year


def _whole_years(cadence: Cadence, one: Series) -> int:
    """Years that a series reaches into."""
    step = f"datetime64[{_STEP[cadence]}]"
    last = np.datetime64(f"{one.first_year:04d}", "Y").astype(step) + (one.values.size - 1)
    return int(last.astype("datetime64[Y]").astype(np.int64)) + 1970 - one.first_year + 1


def _dates(cadence: Cadence, first_year: int, last_year: int) -> NDArray[np.datetime64]:
    step = f"datetime64[{_STEP[cadence]}]"
    first, end = (np.datetime64(f"{year:04d}", "Y").astype(step) for year in (first_year, last_year + 1))
    dates: NDArray[np.datetime64] = first + np.arange((end - first).astype(np.int64))
    return dates
