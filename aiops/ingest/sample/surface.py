"""Humidity, wind and radiation that go with a generated day's temperature and rain.

Relative humidity rises with the rain's field and falls with a clear sky; its daily minimum lies the lower, the larger
the day's temperature range; wind is log-normal, stronger on the coast and in the mountains; radiation is the
extraterrestrial one times a transmissivity that rain and cloud lower. Monthly levels and slopes were fitted to
Korean stations; humidity falls a little as the land warms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.indices.sunlight import extraterrestrial_radiation
from aiops.ingest.sample.days import DAYS, course_rows, years_of
from aiops.ingest.sample.fields import CLEAR_SKY, HUMIDITY, RAIN, WIND, NormalField, own_noise
from aiops.ingest.sample.noise import Stream
from aiops.ingest.sample.normals import climatology, monthly_to_daily
from aiops.ingest.sample.warming import PATHWAYS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.ingest.sample.weather import DailyWeather

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

_HUMIDITY = (57, 56, 57, 59, 62, 71, 79, 77, 75, 70, 66, 60)
_HUMIDITY_SPREAD = (15.2, 15.7, 16.0, 16.5, 14.9, 10.9, 9.2, 9.1, 9.7, 11.4, 14.5, 15.1)
"""Daily mean relative humidity and its standard deviation, %, by month."""
_HUMIDITY_BY_RAIN, _HUMIDITY_BY_CLEAR, _HUMIDITY_BY_ITSELF = 0.80, -0.30, 0.52
_COASTAL_HUMIDITY = 4.0
_HUMIDITY_PER_DEGREE = -0.6
_LEAST_HUMIDITY = 12.0
_MINIMUM_BELOW = (29.0, 29.5, 30.5, 28.5, 29.5, 25.3, 20.5, 22.5, 24.2, 28.5, 27.0, 26.5)
"""Daily mean minus minimum of relative humidity, %, by month, at a typical inland station."""
_BELOW_PER_DEGREE = (0.9, 0.9, 0.85, 0.75, 0.85, 1.5, 2.0, 2.0, 2.0, 1.9, 1.7, 1.0)
"""How much more for each °C of diurnal range."""
_BELOW_PER_DEGREE_OF_PLACE, _TYPICAL_DIURNAL = 1.5, 10.5
"""How much more at a place whose annual diurnal range is larger than the typical one."""
_BELOW_LOCAL = 4.5
_DRY, _LESS_DRY = 24.0, 0.55
"""Below this, %, minima spread less: the share of the distance that is left."""
_LEAST_MINIMUM = 6.0
_WIND_SEASON = (1.12, 1.10, 1.18, 1.18, 1.02, 0.94, 0.94, 0.90, 0.86, 0.90, 0.94, 1.06)
_WIND_INLAND, _WIND_COAST, _WIND_PER_KM = 1.25, 1.35, 1.0
"""Mean wind of an inland plain, m/s; added at the shore; added per km of height."""
_WIND_SPREAD = 0.46
"""Standard deviation of the logarithm of the wind."""
_CLEARNESS = (0.56, 0.54, 0.54, 0.50, 0.52, 0.44, 0.41, 0.43, 0.44, 0.50, 0.50, 0.53)
"""Daily mean share of the extraterrestrial radiation that reaches the ground, by month."""
_CLEARNESS_BY_RAIN, _CLEARNESS_BY_CLEAR = -0.30, 0.20
_CLEARNESS_LIMITS = (0.05, 0.76)
_MEGAJOULES_A_DAY = 0.0864
"""1 W/m² through a day, MJ/m²."""


@dataclass(frozen=True, slots=True)
class SurfaceWeather:
    """What goes with a `DailyWeather`: same days and cells, arrays (days, cells), float32."""

    hurs: Singles
    """Daily mean relative humidity, %."""
    hursmin: Singles
    """Daily minimum relative humidity, %."""
    sfcWind: Singles  # noqa: N815 - the CMIP name
    """Daily mean wind at 10 m, m/s."""
    rsds: Singles
    """Daily mean solar radiation at the surface, W/m²."""


def surface_weather(weather: DailyWeather, seed: int) -> SurfaceWeather:
    """Generate humidity, wind and radiation for days whose temperature and rain were generated with this seed.

    Args:
        weather: from `daily_weather`.
        seed: the one that `weather` was made with; with another one, dry air would not meet clear days.
    """
    cells, dates, grid_ids = weather.cells, weather.dates, weather.grid_ids
    wet, clear, moist, windy = (
        NormalField(field, seed, weather.scenario, grid_ids) for field in (RAIN, CLEAR_SKY, HUMIDITY, WIND)
    )
    own_rain, own_moisture, own_wind = (
        own_noise(stream, seed, weather.scenario, dates, grid_ids)
        for stream in (Stream.LOCAL_RAIN, Stream.LOCAL_HUMIDITY, Stream.LOCAL_WIND)
    )
    normals = climatology(cells)
    level, spread, below, slope, season, clearness = (
        monthly_to_daily(months)[:, None].astype(np.float32)
        for months in (
            _HUMIDITY,
            _HUMIDITY_SPREAD,
            _MINIMUM_BELOW,
            _BELOW_PER_DEGREE,
            _WIND_SEASON,
            _CLEARNESS,
        )
    )
    coastal = normals.coastal.astype(np.float32)
    usual_range = (normals.tasmax - normals.tasmin).astype(np.float32)
    of_place = (_BELOW_PER_DEGREE_OF_PLACE * (normals.diurnal_range - _TYPICAL_DIURNAL)).astype(np.float32)
    height_km = np.array([cell.elevation_m for cell in cells], dtype=np.float32) / 1000.0
    mean_wind = _WIND_INLAND + _WIND_COAST * coastal + _WIND_PER_KM * height_km
    latitudes = np.array([cell.latitude for cell in cells])
    top = extraterrestrial_radiation(np.arange(1.0, DAYS + 1.0)[:, None], latitudes) / _MEGAJOULES_A_DAY
    above = top.astype(np.float32)
    surface = SurfaceWeather(*(np.empty_like(weather.pr) for _ in range(4)))
    course = course_rows(dates)
    for year, days in years_of(weather.scenario):
        rows = course[days]
        rain_field = wet.of(days) + np.float32(np.sqrt(RAIN.local)) * own_rain[days]
        sky = clear.of(days)
        moisture = moist.of(days) + np.float32(np.sqrt(HUMIDITY.local)) * own_moisture[days]
        departure = (
            np.float32(_HUMIDITY_BY_RAIN) * rain_field
            + np.float32(_HUMIDITY_BY_CLEAR) * sky
            + np.float32(_HUMIDITY_BY_ITSELF) * moisture
        )
        drying = np.float32(_HUMIDITY_PER_DEGREE * float(PATHWAYS[weather.scenario].warming(year)))
        humidity = level[rows] + np.float32(_COASTAL_HUMIDITY) * coastal + drying + spread[rows] * departure
        np.clip(humidity, _LEAST_HUMIDITY, 100.0, out=surface.hurs[days])

        daily_range = weather.tasmax[days] - weather.tasmin[days]
        fall = below[rows] + slope[rows] * (daily_range - usual_range[rows])
        fall += of_place
        fall += np.float32(_BELOW_LOCAL) * own_moisture[days]
        lowest = surface.hurs[days] - np.maximum(fall, 1.0)
        np.maximum(lowest, _DRY + np.float32(_LESS_DRY) * (lowest - _DRY), out=lowest)
        np.clip(lowest, _LEAST_MINIMUM, 100.0, out=surface.hursmin[days])

        gust = windy.of(days) + np.float32(np.sqrt(WIND.local)) * own_wind[days]
        surface.sfcWind[days] = mean_wind * season[rows] * np.exp(np.float32(_WIND_SPREAD) * gust - _WIND_SPREAD**2 / 2)

        share = clearness[rows] * (
            1.0 + np.float32(_CLEARNESS_BY_RAIN) * rain_field + np.float32(_CLEARNESS_BY_CLEAR) * sky
        )
        surface.rsds[days] = above[rows] * np.clip(share, *_CLEARNESS_LIMITS)
    return surface
