"""Days of the sample's periods, and where each stands in an annual course of 366 days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Series, calendar_days

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

PERIODS: dict[str, tuple[int, int]] = {"historical": (1991, 2020), **dict.fromkeys(SCENARIOS[1:], (2021, 2100))}
"""First and last year of each scenario."""
DAYS = 366
"""Annual courses run over the days of a leap year."""
LEAP_DAY = 59
"""29 February, counted from 0."""
MONTH_LENGTHS = np.array([31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def dates_of(scenario: str) -> NDArray[np.datetime64]:
    """All days of a scenario's period."""
    first, last = PERIODS[scenario]
    return calendar_days(first, last - first + 1)


def years_of(scenario: str) -> Iterator[tuple[int, slice]]:
    """Each year of a scenario's period, and its rows among the days of the period."""
    first, last = PERIODS[scenario]
    start = 0
    for year in range(first, last + 1):
        stop = start + len(calendar_days(year, 1))
        yield year, slice(start, stop)
        start = stop


def course_rows(dates: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """Position of each day in an annual course: 1 March is 60 in every year."""
    years = dates.astype("datetime64[Y]")
    first_days = years.astype("datetime64[D]")
    day = (dates - first_days).astype(np.intp)
    leap = ((years + 1).astype("datetime64[D]") - first_days).astype(np.intp) == DAYS
    rows: NDArray[np.intp] = day + (~leap & (day >= LEAP_DAY))
    return rows


def without_leap_day(course: NDArray[np.float32]) -> NDArray[np.float32]:
    """An annual course (366, cells) for a year of 365 days."""
    return np.delete(course, LEAP_DAY, axis=0)


def yearly_series(
    variable: str, scenario: str, grid_ids: Sequence[int], values: NDArray[np.float64]
) -> Iterator[Series]:
    """Yearly values (years, cells) of a scenario's whole period as series."""
    for grid_id, column in zip(grid_ids, values.T, strict=True):
        yield Series(variable, scenario, int(grid_id), PERIODS[scenario][0], column.astype(np.float32))
