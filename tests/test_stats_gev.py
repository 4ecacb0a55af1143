"""The GEV by L-moments: an independent implementation, its own inverse, and the rules of the shape."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.stats import gev

PERIODS = np.array([2.0, 20, 50, 100, 200])


def maxima(n: int, cells: int, shape: float = -0.1, seed: int = 1) -> np.ndarray:
    u = np.random.default_rng(seed).random((n, cells))
    return gev.return_level(gev.Gev(*(np.array(v) for v in (120.0, 40.0, shape))), 1 / (1 - u.ravel())).reshape(u.shape)


@pytest.mark.oracle
@pytest.mark.parametrize("n", [15, 30, 80])
def test_return_levels_are_those_of_lmoments3(n: int) -> None:
    distributions = pytest.importorskip("lmoments3.distr")
    x = maxima(n, 200, shape=-0.15)
    ours = gev.return_level(gev.fit(x, shape=None), PERIODS)
    theirs = [distributions.gev(**distributions.gev.lmom_fit(column)).ppf(1 - 1 / PERIODS) for column in x.T]
    assert np.abs(ours - theirs).max() <= 1e-3


def test_moments_of_four_years_by_hand() -> None:
    # b1 = Σ (j-1)/(n-1) x_j / n, b2 = Σ (j-1)(j-2)/((n-1)(n-2)) x_j / n over the sorted years j = 1 … 4.
    b = gev.weighted_moments(np.array([4.0, 1.0, 8.0, 2.0]))
    assert b.tolist() == pytest.approx([15 / 4, (2 / 3 + 8 / 3 + 8) / 4, (4 / 3 + 8) / 4])


@given(k=st.floats(-0.6, 2.0), location=st.floats(-100, 1000), scale=st.floats(0.1, 300))
@settings(max_examples=100, deadline=None)
def test_a_distribution_is_found_again_from_its_own_moments(k: float, location: float, scale: float) -> None:
    params = gev.Gev(np.array(location), np.array(scale), np.array(k))
    found = gev.from_moments(gev.moments_of(params), shape=None)
    # The shape is a rational approximation, good to 3e-7 (beyond τ3 = -0.8 Newton's, to rounding).
    assert found.shape == pytest.approx(k, abs=2e-6)
    assert gev.return_level(found, 100) == pytest.approx(gev.return_level(params, 100), abs=2e-4 * scale)


@given(k=st.floats(-0.35, 0.15), period=st.floats(1.01, 1e4))
@settings(max_examples=100, deadline=None)
def test_cdf_and_return_level_undo_each_other(k: float, period: float) -> None:
    params = gev.Gev(np.array(100.0), np.array(30.0), np.array(k))
    assert gev.cdf(params, gev.return_level(params, period)) == pytest.approx(1 - 1 / period, abs=1e-12)


def test_near_zero_the_shape_is_gumbel() -> None:
    exact = 100 - 30 * math.log(-math.log(0.99))
    for k in (0.0, 5e-7, -5e-7):
        params = gev.Gev(np.array(100.0), np.array(30.0), np.array(k))
        assert gev.return_level(params, 100) == pytest.approx(exact, abs=1e-12)
        assert gev.cdf(params, exact) == pytest.approx(0.99, abs=1e-15)


def test_the_support_ends_where_the_shape_says() -> None:
    heavy = gev.Gev(np.array(100.0), np.array(30.0), np.array(-0.2))  # from ξ + α/k = -50 up
    bounded = gev.Gev(np.array(100.0), np.array(30.0), np.array(0.1))  # up to ξ + α/k = 400
    assert gev.cdf(heavy, [-1e6, -50.0, -51.0]).tolist() == [0, 0, 0]
    assert gev.cdf(bounded, [400.0, 401.0, 1e6]).tolist() == [1, 1, 1]
    assert 0 < gev.cdf(heavy, 0.0) < gev.cdf(heavy, 100.0) < 1


def test_a_shape_beyond_its_bounds_is_set_to_them_and_the_first_two_moments_are_kept() -> None:
    x = np.array([0.0] * 14 + [300.0])  # τ3 = 1
    free, held = gev.fit(x, shape=None), gev.fit(x)
    assert free.shape < -0.9
    assert held.shape == -0.35
    b0, b1, _ = gev.moments_of(held)
    assert (b0, b1) == pytest.approx(tuple(gev.weighted_moments(x)[:2]))
    assert gev.fit(300 - x).shape == 0.15


def test_missing_years_are_left_out() -> None:
    x = maxima(20, 3)
    gaps = np.insert(x, [0, 7, 20], math.nan, axis=0)
    for ours, theirs in zip(gev.fit(gaps), gev.fit(x), strict=True):
        assert np.allclose(ours, theirs, rtol=1e-12)


def test_too_few_years_or_years_that_do_not_differ_have_no_distribution() -> None:
    x = np.array([[1.0, 5.0, 0.1], [2.0, 5.0, 0.1], [math.nan, 5.0, 0.1], [math.nan, 5.0, 0.1]])
    assert np.isnan(gev.fit(x).shape).all()
    assert np.isnan(gev.return_level(gev.fit(x), PERIODS)).all()
    assert np.isnan(gev.cdf(gev.fit(x), 3.0)).all()


def test_the_axis_of_years_may_be_any() -> None:
    x = maxima(20, 6).reshape(20, 2, 3)
    turned = gev.fit(np.moveaxis(x, 0, 1), axis=1)
    assert turned.shape.shape == (2, 3)
    assert np.array_equal(turned.shape, gev.fit(x).shape)
    assert gev.return_level(turned, PERIODS).shape == (2, 3, 5)
