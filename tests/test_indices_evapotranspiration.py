from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.climate import calendar_days
from aiops.errors import BadInput
from aiops.indices.evapotranspiration import hargreaves, penman_monteith, sunshine_radiation, thornthwaite
from aiops.indices.sunlight import day_length, extraterrestrial_radiation, time_steps

if TYPE_CHECKING:
    from pathlib import Path

SEPTEMBER_3 = np.array([[246.0]])
WATT_OF_MJ = 1.0 / 0.0864


def saturation(temperature: float) -> float:
    return 0.6108 * float(np.exp(17.27 * temperature / (temperature + 237.3)))


# --- the worked examples of FAO-56 --------------------------------------------------------------------------


def test_example_8_radiation_at_the_top_of_the_air() -> None:
    assert extraterrestrial_radiation(SEPTEMBER_3, -20.0)[0] == pytest.approx(32.2, abs=0.05)


def test_example_9_hours_of_daylight() -> None:
    assert day_length(SEPTEMBER_3, -20.0)[0] == pytest.approx(11.7, abs=0.05)


def test_example_10_radiation_from_sunshine() -> None:
    # Rio de Janeiro, 22°54' S, May: 220 hours in 31 days, 14.5 MJ/m² a day
    may = np.array(["2001-05"], dtype="datetime64[M]")
    assert sunshine_radiation([220.0 / 31.0], may, -22.9)[0] == pytest.approx(14.5 * WATT_OF_MJ, abs=0.8)


def test_example_17_a_month_in_bangkok() -> None:
    months = np.array(["2001-03", "2001-04"], dtype="datetime64[M]")
    humidity = 100.0 * 2.85 / ((saturation(34.8) + saturation(25.6)) / 2.0)
    april = penman_monteith(
        tasmax=[33.8, 34.8],  # one degree warmer than March
        tasmin=[24.6, 25.6],
        humidity=[humidity] * 2,
        wind_10m=[2.0 / 0.748] * 2,
        radiation=[22.65 * WATT_OF_MJ] * 2,
        dates=months,
        latitude=13.73,
        elevation=2.0,
    )[1]
    assert april == pytest.approx(5.72 * 30, rel=0.002)


def test_example_18_a_day_in_brussels() -> None:
    day = penman_monteith(
        tasmax=[21.5],
        tasmin=[12.3],
        humidity=[100.0 * 1.409 / 1.997],
        wind_10m=[10.0 / 3.6],
        radiation=[22.07 * WATT_OF_MJ],
        dates=np.array(["2001-07-06"], dtype="datetime64[D]"),
        latitude=50.8,
        elevation=100.0,
    )
    assert day[0] == pytest.approx(3.88, abs=0.01)


def test_hargreaves_is_its_equation() -> None:
    day = np.array(["2001-09-03"], dtype="datetime64[D]")
    expected = 0.0023 * (32.2 / 2.45) * (25.0 + 17.8) * np.sqrt(10.0)
    assert hargreaves([30.0], [20.0], day, -20.0)[0] == pytest.approx(expected, rel=0.002)


# --- what a user notices ------------------------------------------------------------------------------------


def test_months_give_the_sum_of_their_days() -> None:
    months = np.arange("2001-01", "2002-01", dtype="datetime64[M]")
    days = calendar_days(2001, 1)
    of_months = hargreaves(np.full(12, 20.0), np.full(12, 10.0), months, 37.0)
    of_days = hargreaves(np.full(365, 20.0), np.full(365, 10.0), days, 37.0)
    calendar_month = days.astype("datetime64[M]").astype(int) % 12
    # The sun of the 15th stands for the month: 1.6 % off in January.
    assert of_months == pytest.approx(np.bincount(calendar_month, of_days), rel=0.02)


def test_the_first_month_counts_as_unchanged() -> None:
    months = np.array(["2001-04", "2001-05"], dtype="datetime64[M]")
    same = [[20.0] * 2, [10.0] * 2, [60.0] * 2, [2.0] * 2, [200.0] * 2]
    first = penman_monteith(*same, months, 37.0, 50.0)[0]
    alone = penman_monteith(*[values[:1] for values in same], months[:1], 37.0, 50.0)[0]
    assert first == alone


def test_a_maximum_below_the_minimum_evaporates_nothing() -> None:
    assert hargreaves([10.0], [10.02], np.array(["2001-09-03"], dtype="datetime64[D]"), 37.0)[0] == 0.0


def test_missing_weather_is_missing_evapotranspiration() -> None:
    days = calendar_days(2001, 1)[:3]
    weather = [np.array([20.0, 21.0, 22.0]) - spread for spread in (0.0, 9.0)]
    weather += [np.full(3, 60.0), np.full(3, 2.0), np.full(3, 200.0)]
    for place, values in enumerate(weather):
        gap = [v.copy() for v in weather]
        gap[place] = np.where([False, True, False], np.nan, values)
        assert list(np.isnan(penman_monteith(*gap, days, 37.0, 50.0))) == [False, True, False]


def test_frozen_months_evaporate_nothing_by_thornthwaite() -> None:
    months = np.arange("2001-01", "2003-01", dtype="datetime64[M]")
    tas = np.tile([-5.0, -1.0, 4.0, 10.0, 16.0, 21.0, 25.0, 25.0, 20.0, 13.0, 6.0, 0.0], 2)
    pet = thornthwaite(tas, months, 37.0)
    assert list(np.flatnonzero(pet == 0.0)) == [0, 1, 11, 12, 13, 23]
    assert (pet[2:11] > 0.0).all()
    assert (thornthwaite(np.full(24, -3.0), months, 37.0) == 0.0).all()


def test_the_same_baseline_makes_shared_years_agree() -> None:
    months = np.arange("2001-01", "2021-01", dtype="datetime64[M]")
    season = 13.0 - 12.0 * np.cos(2.0 * np.pi * np.arange(240) / 12)
    warmer = season + np.where(np.arange(240) >= 120, 5.0, 0.0)
    here, there = (thornthwaite(tas, months, 37.0, baseline=(2001, 2010)) for tas in (season, warmer))
    np.testing.assert_array_equal(here[:120], there[:120])
    assert (here[120:] < there[120:]).all()


def test_a_heat_index_without_a_calendar_month_is_missing() -> None:
    months = np.arange("2001-01", "2003-01", dtype="datetime64[M]")
    tas = np.full((24, 2), 15.0)
    tas[[6, 18], 0] = np.nan
    pet = thornthwaite(tas, months, 37.0)
    assert np.isnan(pet[:, 0]).all()
    assert np.isfinite(pet[:, 1]).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 4))
def test_cells_do_not_depend_on_the_chunk_they_are_in(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    months = np.arange("2001-01", "2004-01", dtype="datetime64[M]")
    low = rng.normal(10.0, 8.0, (36, 5))
    weather = [low + 9.0, low, rng.uniform(20, 100, (36, 5)), rng.gamma(2, 1, (36, 5)), rng.uniform(40, 300, (36, 5))]
    weather[2][rng.random((36, 5)) < 0.1] = np.nan
    latitude, elevation = rng.uniform(33, 39, 5), rng.uniform(0, 1500, 5)
    whole = penman_monteith(*weather, months, latitude, elevation)
    for part in (slice(0, cut), slice(cut, None)):
        alone = penman_monteith(*[v[:, part] for v in weather], months, latitude[part], elevation[part])
        np.testing.assert_allclose(alone, whole[:, part], rtol=1e-12)
        np.testing.assert_allclose(
            thornthwaite(low[:, part], months, latitude[part]),
            thornthwaite(low, months, latitude)[:, part],
            rtol=1e-12,
        )


def test_what_cannot_be_is_refused_by_name() -> None:
    day = np.array(["2001-09-03"], dtype="datetime64[D]")
    with pytest.raises(BadInput, match="humidity: 120 cannot be"):
        penman_monteith([20.0], [10.0], [120.0], [2.0], [200.0], day, 37.0, 50.0)
    with pytest.raises(BadInput, match=r"radiation: 2e\+07 cannot be in W/m²"):
        penman_monteith([20.0], [10.0], [60.0], [2.0], [2e7], day, 37.0, 50.0)
    with pytest.raises(BadInput, match="tasmin: shape"):
        hargreaves([20.0], [10.0, 11.0], day, 37.0)
    with pytest.raises(BadInput, match=r"latitude: 126\.5 cannot be"):
        hargreaves([20.0], [10.0], day, 126.5)
    with pytest.raises(BadInput, match="a monthly method"):
        thornthwaite([20.0], day, 37.0)
    with pytest.raises(BadInput, match="baseline: 1961 to 1990"):
        thornthwaite([20.0], day.astype("datetime64[M]"), 37.0, baseline=(1961, 1990))


def test_months_out_of_order_or_with_gaps_are_refused() -> None:
    with pytest.raises(BadInput, match="every month once, in order"):
        time_steps(np.array(["2001-01", "2001-03"], dtype="datetime64[M]"), 2)
    with pytest.raises(BadInput, match="one month a row"):
        time_steps(np.array(["2001-01"], dtype="datetime64[M]"), 2)


@pytest.mark.oracle
def test_thornthwaite_of_wichita_is_the_published_one(oracles: Path) -> None:
    # The published one gives every February 28.25 days and an older table of the sun: 1 mm a month, 1 % a year.
    with (oracles / "spei_wichita.csv").open() as file:
        rows = list(csv.DictReader(file))
    months = np.arange("1980-01", "2011-11", dtype="datetime64[M]")
    published = np.array([float(row["thornthwaite_pet_mm"]) for row in rows])
    pet = thornthwaite([float(row["mean_temperature_c"]) for row in rows], months, 37.6475)
    assert np.abs(pet - published).max() < 1.0
    yearly, expected = (values[:372].reshape(31, 12).sum(axis=1) for values in (pet, published))
    assert np.abs(yearly / expected - 1.0).max() < 0.01
