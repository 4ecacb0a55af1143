"""Daily weather becomes the yearly figures of fire weather, by the noon proxies that daily data allow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.indices import fire_weather
from aiops.ingest.aligned import align

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiops.climate import Series

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
    found: list[Series] = []
    for some in align(daily, FIRE_SOURCES, Cadence.DAILY, needed=FIRE_SOURCES):
        month = some.dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
        days = some.values
        fwi = fire_weather.fire_weather_index(
            days["tasmax"], days["hursmin"], days["sfcWind"] * _KMH, days["pr"], month
        ).fwi
        found.extend(some.series("fwi95", *fire_weather.fwi95(fwi, some.dates)))
        found.extend(some.series("fwi21", *fire_weather.fwi_days_above(fwi, some.dates)))
    return found
