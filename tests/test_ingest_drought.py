"""Monthly rain and evapotranspiration become SPEI-12 and its yearly figures."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Series, calendar_days
from aiops.indices.drought import spei
from aiops.ingest.drought import drought_indicators, monthly_rain
from aiops.ingest.evapotranspiration import DAILY_WEATHER, potential_evapotranspiration
from aiops.ingest.place_csv import parse_place_csv


def months(scenario, first_year, n_years, grid_id=7, wetter=0.0):
    random = np.random.default_rng([first_year, grid_id])
    n = 12 * n_years
    season = -np.cos(2 * np.pi * np.arange(n) / 12)
    values = {
        "pr_month": (110 + 80 * season) * random.gamma(4, 0.25, n) + wetter,
        "pet_month": 75 + 55 * season,
    }
    return [Series(name, scenario, grid_id, first_year, x.astype(np.float32)) for name, x in values.items()]


def named(found):
    return {(one.variable, one.scenario, one.grid_id): one for one in found}


def balance(*parts):
    rain, pet = (np.concatenate([part[n].values for part in parts]).astype(float) for n in (0, 1))
    return rain - pet


def test_the_index_and_its_yearly_figures_are_those_of_the_balance():
    series = months("historical", 1991, 30)
    found = named(drought_indicators(series))
    index = spei(balance(series), 12, (1991, 2020), first_year=1991)
    np.testing.assert_array_equal(found["spei12", "historical", 7].values, index.astype(np.float32))
    by_year = index.reshape(30, 12)[1:]
    lowest, share = (found[name, "historical", 7].values for name in ("spei12_min", "spei12_dry_share"))
    assert np.isnan([lowest[0], share[0]]).all(), "the first year has no twelve months behind it"
    np.testing.assert_allclose(lowest[1:], by_year.min(axis=1).clip(-3.5), rtol=1e-6)
    np.testing.assert_allclose(share[1:], (by_year <= -1).mean(axis=1), rtol=1e-6)


def test_a_scenario_is_measured_against_the_history_in_front_of_it():
    history, future = months("historical", 1991, 24), months("ssp585", 2015, 40, wetter=-30)
    own = named(drought_indicators([*history, *future]))["spei12_min", "ssp585", 7]
    assert (own.first_year, own.values.size) == (2015, 40)
    index = spei(balance(history, future), 12, (1991, 2020), first_year=1991)
    np.testing.assert_allclose(own.values, index.reshape(64, 12)[24:].min(axis=1).clip(-3.5), rtol=1e-6)
    # The drying is against the past: measured against itself it would be none.
    (alone,) = [one for one in drought_indicators(future) if one.variable == "spei12_min"]
    assert np.nanmean(own.values) < np.nanmean(alone.values) - 0.5


def test_a_record_of_fewer_than_fifteen_years_has_no_distribution():
    assert list(drought_indicators(months("historical", 2006, 14))) == []
    (index,) = drought_indicators(months("historical", 2005, 15))
    assert np.flatnonzero(~np.isnan(index.values)).size == 15, "fifteen Decembers have a year behind them"
    assert {one.variable for one in drought_indicators(months("historical", 2004, 16))} == {
        "spei12",
        "spei12_min",
        "spei12_dry_share",
    }


def test_without_rain_or_evapotranspiration_there_is_no_drought_index():
    for lacking in (0, 1):
        series = months("historical", 1991, 30)
        del series[lacking]
        assert list(drought_indicators(series)) == []


def test_beyond_the_distribution_ten_is_stored_and_the_year_says_minus_three_and_a_half():
    history = months("historical", 1991, 30)
    future = months("ssp585", 2021, 1)
    future[0].values[:] = 0
    future[1].values[:] = 500
    found = named(drought_indicators([*history, *future]))
    assert found["spei12", "ssp585", 7].values.min() == -10
    assert found["spei12_min", "ssp585", 7].values.tolist() == [-3.5]


def test_a_missing_month_leaves_out_the_twelve_sums_that_it_is_part_of():
    series = months("historical", 1991, 30)
    series[0].values[130] = np.nan
    index = named(drought_indicators(series))["spei12", "historical", 7].values
    assert np.flatnonzero(np.isnan(index)).tolist() == [*range(11), *range(130, 142)]


def test_monthly_rain_is_the_sum_of_complete_months():
    days = np.ones(calendar_days(2000, 1).size, np.float32)
    days[0] = np.nan
    (rain,) = monthly_rain([Series("pr", "historical", 7, 2000, days)])
    assert (rain.variable, rain.first_year) == ("pr_month", 2000)
    np.testing.assert_array_equal(rain.values, [np.nan, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@pytest.mark.oracle
def test_the_drought_of_2017_is_in_the_record_of_jeonju(shared_data):
    columns = {
        "tasmax": "tmax",
        "tasmin": "tmin",
        "tas": "tavg",
        "hurs": "humid",
        "sfcWind": "wind",
        "sund": "sunshine",
        "pr": "rainfall",
    }
    daily = list(parse_place_csv(shared_data / "jeonju146_daily_2001_2022.csv.gz", 35.84, 127.12, columns).series)
    assert {one.variable for one in daily} == {*DAILY_WEATHER, "pr"} - {"rsds"}
    potential = potential_evapotranspiration(daily, {})
    found = list(drought_indicators([*monthly_rain(daily), *potential.series]))
    (lowest,) = [one.values for one in found if one.variable == "spei12_min"]
    assert 2001 + int(np.nanargmin(lowest)) == 2015, "the driest year of the record: 801 mm of rain on wet days"
    assert lowest[2017 - 2001] < -1
    assert set(potential.methods.values()) == {"penman_monteith"}
