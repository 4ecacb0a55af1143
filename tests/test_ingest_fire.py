"""Daily weather becomes fire weather."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Series, calendar_days
from aiops.indices import fire_weather
from aiops.ingest.asos import parse_asos
from aiops.ingest.derived import DAILY, indicators_of_days
from aiops.ingest.drought import drought_indicators
from aiops.ingest.evapotranspiration import potential_evapotranspiration
from aiops.ingest.fire import FIRE_SOURCES, fire_indicators
from aiops.ingest.variables import variable_of


def weather(scenario, first_year, n_years, grid_id=7, seed=0):
    random = np.random.default_rng([seed, first_year, grid_id])
    days = calendar_days(first_year, n_years).size
    values = {
        "tasmax": 15 - 13 * np.cos(2 * np.pi * np.arange(days) / 365.25) + random.normal(0, 4, days),
        "hursmin": random.uniform(15, 90, days),
        "sfcWind": random.gamma(4, 0.7, days),
        "pr": random.gamma(0.2, 15, days),
    }
    return [Series(name, scenario, grid_id, first_year, x.astype(np.float32)) for name, x in values.items()]


def direct(series, first_year, n_years):
    days = {one.variable: one.values.astype(float) for one in series}
    dates = calendar_days(first_year, n_years)
    month = dates.astype("datetime64[M]").astype(int) % 12 + 1
    return fire_weather.fire_weather_index(
        days["tasmax"], days["hursmin"], days["sfcWind"] * 3.6, days["pr"], month
    ).fwi, dates


def named(found):
    return {(one.variable, one.scenario, one.grid_id): one for one in found}


def test_the_percentile_and_the_days_of_high_danger_follow_from_the_noon_proxies():
    series = weather("historical", 2001, 3)
    found = named(fire_indicators(series))
    fwi, dates = direct(series, 2001, 3)
    _, percentile = fire_weather.fwi95(fwi, dates)
    by_hand = [
        np.count_nonzero(fwi[dates.astype("datetime64[Y]") == np.datetime64(f"{y}")] >= 21.3) for y in range(2001, 2004)
    ]
    np.testing.assert_array_equal(found["fwi95", "historical", 7].values, percentile.astype(np.float32))
    assert found["fwi21", "historical", 7].values.tolist() == by_hand
    assert max(by_hand) > 0


@pytest.mark.parametrize("absent", FIRE_SOURCES)
def test_without_one_of_the_four_there_is_no_fire_weather(absent):
    assert fire_indicators([one for one in weather("historical", 2001, 2) if one.variable != absent]) == []


def test_the_codes_run_on_from_the_history_into_a_scenario():
    history, future = weather("historical", 2001, 3), weather("ssp245", 2004, 2)
    for rain in (history[3], future[3]):
        rain.values[:] = 0
    found = named(fire_indicators([*history, *future]))
    joined = [
        Series(a.variable, "ssp245", 7, 2001, np.concatenate([a.values, b.values]))
        for a, b in zip(history, future, strict=True)
    ]
    own = found["fwi95", "ssp245", 7]
    assert (own.first_year, own.values.size) == (2004, 2)
    years, expected = fire_weather.fwi95(*direct(joined, 2001, 5))
    np.testing.assert_array_equal(own.values, expected[years >= 2004].astype(np.float32))
    alone = named(fire_indicators(future))["fwi95", "ssp245", 7]
    assert alone.values[0] != own.values[0], "the first spring remembers three years without rain"


def test_a_year_with_fewer_than_350_days_is_missing_and_a_cell_without_a_year_is_left_out():
    series = weather("historical", 2001, 2)
    series[1].values[:16] = np.nan
    found = named(fire_indicators(series))
    assert np.isnan(found["fwi95", "historical", 7].values).tolist() == [True, False]
    series[1].values[:] = np.nan
    assert fire_indicators(series) == []


@pytest.mark.parametrize("seed", range(4))
def test_no_weather_that_the_catalogue_takes_voids_a_load(seed):
    random, days = np.random.default_rng(seed), calendar_days(2001, 16).size
    extremes = [
        Series(name, "historical", 7, 2001, random.choice([kind.minimum, kind.maximum], days).astype(np.float32))
        for name in DAILY
        for kind in [variable_of(name)]
    ]
    found = indicators_of_days(extremes, {"historical"})
    potential = potential_evapotranspiration(extremes, {7: 3000.0})
    found += [*potential.series, *drought_indicators([*found, *potential.series])]
    assert {"fwi95", "fwi21", "txx", "rx5day", "pet_month", "spei12"} <= {one.variable for one in found}
    assert all(np.isfinite(one.values).any() for one in found)


def test_cells_do_not_touch_each_other():
    cells = [*weather("historical", 2001, 2, 1), *weather("historical", 2001, 3, 2), *weather("historical", 2001, 3, 3)]
    together = named(fire_indicators(cells))
    for cell, n_years in ((1, 2), (2, 3), (3, 3)):
        (alone, _) = fire_indicators(weather("historical", 2001, n_years, cell))
        np.testing.assert_array_equal(together["fwi95", "historical", cell].values, alone.values)


@pytest.mark.oracle
def test_the_dry_springs_of_the_real_stations_are_the_dangerous_ones(shared_data):
    parsed = parse_asos(shared_data / "asos_daily_31_stations_2011_2019.csv.gz", shared_data / "asos_stations.csv")
    found = [one for one in fire_indicators(parsed.series) if one.variable == "fwi95"]
    values = np.concatenate([one.values for one in found])
    assert len(found) == 31
    assert 5 < np.nanmedian(values) < 40
