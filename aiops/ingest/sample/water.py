"""The sample's water: monthly rain and evapotranspiration, and from them drought and water stress by year.

Evapotranspiration is Penman–Monteith's of monthly means; drought and stress come from the same functions as those of
data that were read from files. The months themselves are not kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Series
from aiops.db.inputs import Basin, WaterUse
from aiops.indices.evapotranspiration import penman_monteith
from aiops.ingest.drought import RAIN, drought_indicators
from aiops.ingest.evapotranspiration import PET
from aiops.ingest.months import days_in_month, months_of
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.geography import BASINS
from aiops.ingest.water import BasinWater, water_stress_indicators

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.land import SampleCell
    from aiops.ingest.sample.surface import SurfaceWeather
    from aiops.ingest.sample.weather import DailyWeather

    Floats = NDArray[np.float64]

WATER_INDICATORS = ("spei12_min", "spei12_dry_share", "wsi")


def basins() -> list[Basin]:
    """The river basins as rows."""
    return [Basin(basin.basin_id, basin.name, basin.flow_million_m3) for basin in BASINS]


def water_use() -> list[WaterUse]:
    """What is withdrawn: one number for all years and scenarios, so that stress changes by climate alone."""
    year = PERIODS[SCENARIOS[0]][0]
    return [WaterUse(basin.basin_id, SCENARIOS[0], year, basin.use_million_m3) for basin in BASINS]


def monthly_water(weather: DailyWeather, surface: SurfaceWeather) -> list[Series]:
    """Rain and evapotranspiration of each month and cell, mm."""
    months = months_of(weather.dates)
    starts = (months.astype("datetime64[D]") - weather.dates[0]).astype(np.int64)
    length = days_in_month(weather.dates)[:, None]

    def sums(days: NDArray[np.float32]) -> Floats:
        by_month: Floats = np.add.reduceat(days, starts, axis=0).astype(np.float64)
        return by_month

    high, low, humidity, wind, radiation = (
        sums(days) / length for days in (weather.tasmax, weather.tasmin, surface.hurs, surface.sfcWind, surface.rsds)
    )
    latitude, elevation = (
        np.array([getattr(cell, name) for cell in weather.cells]) for name in ("latitude", "elevation_m")
    )
    potential = penman_monteith(high, low, humidity, wind, radiation, months, latitude, elevation)
    return [
        Series(variable, weather.scenario, grid_id, weather.first_year, column.astype(np.float32))
        for variable, values in ((RAIN, sums(weather.pr)), (PET, potential))
        for grid_id, column in zip(weather.grid_ids, values.T, strict=True)
    ]


def water_indicators(months: Sequence[Series], cells: Sequence[SampleCell]) -> Iterator[Series]:
    """WATER_INDICATORS of cells.

    The first year has no drought index: it sums the twelve months up to each.

    Args:
        months: `monthly_water` of these cells, the history and any scenarios.
        cells: in any order.
    """
    yield from (one for one in drought_indicators(months) if one.variable in WATER_INDICATORS)
    year = PERIODS[SCENARIOS[0]][0]
    supply = {
        basin.basin_id: BasinWater(basin.flow_million_m3, {SCENARIOS[0]: {year: basin.use_million_m3}})
        for basin in BASINS
    }
    yield from water_stress_indicators(months, {cell.grid_id: cell.basin_id for cell in cells}, supply)
