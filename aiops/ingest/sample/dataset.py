"""The sample data set as packed rows: yearly series of every cell and scenario, from the generator's daily weather.

The days themselves are not kept: the yearly indicators are computed from them as from any other daily data, and only
those are stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, calendar_days
from aiops.indices import spells
from aiops.ingest.indicators import PLAIN_INDICATORS
from aiops.ingest.sample.days import PERIODS, yearly_series
from aiops.ingest.sample.fire import FireDays, fire_indicators
from aiops.ingest.sample.land import sample_cells
from aiops.ingest.sample.surface import surface_weather
from aiops.ingest.sample.tracks import storm_indicators
from aiops.ingest.sample.water import monthly_water, water_indicators
from aiops.ingest.sample.weather import DailyWeather, daily_weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.climate import Series
    from aiops.ingest.sample.land import SampleCell

    Floats = NDArray[np.float64]
    Yearly = tuple[NDArray[np.int64], Floats]

SAMPLE_SEED = 30
"""Picked among 40 for a history near the normals; the mean over seeds is unbiased, one seed's rain may be 10 % off."""
CELLS_IN_MEMORY = 91
"""A quarter of the cells: some 350 MB."""
CELLS_AT_ONCE = 48
"""Cells whose indicators are computed together; their days fit the processor's cache better than all at once."""
_HISTORY = SCENARIOS[0]
_BASELINE = PERIODS[_HISTORY]


@dataclass(frozen=True, slots=True)
class SampleDataset:
    """What the table `dataset` says about the sample; the fields are the arguments of `register_dataset`."""

    name: str = "sample"
    source: str = (
        "SYNTHETIC: stochastic generator of weather, typhoons and tides, tuned to the KMA normals 1991-2020 and the "
        "national SSP projections; neither observed nor a forecast"
    )
    file_sha256: None = None
    first_year: int = PERIODS["historical"][0]
    last_year: int = PERIODS["ssp585"][1]
    synthetic: bool = True
    parameters: dict[str, object] = field(default_factory=lambda: {"seed": SAMPLE_SEED})


SAMPLE_DATASET = SampleDataset()


@dataclass(frozen=True, slots=True)
class _Thresholds:
    """Percentiles of the calendar days 1991–2020, (365, cells), °C."""

    warm: Floats
    cold: Floats


def generate_sample(
    seed: int = SAMPLE_SEED,
    *,
    cells: Sequence[SampleCell] | None = None,
    scenarios: Sequence[str] = SCENARIOS,
    progress: Callable[[float], None] | None = None,
) -> Iterator[list[Series]]:
    """Generate the yearly series of the sample.

    History covers 1991–2020, the scenarios 2021–2100; spells, percentiles and droughts are relative to the history,
    and the fire weather runs on from it. The same seed gives the same values for a cell whichever cells and scenarios
    are asked for.

    Args:
        seed: of all random numbers.
        cells: some of `sample_cells()`; all when None.
        scenarios: some of SCENARIOS.
        progress: told the share of the work done, 0 to 1, after each list.

    Yields:
        Lists of series, each (variable, scenario, cell) once in all.
    """
    wanted = tuple(sample_cells() if cells is None else cells)
    parts = parts_of(wanted)
    steps, done = len(parts) * (len(scenarios) + 1), 0
    for part in parts:
        for found in generate_part(seed, part, scenarios):
            yield found
            done += 1
            if progress is not None:
                progress(done / steps)


def parts_of(cells: Sequence[SampleCell]) -> list[tuple[SampleCell, ...]]:
    """Cells whose days are held in memory together."""
    return [tuple(cells[start : start + CELLS_IN_MEMORY]) for start in range(0, len(cells), CELLS_IN_MEMORY)]


def generate_part(
    seed: int, cells: tuple[SampleCell, ...], scenarios: Sequence[str] = SCENARIOS
) -> Iterator[list[Series]]:
    """The series of some cells: a list for each scenario, and one of what looks at all scenarios together."""
    blocks = [slice(start, start + CELLS_AT_ONCE) for start in range(0, len(cells), CELLS_AT_ONCE)]
    history = daily_weather(_HISTORY, seed, cells)
    thresholds = [_thresholds(history, block) for block in blocks]
    months: list[Series] = []
    fire: dict[str, FireDays] = {}
    # The history comes in any case: scenarios begin where it ends.
    for scenario in (_HISTORY, *(one for one in scenarios if one != _HISTORY)):
        weather = history if scenario == _HISTORY else daily_weather(scenario, seed, cells)
        surface = surface_weather(weather, seed)
        months += monthly_water(weather, surface)
        fire[scenario] = FireDays.of(weather, surface)
        if scenario in scenarios:
            before = None if weather is history else history
            yield [
                one
                for block, threshold in zip(blocks, thresholds, strict=True)
                for one in _yearly_series(weather, block, threshold, before)
            ]
    grid_ids = tuple(cell.grid_id for cell in cells)
    found = [*water_indicators(months, cells), *fire_indicators(fire, grid_ids)]
    if _HISTORY in scenarios:
        found += storm_indicators(seed, grid_ids)
    yield [one for one in found if one.scenario in scenarios]


def _yearly_series(
    weather: DailyWeather, block: slice, thresholds: _Thresholds, history: DailyWeather | None
) -> list[Series]:
    """The indicators of heat, cold and rain of a block of cells under one scenario."""
    # Five-day sums reach back over New Year: the last year of the history stands in front of a scenario.
    front = 0 if history is None else len(calendar_days(_BASELINE[1], 1))
    dates = weather.dates if history is None else np.concatenate([history.dates[-front:], weather.dates])
    found: list[Series] = []
    for variable, indicators in PLAIN_INDICATORS.items():
        days = _days(weather, variable, block)
        if history is not None:
            days = np.concatenate([_days(history, variable, block)[-front:], days])
        results: dict[str, Yearly] = {name: compute(days, dates) for name, compute in indicators.items()}
        results |= _relative(variable, days, dates, thresholds)
        for name, (years, values) in results.items():
            own = values[years >= weather.first_year]
            found += yearly_series(name, weather.scenario, weather.grid_ids[block], own)
    return found


def _relative(variable: str, days: Floats, dates: NDArray[np.datetime64], thresholds: _Thresholds) -> dict[str, Yearly]:
    """The indicators that compare a day with its calendar day's percentile of 1991–2020."""
    if variable == "tasmax":
        return {
            "wsdi": spells.warm_spell_duration(days, dates, _BASELINE, threshold=thresholds.warm),
            "tx90p_days": spells.days_above_threshold(days, dates, _BASELINE, threshold=thresholds.warm),
        }
    if variable == "tasmin":
        return {"csdi": spells.cold_spell_duration(days, dates, _BASELINE, threshold=thresholds.cold)}
    return {}


def _thresholds(history: DailyWeather, block: slice) -> _Thresholds:
    """The percentiles of a block of cells."""
    return _Thresholds(
        warm=spells.day_percentile(_days(history, "tasmax", block), history.dates, spells.WARM_PERCENTILE, _BASELINE),
        cold=spells.day_percentile(_days(history, "tasmin", block), history.dates, spells.COLD_PERCENTILE, _BASELINE),
    )


def _days(weather: DailyWeather, variable: str, block: slice) -> Floats:
    """Daily values of a block of cells, (days, cells)."""
    values: NDArray[np.float32] = getattr(weather, variable)
    return values[:, block].astype(np.float64)
