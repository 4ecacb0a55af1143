"""Evapotranspiration by the best method that the data of a cell allow."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Series, calendar_days
from aiops.grid import grid_id_of, latitude_of
from aiops.indices.evapotranspiration import hargreaves, penman_monteith, sunshine_radiation, thornthwaite
from aiops.ingest.evapotranspiration import DAILY_WEATHER, MONTHLY_WEATHER, potential_evapotranspiration

CELL = grid_id_of(35.84, 127.12)
NORTH = float(latitude_of(CELL))
TEMPERATURES = ("tasmax", "tasmin")


def daily(first_year=2001, n_years=2, scenario="historical", variables=DAILY_WEATHER, grid_id=CELL):
    random = np.random.default_rng([first_year, grid_id])
    days = calendar_days(first_year, n_years).size
    season = -np.cos(2 * np.pi * np.arange(days) / 365.25)
    mean = 13 + 13 * season + random.normal(0, 3, days)
    values = {
        "tasmax": mean + 5,
        "tasmin": mean - 5,
        "tas": mean + 0.5,
        "hurs": random.uniform(40, 90, days),
        "sfcWind": random.gamma(4, 0.5, days),
        "rsds": 160 + 70 * season + random.normal(0, 20, days),
        "sund": random.uniform(0, 9, days),
    }
    return [Series(name, scenario, grid_id, first_year, values[name].astype(np.float32)) for name in variables]


def month_totals(values, first_year, n_years):
    month = calendar_days(first_year, n_years).astype("datetime64[M]")
    return [values[month == one].mean() * np.count_nonzero(month == one) for one in np.unique(month)]


def days_of(series):
    return {one.variable: one.values.astype(float) for one in series}


def test_with_all_weather_it_is_penman_monteith():
    series = daily()
    found = potential_evapotranspiration(series, {CELL: 53.0})
    assert found.methods == {CELL: "penman_monteith"}
    (pet,) = found.series
    assert (pet.variable, pet.scenario, pet.grid_id, pet.first_year, pet.values.size) == (
        "pet_month",
        "historical",
        CELL,
        2001,
        24,
    )
    v = days_of(series)
    expected = penman_monteith(
        v["tasmax"], v["tasmin"], v["hurs"], v["sfcWind"], v["rsds"], calendar_days(2001, 2), NORTH, 53.0
    )
    np.testing.assert_allclose(pet.values, month_totals(expected, 2001, 2), rtol=1e-5)
    assert 700 < pet.values.sum() / 2 < 1500


def test_where_radiation_was_not_measured_it_is_made_of_sunshine():
    series = daily(variables=("tasmax", "tasmin", "hurs", "sfcWind", "sund"))
    found = potential_evapotranspiration(series, {CELL: 53.0})
    v, dates = days_of(series), calendar_days(2001, 2)
    expected = penman_monteith(
        v["tasmax"],
        v["tasmin"],
        v["hurs"],
        v["sfcWind"],
        sunshine_radiation(v["sund"], dates, NORTH),
        dates,
        NORTH,
        53.0,
    )
    assert found.methods == {CELL: "penman_monteith"}
    np.testing.assert_allclose(found.series[0].values, month_totals(expected, 2001, 2), rtol=1e-5)


def test_with_extremes_of_temperature_alone_it_is_hargreaves():
    series = daily(variables=TEMPERATURES)
    found = potential_evapotranspiration(series, {})
    v = days_of(series)
    expected = hargreaves(v["tasmax"], v["tasmin"], calendar_days(2001, 2), NORTH)
    assert found.methods == {CELL: "hargreaves"}
    np.testing.assert_allclose(found.series[0].values, month_totals(expected, 2001, 2), rtol=1e-5)


def test_with_the_mean_alone_it_is_thornthwaite_with_the_heat_index_of_the_baseline():
    history, future = daily(1991, 30, variables=("tas",)), daily(2021, 5, "ssp245", variables=("tas",))
    found = potential_evapotranspiration([*history, *future], {})
    assert found.methods == {CELL: "thornthwaite"}
    own = next(one for one in found.series if one.scenario == "ssp245")
    assert (own.first_year, own.values.size) == (2021, 60)
    months = calendar_days(1991, 35).astype("datetime64[M]")
    tas = np.concatenate([history[0].values, future[0].values]).astype(float)
    means = np.bincount((months - months[0]).astype(int), weights=tas) / np.bincount((months - months[0]).astype(int))
    expected = thornthwaite(means, np.unique(months), NORTH, (1991, 2020))
    np.testing.assert_allclose(own.values, expected[360:], rtol=1e-4, atol=1e-3)


def test_a_cell_has_one_method_for_all_its_scenarios():
    found = potential_evapotranspiration(
        [*daily(), *daily(2003, 2, "ssp245", TEMPERATURES), *daily(2003, 2, "ssp585")], {}
    )
    assert found.methods == {CELL: "hargreaves"}
    assert {one.scenario for one in found.series} == {"historical", "ssp245", "ssp585"}


def test_a_method_that_lacks_more_than_a_tenth_of_the_months_is_not_the_best():
    for lost, method in ((2, "penman_monteith"), (3, "hargreaves")):
        series = daily()
        wind = next(one for one in series if one.variable == "sfcWind").values
        wind[: 30 * lost] = np.nan
        assert potential_evapotranspiration(series, {}).methods == {CELL: method}


@pytest.mark.parametrize("lost", [slice(0, 22, 2), slice(20, 25)])
def test_a_month_with_more_than_ten_missing_days_or_five_on_end_is_missing(lost):
    series = daily()
    next(one for one in series if one.variable == "hurs").values[lost] = np.nan
    (pet,) = potential_evapotranspiration(series, {}).series
    assert np.isnan(pet.values).tolist() == [True] + [False] * 23


def test_months_serve_where_there_are_no_days():
    months = 24
    season = -np.cos(2 * np.pi * np.arange(months) / 12)
    values = {
        "tasmax_month": 18 + 13 * season,
        "tasmin_month": 8 + 13 * season,
        "tas_month": 13 + 13 * season,
        "hurs_month": np.full(months, 65.0),
        "sfcWind_month": np.full(months, 2.0),
        "rsds_month": 160 + 70 * season,
    }
    series = [Series(name, "ssp245", CELL, 2001, values[name].astype(np.float32)) for name in MONTHLY_WEATHER]
    found = potential_evapotranspiration(series, {CELL: 53.0})
    dates = np.arange("2001-01", "2003-01", dtype="datetime64[M]")
    expected = penman_monteith(
        *(values[name] for name in (*MONTHLY_WEATHER[:2], *MONTHLY_WEATHER[3:])), dates, NORTH, 53.0
    )
    assert found.methods == {CELL: "penman_monteith"}
    np.testing.assert_allclose(found.series[0].values, expected, rtol=1e-4)
    some = potential_evapotranspiration(series[2:3], {})
    assert some.methods == {CELL: "thornthwaite"}


def monthly(first_year=1991, n_years=40, variables=MONTHLY_WEATHER[:3]):
    """Monthly means, by default of temperatures alone."""
    season = -np.cos(2 * np.pi * np.arange(12 * n_years) / 12)
    mean = dict(zip(MONTHLY_WEATHER, (18 + 13 * season, 8 + 13 * season, 13.5 + 13 * season), strict=False))
    return [Series(name, "historical", CELL, first_year, mean[name].astype(np.float32)) for name in variables]


@pytest.mark.parametrize("variable", ["tasmax", "tasmin", "tas"])
def test_days_of_one_temperature_leave_the_months_of_the_others(variable):
    alone = potential_evapotranspiration(monthly(), {})
    found = potential_evapotranspiration([*daily(1991, 40, variables=(variable,)), *monthly()], {})
    assert found.methods == alone.methods == {CELL: "hargreaves"}
    np.testing.assert_array_equal(found.series[0].values, alone.series[0].values)


def test_where_days_and_months_give_a_method_the_days_stand_and_months_serve_beyond_them():
    days, months = daily(1991, 10, variables=TEMPERATURES), monthly()
    (pet,) = potential_evapotranspiration([*months, *days], {}).series
    (of_days,) = potential_evapotranspiration(days, {}).series
    (of_months,) = potential_evapotranspiration(months, {}).series
    assert (pet.first_year, pet.values.size) == (1991, 480)
    np.testing.assert_array_equal(pet.values[:120], of_days.values)
    np.testing.assert_array_equal(pet.values[120:], of_months.values[120:])
    assert (of_days.values != of_months.values[:120]).any()


def test_a_month_that_days_do_not_give_is_given_by_its_monthly_means():
    days = daily(1991, 40, variables=TEMPERATURES)
    days[0].values[:31] = np.nan
    (pet,) = potential_evapotranspiration([*days, *monthly()], {}).series
    (of_months,) = potential_evapotranspiration(monthly(), {}).series
    assert pet.values[0] == of_months.values[0]
    assert pet.values[1] != of_months.values[1]


def test_the_heat_index_of_thornthwaite_is_that_of_days_and_months_together():
    days, months = daily(1991, 10, variables=("tas",)), monthly(variables=("tas_month",))
    (pet,) = potential_evapotranspiration([*months, *days], {}).series
    month = calendar_days(1991, 10).astype("datetime64[M]")
    means = months[0].values.astype(float)
    means[:120] = [days[0].values[month == one].mean() for one in np.unique(month)]
    expected = thornthwaite(means, np.arange("1991-01", "2031-01", dtype="datetime64[M]"), NORTH, (1991, 2020))
    np.testing.assert_allclose(pet.values, expected, rtol=1e-4, atol=1e-3)


def test_cells_do_not_touch_each_other_and_without_temperature_there_is_nothing():
    other = CELL + 1
    series = [*daily(), *daily(2001, 2, variables=TEMPERATURES, grid_id=other)]
    found = potential_evapotranspiration(series, {})
    assert found.methods == {CELL: "penman_monteith", other: "hargreaves"}
    assert potential_evapotranspiration(daily(variables=("hurs", "rsds")), {}).methods == {}
    assert potential_evapotranspiration([], {}).series == []


@pytest.mark.parametrize("elevation", [0.0, 1000.0])
def test_an_unknown_elevation_counts_as_100_m(elevation):
    unknown = potential_evapotranspiration(daily(), {}).series[0].values
    assert (potential_evapotranspiration(daily(), {CELL: 100.0}).series[0].values == unknown).all()
    assert (potential_evapotranspiration(daily(), {CELL: elevation}).series[0].values != unknown).any()
