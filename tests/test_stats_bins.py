"""P[i] by every estimator: formulas by hand, an independent KDE, properties that hold for any series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import gaussian_kde

from aiops.stats.bins import estimate, probabilities
from aiops.stats.codes import Estimator, ResultStatus

EDGES = np.array([1.0, 10.0, 30.0, 80.0])
RATES = np.array([0.0, 0.0001, 0.0003, 0.0007, 0.0015])
NAMES = ("kde", "shrunk", "hurdle", "count", "gev")

years = st.integers(1, 40)
amounts = st.floats(0, 1e4, allow_subnormal=False).map(lambda value: 0.0 if value < 1e-3 else value)
series = hnp.arrays(np.float64, years, elements=amounts)
series_with_gaps = hnp.arrays(np.float64, years, elements=st.one_of(amounts, st.just(math.nan)))


def phi(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


def exceedance(p: np.ndarray) -> np.ndarray:
    return np.cumsum(p[..., ::-1], axis=-1)[..., ::-1][..., 1:]


# --- formulas by hand ---------------------------------------------------------------------------------------


def test_count_is_the_share_of_years_and_an_edge_belongs_to_the_bin_above_it() -> None:
    p = probabilities([0, 1, 10, 29, 100], EDGES, "count")
    assert p.tolist() == pytest.approx([0.2, 0.2, 0.4, 0.0, 0.2])


def test_closed_on_the_right_an_edge_belongs_to_the_bin_below_it() -> None:
    p = probabilities([0, 0, 0, 17, 20], [0, 17], "count", closed="right")
    assert p.tolist() == pytest.approx([0.6, 0.2, 0.2])


def test_shrunk_pulls_years_to_their_mean_and_keeps_the_variance() -> None:
    x = [12.0, 20.0, 25.0, 31.0, 42.0]
    n, mean = 5, 26.0
    s = math.sqrt(sum((value - mean) ** 2 for value in x) / 4)
    c = 1 / math.sqrt(1 + n ** (-2 / 5))
    h = s * n ** (-1 / 5) * c
    below = [sum(phi((edge - (mean + (value - mean) * c)) / h) for value in x) / n for edge in (18, 22, 26, 32)]
    p = probabilities(x, [18, 22, 26, 32], "shrunk")
    assert np.allclose(np.cumsum(p)[:-1], below, rtol=0, atol=1e-14)
    assert np.isclose(c**2 * s**2 + h**2, s**2)


def test_hurdle_is_the_share_of_zeros_and_kernels_on_the_logarithms_of_the_other_years() -> None:
    positive = [2.0, 5.0, 9.0, 14.0, 40.0, 90.0]
    x = [0.0, 0.0, *positive]
    logs = [math.log(value) for value in positive]
    n, mean = 6, sum(logs) / 6
    s = math.sqrt(sum((value - mean) ** 2 for value in logs) / 5)
    c = 1 / math.sqrt(1 + n ** (-2 / 5))
    h = s * n ** (-1 / 5) * c
    below = [
        0.25 + 0.75 * sum(phi((math.log(edge) - (mean + (value - mean) * c)) / h) for value in logs) / n
        for edge in EDGES
    ]
    assert np.allclose(np.cumsum(probabilities(x, EDGES, "hurdle"))[:-1], below, rtol=0, atol=1e-14)


def test_no_storm_is_bin_0_when_bins_are_closed_on_the_right() -> None:
    x = [0.0] * 6 + [12.0, 15.0, 18.0, 22.0, 30.0, 35.0]
    assert probabilities(x, [0, 17, 25], "hurdle", closed="right")[0] == 0.5
    assert probabilities(x, [0, 17, 25], "hurdle", closed="left")[0] == 0.0


@pytest.mark.parametrize("n", [5, 9, 20, 30])
def test_kde_is_that_of_scipy(n: int) -> None:
    x = np.random.default_rng(n).gamma(2, 10, (n, 40))
    ours = np.cumsum(probabilities(x, EDGES, "kde"), axis=-1)[:, :-1]
    theirs = [[gaussian_kde(column).integrate_box_1d(-np.inf, edge) for edge in EDGES] for column in x.T]
    assert np.abs(ours - theirs).max() <= 1e-12


def test_edges_may_be_the_cells_own() -> None:
    x = np.random.default_rng(0).gumbel(100, 30, (20, 3))
    edges = np.array([[120.0, 160], [140, 180], [100, 200]])
    p = probabilities(x, edges, "shrunk")
    for cell in range(3):
        assert np.array_equal(p[cell], probabilities(x[:, cell], edges[cell], "shrunk"))


def test_the_axis_of_years_may_be_any() -> None:
    x = np.random.default_rng(0).gumbel(100, 30, (4, 20, 3))
    p = probabilities(x, [120, 160], "gev", axis=1)
    assert p.shape == (4, 3, 3)
    assert np.array_equal(p[2, 1], probabilities(x[2, :, 1], [120, 160], "gev"))


# --- what holds for any series ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@given(x=series_with_gaps)
@settings(max_examples=60, deadline=None)
def test_bins_sum_to_1_and_none_is_negative(name: str, x: np.ndarray) -> None:
    p = probabilities(x, EDGES, name)
    if np.isnan(x).all():
        assert np.isnan(p).all()
    else:
        assert abs(p.sum() - 1) <= 1e-12
        assert (p >= 0).all()


@pytest.mark.parametrize("name", NAMES)
@given(x=series_with_gaps, gaps=st.integers(1, 5))
@settings(max_examples=30, deadline=None)
def test_a_missing_year_counts_for_nothing(name: str, x: np.ndarray, gaps: int) -> None:
    with_gaps = np.concatenate([[math.nan] * gaps, x])
    assert np.allclose(probabilities(x, EDGES, name), probabilities(with_gaps, EDGES, name), atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("name", ["shrunk", "count", "gev"])
@given(x=series, shift=st.floats(0.01, 1e3))
@settings(max_examples=100, deadline=None)
def test_exceedance_does_not_fall_when_all_years_rise(name: str, x: np.ndarray, shift: float) -> None:
    before = exceedance(probabilities(x, EDGES, name))
    after = exceedance(probabilities(x + shift, EDGES, name))
    assert (after >= before - 1e-9).all()


@given(x=series, factor=st.floats(1.0, 100.0))
@settings(max_examples=100, deadline=None)
def test_exceedance_does_not_fall_when_the_years_of_a_hurdle_grow(x: np.ndarray, factor: float) -> None:
    before = exceedance(probabilities(x, EDGES, "hurdle"))
    after = exceedance(probabilities(x * factor, EDGES, "hurdle"))
    assert (after >= before - 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 0.1, 7.3, 1e9])
def test_years_that_do_not_differ_are_counted(name: str, value: float) -> None:
    x = np.full(21, value)
    assert np.array_equal(probabilities(x, EDGES, name), probabilities(x, EDGES, "count"))


@pytest.mark.parametrize("name", NAMES)
def test_fourteen_zeros_and_one_flood_have_a_probability_too(name: str) -> None:
    p = probabilities([0.0] * 19 + [500.0], EDGES, name)
    assert abs(p.sum() - 1) <= 1e-12
    assert p[-1] > 0


@pytest.mark.parametrize("name", NAMES)
@given(x=hnp.arrays(np.float64, (20, 7), elements=amounts), size=st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_any_chunking_of_cells_gives_the_same_bits(name: str, x: np.ndarray, size: int) -> None:
    whole = probabilities(x, EDGES, name)
    parts = [probabilities(x[:, start : start + size], EDGES, name) for start in range(0, 7, size)]
    assert np.array_equal(whole, np.concatenate(parts), equal_nan=True)


@pytest.mark.parametrize("name", NAMES)
def test_without_years_or_cells_there_is_nothing_to_say(name: str) -> None:
    assert np.isnan(probabilities(np.zeros((0, 2)), EDGES, name)).all()
    assert probabilities(np.zeros((20, 0)), EDGES, name).shape == (0, 5)


# --- short records ------------------------------------------------------------------------------------------


def estimate_of(x: list[float], estimator: Estimator = Estimator.SHRUNK) -> tuple[int, int]:
    result = estimate(np.array(x), EDGES, RATES, estimator)
    return int(result.status), int(result.estimator)


def test_fewer_than_5_years_are_not_enough() -> None:
    result = estimate(np.array([1.0, 2.0, 3.0, 4.0, math.nan]), EDGES, RATES, Estimator.COUNT)
    assert result.status == ResultStatus.INSUFFICIENT_DATA
    assert result.estimator == 0
    assert result.n_years == 4
    assert np.isnan(result.probabilities).all()
    assert np.isnan(result.error)


@pytest.mark.parametrize("estimator", [Estimator.SHRUNK, Estimator.HURDLE, Estimator.GEV])
def test_5_to_9_years_are_counted_and_the_record_is_short(estimator: Estimator) -> None:
    for n in (5, 9):
        x = [float(value) for value in range(1, n + 1)]
        assert estimate_of(x, estimator) == (ResultStatus.SHORT_RECORD, Estimator.COUNT)
        assert np.isnan(estimate(np.array(x), EDGES, RATES, estimator).error)
    assert estimate_of([float(value) for value in range(1, 11)]) == (ResultStatus.OK, Estimator.SHRUNK)


def test_a_gev_takes_15_years_and_counts_with_fewer() -> None:
    x = [float(value**1.5) for value in range(1, 16)]
    assert estimate_of(x, Estimator.GEV) == (ResultStatus.OK, Estimator.GEV)
    assert estimate_of(x[:-1], Estimator.GEV) == (ResultStatus.SHORT_RECORD, Estimator.COUNT)


def test_years_counted_in_place_of_a_gev_have_no_interval() -> None:
    """That 14 years hold no flood of 20 years is the usual case, and no proof of an AAL between 0 and 0."""
    x = np.full(14, 1.0) + np.arange(14) / 100.0
    assert np.isnan(estimate(x, EDGES, RATES, Estimator.GEV).error)
    assert not np.isnan(estimate(x, EDGES, RATES, Estimator.COUNT).error)


def test_a_hurdle_takes_5_years_above_zero_and_counts_with_fewer() -> None:
    assert estimate_of([0.0] * 20 + [1, 2, 3, 4, 5], Estimator.HURDLE)[1] == Estimator.HURDLE
    assert estimate_of([0.0] * 20 + [1, 2, 3, 4], Estimator.HURDLE)[1] == Estimator.COUNT
    assert estimate_of([0.0] * 20 + [3, 3, 3, 3, 3], Estimator.HURDLE)[1] == Estimator.COUNT


def test_an_edge_that_is_not_known_is_insufficient_data() -> None:
    result = estimate(np.arange(20.0)[None], np.array([[math.nan, 5.0]]), [0, 1, 2], Estimator.COUNT)
    assert result.status.tolist() == [ResultStatus.INSUFFICIENT_DATA]


def test_cells_of_all_kinds_stand_side_by_side() -> None:
    rng = np.random.default_rng(3)
    x = rng.gamma(2, 10, (5, 20))
    x[1, 3:] = math.nan
    x[2, 7:] = math.nan
    x[3] = 4.0
    result = estimate(x, EDGES, RATES, Estimator.SHRUNK)
    assert result.estimator.tolist() == [Estimator.SHRUNK, 0, Estimator.COUNT, Estimator.COUNT, Estimator.SHRUNK]
    assert result.status.tolist() == [1, 3, 2, 1, 1]
    assert result.n_years.tolist() == [20, 3, 7, 20, 20]
    for row in range(5):
        alone = estimate(x[row : row + 1], EDGES, RATES, Estimator.SHRUNK)
        assert np.array_equal(alone.probabilities[0], result.probabilities[row], equal_nan=True)
        assert np.array_equal(alone.error[0], result.error[row], equal_nan=True)


# --- what cannot be -----------------------------------------------------------------------------------------


def test_what_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="estimator: 'guess' is none; allowed: shrunk hurdle"):
        probabilities([1.0], EDGES, "guess")
    with pytest.raises(ValueError, match="analytic has no sample"):
        probabilities([1.0], EDGES, "analytic")
    with pytest.raises(ValueError, match="closed: 'up'; allowed: left right"):
        probabilities([1.0], EDGES, "count", closed="up")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="x: infinite"):
        probabilities([1.0, math.inf], EDGES, "shrunk")
    with pytest.raises(ValueError, match=r"edges: one set, or one per series \(3,\); got \(2,\)"):
        probabilities(np.ones((9, 3)), np.ones((2, 4)), "count")
