"""Rain, evapotranspiration, flow and use become water stress."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Series
from aiops.indices.water_balance import runoff, scaled_flow, water_stress
from aiops.ingest.water import BasinWater, water_stress_indicators

YEARS = np.arange(1991, 2021)


def months(scenario, first_year, n_years, grid_id=7, drier=1.0):
    random = np.random.default_rng([first_year, grid_id])
    rain = drier * random.gamma(20, 5.5, (n_years, 1)) * np.ones((1, 12))
    pet = np.full((n_years, 12), 70.0)
    return [
        Series(name, scenario, grid_id, first_year, x.reshape(-1).astype(np.float32))
        for name, x in (("pr_month", rain), ("pet_month", pet))
    ]


def by_year(series):
    return series.values.astype(float).reshape(-1, 12).sum(axis=1)


HAN = BasinWater(18_000.0, {"historical": {1991: 4_000.0}})


def test_stress_is_use_over_the_flow_that_the_cells_own_runoff_makes_of_the_gauged_one():
    series = months("historical", 1991, 30)
    (wsi,) = water_stress_indicators(series, {7: "han"}, {"han": HAN})
    assert (wsi.variable, wsi.scenario, wsi.grid_id, wsi.first_year) == ("wsi", "historical", 7, 1991)
    water = runoff(by_year(series[0]), by_year(series[1]))
    np.testing.assert_allclose(wsi.values, 4_000 / (18_000 * water / water.mean() * 0.63), rtol=1e-5)


def test_a_scenarios_flow_is_scaled_over_the_baseline_in_its_history():
    history, future = months("historical", 1991, 30), months("ssp585", 2021, 20, drier=0.7)
    found = {one.scenario: one for one in water_stress_indicators([*history, *future], {7: "han"}, {"han": HAN})}
    own = found["ssp585"]
    assert (own.first_year, own.values.size) == (2021, 20)
    rain, pet = (np.concatenate([by_year(history[n]), by_year(future[n])]) for n in (0, 1))
    flow = scaled_flow(runoff(rain, pet), np.arange(1991, 2041), 18_000.0, (1991, 2020))
    np.testing.assert_allclose(own.values, water_stress(np.full(50, 4_000.0), flow)[30:], rtol=1e-5)
    assert own.values.mean() > 1.3 * found["historical"].values.mean()


def test_where_a_month_of_rain_is_missing_the_rain_of_wet_days_stands_for_the_year():
    series = months("historical", 1991, 30)
    total = by_year(series[0])
    series[0].values[5] = np.nan
    wet_days = Series("prcptot", "historical", 7, 1991, np.full(30, total[0], np.float32))
    (alone,) = water_stress_indicators(series, {7: "han"}, {"han": HAN})
    (both,) = water_stress_indicators([*series, wet_days], {7: "han"}, {"han": HAN})
    assert np.isnan(alone.values).tolist() == [True] + [False] * 29
    water = runoff(total, by_year(series[1]))
    assert both.values[0] == pytest.approx(4_000 / (18_000 * water[0] / water.mean() * 0.63), rel=1e-5)


def test_a_cell_without_a_basin_and_a_basin_without_flow_have_no_stress():
    series = months("historical", 1991, 30)
    assert list(water_stress_indicators(series, {}, {"han": HAN})) == []
    assert list(water_stress_indicators(series, {7: "geum"}, {"han": HAN})) == []
    assert list(water_stress_indicators(series, {7: "han"}, {"han": BasinWater(18_000.0, {})})) == []
    assert list(water_stress_indicators(series[:1], {7: "han"}, {"han": HAN})) == []


def test_a_year_without_flow_is_beyond_measure_but_a_number():
    series = months("historical", 1991, 30)
    series[0].values[:12] = 0
    (wsi,) = water_stress_indicators(series, {7: "han"}, {"han": HAN})
    assert wsi.values[0] == 1000


def test_cells_of_two_basins_are_each_measured_against_their_own():
    cells = [*months("historical", 1991, 30, 1), *months("historical", 1991, 30, 2)]
    geum = BasinWater(6_000.0, {"historical": {1991: 3_000.0}})
    found = {
        one.grid_id: one.values
        for one in water_stress_indicators(cells, {1: "han", 2: "geum"}, {"han": HAN, "geum": geum})
    }
    (alone,) = water_stress_indicators(cells[2:], {2: "geum"}, {"geum": geum})
    np.testing.assert_array_equal(found[2], alone.values)
    assert found[2].mean() > found[1].mean()


def test_use_is_linear_between_the_years_given_and_constant_beyond_them():
    basin = BasinWater(1.0, {"historical": {2000: 10.0, 2010: 20.0}, "ssp245": {2010: 30.0, 2020: 50.0}})
    years = np.array([1990, 2000, 2005, 2010, 2015, 2030])
    assert basin.withdrawal("historical", years).tolist() == [10, 10, 15, 20, 20, 20]
    assert basin.withdrawal("ssp245", years).tolist() == [10, 10, 20, 30, 40, 50]
    assert basin.withdrawal("ssp585", years).tolist() == [10, 10, 15, 20, 20, 20]
    only_future = BasinWater(1.0, {"ssp245": {2020: 50.0}})
    assert np.isnan(only_future.withdrawal("historical", years)).all()
