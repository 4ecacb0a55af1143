"""How sure an AAL is: the delta method by hand, and its coverage by Monte-Carlo.

The truth is known here: years are drawn from a distribution whose bin probabilities are exact. The figures of
docs/methods.md come from `_coverage` of this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from aiops.stats import gev
from aiops.stats.bins import estimate, probabilities
from aiops.stats.codes import Estimator
from aiops.stats.intervals import Bounded, bounds, difference

if TYPE_CHECKING:
    from collections.abc import Callable

FWI = ((18, 22, 26, 32), (0, 0.00005, 0.0001, 0.0002, 0.0005))
SPEI = ((1, 1.5, 2), (0, 0.00005, 0.0002, 0.0005))
HEAT = ((1, 10, 30, 80), (0, 0.0001, 0.0003, 0.0007, 0.0015))
RAIN80 = ((1, 3, 5, 8), (0, 0.00005, 0.00015, 0.0005, 0.0015))
FLOOD = (0, 0.0005, 0.005, 0.03, 0.10)
REPETITIONS = 4000


class Outcome(NamedTuple):
    bias: float
    """Mean AAL over the true one, less 1."""
    coverage: float
    """Share of 90 % intervals that hold the true AAL."""


def _coverage(
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray],
    cdf: Callable[[np.ndarray], np.ndarray],
    edges: np.ndarray | tuple[float, ...],
    rates: tuple[float, ...],
    estimator: Estimator,
    n: int,
) -> Outcome:
    x = draw(np.random.default_rng(20), (REPETITIONS, n))
    r, e = np.asarray(rates), np.asarray(edges, dtype=float)
    below = cdf(e)
    ends = np.zeros((*below.shape[:-1], 1))
    truth = (np.diff(np.concatenate([ends, below, ends + 1], axis=-1)) * r).sum(axis=-1)
    found = estimate(x, e, r, estimator)
    aal = bounds((found.probabilities * r).sum(axis=-1), found.error, found.n_years, r.min(), r.max())
    held = (aal.low <= truth) & (truth <= aal.high)
    return Outcome(float(aal.mean.mean() / truth.mean() - 1), float(held.mean()))


def _hurdle(zeros: float, mean: float, sd: float) -> tuple[Callable[..., np.ndarray], Callable[..., np.ndarray]]:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
        return np.where(rng.random(shape) < zeros, 0.0, np.exp(rng.normal(mean, sd, shape)))

    return draw, lambda e: zeros + (1 - zeros) * stats.norm.cdf(np.log(e), mean, sd)


@pytest.mark.parametrize("n", [20, 30])
@pytest.mark.parametrize(
    ("mean", "sd", "damage"), [(18, 4, FWI), (22, 5, FWI), (28, 6, FWI), (1.2, 0.6, SPEI)], ids=str
)
def test_shrunk_is_without_bias_and_its_intervals_hold(n: int, mean: float, sd: float, damage: tuple) -> None:
    truth = stats.norm(mean, sd)
    outcome = _coverage(lambda rng, shape: rng.normal(mean, sd, shape), truth.cdf, *damage, Estimator.SHRUNK, n)
    assert abs(outcome.bias) <= 0.02
    assert 0.85 <= outcome.coverage <= 0.95


@pytest.mark.parametrize("n", [20, 30])
@pytest.mark.parametrize(("zeros", "mean", "sd"), [(0.3, 2, 0.9), (0.1, 2.5, 0.8), (0, 3, 0.7), (0.5, 2, 0.8)])
def test_hurdle_is_without_bias_and_its_intervals_hold(n: int, zeros: float, mean: float, sd: float) -> None:
    outcome = _coverage(*_hurdle(zeros, mean, sd), *HEAT, Estimator.HURDLE, n)
    assert abs(outcome.bias) <= 0.02
    assert 0.85 <= outcome.coverage <= 0.95


@pytest.mark.parametrize("n", [20, 30])
@pytest.mark.parametrize("days", [0.3, 0.8])
def test_count_is_without_bias_and_its_intervals_hold(n: int, days: float) -> None:
    outcome = _coverage(
        lambda rng, shape: rng.poisson(days, shape).astype(float),
        lambda e: stats.poisson.cdf(np.ceil(e) - 1, days),
        *RAIN80,
        Estimator.COUNT,
        n,
    )
    assert abs(outcome.bias) <= 0.02
    assert 0.85 <= outcome.coverage <= 0.95


@pytest.mark.parametrize("growth", [1.0, 1.3])
@pytest.mark.parametrize("shape", [-0.2, -0.1, 0.0, 0.1])
def test_the_intervals_of_a_gev_hold(shape: float, growth: float) -> None:
    # As in use: levels from 30 baseline years, the AAL from 20 years of a climate with so much more rain.
    baseline = stats.genextreme(shape, loc=120, scale=40)
    future = stats.genextreme(shape, loc=120 * growth, scale=40 * growth)
    past = baseline.rvs((REPETITIONS, 30), random_state=np.random.default_rng(9))
    levels = gev.return_level(gev.fit(past, axis=-1), (20, 50, 100, 200))
    outcome = _coverage(
        lambda rng, size: future.rvs(size, random_state=rng), future.cdf, levels, FLOOD, Estimator.GEV, 20
    )
    assert 0.85 <= outcome.coverage <= 0.95


def test_kde_inflates_the_aal_which_is_why_it_is_not_used() -> None:
    truth = stats.norm(22, 5)
    outcome = _coverage(lambda rng, shape: rng.normal(22, 5, shape), truth.cdf, *FWI, Estimator.KDE, 20)
    assert outcome.bias > 0.05


def test_the_error_of_a_count_is_that_of_a_mean() -> None:
    x = np.array([0.0, 0, 2, 0, 4, 0, 0, 6, 0, 0])
    yearly = np.array([0, 0, 0.00005, 0, 0.00015, 0, 0, 0.0005, 0, 0])
    found = estimate(x, *RAIN80, Estimator.COUNT)
    assert found.error == pytest.approx(yearly.std(ddof=1) / np.sqrt(10))


def test_the_error_of_a_gev_is_that_of_the_jackknife_of_its_moments() -> None:
    x = stats.genextreme(-0.1, loc=120, scale=40).rvs(20, random_state=4)
    levels, r = np.array([200.0, 260, 310, 360]), np.array(FLOOD)

    def aal(moments: np.ndarray) -> float:
        below = gev.cdf(gev.Gev(*(part[None] for part in gev.from_moments(moments, shape=None))), levels)
        return float((np.diff(np.concatenate([[0], below, [1]])) * r).sum())

    centre = gev.weighted_moments(x)
    without = np.array([gev.weighted_moments(np.delete(x, year)) for year in range(20)])
    covariance = np.cov(without.T, ddof=0) * 19
    gradient = np.array([(aal(centre + step) - aal(centre - step)) / 0.02 for step in 0.01 * np.eye(3)])
    assert -0.35 < gev.fit(x).shape < 0.15
    assert estimate(x[None], levels[None], r, Estimator.GEV).error == pytest.approx(
        np.sqrt(gradient @ covariance @ gradient), rel=1e-4
    )


@given(
    mean=st.floats(0, 1), error=st.floats(0, 10), n=st.integers(10, 40), lowest=st.floats(0, 0.1), span=st.floats(0, 1)
)
@settings(max_examples=200, deadline=None)
def test_an_interval_holds_its_mean_and_stays_within_what_can_be(
    mean: float, error: float, n: int, lowest: float, span: float
) -> None:
    value = lowest + mean * span
    aal = bounds(np.array(value), np.array(error), np.array(n), lowest, lowest + span)
    tiny = 1e-12
    assert lowest - tiny <= aal.low <= value + tiny
    assert value - tiny <= aal.high <= lowest + span + tiny


def test_an_interval_is_students_near_the_middle_and_for_a_small_error() -> None:
    aal = bounds(np.array(0.5), np.array(1e-4), np.array(20), 0.0, 1.0)
    assert aal.high - 0.5 == pytest.approx(stats.t.ppf(0.95, 19) * 1e-4, rel=1e-4)


def test_without_an_error_there_is_no_interval() -> None:
    aal = bounds(np.array([0.1, 0.0]), np.array([np.nan, 0.0]), np.array([8, 20]), 0.0, 1.0)
    assert np.isnan([aal.low[0], aal.high[0]]).all()
    assert (aal.low[1], aal.high[1]) == (0.0, 0.0)


def test_distances_of_a_difference_add_as_errors_do() -> None:
    one = Bounded(np.array(0.5), np.array(0.2), np.array(0.9))
    other = Bounded(np.array(0.1), np.array(0.07), np.array(0.5))
    change = difference(one, other)
    assert change.mean == pytest.approx(0.4)
    assert change.low == pytest.approx(0.4 - 0.5)
    assert change.high == pytest.approx(0.4 + np.hypot(0.4, 0.03))


def test_means_of_the_same_years_are_wrong_together() -> None:
    one = Bounded(np.array(0.5), np.array(0.2), np.array(0.9))
    other = Bounded(np.array(0.4), np.array(0.15), np.array(0.75))
    change = difference(one, other, of_the_same_years=True)
    assert [float(part) for part in change] == pytest.approx([0.1, 0.05, 0.15])
    itself = difference(one, one, of_the_same_years=True)
    assert [float(part) for part in itself] == [0, 0, 0]


@pytest.mark.parametrize("n", [20, 30])
@pytest.mark.parametrize(("mean", "spread"), [(0.5, 0.3), (0.8, 0.2), (0.15, 0.3)])
def test_shrunk_holds_for_skewed_years_of_water_stress(n: int, mean: float, spread: float) -> None:
    truth = stats.gamma(1 / spread**2, scale=mean * spread**2)
    damage = ((0.2, 0.4, 0.8), (0, 0.0001, 0.0003, 0.001))
    outcome = _coverage(lambda rng, size: truth.rvs(size, random_state=rng), truth.cdf, *damage, Estimator.SHRUNK, n)
    assert abs(outcome.bias) <= 0.02
    assert 0.85 <= outcome.coverage <= 0.95


@pytest.mark.parametrize("n", [20, 30])
@pytest.mark.parametrize(("zeros", "mean", "sd"), [(0.3, 1.5, 0.8), (0.6, 1.5, 0.8), (0.8, 1.5, 0.7), (0.1, 1.9, 0.6)])
def test_hurdle_holds_for_years_of_cold(n: int, zeros: float, mean: float, sd: float) -> None:
    outcome = _coverage(*_hurdle(zeros, mean, sd), (1, 7, 15), (0, 0.00005, 0.0001, 0.0003), Estimator.HURDLE, n)
    assert abs(outcome.bias) <= 0.02
    assert 0.85 <= outcome.coverage <= 0.95


def test_probabilities_need_no_rates() -> None:
    x = np.random.default_rng(1).gumbel(100, 30, 30)
    for estimator in ("shrunk", "gev"):
        expected = estimate(x[None], [120, 160], [0, 1, 2], Estimator.named(estimator)).probabilities[0]
        assert np.array_equal(probabilities(x, [120, 160], estimator), expected)
