"""Daily series become yearly indicators."""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict

import numpy as np
import pytest

from aiops.climate import Cadence, Series, calendar_days
from aiops.grid import grid_id_of
from aiops.indices import spells
from aiops.ingest.asos import parse_asos
from aiops.ingest.indicators import yearly_indicators
from aiops.ingest.variables import variable_of

HEAT = {"wsdi", "tx33", "tx90p_days", "txx"}
COLD = {"csdi", "tn25", "tnm12", "fd", "tnn"}
RAIN = {"rx1day", "rx5day", "rain80", "sdii", "cdd", "prcptot"}


def daily(variable, scenario, first_year, n_years, seed=0, grid_id=7):
    """Whole years of weather with seasons, to one decimal."""
    days = calendar_days(first_year, n_years).size
    random = np.random.default_rng([seed, first_year, grid_id])
    season = 13 - 14 * np.cos(2 * np.pi * np.arange(days) / 365.25)
    values = random.gamma(0.3, 20, days) if variable == "pr" else season + random.normal(0, 4, days)
    return Series(variable, scenario, grid_id, first_year, values.round(1).astype(np.float32))


def named(series):
    return {(one.variable, one.scenario, one.grid_id): one for one in series}


def test_heat_cold_and_rain_each_come_from_their_daily_variable():
    for variable, names in (("tasmax", HEAT), ("tasmin", COLD), ("pr", RAIN)):
        found = yearly_indicators([daily(variable, "historical", 2001, 12)])
        assert {one.variable for one in found} == names
        for one in found:
            assert (one.scenario, one.grid_id, one.first_year, one.values.size) == ("historical", 7, 2001, 12)
            assert one.values.dtype == np.float32
            assert not np.isnan(one.values).any()


def test_every_indicator_is_a_yearly_variable_of_the_catalogue_within_its_range():
    series = [daily(variable, "historical", 2001, 12) for variable in ("tasmax", "tasmin", "pr")]
    for one in yearly_indicators(series):
        variable = variable_of(one.variable)
        assert variable.cadence is Cadence.YEARLY
        assert all(variable.accepts(value) for value in one.values)


def test_the_values_are_what_counting_by_hand_gives():
    year = daily("tasmax", "historical", 2001, 1)
    found = named(yearly_indicators([year]))
    assert found["tx33", "historical", 7].values[0] == sum(value >= 33 for value in year.values.tolist())
    assert found["txx", "historical", 7].values[0] == max(year.values)
    rain = daily("pr", "historical", 2001, 1)
    found = named(yearly_indicators([rain]))
    by_hand = rain.values.astype(float)
    assert found["rx1day", "historical", 7].values[0] == max(rain.values)
    assert found["rx5day", "historical", 7].values[0] == pytest.approx(
        max(by_hand[i : i + 5].sum() for i in range(361)), rel=1e-6
    )
    wet = by_hand[by_hand >= 1]
    assert found["sdii", "historical", 7].values[0] == pytest.approx(wet.mean(), rel=1e-6)
    assert found["prcptot", "historical", 7].values[0] == pytest.approx(wet.sum(), rel=1e-6)


def test_a_year_with_more_than_15_missing_days_is_missing_and_one_with_15_is_not():
    series = daily("pr", "historical", 2001, 3)
    series.values[:16] = np.nan
    series.values[365 : 365 + 15] = np.nan
    for one in yearly_indicators([series]):
        assert np.isnan(one.values).tolist() == [True, False, False], one.variable


def test_a_record_that_stops_within_a_year_has_no_value_for_it():
    series = daily("tasmin", "historical", 2001, 12)
    short = Series("tasmin", "historical", 7, 2001, series.values[: -(365 - 180)])
    for one in yearly_indicators([short]):
        assert np.isnan(one.values).tolist() == [False] * 11 + [True], one.variable


def test_a_record_without_a_whole_year_gives_nothing():
    assert yearly_indicators([Series("pr", "historical", 7, 2001, np.ones(100, np.float32))]) == []
    assert yearly_indicators([Series("pr", "historical", 7, 2001, np.ones(0, np.float32))]) == []
    assert yearly_indicators([Series("tasmax", "historical", 7, 2001, np.full(365, np.nan, np.float32))]) == []


def test_other_daily_variables_are_passed_over():
    assert yearly_indicators([Series("hurs", "historical", 7, 2001, np.ones(365, np.float32))]) == []


def test_a_scenario_is_measured_against_its_history_and_begins_with_its_own_first_year():
    history, future = daily("tasmax", "historical", 1985, 36), daily("tasmax", "ssp245", 2015, 20)
    found = named(yearly_indicators([history, future]))
    own = found["wsdi", "ssp245", 7]
    assert (own.first_year, own.values.size) == (2015, 20)
    joined = np.concatenate([history.values[: calendar_days(1985, 30).size], future.values]).astype(float)
    years, expected = spells.warm_spell_duration(joined, calendar_days(1985, 50), (1991, 2020))
    np.testing.assert_array_equal(own.values, expected[years >= 2015].astype(np.float32))
    assert found["wsdi", "historical", 7].values.size == 36


def test_rain_of_the_last_days_of_history_counts_for_the_five_days_of_a_scenarios_new_year():
    dry = np.zeros(365, np.float32)
    history = Series("pr", "historical", 7, 2014, dry.copy())
    history.values[-4:] = 50
    future = Series("pr", "ssp245", 7, 2015, dry.copy())
    future.values[0] = 50
    found = named(yearly_indicators([history, future]))
    assert found["rx5day", "ssp245", 7].values.tolist() == [250]
    assert found["rx1day", "ssp245", 7].values.tolist() == [50]


def test_a_scenario_of_365_days_a_year_has_its_own_calendar_behind_a_history_of_366():
    days = calendar_days(2015, 6)
    history = Series("pr", "historical", 7, 2009, np.zeros(calendar_days(2009, 6).size, np.float32))
    future = Series("pr", "ssp245", 7, 2015, np.zeros(days.size, np.float32))
    future.values[np.isin(days, np.array(["2016-02-29", "2020-02-29"], dtype="datetime64[D]"))] = np.nan
    found = named(yearly_indicators([history, future]))
    assert found["cdd", "historical", 7].values.tolist() == [365, 365, 365, 366, 365, 365]
    assert found["cdd", "ssp245", 7].values.tolist() == [365] * 6


def test_a_gap_between_history_and_scenario_is_missing_days():
    history, future = daily("tasmax", "historical", 1991, 20), daily("tasmax", "ssp245", 2021, 5)
    found = named(yearly_indicators([history, future]))
    assert found["tx33", "ssp245", 7].values.size == 5
    assert not np.isnan(found["wsdi", "ssp245", 7].values).any()


def test_a_scenario_without_history_stands_on_its_own_years():
    future = daily("tasmax", "ssp245", 2015, 12)
    (own,) = [one for one in yearly_indicators([future]) if one.variable == "wsdi"]
    _, expected = spells.warm_spell_duration(future.values.astype(float), calendar_days(2015, 12), (2015, 2026))
    np.testing.assert_array_equal(own.values, expected.astype(np.float32))


def test_days_beyond_the_percentile_are_of_the_baseline_not_of_the_whole_record():
    for first, n_years, baseline in ((2011, 9, (2011, 2019)), (1981, 40, (1991, 2020)), (1951, 35, (1951, 1980))):
        series = daily("tasmax", "historical", first, n_years)
        (found,) = [one for one in yearly_indicators([series]) if one.variable == "tx90p_days"]
        days = calendar_days(first, n_years)
        _, expected = spells.days_above_threshold(series.values.astype(float), days, baseline)
        np.testing.assert_array_equal(found.values, expected.astype(np.float32))
        _, other = spells.days_above_threshold(series.values.astype(float), days, (first, first + 5))
        assert (expected != other).any(), "the baseline matters in this test"


def test_a_short_record_is_measured_against_all_its_years_and_a_long_one_against_the_normal_period():
    for first, n_years, baseline in ((2011, 9, (2011, 2019)), (1981, 40, (1991, 2020)), (1951, 35, (1951, 1980))):
        series = daily("tasmin", "historical", first, n_years)
        (csdi,) = [one for one in yearly_indicators([series]) if one.variable == "csdi"]
        _, expected = spells.cold_spell_duration(series.values.astype(float), calendar_days(first, n_years), baseline)
        np.testing.assert_array_equal(csdi.values, expected.astype(np.float32))


def test_cells_of_different_periods_and_baselines_do_not_touch_each_other():
    cells = [daily("tasmax", "historical", 1991, 30, grid_id=1), daily("tasmax", "historical", 2011, 9, grid_id=2)]
    cells += [daily("tasmax", "historical", 1981, 40, grid_id=3), daily("tasmax", "historical", 1981, 40, grid_id=4)]
    # Of 1991 to 2020 only 15 years are left: this cell's baseline is all its 25 years, its neighbour's the normal one.
    cells[2].values[3653 : 3653 + 5479] = np.nan
    together = named(yearly_indicators(cells))
    alone = named([one for cell in cells for one in yearly_indicators([cell])])
    assert together.keys() == alone.keys()
    for key, one in together.items():
        assert one.first_year == alone[key].first_year
        np.testing.assert_array_equal(one.values, alone[key].values)


@pytest.mark.oracle
def test_the_wettest_days_and_hot_days_of_the_real_stations_are_the_files_own(shared_data):
    path = shared_data / "asos_daily_31_stations_2011_2019.csv.gz"
    with open(shared_data / "asos_stations.csv", encoding="utf-8") as file:  # noqa: PTH123
        cells = {
            row["station_id"]: grid_id_of(float(row["latitude"]), float(row["longitude"]))
            for row in csv.DictReader(file)
        }
    wettest = defaultdict(float)
    hot = defaultdict(int)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for day in csv.DictReader(file):
            key = cells[day["stnId"]], int(day["tm"][:4])
            wettest[key] = max(wettest[key], float(day["sumRn"] or 0))
            hot[key] += bool(day["maxTa"]) and float(day["maxTa"]) >= 33
    found = named(yearly_indicators(parse_asos(path, shared_data / "asos_stations.csv").series))
    assert len({grid_id for _, _, grid_id in found}) == 31
    for (grid_id, year), most in wettest.items():
        assert found["rx1day", "historical", grid_id].values[year - 2011] == np.float32(most)
        assert found["tx33", "historical", grid_id].values[year - 2011] == hot[grid_id, year]
    daegu, ulleungdo = (found["tx33", "historical", cells[number]].values.mean() for number in ("143", "115"))
    assert daegu == pytest.approx(32, abs=1)
    assert ulleungdo == pytest.approx(1, abs=1)
