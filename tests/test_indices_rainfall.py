from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.climate import calendar_days
from aiops.errors import BadInput
from aiops.indices import rainfall
from aiops.indices.rainfall import cdd, prcptot, rain80, rx1day, rx5day, sdii

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATES = calendar_days(2011, 2)
INDICES = [rx1day, rx5day, rain80, sdii, cdd, prcptot]


def rain_on(days: dict[str, float]) -> np.ndarray:
    """Two dry years with rain, mm, on some days."""
    rain = np.zeros(DATES.size)
    for day, amount in days.items():
        rain[np.searchsorted(DATES, np.datetime64(day))] = amount
    return rain


def missing(first: str, length: int) -> dict[str, float]:
    start = np.datetime64(first)
    return {str(start + n): np.nan for n in range(length)}


def by_year(index: Callable[..., tuple[np.ndarray, np.ndarray]], days: dict[str, float]) -> list[float]:
    years, values = index(rain_on(days), DATES)
    assert list(years) == [2011, 2012]
    return list(values)


def test_rx1day_is_the_wettest_day() -> None:
    assert by_year(rx1day, {"2011-07-01": 120.5, "2011-08-01": 80.0, "2012-09-01": 3.0}) == [120.5, 3.0]


def test_rx5day_is_the_wettest_five_days_on_end() -> None:
    assert by_year(rx5day, {"2011-07-01": 100.0, "2011-07-05": 50.0, "2011-07-06": 20.0})[0] == 150.0


def test_rx5day_belongs_to_the_year_of_its_last_day() -> None:
    over_new_year = {"2011-12-29": 10.0, "2011-12-31": 20.0, "2012-01-02": 40.0}
    assert by_year(rx5day, over_new_year) == [30.0, 70.0]


def test_five_days_with_a_missing_one_have_no_sum() -> None:
    assert by_year(rx5day, {"2011-07-01": 100.0, "2011-07-02": np.nan, "2011-07-03": 60.0})[0] == 100.0


def test_rain80_counts_days_from_80_mm_on() -> None:
    assert by_year(rain80, {"2011-07-01": 80.0, "2011-07-02": 79.9, "2011-07-03": 200.0}) == [2.0, 0.0]


def test_sdii_is_the_mean_of_days_from_1_mm_on() -> None:
    assert by_year(sdii, {"2011-07-01": 1.0, "2011-07-02": 0.9, "2011-07-03": 20.0})[0] == 10.5


def test_a_year_without_a_wet_day_has_no_intensity() -> None:
    assert np.isnan(by_year(sdii, {"2011-07-02": 0.9})).all()


def test_prcptot_leaves_drizzle_out() -> None:
    assert by_year(prcptot, {"2011-07-01": 1.0, "2011-07-02": 0.9, "2011-07-03": 20.0}) == [21.0, 0.0]


def test_cdd_is_the_longest_run_below_1_mm_cut_at_the_31st_of_december() -> None:
    assert by_year(cdd, {"2011-03-11": 5.0, "2011-11-01": 1.0, "2012-12-31": 0.9}) == [234.0, 366.0]


def test_a_missing_day_ends_a_dry_run() -> None:
    assert by_year(cdd, {"2011-07-01": np.nan})[0] == 183.0


def test_a_29_february_that_the_calendar_has_not_does_not_end_a_dry_run() -> None:
    wet = {"2012-06-01": 5.0, "2012-09-01": 5.0}
    of_365_days = wet | {"2012-02-29": np.nan}
    rain = np.stack([rain_on(days) for days in (wet, of_365_days, of_365_days | {"2012-02-28": np.nan})], axis=1)
    assert cdd(rain, DATES)[1][1].tolist() == [152.0, 151.0, 121.0]


def test_a_calendar_that_has_one_29_february_has_lost_the_others() -> None:
    dates = calendar_days(2012, 8)
    rain = np.zeros((dates.size, 2))
    rain[np.isin(dates, np.array(["2012-06-01", "2012-09-01"], dtype="datetime64[D]"))] = 5.0
    for day in ("2012-02-29", "2016-02-29"):
        rain[dates == np.datetime64(day)] = np.nan
    rain[dates == np.datetime64("2016-02-29"), 1] = 0.0
    assert cdd(rain, dates)[1][[0, 4]].tolist() == [[151.0, 121.0], [365.0, 366.0]]


@pytest.mark.parametrize("index", INDICES)
def test_a_year_may_miss_fifteen_days_and_no_more(index: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    rain = {"2011-02-01": 30.0, "2012-02-01": 30.0}
    assert not np.isnan(by_year(index, rain | missing("2011-07-01", 15))).any()
    assert list(np.isnan(by_year(index, rain | missing("2011-07-01", 16)))) == [True, False]


@pytest.mark.parametrize("index", INDICES)
def test_rain_below_0_is_refused(index: Callable[..., object]) -> None:
    with pytest.raises(BadInput, match="rain: -99 cannot be in mm"):
        index(rain_on({"2011-07-01": -99.0}), DATES)


def test_a_monthly_record_is_refused() -> None:
    months = np.arange("2011-01", "2013-01", dtype="datetime64[M]").astype("datetime64[D]")
    with pytest.raises(BadInput, match="wrong cadence"):
        rx1day(np.zeros(24), months)


@pytest.mark.parametrize("index", INDICES)
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 4))
def test_cells_do_not_depend_on_the_chunk_they_are_in(
    index: Callable[..., tuple[np.ndarray, np.ndarray]], seed: int, cut: int
) -> None:
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random((DATES.size, 5)) < 0.3, rng.gamma(0.6, 20.0, (DATES.size, 5)), 0.0)
    rain[rng.random(rain.shape) < 0.01] = np.nan
    rain[:, 0] = np.nan
    whole = index(rain, DATES)[1]
    assert np.isnan(whole[:, 0]).all()
    np.testing.assert_array_equal(np.hstack([index(part, DATES)[1] for part in np.split(rain, [cut], axis=1)]), whole)
    np.testing.assert_array_equal(index(rain[:, -1], DATES)[1], whole[:, -1])


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), wet=st.floats(0.02, 0.5))
def test_dry_runs_are_those_that_one_counts_day_by_day(seed: int, wet: float) -> None:
    rng = np.random.default_rng(seed)
    rain = np.where(rng.random(DATES.size) < wet, 5.0, 0.0)
    for year, got in zip(*cdd(rain, DATES), strict=True):
        longest = run = 0
        for amount in rain[DATES.astype("datetime64[Y]") == np.datetime64(str(year))]:
            run = 0 if amount >= rainfall.WET_DAY else run + 1
            longest = max(longest, run)
        assert got == longest


@pytest.mark.oracle
def test_the_wettest_days_of_31_stations_are_the_files_own(shared_data: Path) -> None:
    with gzip.open(shared_data / "asos_daily_31_stations_2011_2019.csv.gz", "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    stations = sorted({row["stnId"] for row in rows})
    dates = calendar_days(2011, 9)
    rain = np.full((dates.size, len(stations)), np.nan)
    greatest: dict[tuple[str, str], float] = {}
    for row in rows:
        amount = float(row["sumRn"] or 0.0)
        rain[np.searchsorted(dates, np.datetime64(row["tm"])), stations.index(row["stnId"])] = amount
        key = row["stnId"], row["tm"][:4]
        greatest[key] = max(greatest.get(key, 0.0), amount)
    years, values = rx1day(rain, dates)
    checked = 0
    for (station, year), amount in greatest.items():
        value = values[years == int(year), stations.index(station)][0]
        if not np.isnan(value):
            assert value == amount
            checked += 1
    assert checked > 250
