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
from aiops.indices.spells import (
    cold_spell_duration,
    day_percentile,
    days_above_threshold,
    warm_spell_duration,
)

if TYPE_CHECKING:
    from pathlib import Path

BASELINE = (2001, 2010)
DATES = calendar_days(2001, 12)
USUAL = 20.0


def usual_weather_but(days: dict[str, float]) -> np.ndarray:
    """Twelve years of 20 °C, with other values on some days; all of them after the baseline."""
    values = np.full(DATES.size, USUAL)
    for day, value in days.items():
        values[np.searchsorted(DATES, np.datetime64(day))] = value
    return values


def run_of(first: str, length: int, value: float) -> dict[str, float]:
    """The same value on days in a row."""
    start = np.datetime64(first)
    return {str(start + n): value for n in range(length)}


def value_in(year: int, result: tuple[np.ndarray, np.ndarray]) -> float:
    years, values = result
    return float(values[years == year][0])


def wsdi(days: dict[str, float], year: int = 2011) -> float:
    return value_in(year, warm_spell_duration(usual_weather_but(days), DATES, BASELINE))


def test_six_warm_days_in_a_row_are_a_spell() -> None:
    assert wsdi(run_of("2011-05-01", 6, 21.0)) == 6.0


def test_five_are_none() -> None:
    assert wsdi(run_of("2011-05-01", 5, 21.0)) == 0.0


def test_all_days_of_all_spells_count() -> None:
    assert wsdi(run_of("2011-05-01", 6, 21.0) | run_of("2011-08-01", 9, 21.0) | run_of("2011-10-01", 3, 21.0)) == 15.0


def test_a_day_at_the_threshold_is_not_above_it() -> None:
    assert wsdi({}) == 0.0
    assert wsdi(run_of("2011-05-01", 6, 21.0) | {"2011-05-04": USUAL}) == 0.0


def test_a_missing_day_ends_a_spell() -> None:
    assert wsdi(run_of("2011-05-01", 11, 21.0) | {"2011-05-06": np.nan}) == 0.0


def test_spells_are_cut_at_the_31st_of_december() -> None:
    over_new_year = run_of("2011-12-27", 10, 21.0)
    assert wsdi(over_new_year, 2011) == 0.0
    assert wsdi(over_new_year, 2012) == 0.0


def test_a_spell_crosses_the_29th_of_february_whatever_it_was() -> None:
    assert wsdi(run_of("2012-02-26", 7, 21.0) | {"2012-02-29": -5.0}, 2012) == 6.0


def test_a_year_may_miss_fifteen_days_and_no_more() -> None:
    warm = run_of("2011-05-01", 6, 21.0)
    assert wsdi(warm | run_of("2011-07-01", 15, np.nan)) == 6.0
    assert np.isnan(wsdi(warm | run_of("2011-07-01", 16, np.nan)))


def test_a_cold_spell_lies_below_the_tenth_percentile() -> None:
    values = usual_weather_but(run_of("2011-01-10", 7, 19.0) | run_of("2011-05-01", 9, 21.0))
    assert value_in(2011, cold_spell_duration(values, DATES, BASELINE)) == 7.0


def test_days_above_the_threshold_count_singly() -> None:
    values = usual_weather_but(run_of("2011-05-01", 5, 21.0) | {"2011-06-01": 20.1})
    assert value_in(2011, days_above_threshold(values, DATES, BASELINE)) == 6.0


def test_a_threshold_is_hyndman_and_fans_type_8_of_five_days_in_all_baseline_years() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(15.0, 8.0, DATES.size)
    threshold = day_percentile(values, DATES, 90.0, BASELINE)
    years = (DATES.astype("datetime64[Y]") - np.datetime64("2000")).astype(int)
    mid_june = (DATES.astype("datetime64[D]") - DATES.astype("datetime64[Y]")).astype(int)
    leap = np.isin(years + 2000, [2004, 2008, 2012])
    window = (np.abs(mid_june - leap - 164) <= 2) & (years >= 1) & (years <= 10)
    assert window.sum() == 50
    assert threshold[164] == pytest.approx(np.quantile(values[window], 0.9, method="median_unbiased"), abs=1e-12)


def test_the_window_takes_nothing_from_before_or_after_the_baseline() -> None:
    values = usual_weather_but({})
    values[DATES.astype("datetime64[Y]").astype(int) + 1970 > BASELINE[1]] = 39.0
    assert np.array_equal(day_percentile(values, DATES, 90.0, BASELINE), np.full(365, USUAL))


def test_a_day_with_less_than_seventy_percent_of_its_window_has_no_threshold() -> None:
    for years_missing, expected in ((3, USUAL), (4, np.nan)):
        gaps: dict[str, float] = {}
        for year in range(2001, 2001 + years_missing):
            gaps |= run_of(f"{year}-06-13", 5, np.nan)
        threshold = day_percentile(usual_weather_but(gaps), DATES, 90.0, BASELINE)
        assert threshold[165] == pytest.approx(expected, nan_ok=True)
        assert not np.isnan(threshold[160])


def test_twenty_years_of_the_normal_period_give_a_threshold() -> None:
    dates = calendar_days(2001, 22)
    values = np.full(dates.size, USUAL)
    assert np.array_equal(day_percentile(values, dates, 90.0), np.full(365, USUAL))


def test_a_threshold_at_hand_gives_the_same_days() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(15.0, 8.0, (DATES.size, 2))
    threshold = day_percentile(values, DATES, 90.0, BASELINE)
    for index in (warm_spell_duration, days_above_threshold):
        anew = index(values, DATES, BASELINE)[1]
        np.testing.assert_array_equal(index(values, DATES, threshold=threshold)[1], anew)


def test_no_data_give_no_days() -> None:
    years, values = warm_spell_duration(np.full((DATES.size, 2), np.nan), DATES, BASELINE)
    assert values.shape == (years.size, 2)
    assert np.isnan(values).all()


def test_a_baseline_outside_the_record_is_refused() -> None:
    with pytest.raises(BadInput, match=r"baseline: 1961 to 1990 .*2001 to 2012"):
        warm_spell_duration(usual_weather_but({}), DATES, (1961, 1990))
    with pytest.raises(BadInput, match="the first year, then the last"):
        warm_spell_duration(usual_weather_but({}), DATES, (2010, 2001))


def test_kelvin_is_refused() -> None:
    with pytest.raises(BadInput, match=r"tasmax: 293\.15 cannot be"):
        warm_spell_duration(usual_weather_but({}) + 273.15, DATES, BASELINE)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 3))
def test_cells_do_not_depend_on_the_chunk_they_are_in(seed: int, cut: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(15.0, 4.0, (DATES.size, 4)).round(1)
    values[rng.random(values.shape) < 0.01] = np.nan
    values[:, rng.integers(4)] = USUAL
    whole = warm_spell_duration(values, DATES, BASELINE)[1]
    parts = [warm_spell_duration(part, DATES, BASELINE)[1] for part in (values[:, :cut], values[:, cut:])]
    np.testing.assert_array_equal(np.concatenate(parts, axis=1), whole)
    np.testing.assert_array_equal(warm_spell_duration(values[:, 0], DATES, BASELINE)[1], whole[:, 0])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_spells_are_those_that_one_counts_day_by_day(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.repeat(rng.normal(15.0, 6.0, DATES.size // 4 + 1), 4)[: DATES.size]
    values[rng.random(DATES.size) < 0.005] = np.nan
    threshold = day_percentile(values, DATES, 90.0, BASELINE)
    years, counted = warm_spell_duration(values, DATES, BASELINE)
    for year, got in zip(years, counted, strict=True):
        days = [
            values[i]
            for i in np.flatnonzero(DATES.astype("datetime64[Y]") == np.datetime64(str(year)))
            if str(DATES[i])[5:] != "02-29"
        ]
        total = run = 0
        for value, limit in zip([*days, np.nan], [*threshold, np.nan], strict=True):
            if value > limit:
                run += 1
            else:
                total += run if run >= 6 else 0
                run = 0
        missing = int(np.isnan(days).sum())
        assert np.isnan(got) if missing > 15 else got == total


# --- others' figures ----------------------------------------------------------------------------------------


def xclims(values: np.ndarray, dates: np.ndarray, percentile: int) -> np.ndarray:
    """WSDI or CSDI of xclim, fed years without leap days, baseline 1991–2020."""
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("xclim")
    from xclim.core.calendar import percentile_doy
    from xclim.indices import cold_spell_duration_index, warm_spell_duration_index

    celsius = xarray.DataArray(
        values,
        dims=("time", "cell"),
        coords={"time": dates.astype("datetime64[ns]")},
        attrs={"units": "degC"},
    ).convert_calendar("noleap", use_cftime=True)
    baseline = celsius.sel(time=slice("1991", "2020"))
    threshold = percentile_doy(baseline, window=5, per=percentile, alpha=1 / 3, beta=1 / 3)
    threshold = threshold.sel(percentiles=percentile)
    threshold.attrs["units"] = "degC"
    if percentile > 50:
        days = warm_spell_duration_index(celsius, threshold, window=6, resample_before_rl=True, op=">")
    else:
        days = cold_spell_duration_index(celsius, threshold, window=6, resample_before_rl=True, op="<")
    return days.transpose("time", "cell").values


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore")  # xclim's own, of several libraries
@pytest.mark.parametrize(("column", "percentile"), [("tmax", 90), ("tmin", 10)])
def test_forty_four_years_of_seoul_have_xclims_spells(shared_data: Path, column: str, percentile: int) -> None:
    with gzip.open(shared_data / "seoul108_temperature_daily_1980_2023.csv.gz", "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    dates = np.array([row["date"] for row in rows], dtype="datetime64[D]")
    observed = np.array([float(row[column] or "nan") for row in rows])
    noise = np.random.default_rng(5).normal(0.0, 1.5, (dates.size, 4)).round(1)
    values = observed[:, np.newaxis] + np.concatenate([np.zeros((dates.size, 1)), noise], axis=1)
    index = warm_spell_duration if percentile > 50 else cold_spell_duration
    _, days = index(values, dates)
    expected = xclims(values, dates, percentile)
    known = ~np.isnan(days)
    assert known.sum() >= 5 * 40
    np.testing.assert_array_equal(days[known], expected[known])
