"""From days to years: counts, totals, extremes and runs over the days of each calendar year.

The reductions take days laid on whole years, (days, cells), and give (years, cells).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.indices.calendar import MOST_MISSING_DAYS, DailyAxis, daily_axis
from aiops.indices.series import Quantity, like_input, quantity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    YearsAndValues = tuple[NDArray[np.int64], NDArray[np.float64]]


def count(days: NDArray[np.bool_], axis: DailyAxis) -> NDArray[np.int64]:
    """Number of true days."""
    counts: NDArray[np.uint16] = np.add.reduceat(days.view(np.uint8), axis.starts, axis=0, dtype=np.uint16)
    return counts.astype(np.int64)


def total(values: NDArray[np.float64], axis: DailyAxis) -> NDArray[np.float64]:
    """Sum over the days; NaN where one is missing."""
    sums: NDArray[np.float64] = np.add.reduceat(values, axis.starts, axis=0)
    return sums


def maximum(values: NDArray[np.float64], axis: DailyAxis) -> NDArray[np.float64]:
    """Greatest value; NaN where no day has one."""
    greatest: NDArray[np.float64] = np.fmax.reduceat(values, axis.starts, axis=0)
    return greatest


def minimum(values: NDArray[np.float64], axis: DailyAxis) -> NDArray[np.float64]:
    """Least value; NaN where no day has one."""
    least: NDArray[np.float64] = np.fmin.reduceat(values, axis.starts, axis=0)
    return least


def longest_run(days: NDArray[np.bool_], axis: DailyAxis, passed_over: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Length of the longest stretch of true days, cut at 31 December.

    Args:
        days: (days, cells).
        axis: of these days.
        passed_over: (days, cells): days that neither count nor end a stretch; none is a 1 January.
    """
    # The place among the days that count: it stands still on a day that is passed over.
    place = np.arange(days.shape[0], dtype=np.int32)[:, np.newaxis]
    if passed_over.any():
        place = np.cumsum(~passed_over, axis=0, dtype=np.int32) - np.int32(1)
    before_year = np.repeat(place[axis.starts] - np.int32(1), axis.lengths, axis=0)
    last_break = np.maximum.accumulate(np.where(days | passed_over, np.int32(-1), place), axis=0)
    np.maximum(last_break, before_year, out=last_break)
    runs: NDArray[np.int32] = np.maximum.reduceat(place - last_break, axis.starts, axis=0)
    return runs.astype(np.int64)


def whole_years(
    name: str, values: ArrayLike, dates: ArrayLike, kind: Quantity
) -> tuple[NDArray[np.float64], DailyAxis]:
    """Checked values on the days of whole years.

    Raises:
        BadInput: dates that are not daily, values that cannot be what they are said to be.
    """
    checked = quantity(name, values, kind)
    axis = daily_axis(dates, checked.shape[0])
    return axis.whole_years(checked), axis


def years_and_values(
    result: NDArray[np.float64] | NDArray[np.int64],
    days: NDArray[np.float64],
    axis: DailyAxis,
    values: ArrayLike,
) -> YearsAndValues:
    """The years, and the result in the shape of the input: NaN in years with more than 15 missing days."""
    missing = count(np.isnan(days), axis)
    return axis.years, like_input(np.where(missing <= MOST_MISSING_DAYS, result, np.nan), values)
