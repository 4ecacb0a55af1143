"""The sample data set as packed rows: yearly series of every cell and scenario, from the generator's daily weather.

The days themselves are not kept: the yearly indicators are computed from them by `aiops.indices`, as for any other
daily data, and only those are stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Series, calendar_days
from aiops.indices import spells
from aiops.ingest.indicators import PLAIN_INDICATORS
from aiops.ingest.sample.days import PERIODS
from aiops.ingest.sample.land import sample_cells
from aiops.ingest.sample.weather import DailyWeather, daily_weather

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.ingest.sample.land import SampleCell

    Floats = NDArray[np.float64]
    Yearly = tuple[NDArray[np.int64], Floats]

SAMPLE_SEED = 18
"""Picked among 26 for a history near the normals; the mean over seeds is unbiased, one seed's rain may be 10 % off."""
CELLS_AT_ONCE = 48
"""Cells whose indicators are computed together; their days fit the processor's cache better than all at once."""
_BASELINE = PERIODS["historical"]


@dataclass(frozen=True, slots=True)
class SampleDataset:
    """What the table `dataset` says about the sample; the fields are the arguments of `register_dataset`."""

    name: str = "sample"
    source: str = (
        "SYNTHETIC: stochastic weather generator, tuned to the KMA normals 1991-2020 and the national SSP "
        "projections; neither observed nor a forecast"
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

    History covers 1991–2020, the scenarios 2021–2100; spells and percentiles are relative to the history. The same
    seed gives the same values for a cell whichever cells and scenarios are asked for.

    Args:
        seed: of all random numbers.
        cells: some of `sample_cells()`; all when None.
        scenarios: some of SCENARIOS.
        progress: told the share of the work done, 0 to 1, after each list.

    Yields:
        Lists of series, each (variable, scenario, cell) once in all: scenario by scenario, some cells at a time.
    """
    wanted = tuple(sample_cells() if cells is None else cells)
    blocks = [slice(start, start + CELLS_AT_ONCE) for start in range(0, len(wanted), CELLS_AT_ONCE)]
    history = daily_weather("historical", seed, wanted)
    thresholds = [_thresholds(history, block) for block in blocks]
    steps, done = len(scenarios) * len(blocks), 0
    for scenario in scenarios:
        weather = history if scenario == "historical" else daily_weather(scenario, seed, wanted)
        for block, threshold in zip(blocks, thresholds, strict=True):
            yield _yearly_series(weather, block, threshold, None if weather is history else history)
            done += 1
            if progress is not None:
                progress(done / steps)


def _yearly_series(
    weather: DailyWeather, block: slice, thresholds: _Thresholds, history: DailyWeather | None
) -> list[Series]:
    """All yearly indicators of a block of cells under one scenario."""
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
            own = values[years >= weather.first_year].T.astype(np.float32)
            found.extend(
                Series(name, weather.scenario, int(grid_id), weather.first_year, column)
                for grid_id, column in zip(weather.grid_ids[block], own, strict=True)
            )
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
