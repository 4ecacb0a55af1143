"""The sample as packed yearly series."""

from __future__ import annotations

import multiprocessing
import signal
from collections import Counter
from dataclasses import asdict, replace

import numpy as np
import pytest

from aiops.climate import SCENARIOS, Cadence, Series
from aiops.ingest.drought import drought_indicators, monthly_rain
from aiops.ingest.evapotranspiration import potential_evapotranspiration
from aiops.ingest.fire import fire_indicators
from aiops.ingest.indicators import yearly_indicators
from aiops.ingest.months import monthly_mean
from aiops.ingest.sample import SAMPLE_DATASET, SAMPLE_SEED, generate_sample, parallel, sample_cells
from aiops.ingest.sample.surface import surface_weather
from aiops.ingest.sample.weather import daily_weather
from aiops.ingest.variables import variable_of

CELLS = tuple(cell for cell in sample_cells() if cell.name)[:14]
HEAT_COLD_RAIN = {
    *("wsdi", "csdi", "tx33", "tn25", "tx90p_days", "tnm12", "fd", "txx", "tnn"),
    *("rx1day", "rx5day", "rain80", "sdii", "cdd", "prcptot"),
}
FIRE = {"fwi95", "fwi21"}
WATER = {"spei12_min", "spei12_dry_share", "wsi"}
STORMS = {"max_site_wind", "s_tc"}
FROM_TWELVE_MONTHS = {"spei12_min", "spei12_dry_share"}
BY_SCENARIO = HEAT_COLD_RAIN | FIRE | WATER


@pytest.fixture(scope="module")
def sample():
    return [one for some in generate_sample(cells=CELLS) for one in some]


def table(sample, variable, scenario):
    """(cells, years)."""
    return np.array([one.values for one in sample if (one.variable, one.scenario) == (variable, scenario)])


def by_key(series):
    return {(one.variable, one.scenario, one.grid_id): one.values for one in series}


def decades(sample, variable, scenario):
    """(cells, decades)."""
    return table(sample, variable, scenario).reshape(len(CELLS), 8, 10).mean(axis=2)


def test_every_cell_has_every_variable_in_every_scenario_once_and_storms_in_its_history(sample):
    keys = Counter((one.variable, one.scenario, one.grid_id) for one in sample)
    assert set(keys.values()) == {1}
    assert keys.keys() == {
        *((variable, scenario, cell.grid_id) for variable in BY_SCENARIO for scenario in SCENARIOS for cell in CELLS),
        *((variable, "historical", cell.grid_id) for variable in STORMS for cell in CELLS),
    }


def test_history_covers_1991_to_2020_and_scenarios_2021_to_2100(sample):
    for one in sample:
        first, n_years = (1991, 30) if one.scenario == "historical" else (2021, 80)
        assert (one.first_year, one.values.size) == (first, n_years)


def test_values_are_complete_but_for_the_first_year_s_drought_and_within_the_catalogue(sample):
    for one in sample:
        variable = variable_of(one.variable)
        assert variable.cadence is Cadence.YEARLY
        assert one.values.dtype == np.float32
        # An SPEI of twelve months needs the twelve before.
        missing = 1 if one.variable in FROM_TWELVE_MONTHS and one.scenario == "historical" else 0
        assert np.isnan(one.values[:missing]).all()
        assert variable.accepts(one.values[missing:].min())
        assert variable.accepts(one.values[missing:].max())


# --- the same numbers as from files -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def daily():
    """Two cells' days under the history and one scenario, as a file would bring them."""
    found = []
    for scenario in ("historical", "ssp370"):
        weather = daily_weather(scenario, SAMPLE_SEED, CELLS[:2])
        surface = surface_weather(weather, SAMPLE_SEED)
        days = {name: getattr(weather, name) for name in ("tasmax", "tasmin", "pr")}
        days |= {name: getattr(surface, name) for name in ("hurs", "hursmin", "sfcWind", "rsds")}
        found += [
            Series(name, scenario, cell.grid_id, weather.first_year, values[:, column])
            for name, values in days.items()
            for column, cell in enumerate(CELLS[:2])
        ]
    return found


def test_heat_cold_and_rain_are_those_of_the_days_with_history_in_front(sample, daily):
    """What `aiops ingest` makes of the same days, loaded as daily series, are the same numbers."""
    expected, mine = by_key(yearly_indicators(daily)), by_key(sample)
    assert {variable for variable, _, _ in expected} == HEAT_COLD_RAIN
    assert len(expected) == len(HEAT_COLD_RAIN) * 2 * 2
    for key, values in expected.items():
        assert np.array_equal(mine[key], values), key


def test_fire_weather_is_that_of_the_days_run_on_from_the_history(sample, daily):
    expected, mine = by_key(fire_indicators(daily)), by_key(sample)
    assert len(expected) == len(FIRE) * 2 * 2
    for key, values in expected.items():
        assert mine[key] == pytest.approx(values, rel=1e-6), key


def test_drought_is_that_of_the_months_measured_against_the_history(sample, daily):
    months = list(monthly_rain(daily))
    for one in daily:
        if one.variable not in {"pr", "hursmin"}:
            dates = np.datetime64(f"{one.first_year}-01-01") + np.arange(one.values.size)
            mean = monthly_mean(one.values[:, None].astype(float), dates)[:, 0]
            months.append(replace(one, variable=f"{one.variable}_month", values=mean.astype(np.float32)))
    elevation = {cell.grid_id: cell.elevation_m for cell in CELLS[:2]}
    potential = potential_evapotranspiration(months, elevation)
    assert set(potential.methods.values()) == {"penman_monteith"}
    expected, mine = by_key(drought_indicators([*months, *potential.series])), by_key(sample)
    found = {key: values for key, values in expected.items() if key[0] in FROM_TWELVE_MONTHS}
    assert len(found) == 2 * 2 * 2
    for key, values in found.items():
        assert mine[key] == pytest.approx(values, abs=2e-3, nan_ok=True), key


def test_a_cell_s_series_do_not_depend_on_which_cells_and_scenarios_are_asked_for(sample):
    whole = by_key(sample)
    part = [one for some in generate_sample(cells=CELLS[5:6], scenarios=("ssp585",)) for one in some]
    assert {one.variable for one in part} == BY_SCENARIO
    assert len(part) == len(BY_SCENARIO)
    assert all(np.array_equal(one.values, whole[one.variable, one.scenario, one.grid_id]) for one in part)


def test_two_processes_give_what_one_gives(sample, monkeypatch):
    monkeypatch.setattr(parallel, "sample_cells", lambda: CELLS[:2])
    monkeypatch.setattr(parallel, "parts_of", lambda cells: [cells[:1], cells[1:]])
    monkeypatch.setattr(parallel, "_processors", lambda: 2)
    told, whole = [], by_key(sample)
    found = [one for some in parallel.generate_in_processes(progress=told.append) for one in some]
    assert told == [0.5, 1.0]
    assert len(found) == 2 * (len(BY_SCENARIO) * len(SCENARIOS) + len(STORMS))
    for one in found:
        assert np.array_equal(one.values, whole[one.variable, one.scenario, one.grid_id], equal_nan=True)


# --- what the scenarios bring -------------------------------------------------------------------------------


def test_warm_spells_grow_with_the_scenario_in_every_cell_and_cold_spells_go(sample):
    baseline = table(sample, "wsdi", "historical").mean(axis=1)
    late = {scenario: table(sample, "wsdi", scenario)[:, 60:].mean(axis=1) for scenario in SCENARIOS[1:]}
    assert (late["ssp585"] > 5 * baseline).all()
    means = [late[scenario].mean() for scenario in SCENARIOS[1:]]
    assert means == sorted(means)
    assert 1 < baseline.mean() < 8
    assert table(sample, "csdi", "ssp585")[:, 60:].mean() < 0.2 < table(sample, "csdi", "historical").mean()


@pytest.mark.parametrize("variable", ["wsdi", "rx1day", "tx33", "tnn", "fwi95", "spei12_min", "wsi"])
def test_no_decade_of_a_scenario_repeats_another(sample, variable):
    assert all(len(set(row)) == 8 for row in decades(sample, variable, "ssp585").tolist())


def test_the_wettest_day_grows_by_about_the_national_projection(sample):
    history = table(sample, "rx1day", "historical").mean()
    assert 1.2 < table(sample, "rx1day", "ssp585")[:, 60:].mean() / history < 1.7


def test_fire_weather_grows_with_the_warming(sample):
    history = table(sample, "fwi95", "historical").mean(axis=1)
    late = {scenario: decades(sample, "fwi95", scenario)[:, 6:].mean(axis=1) for scenario in SCENARIOS[1:]}
    assert (late["ssp585"] > history).all()
    assert late["ssp126"].mean() < late["ssp585"].mean()


def test_fire_weather_of_the_past_is_of_korean_size(sample):
    """Median of 31 stations, 2011–2019: 26.1; 17.7 at the south coast to 32.9 in Daegu."""
    history = table(sample, "fwi95", "historical").mean(axis=1)
    assert 20 < np.median(history) < 29
    assert (history > 12).all()


def test_drought_has_the_frequency_that_it_is_defined_by(sample):
    """−1 standard deviations or less: 16 % of the baseline's months."""
    share = table(sample, "spei12_dry_share", "historical")[:, 1:]
    assert share.mean() == pytest.approx(0.16, abs=0.03)


def test_water_stress_is_near_the_published_level_of_korea(sample):
    """A third of the renewable water is withdrawn; dry years are twice as stressed as wet ones, at least."""
    history = table(sample, "wsi", "historical")
    assert 0.25 < np.median(history) < 0.45
    assert (history.max(axis=1) > 2 * history.min(axis=1)).all()


def test_progress_ends_at_one_and_never_falls():
    told = []
    for _ in generate_sample(cells=CELLS[:1], scenarios=("historical", "ssp126"), progress=told.append):
        pass
    assert told == pytest.approx([1 / 3, 2 / 3, 1])


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


def test_ctrl_c_ends_the_processes_that_generate_instead_of_waiting_for_them(monkeypatch):
    monkeypatch.setattr(parallel, "_processors", lambda: 2)
    started = []

    def interrupt(*_):
        started.extend(multiprocessing.active_children())
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 2)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(parallel.generate_in_processes())
    finally:
        signal.signal(signal.SIGALRM, before)
    for process in started:
        process.join(120)
    # 0: it has come to its end, and was waited for.
    assert [process.exitcode in (0, None) for process in started] == [False, False]
