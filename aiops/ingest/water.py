"""Rain, evapotranspiration, river flow and water use become the water stress index (WSI) of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Cadence, Series
from aiops.indices.water_balance import runoff, scaled_flow, water_stress
from aiops.ingest.aligned import align, by_baseline
from aiops.ingest.drought import RAIN
from aiops.ingest.evapotranspiration import PET

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.ingest.aligned import Aligned

    Floats = NDArray[np.float64]

WSI = "wsi"
WET_DAYS_RAIN = "prcptot"
WATER_SOURCES = (RAIN, PET, WET_DAYS_RAIN)
"""Stored series that the index is made of."""
_LARGEST = 1000.0
"""What is stored for a year that has next to no flow, whose index is infinite."""


@dataclass(frozen=True, slots=True)
class BasinWater:
    """What a basin has and what is taken from it."""

    mean_flow: float
    """Million m³ a year, mean of the baseline."""
    withdrawals: Mapping[str, Mapping[int, float]]
    """By scenario and year, million m³."""

    def withdrawal(self, scenario: str, years: NDArray[np.int64]) -> Floats:
        """Of each year, (years,): linear between the years given, constant beyond them; NaN where none is given.

        A scenario has the history in front of its first year, and goes on with it where it has no years of its own.
        """
        own = self.withdrawals.get(scenario, {})
        past = self.withdrawals.get(SCENARIOS[0], {})
        given = {**{year: used for year, used in past.items() if not own or year < min(own)}, **own}
        if not given:
            return np.full(years.size, np.nan)
        known = sorted(given)
        return np.interp(years, known, [given[year] for year in known])


def water_stress_indicators(
    series: Iterable[Series], basin_of: Mapping[int, str], basins: Mapping[str, BasinWater]
) -> Iterator[Series]:
    """`wsi` of every cell and scenario that has evapotranspiration, rain and a basin with flow and use.

    The flow of a year is the cell's runoff by Budyko, scaled so that its mean over the baseline is the basin's gauged
    flow; a scenario's baseline lies in the history in front of it. Rain is the sum of the year's months; where one is
    missing, that of the wet days, which leaves out one or two hundredths.

    Args:
        series: of WATER_SOURCES (others are passed over), of any cells and scenarios.
        basin_of: by grid_id.
        basins: by basin_id.
    """
    wanted = [one for one in series if one.grid_id in basin_of and basin_of[one.grid_id] in basins]
    yearly = [*_yearly(wanted), *(one for one in wanted if one.variable == WET_DAYS_RAIN)]
    for some in align(yearly, WATER_SOURCES, Cadence.YEARLY, needed=(PET,)):
        rain = np.where(np.isnan(some.values[RAIN]), some.values[WET_DAYS_RAIN], some.values[RAIN])
        supply = [basins[basin_of[grid_id]] for grid_id in some.grid_ids.tolist()]
        flow = _flow(some, runoff(rain, some.values[PET]), supply)
        used = np.stack([one.withdrawal(some.scenario, some.years) for one in supply], axis=1)
        yield from some.series(WSI, some.years, np.minimum(water_stress(used, flow), _LARGEST))


def _yearly(series: Iterable[Series]) -> Iterator[Series]:
    """Rain and evapotranspiration of years that have all their months."""
    for some in align(series, (RAIN, PET), Cadence.MONTHLY, with_history=False):
        for name in (RAIN, PET):
            yield from some.series(name, some.years, some.values[name].reshape(some.years.size, 12, -1).sum(axis=1))


def _flow(some: Aligned, water: Floats, supply: Sequence[BasinWater]) -> Floats:
    """Flow of each year, million m³, (years, cells)."""
    flow = np.full(water.shape, np.nan)
    gauged = np.array([one.mean_flow for one in supply])
    for baseline, cells in by_baseline(some.years, ~np.isnan(water)):
        flow[:, cells] = scaled_flow(water[:, cells], some.years, gauged[cells], baseline.years)
    return flow
