"""Days become months.

A monthly mean stands on the days that there are, and is missing where more than ten are not, or five on end; a monthly
sum of rain needs all of them, for a missing day may be the one on which it rained.

Source: WMO-No. 1203 (2017), Guidelines on the Calculation of Climate Normals, 4.4.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.indices.calendar import days_not_in_calendar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MOST_MISSING_IN_MEAN = 10
MOST_MISSING_ON_END = 4


def monthly_sum(values: Floats, dates: NDArray[np.datetime64]) -> Floats:
    """Sums over the days of each month; NaN where a day is missing.

    A 29 February that the cell's calendar has not is not missing (`days_not_in_calendar`).

    Args:
        values: (days, cells).
        dates: (days,) of whole months, without gaps.

    Returns:
        (months, cells).
    """
    of_calendar = np.where(days_not_in_calendar(values, dates), 0.0, values)
    sums: Floats = np.add.reduceat(of_calendar, _starts(dates), axis=0)
    return sums


def monthly_mean(values: Floats, dates: NDArray[np.datetime64]) -> Floats:
    """Means over the days of each month that are there; NaN where more than ten are missing, or five on end.

    Arguments and shapes as `monthly_sum`.
    """
    starts = _starts(dates)
    there = ~np.isnan(values)
    n_there = np.add.reduceat(there, starts, axis=0, dtype=np.int64)
    total = np.add.reduceat(np.where(there, values, 0.0), starts, axis=0)
    enough = days_in_month(dates)[:, np.newaxis] - n_there <= MOST_MISSING_IN_MEAN
    enough &= ~_has_long_gap(~there, dates)
    means: Floats = np.divide(total, n_there, out=np.full(total.shape, np.nan), where=enough)
    return means


def whole_years(months: Floats) -> NDArray[np.bool_]:
    """Which years of (months, cells), from January on, have all their months: (years, cells)."""
    complete: NDArray[np.bool_] = np.all(~np.isnan(months).reshape(-1, 12, months.shape[1]), axis=1)
    return complete


def days_in_month(dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """(months,): how many days each month of the record has."""
    return np.diff(_starts(dates), append=dates.size)


def months_of(dates: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    """(months,) datetime64[M] of the record."""
    return np.arange(dates[0].astype("datetime64[M]"), dates[-1].astype("datetime64[M]") + 1)


def _has_long_gap(missing: NDArray[np.bool_], dates: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Which months have more missing days on end than they may: (months, cells); a gap ends with its month."""
    n_places = missing.shape[0] - MOST_MISSING_ON_END
    begins = missing[:n_places].copy()
    for ahead in range(1, MOST_MISSING_ON_END + 1):
        begins &= missing[ahead : n_places + ahead]
    month = dates.astype("datetime64[M]")
    begins &= (month[:n_places] == month[MOST_MISSING_ON_END:])[:, np.newaxis]
    # Every month begins among the places: none is as short as a gap.
    gaps: NDArray[np.bool_] = np.logical_or.reduceat(begins, _starts(dates), axis=0)
    return gaps


def _starts(dates: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Where each month begins."""
    starts: NDArray[np.int64] = (months_of(dates).astype("datetime64[D]") - dates[0]).astype(np.int64)
    return starts
