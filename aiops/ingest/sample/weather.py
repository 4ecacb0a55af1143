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

from aiops.climate import calendar_days
from aiops.ingest.sample.land import sample_cells
from aiops.ingest.sample.noise import Field, Stream, loadings, local_noise, mode_series
from aiops.ingest.sample.normals import DAYS, MONTH_LENGTHS, Climatology, climatology, monthly_to_daily
from aiops.ingest.sample.plane import to_plane
from aiops.ingest.sample.rain import RainClimate, daily_rain, rain_climate
from aiops.ingest.sample.storms import draw_storms, mean_rain
from aiops.ingest.sample.warming import HEAVY_RAIN_PER_DEGREE, PATHWAYS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.land import SampleCell

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

PERIODS: dict[str, tuple[int, int]] = {
    "historical": (1991, 2020),
    **{scenario: (2021, 2100) for scenario in PATHWAYS if scenario != "historical"},
}
"""First and last year of each scenario."""

AIR_MASS = Field(Stream.AIR_MASS, national=0.72, local=0.0, quick=0.70, slow=0.94)
CLOUD = Field(Stream.CLOUD, national=0.5, local=0.0, quick=0.5, slow=0.9)
RAIN = Field(Stream.RAIN, national=0.42, local=0.10, quick=0.52, slow=0.93)

_SPREAD_MAX = (4.3, 4.3, 4.4, 4.5, 3.8, 3.5, 3.8, 3.7, 3.0, 3.1, 4.1, 4.3)
_SPREAD_MIN = (4.5, 4.1, 3.6, 3.2, 2.6, 2.1, 2.5, 2.5, 2.6, 3.3, 4.4, 4.3)
"""Standard deviation of daily maxima and minima about their course, °C, by month."""
_RAIN_ON_MAX = (0.4, -0.1, -1.2, -2.3, -2.05, -1.6, -1.85, -1.95, -1.6, -1.0, 0.0, 0.3)
_RAIN_ON_MIN = (2.2, 1.9, 1.7, 1.2, 1.1, 0.4, 0.1, 0.1, 1.1, 1.8, 2.0, 1.9)
_CLOUD_ON_MAX = (0.6, 0.6, 0.5, 0.4, 0.6, 0.9, 1.0, 1.0, 0.3, 0.2, 0.5, 0.6)
_CLOUD_ON_MIN = tuple(-0.8 * value for value in _CLOUD_ON_MAX)
"""°C per unit of the rain's and the clear sky's normal fields, by month."""
_SLOW_AIR = (0.16, 0.16, 0.14, 0.14, 0.16, 0.28, 0.42, 0.42, 0.20, 0.12, 0.12, 0.14)
"""Share of the air mass's variance in its slow part, by month: summers persist."""
_LOCAL_MAX = 0.7
_LOCAL_MIN = 0.6
"""Standard deviation of a place's own daily noise, °C."""
_TYPICAL_DIURNAL = 10.5
"""Diurnal range of the stations that the amplitudes were fitted to, °C."""
_LEAST_DIURNAL = 0.5
"""The minimum stays this much below the maximum, °C."""
_STORM_SHARE = 0.13
"""Share of the national rain that falls from typhoons."""
_LOCAL_STORM = 0.35
"""Relative spread of storm rain between neighbouring places."""


@dataclass(frozen=True, slots=True)
class DailyWeather:
    """Daily weather of one scenario; arrays are (days, cells), float32, whole Gregorian years."""

    scenario: str
    grid_ids: NDArray[np.int32]
    first_year: int
    dates: NDArray[np.datetime64]
    tasmax: Singles
    """°C."""
    tasmin: Singles
    """°C."""
    pr: Singles
    """mm."""

    @property
    def tas(self) -> Singles:
        """Daily mean, °C: a little nearer to the minimum than the middle, as at Korean stations."""
        return self.tasmin + np.float32(0.47) * (self.tasmax - self.tasmin)


@dataclass(frozen=True, slots=True)
class _Response:
    """How an extreme of the day answers to the fields: (366, cells) each, °C per unit."""

    air: Singles
    rain: Singles
    cloud: Singles


@dataclass(frozen=True, slots=True)
class _Places:
    """What is constant about a set of cells."""

    grid_ids: tuple[int, ...]
    columns: NDArray[np.intp]
    """Positions among all sample cells."""
    plane: Floats
    tasmax: Singles
    tasmin: Singles
    on_max: _Response
    on_min: _Response
    rain: RainClimate


def daily_weather(scenario: str, seed: int, cells: Sequence[SampleCell] | None = None) -> DailyWeather:
    """Generate the daily weather of one scenario.

    The same seed gives the same numbers (with the same numpy), whichever cells are asked for and in whatever order.

    Args:
        scenario: one of `aiops.climate.SCENARIOS`; its years are those of PERIODS.
        seed: of the data set.
        cells: some of `sample_cells()`; all when None.
    """
    places = _places(tuple(sample_cells() if cells is None else cells))
    first, last = PERIODS[scenario]
    dates = calendar_days(first, last - first + 1)
    shape = (len(dates), len(places.grid_ids))
    weather = DailyWeather(
        scenario=scenario,
        grid_ids=np.array(places.grid_ids, dtype=np.int32),
        first_year=first,
        dates=dates,
        tasmax=np.empty(shape, dtype=np.float32),
        tasmin=np.empty(shape, dtype=np.float32),
        pr=np.empty(shape, dtype=np.float32),
    )
    columns = places.columns
    local_temperature = local_noise(seed, Stream.LOCAL_TEMPERATURE, scenario, places.grid_ids, len(dates))
    local_rain = local_noise(seed, Stream.LOCAL_RAIN, scenario, places.grid_ids, len(dates))
    course = course_of(dates)
    air_modes = mode_series(AIR_MASS, seed, scenario, len(dates), monthly_to_daily(_SLOW_AIR)[course])
    cloud_modes = mode_series(CLOUD, seed, scenario, len(dates), np.full(len(dates), 0.2))
    rain_modes = mode_series(RAIN, seed, scenario, len(dates), np.full(len(dates), 0.03))
    air_loads, cloud_loads, rain_loads = (_all_loadings(field) for field in (AIR_MASS, CLOUD, RAIN))
    pathway = PATHWAYS[scenario]

    for year, days, normal in years_of(first, last):
        noise = local_temperature[:, days].T
        # All cells at once, whichever were asked for: a matrix product of another width may round otherwise.
        air = (air_modes[days] @ air_loads)[:, columns]
        cloud = (cloud_modes[days] @ cloud_loads)[:, columns]
        wet = (rain_modes[days] @ rain_loads)[:, columns]
        wet += np.float32(np.sqrt(RAIN.local)) * local_rain[:, days].T

        warming = float(pathway.warming(year))
        tasmax, tasmin = weather.tasmax[days], weather.tasmin[days]
        tasmax[:] = places.tasmax[normal] + np.float32(warming)
        tasmax += _answer(places.on_max, normal, air, wet, cloud) + np.float32(_LOCAL_MAX) * noise
        tasmin[:] = places.tasmin[normal] + np.float32(warming)
        # The place's noise has the other sign at night: a hollow that is hot by day is cold by night.
        tasmin += _answer(places.on_min, normal, air, wet, cloud) - np.float32(_LOCAL_MIN) * noise
        np.minimum(tasmin, tasmax - np.float32(_LEAST_DIURNAL), out=tasmin)

        heavy = (1.0 + HEAVY_RAIN_PER_DEGREE) ** warming
        mean = (1.0 + pathway.rain_per_degree * warming - _STORM_SHARE * heavy) / (1.0 - _STORM_SHARE)
        weather.pr[days] = daily_rain(wet, places.rain, normal, mean, heavy)
    _add_storms(weather, places, seed, local_rain)
    return weather


def years_of(first: int, last: int) -> Iterator[tuple[int, slice, NDArray[np.intp]]]:
    """Each year, its rows among the days of all years, and the rows of its days in an annual course."""
    start = 0
    for year in range(first, last + 1):
        normal = course_of(calendar_days(year, 1))
        yield year, slice(start, start + len(normal)), normal
        start += len(normal)


def course_of(dates: NDArray[np.datetime64]) -> NDArray[np.intp]:
    """Position of each day in a leap year: 1 March is 60 in every year."""
    years = dates.astype("datetime64[Y]")
    day = (dates - years.astype("datetime64[D]")).astype(np.intp)
    leap = (((years + 1).astype("datetime64[D]") - years.astype("datetime64[D]")).astype(np.intp)) == DAYS
    return day + (~leap & (day >= 59))


def _answer(response: _Response, normal: NDArray[np.intp], air: Singles, wet: Singles, cloud: Singles) -> Singles:
    """Departure of an extreme of the day from its normal, °C (days, cells)."""
    departure = response.air[normal] * air
    departure += response.rain[normal] * wet
    departure += response.cloud[normal] * cloud
    return departure


def _add_storms(weather: DailyWeather, places: _Places, seed: int, local_rain: Singles) -> None:
    """Let the typhoons of the scenario rain, heavier in a warmer year."""
    first, last = PERIODS[weather.scenario]
    storms = draw_storms(seed, weather.scenario, first, last - first + 1)
    starts = (np.array([f"{year}-01-01" for year in storms.year], dtype="datetime64[D]") - weather.dates[0]).astype(int)
    warming = PATHWAYS[weather.scenario].warming(storms.year)
    rain = storms.rain(places.plane) * ((1.0 + HEAVY_RAIN_PER_DEGREE) ** warming)[:, None]
    for number, share in enumerate(storms.first_day_share):
        for later, part in enumerate((share, 1.0 - share)):
            day = starts[number] + storms.day_of_year[number] + later
            patchy = np.maximum(1.0 + _LOCAL_STORM * local_rain[:, day], 0.0)
            fallen = rain[number] * part * patchy
            weather.pr[day] += np.where(fallen >= 0.1, fallen, 0.0).astype(np.float32)


@lru_cache(maxsize=2)
def _places(cells: tuple[SampleCell, ...]) -> _Places:
    """The constants of a set of cells."""
    position = {cell.grid_id: column for column, cell in enumerate(sample_cells())}
    normals = climatology(cells)
    plane = to_plane([cell.latitude for cell in cells], [cell.longitude for cell in cells])
    storms = np.repeat(mean_rain(plane), MONTH_LENGTHS, axis=0)
    return _Places(
        grid_ids=tuple(cell.grid_id for cell in cells),
        columns=np.array([position[cell.grid_id] for cell in cells], dtype=np.intp),
        plane=plane,
        tasmax=normals.tasmax.astype(np.float32),
        tasmin=normals.tasmin.astype(np.float32),
        on_max=_response(normals, _SPREAD_MAX, _RAIN_ON_MAX, _CLOUD_ON_MAX, _LOCAL_MAX),
        on_min=_response(normals, _SPREAD_MIN, _RAIN_ON_MIN, _CLOUD_ON_MIN, _LOCAL_MIN),
        rain=rain_climate(np.maximum(normals.pr - storms, 0.35 * normals.pr)),
    )


def _response(
    normals: Climatology,
    spread: Sequence[float],
    rain: Sequence[float],
    cloud: Sequence[float],
    local: float,
) -> _Response:
    """Amplitudes by day and cell, so that variances add up to the monthly spread at a typical station."""
    relative = np.clip(normals.diurnal_range / _TYPICAL_DIURNAL, 0.5, 1.4)
    air = np.sqrt(np.square(spread) - np.square(rain) - np.square(cloud) - local**2)
    return _Response(
        air=(monthly_to_daily(air)[:, None] * relative**0.2).astype(np.float32),
        rain=(monthly_to_daily(rain)[:, None] * relative**0.6).astype(np.float32),
        cloud=(monthly_to_daily(cloud)[:, None] * relative**0.6).astype(np.float32),
    )


@lru_cache(maxsize=4)
def _all_loadings(field: Field) -> Singles:
    """Weights of the modes at all sample cells."""
    cells = sample_cells()
    return loadings(field, [cell.latitude for cell in cells], [cell.longitude for cell in cells])
