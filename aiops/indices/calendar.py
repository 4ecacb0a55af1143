"""Days, years and baselines: how dated rows become whole years.

A record is laid on all the days from 1 January of its first to 31 December of its last year; a day that is
not in the record is a missing day like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aiops.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

NORMAL_PERIOD = (1991, 2020)
"""The World Meteorological Organization's current normal, and this project's baseline."""
MOST_MISSING_DAYS = 15
"""A year with more missing days than these has no value (the rule of the ETCCDI indices)."""
_ENOUGH_OF_NORMAL = 20
_LONG_RECORD = 30
_NO_LEAP_DAYS = 365


class Baseline(NamedTuple):
    """The years that a series is compared with; `label` is what results store as their `baseline`."""

    first_year: int
    last_year: int
    label: str
    """`1991-2020`, `first_30_years`, or `first_N_years` for a record of N years."""

    @property
    def years(self) -> tuple[int, int]:
        """(first, last), as the `baseline` argument of the indices takes it."""
        return self.first_year, self.last_year


def baseline_years(years_with_data: ArrayLike) -> Baseline | None:
    """The baseline of one series.

    1991–2020 where at least 20 of those years have data; else the first 30 years that have data; else all
    that have. The span from `first_year` to `last_year` holds exactly those years and, where the record has
    gaps, years without data, which count for nothing.

    Args:
        years_with_data: years that have a usable value, in any order.

    Returns:
        The baseline, or None where no year has data.

    Raises:
        BadInput: the years are not whole numbers.
    """
    raw = np.asarray(years_with_data).reshape(-1)
    if raw.size == 0:
        return None
    if not np.issubdtype(raw.dtype, np.integer):
        raise BadInput(f"years_with_data: {raw.dtype} given; allowed: whole years")
    years = np.unique(raw)
    first, last = NORMAL_PERIOD
    if np.count_nonzero((years >= first) & (years <= last)) >= _ENOUGH_OF_NORMAL:
        return Baseline(first, last, f"{first}-{last}")
    used = years[:_LONG_RECORD]
    return Baseline(int(used[0]), int(used[-1]), f"first_{used.size}_years")


@dataclass(frozen=True, slots=True)
class DailyAxis:
    """Where the rows of a daily record stand among the days of whole years."""

    years: NDArray[np.int64]
    """(years,), from the record's first to its last, without gaps."""
    days: NDArray[np.datetime64]
    """All days of those years."""
    rows: NDArray[np.intp]
    """(record's days,): the position of each among `days`."""

    @property
    def starts(self) -> NDArray[np.intp]:
        """(years,): the position of each 1 January among `days`."""
        january_first = (self.years - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        starts: NDArray[np.intp] = (january_first - self.days[0]).astype(np.intp)
        return starts

    @property
    def lengths(self) -> NDArray[np.intp]:
        """(years,): 365 or 366."""
        return np.diff(self.starts, append=self.days.size)

    def whole_years(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The record on all of `days`, NaN on those it has not: (days, cells); itself if it has all."""
        if self.rows.size == self.days.size:
            return values
        laid = np.full((self.days.size, values.shape[1]), np.nan)
        laid[self.rows] = values
        return laid

    def no_leap_years(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The record as years of 365 days, every 29 February dropped: (years, 365, cells)."""
        kept = self.whole_years(values)[~is_leap_day(self.days)]
        return kept.reshape(self.years.size, _NO_LEAP_DAYS, values.shape[1])

    def padded_years(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The record as rows of 366 days, a NaN after the 365th of a common year: (years, 366, cells)."""
        year_of_row = np.repeat(np.arange(self.years.size), self.lengths)
        day_of_row = np.arange(self.days.size) - self.starts[year_of_row]
        padded = np.full((self.years.size, 366, values.shape[1]), np.nan)
        padded[year_of_row[self.rows], day_of_row[self.rows]] = values
        return padded


def daily_axis(dates: ArrayLike, n_rows: int) -> DailyAxis:
    """The axis of a daily record.

    Args:
        dates: one day for each row, strictly increasing; days may be absent, steps of other cadences may not.
        n_rows: number of rows that the dates belong to.

    Raises:
        BadInput: the dates are no days, not as many as the rows, not in order, not unique, or not daily.
    """
    days = _as_days(dates)
    if days.ndim != 1 or days.size != n_rows:
        raise BadInput(f"dates: shape {days.shape} given for {n_rows} rows; allowed: one date a row")
    if days.size == 0:
        raise BadInput("dates: none given; allowed: at least one day")
    if np.isnat(days).any():
        raise BadInput("dates: a date is missing; allowed: one date a row")
    steps = np.diff(days).astype(np.int64)
    if steps.size and steps.min() <= 0:
        at = days[1:][steps <= 0][0]
        raise BadInput(f"dates: {at} follows no earlier day; allowed: strictly increasing days")
    if steps.size and steps.min() > 1:
        raise BadInput(f"dates: wrong cadence, no step below {steps.min()} days; allowed: a daily record")
    first = days[0].astype("datetime64[Y]")
    last = days[-1].astype("datetime64[Y]")
    years = np.arange(first, last + 1).astype(np.int64) + 1970
    whole = np.arange(first.astype("datetime64[D]"), (last + 1).astype("datetime64[D]"))
    return DailyAxis(years=years, days=whole, rows=(days - whole[0]).astype(np.intp))


def _as_days(dates: ArrayLike) -> NDArray[np.datetime64]:
    """Any array of dates as datetime64[D]; hours are cut, so that an hourly record shows doubled days."""
    raw = np.asarray(dates)
    if raw.dtype.kind not in "MOUS":
        raise BadInput(f"dates: {raw.dtype} given; allowed: datetime64[D], dates, or text YYYY-MM-DD")
    try:
        return raw.astype("datetime64[D]")
    except (ValueError, TypeError) as error:
        raise BadInput(f"dates: {error}; allowed: datetime64[D], dates, or text YYYY-MM-DD") from error


def days_not_in_calendar(values: NDArray[np.float64], days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """The 29 Februaries that a cell's calendar has not: days that do not exist there, and are not missing.

    Climate models reckon with years of 365 days. A cell is taken for one of theirs where its record has no 29 February
    at all; and even there only those between two days that are there count, for any other may have been lost with them.

    Args:
        values: (days, cells).
        days: (days,) of whole months, without gaps.

    Returns:
        (days, cells).
    """
    found = np.zeros(values.shape, dtype=bool)
    rows = np.flatnonzero(is_leap_day(days))
    never = np.isnan(values[rows]).all(axis=0)
    if never.any():
        rows = rows[rows < days.size - 1]
        found[rows] = never & ~np.isnan(values[rows - 1]) & ~np.isnan(values[rows + 1])
    return found


def is_leap_day(days: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Is the day a 29 February."""
    months = days.astype("datetime64[M]")
    february = months.astype(np.int64) % 12 == 1
    is_29th: NDArray[np.bool_] = (days - months).astype(np.int64) == 28
    leap_days: NDArray[np.bool_] = february & is_29th
    return leap_days
