"""Fire weather of the sample: the daily recursion, run through all scenarios side by side, a year at a time.

What a day costs is the number of steps of the recursion, not their width: four scenarios next to each other take little
longer than one. Only the two yearly figures are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.indices import fire_weather
from aiops.ingest.sample.days import years_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.surface import SurfaceWeather
    from aiops.ingest.sample.weather import DailyWeather

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

_KMH = 3.6
"""km/h in 1 m/s."""


@dataclass(frozen=True, slots=True)
class FireDays:
    """The noon proxies of one scenario, (days, cells) each."""

    tasmax: Singles
    """°C."""
    hursmin: Singles
    """%."""
    sfcWind: Singles  # noqa: N815 - the CMIP name
    """m/s."""
    pr: Singles
    """mm."""

    @classmethod
    def of(cls, weather: DailyWeather, surface: SurfaceWeather) -> FireDays:
        """What the fire weather needs of the day."""
        return cls(weather.tasmax, surface.hursmin, surface.sfcWind, weather.pr)


@dataclass(frozen=True, slots=True)
class FireCodes:
    """The three codes at the end of a day, (cells,) each, or numbers."""

    ffmc: Floats | float = fire_weather.START_FFMC
    dmc: Floats | float = fire_weather.START_DMC
    dc: Floats | float = fire_weather.START_DC

    def beside_each_other(self, times: int) -> FireCodes:
        """The same codes for several scenarios."""
        return FireCodes(*(np.tile(np.atleast_1d(code), times) for code in (self.ffmc, self.dmc, self.dc)))


@dataclass(frozen=True, slots=True)
class FireYears:
    """Yearly figures, (years, cells) each."""

    fwi95: Floats
    fwi21: Floats


def fire_years(
    scenario: str, days: Sequence[FireDays], dates: NDArray[np.datetime64], start: FireCodes
) -> tuple[list[FireYears], FireCodes]:
    """Run the recursion through all days.

    Args:
        scenario: whose period the days are; all of `days` cover the same.
        days: of each scenario, the same cells in each.
        dates: (days,).
        start: the codes of the day before the first, one behind the other where there are several scenarios.

    Returns:
        The figures of each scenario, and the codes at the end, one behind the other.
    """
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    percentiles, counts, codes = [], [], start
    for _, rows in years_of(scenario):
        year = fire_weather.fire_weather_index(
            _beside(days, rows, lambda one: one.tasmax),
            _beside(days, rows, lambda one: one.hursmin),
            _beside(days, rows, lambda one: one.sfcWind) * _KMH,
            _beside(days, rows, lambda one: one.pr),
            month[rows],
            codes.ffmc,
            codes.dmc,
            codes.dc,
        )
        codes = FireCodes(year.ffmc[-1], year.dmc[-1], year.dc[-1])
        percentiles.append(fire_weather.fwi95(year.fwi, dates[rows])[1])
        counts.append(fire_weather.fwi_days_above(year.fwi, dates[rows])[1])
    parts = (np.split(np.concatenate(values), len(days), axis=1) for values in (percentiles, counts))
    return [FireYears(*pair) for pair in zip(*parts, strict=True)], codes


def _beside(days: Sequence[FireDays], rows: slice, pick: Callable[[FireDays], Singles]) -> Floats:
    """A variable of all scenarios on some days, (days, scenarios · cells)."""
    return np.concatenate([pick(one)[rows] for one in days], axis=1, dtype=np.float64)
