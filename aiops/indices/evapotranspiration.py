"""Potential evapotranspiration from daily or monthly weather: Penman–Monteith, Hargreaves, Thornthwaite.

The best that the data allow is the choice: Penman–Monteith, else Hargreaves, else Thornthwaite. The cadence is
that of the dates: datetime64[D] gives mm a day, datetime64[M] takes monthly means and gives mm a month.

Sources: Allen, R. G. et al. (1998): Crop evapotranspiration. FAO Irrigation and Drainage Paper 56 (numbers in
brackets are its equations); Thornthwaite, C. W. (1948): An approach toward a rational classification of climate.
Geogr. Rev. 38, 55–94.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.series import (
    ELEVATION,
    HUMIDITY,
    LATITUDE,
    RADIATION,
    SUNSHINE,
    TEMPERATURE,
    WIND,
    like_input,
    per_cell,
    quantity,
    same_shape,
    total,
)
from aiops.indices.sunlight import day_length, extraterrestrial_radiation, time_steps

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ALBEDO = 0.23
WIND_AT_2_M = 0.748
"""Share of the 10 m wind that blows at 2 m above short grass (47)."""
MJ_OF_WATT = 0.0864
"""MJ m⁻² a day of 1 W m⁻²."""
MM_OF_MJ = 0.408
"""Water evaporated, mm, by 1 MJ m⁻² (1/2.45)."""
MONTHLY_SOIL_HEAT = 0.14
"""Heat into the soil, MJ m⁻² a day, per degree that a month is warmer than the one before (44)."""
_STEFAN_BOLTZMANN = 4.903e-9  # MJ K⁻⁴ m⁻² a day
_KELVIN = 273.16


def penman_monteith(
    tasmax: ArrayLike,
    tasmin: ArrayLike,
    humidity: ArrayLike,
    wind_10m: ArrayLike,
    radiation: ArrayLike,
    dates: ArrayLike,
    latitude: ArrayLike,
    elevation: ArrayLike,
) -> Floats:
    """Reference evapotranspiration of FAO-56 (6): short grass, well watered.

    The mean temperature is the middle of maximum and minimum, the actual vapour pressure the mean humidity's share
    of the saturated one (19). The soil takes up no heat in a day, and 0.14·ΔT in a month, ΔT against the month
    before; the first month of a record has none before it and counts as unchanged.

    Args:
        tasmax: daily maximum or its monthly mean, °C, (time, cells) or (time,).
        tasmin: the minimum, the same.
        humidity: mean relative humidity, %.
        wind_10m: mean wind 10 m above ground, m/s.
        radiation: mean downward shortwave radiation at the ground, W/m².
        dates: datetime64[D] or datetime64[M], (time,).
        latitude: degrees north, a number or (cells,).
        elevation: of the ground, m, a number or (cells,).

    Returns:
        mm a day or mm a month, in the shape of `tasmax`; NaN where an input is.

    Raises:
        BadInput: shapes that do not fit, units that cannot be, dates in no order.
    """
    high = quantity("tasmax", tasmax, TEMPERATURE)
    low = quantity("tasmin", tasmin, TEMPERATURE)
    moist = quantity("humidity", humidity, HUMIDITY)
    wind = WIND_AT_2_M * quantity("wind_10m", wind_10m, WIND)
    shortwave = MJ_OF_WATT * quantity("radiation", radiation, RADIATION)
    same_shape(tasmax=high, tasmin=low, humidity=moist, wind_10m=wind, radiation=shortwave)
    steps = time_steps(dates, high.shape[0])
    height = per_cell("elevation", elevation, ELEVATION, high.shape[1])
    top = extraterrestrial_radiation(steps.day_of_year, per_cell("latitude", latitude, LATITUDE, high.shape[1]))

    mean = (high + low) / 2.0
    saturated = (_saturation(high) + _saturation(low)) / 2.0
    actual = saturated * moist / 100.0
    net = (1.0 - ALBEDO) * shortwave - _net_longwave(high, low, actual, shortwave, top, height)
    soil = MONTHLY_SOIL_HEAT * np.diff(mean, axis=0, prepend=mean[:1]) if steps.monthly else 0.0
    pressure = 101.3 * ((293.0 - 0.0065 * height) / 293.0) ** 5.26  # (7), kPa
    psychrometric = 0.665e-3 * pressure  # (8), kPa/°C
    slope = 4098.0 * _saturation(mean) / (mean + 237.3) ** 2  # (13), kPa/°C
    radiative = MM_OF_MJ * slope * (net - soil)
    aerodynamic = psychrometric * 900.0 / (mean + 273.0) * wind * (saturated - actual)
    daily = (radiative + aerodynamic) / (slope + psychrometric * (1.0 + 0.34 * wind))
    return like_input(np.maximum(daily, 0.0) * steps.n_days, tasmax)


def hargreaves(tasmax: ArrayLike, tasmin: ArrayLike, dates: ArrayLike, latitude: ArrayLike) -> Floats:
    """Evapotranspiration from the temperature range (52), for places without humidity, wind or radiation.

    Args:
        tasmax: daily maximum or its monthly mean, °C, (time, cells) or (time,).
        tasmin: the minimum, the same.
        dates: datetime64[D] or datetime64[M], (time,).
        latitude: degrees north, a number or (cells,).

    Returns:
        mm a day or mm a month, in the shape of `tasmax`; NaN where an input is.

    Raises:
        BadInput: shapes that do not fit, units that cannot be, dates in no order.
    """
    high = quantity("tasmax", tasmax, TEMPERATURE)
    low = quantity("tasmin", tasmin, TEMPERATURE)
    same_shape(tasmax=high, tasmin=low)
    steps = time_steps(dates, high.shape[0])
    top = extraterrestrial_radiation(steps.day_of_year, per_cell("latitude", latitude, LATITUDE, high.shape[1]))
    # Regridded extremes cross each other now and then, by hundredths: no range then, no evaporation.
    spread = np.sqrt(np.maximum(high - low, 0.0))
    daily = 0.0023 * MM_OF_MJ * top * ((high + low) / 2.0 + 17.8) * spread
    return like_input(np.maximum(daily, 0.0) * steps.n_days, tasmax)


def thornthwaite(
    tas: ArrayLike, dates: ArrayLike, latitude: ArrayLike, baseline: tuple[int, int] | None = None
) -> Floats:
    """Evapotranspiration from monthly mean temperature and the length of the day.

    16·(N/12)·(days/30)·(10·T/I)^a, 0 at and below 0 °C; the heat index I from the mean temperature of each
    calendar month. The exponential is used above 26.5 °C too, where Thornthwaite has a table.

    Args:
        tas: monthly mean, °C, (months, cells) or (months,).
        dates: datetime64[M], (months,).
        latitude: degrees north, a number or (cells,).
        baseline: first and last year of the heat index; None takes all. Years that two series share agree only if
            both have the same.

    Returns:
        mm a month, in the shape of `tas`; NaN where it is, or where the heat index lacks a calendar month.

    Raises:
        BadInput: dates that are no months, units that cannot be, a baseline outside the record.
    """
    mean = quantity("tas", tas, TEMPERATURE)
    steps = time_steps(dates, mean.shape[0])
    if not steps.monthly:
        raise BadInput("dates: days given; allowed: months, datetime64[M]: Thornthwaite is a monthly method")
    inside = np.ones(mean.shape[0], dtype=bool)
    if baseline is not None:
        inside = (steps.year >= baseline[0]) & (steps.year <= baseline[1])
        if not inside.any():
            raise BadInput(
                f"baseline: {baseline[0]} to {baseline[1]} lies outside the record; "
                f"allowed: years within {steps.year[0]} to {steps.year[-1]}"
            )
    heat = _heat_index(mean[inside], steps.calendar_month[inside])
    exponent = 6.75e-7 * heat**3 - 7.71e-5 * heat**2 + 1.792e-2 * heat + 0.49239
    hours = day_length(steps.day_of_year, per_cell("latitude", latitude, LATITUDE, mean.shape[1]))
    warmth = np.divide(10.0 * np.maximum(mean, 0.0), heat, out=np.zeros_like(mean), where=heat != 0.0)
    return like_input(16.0 * hours / 12.0 * steps.n_days / 30.0 * warmth**exponent, tas)


def sunshine_radiation(sunshine: ArrayLike, dates: ArrayLike, latitude: ArrayLike) -> Floats:
    """Shortwave radiation at the ground from the hours of bright sunshine (35, Ångström's 0.25 and 0.50).

    Args:
        sunshine: hours a day, or their monthly mean, (time, cells) or (time,).
        dates: datetime64[D] or datetime64[M], (time,).
        latitude: degrees north, a number or (cells,).

    Returns:
        W/m², mean of the day or month, in the shape of `sunshine`.

    Raises:
        BadInput: shapes that do not fit, hours that cannot be, dates in no order.
    """
    hours = quantity("sunshine", sunshine, SUNSHINE)
    steps = time_steps(dates, hours.shape[0])
    north = per_cell("latitude", latitude, LATITUDE, hours.shape[1])
    share = np.minimum(hours / day_length(steps.day_of_year, north), 1.0)
    top = extraterrestrial_radiation(steps.day_of_year, north)
    return like_input((0.25 + 0.50 * share) * top / MJ_OF_WATT, sunshine)


def _saturation(temperature: Floats) -> Floats:
    """Saturation vapour pressure, kPa (11)."""
    pressure: Floats = 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))
    return pressure


def _net_longwave(high: Floats, low: Floats, actual: Floats, shortwave: Floats, top: Floats, height: Floats) -> Floats:
    """Net outgoing longwave radiation, MJ m⁻² a day (37, 39); the relative shortwave within 0.25 to 1."""
    clear_sky = (0.75 + 2e-5 * height) * top
    clearness = np.clip(shortwave / clear_sky, 0.25, 1.0)
    emitted = _STEFAN_BOLTZMANN * ((high + _KELVIN) ** 4 + (low + _KELVIN) ** 4) / 2.0
    longwave: Floats = emitted * (0.34 - 0.14 * np.sqrt(actual)) * (1.35 * clearness - 0.35)
    return longwave


def _heat_index(mean: Floats, calendar_month: NDArray[np.int64]) -> Floats:
    """Thornthwaite's I: the sum over the calendar months of (T/5)^1.514, T their mean above 0; (cells,)."""
    heat = np.zeros(mean.shape[1])
    for month in range(12):
        of_month = mean[calendar_month == month]
        present = np.count_nonzero(~np.isnan(of_month), axis=0)
        normal = total(of_month) / np.where(present > 0, present, np.nan)
        heat += (np.maximum(normal, 0.0) / 5.0) ** 1.514
    return heat
