"""Warm and cold spells relative to a place's own climate: WSDI, CSDI, and the days beyond the percentile.

Years have 365 days (29 February is dropped; a spell may cross that gap). The threshold of a calendar day
comes from the five days around it in all baseline years, by Hyndman & Fan's type 8; there is no bootstrap:
the baseline's own years are not corrected for being in the sample.

Source: Zhang, X. et al. (2011): Indices for monitoring changes in extremes based on daily temperature and
precipitation data. WIREs Clim. Change 2, 851–870.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.calendar import MOST_MISSING_DAYS, NORMAL_PERIOD, DailyAxis, daily_axis
from aiops.indices.quantiles import moving_quantile
from aiops.indices.series import TEMPERATURE, columns, like_input, quantity

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SHORTEST_SPELL = 6
WINDOW = 5
WARM_PERCENTILE = 90.0
COLD_PERCENTILE = 10.0
_PRESENT_TENTHS = 7  # a threshold needs 70 % of the window's values


def warm_spell_duration(
    tasmax: ArrayLike,
    dates: ArrayLike,
    baseline: tuple[int, int] = NORMAL_PERIOD,
    *,
    threshold: ArrayLike | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """WSDI: days per year in spells of at least 6 days, each warmer than its calendar day's 90th percentile.

    Warmer is strictly above. Spells are cut at 31 December; a missing day ends a spell; a year with more than
    15 missing days is NaN.

    Args:
        tasmax: daily maximum temperature, °C, (days, cells) or (days,).
        dates: datetime64[D] (days,), strictly increasing.
        baseline: first and last year of the threshold's sample; `calendar.baseline_years` has the rule.
        threshold: `day_percentile(…)` where it is at hand already, °C, (365, cells) or (365,).

    Returns:
        The years (years,) and the days in spells (years, cells) or (years,).

    Raises:
        BadInput: dates that are not daily, values that are no °C, a baseline outside the record.
    """
    return _spell_days(
        "tasmax", tasmax, dates, baseline, threshold, percentile=WARM_PERCENTILE, shortest=SHORTEST_SPELL
    )


def cold_spell_duration(
    tasmin: ArrayLike,
    dates: ArrayLike,
    baseline: tuple[int, int] = NORMAL_PERIOD,
    *,
    threshold: ArrayLike | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """CSDI: days per year in spells of at least 6 days, each colder than its calendar day's 10th percentile.

    Colder is strictly below. The rules, arguments, shapes and errors are those of `warm_spell_duration`, with
    the daily minimum, °C.
    """
    return _spell_days(
        "tasmin", tasmin, dates, baseline, threshold, percentile=COLD_PERCENTILE, shortest=SHORTEST_SPELL
    )


def days_above_threshold(
    tasmax: ArrayLike,
    dates: ArrayLike,
    baseline: tuple[int, int] = NORMAL_PERIOD,
    *,
    threshold: ArrayLike | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """TX90p as days: days per year with the maximum strictly above the calendar day's 90th percentile.

    The rules, arguments, shapes and errors are those of `warm_spell_duration`; single days count.
    """
    return _spell_days("tasmax", tasmax, dates, baseline, threshold, percentile=WARM_PERCENTILE, shortest=1)


def day_percentile(
    temperature: ArrayLike,
    dates: ArrayLike,
    percentile: float,
    baseline: tuple[int, int] = NORMAL_PERIOD,
) -> NDArray[np.float64]:
    """Percentile of each calendar day over a 5-day window in the baseline years.

    The window does not reach beyond the baseline's own days. A day of which less than 70 % of the window's
    values are present has no percentile: NaN; the window has 5 values for each baseline year in which the
    cell has data at all (that 20 of 30 years are enough is the rule of the baseline, not of the window).

    Args:
        temperature: daily, °C, (days, cells) or (days,).
        dates: datetime64[D] (days,), strictly increasing.
        percentile: 0 to 100.
        baseline: first and last year, both included.

    Returns:
        °C, (365, cells) or (365,), 29 February left out.

    Raises:
        BadInput: dates that are not daily, values that are no °C, a baseline outside the record.
    """
    values = quantity("temperature", temperature, TEMPERATURE)
    axis = daily_axis(dates, values.shape[0])
    return like_input(_day_percentile(axis.no_leap_years(values), axis, percentile, baseline), temperature)


def _day_percentile(
    years_of_days: NDArray[np.float64], axis: DailyAxis, percentile: float, baseline: tuple[int, int]
) -> NDArray[np.float64]:
    """`day_percentile` of (years, 365, cells)."""
    first, last = baseline
    if first > last:
        raise BadInput(f"baseline: {first} to {last} given; allowed: the first year, then the last")
    inside = (axis.years >= first) & (axis.years <= last)
    if not inside.any():
        raise BadInput(
            f"baseline: {first} to {last} lies outside the record; "
            f"allowed: years within {axis.years[0]} to {axis.years[-1]}"
        )
    sample = years_of_days[int(np.argmax(inside)) :][: np.count_nonzero(inside)]
    n_years, n_days, n_cells = sample.shape
    reach = WINDOW // 2
    by_day = np.empty((n_days + 2 * reach, n_cells, n_years))
    by_day[reach:-reach] = np.moveaxis(sample, 0, -1)
    # Around New Year the window takes the neighbouring year's days; none lie before or after the baseline.
    by_day[:reach, :, 0] = np.nan
    by_day[:reach, :, 1:] = np.moveaxis(sample[:-1, -reach:], 0, -1)
    by_day[-reach:, :, -1] = np.nan
    by_day[-reach:, :, :-1] = np.moveaxis(sample[1:, :reach], 0, -1)
    threshold, present = moving_quantile(by_day, WINDOW, percentile / 100.0, 8)
    expected = WINDOW * np.count_nonzero(_any_value(sample), axis=0)
    return np.where((present > 0) & (10 * present >= _PRESENT_TENTHS * expected), threshold, np.nan)


def _any_value(years_of_days: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Has the cell a value in the year: (years, cells)."""
    has: NDArray[np.bool_] = np.any(~np.isnan(years_of_days), axis=1)
    return has


def _spell_days(
    name: str,
    temperature: ArrayLike,
    dates: ArrayLike,
    baseline: tuple[int, int],
    threshold: ArrayLike | None,
    *,
    percentile: float,
    shortest: int,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Days per year in spells beyond the percentile: above it for a high one, below it for a low one."""
    values = quantity(name, temperature, TEMPERATURE)
    axis = daily_axis(dates, values.shape[0])
    years_of_days = axis.no_leap_years(values)
    if threshold is None:
        limit = _day_percentile(years_of_days, axis, percentile, baseline)
    else:
        limit = columns("threshold", threshold)
        if limit.shape != years_of_days.shape[1:]:
            raise BadInput(f"threshold: shape {limit.shape} given; allowed: {years_of_days.shape[1:]}")
    beyond = years_of_days > limit if percentile > 50.0 else years_of_days < limit
    days = _days_in_runs(beyond, shortest)
    # A day without a threshold cannot be judged: it is as missing as one without a value.
    judged = _count(~np.isnan(years_of_days) & ~np.isnan(limit))
    enough = judged >= years_of_days.shape[1] - MOST_MISSING_DAYS
    return axis.years, like_input(np.where(enough, days, np.nan), temperature)


def _days_in_runs(days: NDArray[np.bool_], shortest: int) -> NDArray[np.int64]:
    """Number of days along axis 1 that stand in runs of at least `shortest`.

    A run of length L ≥ s has L − s + 1 places where s true days in a row begin, in one stretch: the days are
    those places plus s − 1 for each stretch. No run is walked through.
    """
    n_places = days.shape[1] - shortest + 1
    begins = days[:, :n_places].copy()
    for ahead in range(1, shortest):
        begins &= days[:, ahead : n_places + ahead]
    if shortest == 1:
        return _count(begins)
    first_of_stretch = begins.copy()
    first_of_stretch[:, 1:] &= ~begins[:, :-1]
    return _count(begins) + (shortest - 1) * _count(first_of_stretch)


def _count(days: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number of true days along axis 1; the narrow sum is three times as fast as numpy's count_nonzero."""
    counts: NDArray[np.uint16] = np.sum(days.view(np.uint8), axis=1, dtype=np.uint16)
    return counts.astype(np.int64)
