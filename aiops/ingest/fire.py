"""Daily weather becomes the yearly figures of fire weather, by the noon proxies that daily data allow."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.indices import fire_weather
from aiops.ingest.aligned import align

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.ingest.aligned import Aligned

FIRE_SOURCES = ("tasmax", "hursmin", "sfcWind", "pr")
"""Noon temperature, humidity, wind and the day's rain, by their daily proxies."""
FIRE_INDICATORS = ("fwi95", "fwi21")
_KMH = 3.6
"""km/h in 1 m/s."""


def fire_indicators(daily: Iterable[Series]) -> list[Series]:
    """`fwi95` and `fwi21` of every cell and scenario that has all of FIRE_SOURCES.

    The codes run on from the history into a scenario. A year needs 350 days with all inputs; a cell without such a
    year is left out.

    Args:
        daily: series of any variables, cells and scenarios.

    Returns:
        Yearly series; a scenario's begin with its own first year.
    """
    # Day follows day, so the days are gone through one by one: of scenarios over the same days all at once.
    together: dict[tuple[int, int], list[Aligned]] = defaultdict(list)
    for some in align(daily, FIRE_SOURCES, Cadence.DAILY, needed=FIRE_SOURCES):
        together[some.first_year, some.dates.size].append(some)
    found: list[Series] = []
    for scenarios in together.values():
        dates = scenarios[0].dates
        fwi = _index_of(scenarios, dates)
        results = fire_weather.fwi95(fwi, dates), fire_weather.fwi_days_above(fwi, dates)
        end = 0
        for some in scenarios:
            start, end = end, end + some.grid_ids.size
            for name, (years, values) in zip(FIRE_INDICATORS, results, strict=True):
                found.extend(some.series(name, years, values[:, start:end]))
    return found


def _index_of(scenarios: Sequence[Aligned], dates: NDArray[np.datetime64]) -> NDArray[np.float64]:
    """The fire weather index of each day, (days, cells of all scenarios)."""
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    days = {name: np.concatenate([some.values[name] for some in scenarios], axis=1) for name in FIRE_SOURCES}
    for some in scenarios:
        some.values.clear()  # the days are the largest thing in memory, and are there twice
    days["sfcWind"] *= _KMH
    return fire_weather.fire_weather_index(days["tasmax"], days["hursmin"], days["sfcWind"], days["pr"], month).fwi
