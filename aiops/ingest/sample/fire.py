"""Fire weather of the sample: the daily recursion, run through all scenarios side by side, a year at a time.

What a day costs is the number of steps of the recursion, not their width: four scenarios next to each other take little
longer than one. Only the two yearly figures are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aiops.climate import SCENARIOS
from aiops.indices import fire_weather
from aiops.ingest.sample.days import dates_of, yearly_series, years_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
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


def fire_indicators(days: Mapping[str, FireDays], grid_ids: Sequence[int]) -> list[Series]:
    """`fwi95` and `fwi21` of cells.

    Args:
        days: by scenario; the history among them, from whose end the codes of the scenarios run on.
        grid_ids: the cells, in the order of the columns.
    """
    history = SCENARIOS[0]
    future = [scenario for scenario in days if scenario != history]
    past, codes = _run([history], [days[history]], _START)
    found = [past]
    if future:
        side_by_side = _Codes(*(np.tile(code, len(future)) for code in codes))
        found.append(_run(future, [days[scenario] for scenario in future], side_by_side)[0])
    return [
        one
        for run in found
        for scenario, figures in run.items()
        for variable, values in figures.items()
        for one in yearly_series(variable, scenario, grid_ids, values)
    ]


class _Codes(NamedTuple):
    """The three codes at the end of a day: numbers, or (scenarios · cells,)."""

    ffmc: Floats | float
    dmc: Floats | float
    dc: Floats | float


_START = _Codes(fire_weather.START_FFMC, fire_weather.START_DMC, fire_weather.START_DC)


def _run(
    scenarios: Sequence[str], days: Sequence[FireDays], codes: _Codes
) -> tuple[dict[str, dict[str, Floats]], _Codes]:
    """Run the recursion through the days of scenarios that cover the same period.

    Returns:
        By scenario and variable the yearly figures, (years, cells), and the codes at the end.
    """
    dates = dates_of(scenarios[0])
    month = dates.astype("datetime64[M]").astype(np.int64) % 12 + 1
    years: dict[str, list[Floats]] = {"fwi95": [], "fwi21": []}
    for _, rows in years_of(scenarios[0]):
        found = fire_weather.fire_weather_index(
            _beside([one.tasmax[rows] for one in days]),
            _beside([one.hursmin[rows] for one in days]),
            _beside([one.sfcWind[rows] for one in days]) * _KMH,
            _beside([one.pr[rows] for one in days]),
            month[rows],
            *codes,
        )
        codes = _Codes(found.ffmc[-1], found.dmc[-1], found.dc[-1])
        years["fwi95"].append(fire_weather.fwi95(found.fwi, dates[rows])[1])
        years["fwi21"].append(fire_weather.fwi_days_above(found.fwi, dates[rows])[1])
    by_scenario = {name: np.split(np.concatenate(values), len(days), axis=1) for name, values in years.items()}
    return {
        scenario: {name: values[place] for name, values in by_scenario.items()}
        for place, scenario in enumerate(scenarios)
    }, codes


def _beside(values: Sequence[Singles]) -> Floats:
    """(days, cells) of several scenarios side by side."""
    return np.concatenate(values, axis=1, dtype=np.float64)
