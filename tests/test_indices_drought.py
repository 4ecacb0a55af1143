from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadInput
from aiops.indices.drought import clipped_months, dry_share, spei, spei_minimum

if TYPE_CHECKING:
    from pathlib import Path


def balance(n_years: int = 30, n_cells: int = 1, seed: int = 0) -> np.ndarray:
    """A Korean water balance: wet summers."""
    rng = np.random.default_rng(seed)
    season = 30.0 - 60.0 * np.cos(2.0 * np.pi * np.arange(n_years * 12) / 12)
    return season[:, np.newaxis] + rng.gumbel(0.0, 40.0, (n_years * 12, n_cells))


def test_twelve_months_make_the_first_value() -> None:
    index = spei(balance()[:, 0])
    assert np.isnan(index[:11]).all()
    assert np.isfinite(index[11:]).all()


def test_spei_is_a_standard_normal_variable_of_each_calendar_month() -> None:
    index = spei(balance(200, 1), scale=3)[2:, 0]
    for month in range(12):
        assert index[month::12].mean() == pytest.approx(0.0, abs=0.05)
        assert index[month::12].std() == pytest.approx(1.0, abs=0.07)


def test_less_water_is_a_lower_spei() -> None:
    water = balance()
    index = spei(water)
    sums = np.convolve(water[:, 0], np.ones(12), "valid")[::12]
    assert list(np.argsort(sums)) == list(np.argsort(index[11::12, 0]))


def test_the_fit_is_the_baselines_and_all_years_are_read_on_it() -> None:
    past = balance(30)
    future = balance(30, seed=1) - 100.0
    index = spei(np.concatenate([past, future]), baseline=(1991, 2020), first_year=1991)
    np.testing.assert_allclose(index[:360], spei(past), rtol=1e-9)
    assert np.median(index[372:]) < -2.0


def test_beyond_the_support_it_is_infinite_and_its_year_is_clipped() -> None:
    wet_limit = np.tile(-np.sort(np.random.default_rng(2).exponential(30.0, 30))[:, np.newaxis], (1, 12)).reshape(-1)
    water = np.concatenate([wet_limit, np.full(12, 1e4), np.full(12, -1e5)])
    index = spei(water, scale=1, baseline=(1991, 2020), first_year=1991)
    assert (index[360:372] == np.inf).all()
    years, lowest = spei_minimum(index, 1991)
    assert dict(zip(years, lowest, strict=True))[2021] == 3.5
    assert dict(zip(years, lowest, strict=True))[2022] == -3.5
    assert list(clipped_months(index, 1991)[1][-2:]) == [12.0, 12.0]


def test_a_missing_month_takes_its_twelve_sums_away() -> None:
    water = balance()
    water[100] = np.nan
    index = spei(water)[:, 0]
    assert list(np.flatnonzero(np.isnan(index[11:])) + 11) == list(range(100, 112))


def test_a_calendar_month_needs_fifteen_years() -> None:
    only_december = spei(balance(15), scale=12)[:, 0]
    assert list(np.flatnonzero(np.isfinite(only_december))) == list(range(11, 180, 12))
    assert np.isnan(spei(balance(14), scale=1)).all()
    assert np.isfinite(spei(balance(15), scale=1)).all()


def test_a_constant_balance_has_no_index() -> None:
    assert np.isnan(spei(np.full(360, 12.3))).all()


def test_no_data_have_no_index() -> None:
    assert np.isnan(spei(np.full((360, 2), np.nan))).all()


def test_a_record_may_end_within_a_year() -> None:
    water = balance()[:355]
    assert spei(water).shape == (355, 1)


def test_a_year_needs_twelve_values() -> None:
    index = np.full(24, -1.5)
    index[3] = np.nan
    np.testing.assert_array_equal(spei_minimum(index, 2001)[1], [np.nan, -1.5])
    np.testing.assert_array_equal(dry_share(index, 2001)[1], [np.nan, 1.0])
    assert np.isnan(dry_share(index[:23], 2001)[1]).all()


def test_a_dry_month_has_minus_one_or_less() -> None:
    index = np.array([-1.0, -0.99, -3.0, *[0.5] * 9])
    assert dry_share(index, 2001)[1][0] == pytest.approx(2 / 12)
    assert spei_minimum(index, 2001)[1][0] == -3.0


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cut=st.integers(1, 4))
def test_cells_do_not_depend_on_the_chunk_they_are_in(seed: int, cut: int) -> None:
    water = balance(25, 5, seed)
    rng = np.random.default_rng(seed)
    water[rng.random(water.shape) < 0.005] = np.nan
    water[:, 2] = 7.0
    whole = spei(water)
    np.testing.assert_array_equal(np.hstack([spei(part) for part in np.split(water, [cut], axis=1)]), whole)
    np.testing.assert_array_equal(spei(water[:, 4]), whole[:, 4])


def test_cells_do_not_depend_on_the_slab_that_they_are_worked_on_in() -> None:
    water = balance(30, 500)
    water[50, 3] = np.nan
    whole = spei(water)
    for cell in (0, 3, 181, 182, 364, 499):
        np.testing.assert_array_equal(spei(water[:, cell]), whole[:, cell])


@pytest.mark.parametrize("scale", [1, 2, 3, 7, 12, 24])
def test_sums_of_any_number_of_months(scale: int) -> None:
    water = balance(40)[:, 0]
    sums = np.convolve(water, np.ones(scale), "valid")
    index = spei(water, scale)[scale - 1 :]
    assert np.isfinite(index).all()
    for month in range(12):
        assert list(np.argsort(sums[month::12])) == list(np.argsort(index[month::12]))


def test_what_cannot_be_is_refused_by_name() -> None:
    water = balance()
    with pytest.raises(BadInput, match="scale: 0 given"):
        spei(water, scale=0)
    with pytest.raises(BadInput, match="first_year: none given"):
        spei(water, baseline=(1991, 2020))
    with pytest.raises(BadInput, match="baseline: 1961 to 1990 given; allowed: years within 1991 to 2020"):
        spei(water, baseline=(1961, 1990), first_year=1991)
    with pytest.raises(BadInput, match="balance: an infinite value"):
        spei(np.where(water > 100, np.inf, water))


@pytest.mark.oracle
def test_spei_12_of_wichita_is_the_r_packages_own(oracles: Path) -> None:
    with (oracles / "spei_wichita.csv").open() as file:
        rows = list(csv.DictReader(file))
    water = np.array([float(row["precipitation_mm"]) - float(row["thornthwaite_pet_mm"]) for row in rows])
    published = np.array([float(row["spei_12"] or "nan") for row in rows])
    index = spei(water, scale=12)
    np.testing.assert_array_equal(np.isnan(index), np.isnan(published))
    assert np.nanmax(np.abs(index - published)) <= 1e-9
