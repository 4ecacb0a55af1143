"""The sample as packed yearly series."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict

import numpy as np
import pytest

from aiops.climate import SCENARIOS, Cadence, Series
from aiops.ingest.indicators import yearly_indicators
from aiops.ingest.sample import SAMPLE_DATASET, SAMPLE_SEED, generate_sample, sample_cells
from aiops.ingest.sample.weather import daily_weather
from aiops.ingest.variables import variable_of

CELLS = tuple(cell for cell in sample_cells() if cell.name)[:14]
VARIABLES = {"wsdi", "csdi", "tx33", "tn25", "tx90p_days", "tnm12", "fd", "txx", "tnn"} | {
    "rx1day",
    "rx5day",
    "rain80",
    "sdii",
    "cdd",
    "prcptot",
}


@pytest.fixture(scope="module")
def sample():
    return [one for some in generate_sample(cells=CELLS) for one in some]


def table(sample, variable, scenario):
    """(cells, years)."""
    return np.array([one.values for one in sample if (one.variable, one.scenario) == (variable, scenario)])


def test_every_cell_has_every_variable_in_every_scenario_once(sample):
    keys = Counter((one.variable, one.scenario, one.grid_id) for one in sample)
    assert set(keys.values()) == {1}
    assert keys.keys() == {(v, s, cell.grid_id) for v in VARIABLES for s in SCENARIOS for cell in CELLS}


def test_history_covers_1991_to_2020_and_scenarios_2021_to_2100(sample):
    for one in sample:
        first, n_years = (1991, 30) if one.scenario == "historical" else (2021, 80)
        assert (one.first_year, one.values.size) == (first, n_years)


def test_values_are_complete_and_within_the_catalogue(sample):
    for one in sample:
        variable = variable_of(one.variable)
        assert variable.cadence is Cadence.YEARLY
        assert one.values.dtype == np.float32
        assert variable.accepts(one.values.min())
        assert variable.accepts(one.values.max())


def test_indicators_are_those_of_the_daily_weather_with_history_in_front(sample):
    """What `aiops ingest` makes of the same days, loaded as daily series, are the same numbers."""
    cells = CELLS[:2]
    daily = [
        Series(variable, scenario, cell.grid_id, weather.first_year, getattr(weather, variable)[:, column])
        for scenario in ("historical", "ssp370")
        for weather in (daily_weather(scenario, SAMPLE_SEED, cells),)
        for variable in ("tasmax", "tasmin", "pr")
        for column, cell in enumerate(cells)
    ]
    expected = {(one.variable, one.scenario, one.grid_id): one.values for one in yearly_indicators(daily)}
    mine = {(one.variable, one.scenario, one.grid_id): one.values for one in sample}
    assert len(expected) == len(VARIABLES) * 2 * 2
    for key, values in expected.items():
        assert np.array_equal(mine[key], values), key


def test_a_cell_s_series_do_not_depend_on_which_cells_and_scenarios_are_asked_for(sample):
    whole = {(one.variable, one.scenario, one.grid_id): one.values for one in sample}
    part = [one for some in generate_sample(cells=CELLS[5:6], scenarios=("ssp585",)) for one in some]
    assert len(part) == len(VARIABLES)
    assert all(np.array_equal(one.values, whole[one.variable, one.scenario, one.grid_id]) for one in part)


def test_warm_spells_grow_with_the_scenario_in_every_cell_and_cold_spells_go(sample):
    baseline = table(sample, "wsdi", "historical").mean(axis=1)
    late = {scenario: table(sample, "wsdi", scenario)[:, 60:].mean(axis=1) for scenario in SCENARIOS[1:]}
    assert (late["ssp585"] > 5 * baseline).all()
    means = [late[scenario].mean() for scenario in SCENARIOS[1:]]
    assert means == sorted(means)
    assert 1 < baseline.mean() < 8
    assert table(sample, "csdi", "ssp585")[:, 60:].mean() < 0.2 < table(sample, "csdi", "historical").mean()


def test_no_decade_of_a_scenario_repeats_another(sample):
    for variable in ("wsdi", "rx1day", "tx33"):
        values = table(sample, variable, "ssp585")
        decades = values.reshape(len(CELLS), 8, 10).mean(axis=2)
        assert all(len(set(row)) == 8 for row in decades.tolist())


def test_the_wettest_day_grows_by_about_the_national_projection(sample):
    history = table(sample, "rx1day", "historical").mean()
    assert 1.2 < table(sample, "rx1day", "ssp585")[:, 60:].mean() / history < 1.7


def test_progress_ends_at_one_and_never_falls():
    told = []
    for _ in generate_sample(cells=CELLS[:1], scenarios=("historical", "ssp126"), progress=told.append):
        pass
    assert told == [0.5, 1.0]


def test_the_data_set_says_that_it_is_synthetic():
    assert SAMPLE_DATASET.synthetic
    assert "SYNTHETIC" in SAMPLE_DATASET.source
    assert asdict(SAMPLE_DATASET).keys() == {
        "name",
        "source",
        "file_sha256",
        "first_year",
        "last_year",
        "synthetic",
        "parameters",
    }
