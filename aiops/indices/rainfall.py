"""Rain: heaviest day and five days, days of heavy rain, intensity, dry spells, total.

A wet day has at least 1 mm. A year with more than 15 missing days is NaN; fewer are left out, not filled, so
that totals and counts of such a year are a little low.

Source: Zhang, X. et al. (2011): Indices for monitoring changes in extremes based on daily temperature and
precipitation data. WIREs Clim. Change 2, 851–870. RAIN80 is the same count as R20mm at 80 mm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.indices import yearly
from aiops.indices.calendar import days_not_in_calendar
from aiops.indices.series import RAIN

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from aiops.indices.yearly import YearsAndValues

WET_DAY = 1.0
HEAVY_RAIN = 80.0
SUM_DAYS = 5


def rx1day(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """RX1day: rain of the year's wettest day, mm.

    Args:
        rain: daily sum, mm, (days, cells) or (days,); NaN is missing, a dry day is 0.
        dates: datetime64[D] (days,), strictly increasing.

    Returns:
        The years (years,) and mm (years, cells) or (years,).

    Raises:
        BadInput: dates that are not daily, rain below 0 or infinite.
    """
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    return yearly.years_and_values(yearly.maximum(days, axis), days, axis, rain)


def rx5day(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """RX5day: rain of the wettest five days on end, mm; they belong to the year of the last of them.

    So a window may reach into the year before. A window with a missing day has no sum.
    Arguments, shapes and errors as `rx1day`.
    """
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    sums = np.full(days.shape, np.nan)
    n_windows = days.shape[0] - SUM_DAYS + 1
    last_days = sums[SUM_DAYS - 1 :]
    last_days[:] = days[:n_windows]
    for ahead in range(1, SUM_DAYS):
        last_days += days[ahead : n_windows + ahead]
    return yearly.years_and_values(yearly.maximum(sums, axis), days, axis, rain)


def rain80(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """RAIN80: days per year with at least 80 mm. Arguments, shapes and errors as `rx1day`."""
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    return yearly.years_and_values(yearly.count(days >= HEAVY_RAIN, axis), days, axis, rain)


def sdii(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """SDII: mean rain of the year's wet days, mm a day; NaN in a year without a wet day.

    Arguments, shapes and errors as `rx1day`.
    """
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    wet = days >= WET_DAY
    n_wet = yearly.count(wet, axis)
    mean = yearly.total(np.where(wet, days, 0.0), axis) / np.where(n_wet > 0, n_wet, np.nan)
    return yearly.years_and_values(mean, days, axis, rain)


def cdd(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """CDD: longest run of days below 1 mm, cut at 31 December; a missing day ends a run.

    A 29 February that the cell's calendar has not is no day at all (`calendar.days_not_in_calendar`).
    Arguments, shapes and errors as `rx1day`; the values are days.
    """
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    longest = yearly.longest_run(days < WET_DAY, axis, days_not_in_calendar(days, axis.days))
    return yearly.years_and_values(longest, days, axis, rain)


def prcptot(rain: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """PRCPTOT: the year's rain on wet days, mm. Arguments, shapes and errors as `rx1day`."""
    days, axis = yearly.whole_years("rain", rain, dates, RAIN)
    return yearly.years_and_values(yearly.total(np.where(days >= WET_DAY, days, 0.0), axis), days, axis, rain)
