"""Days and nights beyond fixed temperatures, and the year's extremes.

A year with more than 15 missing days is NaN; fewer are left out, not filled.

Source: the ETCCDI definitions (Zhang, X. et al. 2011, WIREs Clim. Change 2, 851–870) for FD, TXx, TNn; the
Korea Meteorological Administration's heat wave day (33 °C), tropical night (25 °C), cold wave day (−12 °C).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.indices import yearly
from aiops.indices.series import TEMPERATURE

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from aiops.indices.yearly import YearsAndValues

HEAT_WAVE = 33.0
TROPICAL_NIGHT = 25.0
COLD_WAVE = -12.0
FROST = 0.0


def tx33(tasmax: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """Days per year with a maximum of 33 °C or more.

    Args:
        tasmax: daily maximum, °C, (days, cells) or (days,); NaN is missing.
        dates: datetime64[D] (days,), strictly increasing.

    Returns:
        The years (years,) and days (years, cells) or (years,).

    Raises:
        BadInput: dates that are not daily, values that are no °C.
    """
    days, axis = yearly.whole_years("tasmax", tasmax, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.count(days >= HEAT_WAVE, axis), days, axis, tasmax)


def tn25(tasmin: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """Nights per year with a minimum of 25 °C or more. The rest as `tx33`, with minima."""
    days, axis = yearly.whole_years("tasmin", tasmin, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.count(days >= TROPICAL_NIGHT, axis), days, axis, tasmin)


def tnm12(tasmin: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """Days per year with a minimum of −12 °C or less. The rest as `tx33`, with minima."""
    days, axis = yearly.whole_years("tasmin", tasmin, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.count(days <= COLD_WAVE, axis), days, axis, tasmin)


def fd(tasmin: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """Frost days: days per year with a minimum below 0 °C. The rest as `tx33`, with minima."""
    days, axis = yearly.whole_years("tasmin", tasmin, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.count(days < FROST, axis), days, axis, tasmin)


def txx(tasmax: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """TXx: the year's highest maximum, °C. Arguments, shapes and errors as `tx33`."""
    days, axis = yearly.whole_years("tasmax", tasmax, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.maximum(days, axis), days, axis, tasmax)


def tnn(tasmin: ArrayLike, dates: ArrayLike) -> YearsAndValues:
    """TNn: the year's lowest minimum, °C. The rest as `tx33`, with minima."""
    days, axis = yearly.whole_years("tasmin", tasmin, dates, TEMPERATURE)
    return yearly.years_and_values(yearly.minimum(days, axis), days, axis, tasmin)
