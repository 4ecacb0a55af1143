"""Daily weather of the sample: temperature and rain of one scenario at a set of cells.

A day's maximum is its normal, plus the air mass (common to maximum and minimum), minus what a rainy or cloudy sky
takes away from the day, plus a little noise of the place; the minimum likewise, with what the sky gives back at
night. Amplitudes are monthly, fitted to Korean stations, and follow the place's diurnal range.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aiops.ingest.sample.days import (
    DAYS,
    LEAP_DAY,
    MONTH_LENGTHS,
    PERIODS,
    course_rows,
    dates_of,
    without_leap_day,
    years_of,
)
from aiops.ingest.sample.fields import AIR_MASS, CLEAR_SKY, RAIN, NormalField, own_noise
from aiops.ingest.sample.land import sample_cells
from aiops.ingest.sample.noise import Stream
from aiops.ingest.sample.normals import MEAN_ABOVE_MINIMUM, Climatology, climatology, monthly_to_daily
from aiops.ingest.sample.plane import to_plane
from aiops.ingest.sample.rain import RainClimate, daily_rain, rain_climate
from aiops.ingest.sample.storms import MEASURABLE_MM, draw_storms, mean_rain
from aiops.ingest.sample.warming import HEAVY_RAIN_PER_DEGREE, PATHWAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.land import SampleCell

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

_SPREAD_MAX = (4.3, 4.3, 4.4, 4.4, 3.7, 3.1, 3.6, 3.6, 2.7, 2.8, 4.0, 4.3)
_SPREAD_MIN = (4.5, 4.1, 3.6, 3.2, 2.5, 2.0, 2.4, 2.5, 2.4, 3.1, 4.3, 4.3)
"""Standard deviation of daily maxima and minima about their course, °C, by month."""
_RAIN_ON_MAX = (0.4, -0.1, -1.2, -2.3, -2.05, -1.6, -1.85, -1.95, -1.6, -1.0, 0.0, 0.3)
_RAIN_ON_MIN = (2.2, 1.9, 1.7, 1.2, 1.1, 0.4, 0.1, 0.1, 1.1, 1.8, 2.0, 1.9)
_CLEAR_ON_MAX = (0.6, 0.6, 0.5, 0.4, 0.6, 0.9, 1.0, 1.0, 0.3, 0.2, 0.5, 0.6)
_CLEAR_ON_MIN = tuple(-0.8 * value for value in _CLEAR_ON_MAX)
"""°C per unit of the rain's and the clear sky's fields, by month."""
_LOCAL_MAX = 0.7
_LOCAL_MIN = -0.6
"""°C per unit of a place's own noise: a hollow that is hot by day is cold by night."""
_LEAN = (0.0, 0.0, 0.0, 0.0, 0.02, 0.07, 0.10, 0.10, 0.06, 0.02, 0.0, 0.0)
"""How much the air mass leans to its cold side, by month: summers are often a little, seldom much too warm."""
_TYPICAL_DIURNAL = 10.5
"""Diurnal range of the stations that the amplitudes were fitted to, °C."""
_LEAST_DIURNAL = 0.5
"""The minimum stays this much below the maximum, °C."""
_STORM_SHARE = 0.10
"""Share of the national rain that falls from typhoons."""
_LOCAL_STORM = 0.35
"""Relative spread of storm rain between neighbouring places."""
_LEAST_BACKGROUND = 0.35
"""At least this share of a day's mean rain does not come from typhoons."""


@dataclass(frozen=True, slots=True)
class DailyWeather:
    """Daily weather of one scenario; arrays are (days, cells), float32, whole Gregorian years."""

    scenario: str
    cells: tuple[SampleCell, ...]
    dates: NDArray[np.datetime64]
    tasmax: Singles
    """°C."""
    tasmin: Singles
    """°C."""
    pr: Singles
    """mm."""

    @property
    def first_year(self) -> int:
        """The year of the first day."""
        return PERIODS[self.scenario][0]

    @property
    def grid_ids(self) -> tuple[int, ...]:
        """The cells, in the order of the columns."""
        return tuple(cell.grid_id for cell in self.cells)

    @property
    def tas(self) -> Singles:
        """Daily mean, °C: a little nearer to the minimum than the middle, as at Korean stations."""
        share = monthly_to_daily(MEAN_ABOVE_MINIMUM).astype(np.float32)[course_rows(self.dates)]
        return self.tasmin + share[:, None] * (self.tasmax - self.tasmin)


@dataclass(frozen=True, slots=True)
class _Extreme:
    """An extreme of the day: its normal, and how it answers to the fields; all (days of the year, cells), °C."""

    normal: Singles
    air: Singles
    rain: Singles
    clear: Singles
    local: float

    def of(self, warming: float, air: Singles, wet: Singles, clear: Singles, noise: Singles) -> Singles:
        """The extreme on the days of one year, °C."""
        value = self.normal + np.float32(warming)
        value += self.air * air
        value += self.rain * wet
        value += self.clear * clear
        value += np.float32(self.local) * noise
        return value

    def without_leap_day(self) -> _Extreme:
        """The same for a year of 365 days."""
        return _Extreme(
            normal=without_leap_day(self.normal),
            air=without_leap_day(self.air),
            rain=without_leap_day(self.rain),
            clear=without_leap_day(self.clear),
            local=self.local,
        )


@dataclass(frozen=True, slots=True)
class _Course:
    """The annual course at a set of cells, for years of 365 or of 366 days."""

    tasmax: _Extreme
    tasmin: _Extreme
    rain: RainClimate


def daily_weather(scenario: str, seed: int, cells: Sequence[SampleCell] | None = None) -> DailyWeather:
    """Generate the daily weather of one scenario.

    The same seed gives the same numbers (with the same numpy), whichever cells are asked for and in whatever order.

    Args:
        scenario: one of `aiops.climate.SCENARIOS`; its years are those of PERIODS.
        seed: of the data set.
        cells: some of `sample_cells()`; all when None.
    """
    wanted = tuple(sample_cells() if cells is None else cells)
    dates = dates_of(scenario)
    tasmax, tasmin, pr = (np.empty((len(dates), len(wanted)), dtype=np.float32) for _ in range(3))
    weather = DailyWeather(scenario, wanted, dates, tasmax, tasmin, pr)
    courses = _courses(wanted)
    air, wet, clear = (NormalField(field, seed, scenario, weather.grid_ids) for field in (AIR_MASS, RAIN, CLEAR_SKY))
    local_temperature, local_rain = (
        own_noise(stream, seed, scenario, dates, weather.grid_ids)
        for stream in (Stream.LOCAL_TEMPERATURE, Stream.LOCAL_RAIN)
    )
    pathway = PATHWAYS[scenario]
    rows, lean = course_rows(dates), monthly_to_daily(_LEAN).astype(np.float32)[:, None]
    for year, days in years_of(scenario):
        course = courses[days.stop - days.start]
        warming = float(pathway.warming(year))
        rain_field = wet.of(days) + np.float32(np.sqrt(RAIN.local)) * local_rain[days]
        fields = (_leaning(air.of(days), lean[rows[days]]), rain_field, clear.of(days), local_temperature[days])
        tasmax[days] = course.tasmax.of(warming, *fields)
        np.minimum(course.tasmin.of(warming, *fields), tasmax[days] - np.float32(_LEAST_DIURNAL), out=tasmin[days])
        heavy = (1.0 + HEAVY_RAIN_PER_DEGREE) ** warming
        mean = (1.0 + pathway.rain_per_degree * warming - _STORM_SHARE * heavy) / (1.0 - _STORM_SHARE)
        pr[days] = daily_rain(rain_field, course.rain, mean, heavy)
    _add_storms(weather, seed, local_rain)
    return weather


def _leaning(field: Singles, lean: Singles) -> Singles:
    """A standard normal field with a skewness of about −6·lean, its mean and nearly its variance kept."""
    square = field * field
    square -= 1.0
    square *= lean
    return np.asarray(field - square)


def _add_storms(weather: DailyWeather, seed: int, local_rain: Singles) -> None:
    """Let the typhoons of the scenario rain, heavier in a warmer year."""
    storms = draw_storms(seed, weather.scenario)
    warming = PATHWAYS[weather.scenario].warming(storms.year)
    rain = storms.rain(_plane(weather.cells)) * ((1.0 + HEAVY_RAIN_PER_DEGREE) ** warming)[:, None]
    first_rows = np.searchsorted(weather.dates, storms.first_day)
    for number, share in enumerate(storms.first_day_share):
        for row, part in ((first_rows[number], share), (first_rows[number] + 1, 1.0 - share)):
            fallen = rain[number] * part * np.maximum(1.0 + _LOCAL_STORM * local_rain[row], 0.0)
            weather.pr[row] += np.where(fallen >= MEASURABLE_MM, fallen, 0.0).astype(np.float32)


@lru_cache(maxsize=2)
def _courses(cells: tuple[SampleCell, ...]) -> dict[int, _Course]:
    """The annual course at cells, by the number of days of the year."""
    normals = climatology(cells)
    storms = np.repeat(mean_rain(_plane(cells)), MONTH_LENGTHS, axis=0)
    background = np.maximum(normals.pr - storms, _LEAST_BACKGROUND * normals.pr)
    tasmax = _extreme(normals, normals.tasmax, _SPREAD_MAX, _RAIN_ON_MAX, _CLEAR_ON_MAX, _LOCAL_MAX)
    tasmin = _extreme(normals, normals.tasmin, _SPREAD_MIN, _RAIN_ON_MIN, _CLEAR_ON_MIN, _LOCAL_MIN)
    leap = _Course(tasmax, tasmin, rain_climate(background))
    common = _Course(
        tasmax.without_leap_day(), tasmin.without_leap_day(), rain_climate(np.delete(background, LEAP_DAY, axis=0))
    )
    return {DAYS: leap, DAYS - 1: common}


def _extreme(
    normals: Climatology,
    normal: Floats,
    spread: Sequence[float],
    rain: Sequence[float],
    clear: Sequence[float],
    local: float,
) -> _Extreme:
    """Amplitudes by day and cell, so that variances add up to the monthly spread at a typical station."""
    relative = np.clip(normals.diurnal_range / _TYPICAL_DIURNAL, 0.5, 1.4)
    air = np.sqrt(np.square(spread) - np.square(rain) - np.square(clear) - local**2)
    return _Extreme(
        normal=normal.astype(np.float32),
        air=(monthly_to_daily(air)[:, None] * relative**0.4).astype(np.float32),
        rain=(monthly_to_daily(rain)[:, None] * relative**0.6).astype(np.float32),
        clear=(monthly_to_daily(clear)[:, None] * relative**0.6).astype(np.float32),
        local=local,
    )


def _plane(cells: Sequence[SampleCell]) -> Floats:
    """The cells on the plane, (cells, 2), km."""
    return to_plane([cell.latitude for cell in cells], [cell.longitude for cell in cells])
