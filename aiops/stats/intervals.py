"""How sure a mean yearly loss is: 90 % intervals by the delta method.

A loss is Σ P[i]·r[i] with the rates r of the bins. Under shrunk, hurdle and count it is the mean of n yearly
contributions Σ r[i]·(G_j(e_i+1) - G_j(e_i)); under GEV it is a smooth function of three moments. Either gives
a standard error. It is applied on the logit of the loss between its least and its greatest rate, with
Student's t: a mean loss of 20 years is skewed and bounded, and the mean ± 1.645 errors holds the truth too
seldom. What holds how often is tested in tests/test_stats_intervals.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr, stdtrit

from aiops.stats import gev
from aiops.stats.samples import masked, total, total_of_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_YEARS = 10
"""Below, there is no interval."""
_QUANTILE = 0.95
_FARTHEST = 8.0
"""Units of the logit, a factor of 3000: no straight line is to be trusted farther."""
_SQRT_2PI = 2.5066282746310002
_TINY = 1e-100
_LARGEST_ERROR = 1e3
_STEP = 1e-3
"""Of the second L-moment: central differences are then exact to about 1e-6 of the gradient."""


class Bounded(NamedTuple):
    """A mean and its 90 % interval."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def error_of_mean(
    contribution: NDArray[np.float64], valid: NDArray[np.bool_], n: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Standard error of a mean: (rows,), NaN with fewer than 2 years.

    Args:
        contribution: (rows, years).
        valid: (rows, years), the years that count.
        n: (rows,), their number.
    """
    count = np.where(n >= 2, n, np.nan)
    mean = total(masked(contribution, valid)) / count
    deviation = masked(contribution - mean[:, None], valid)
    error: NDArray[np.float64] = np.sqrt(total_of_products(deviation, deviation) / (count * (count - 1)))
    return error


def relative_error_of_hurdle(
    x: NDArray[np.float64], n: NDArray[np.int64], edges: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard error of Σ P·r over Σ P·r itself, by the delta method in what a hurdle is set by.

    A curve that rises with the third power lives on the tail, and that hangs on the spread of the logarithms, which
    the years' own contributions do not show. So: the share of zeros, mean and spread of the logarithms, with the
    variances p₀(1 − p₀)/n, s²/n₊ and s²/(2(n₊ − 1)), and a lognormal distribution in the place of the kernels.

    Args:
        x: (rows, years), NaN missing; at least 2 positive years a row, which differ.
        n: (rows,), valid years.
        edges: (k,), positive, ascending.
        rates: (k + 1,), the first 0.

    Returns:
        (rows,), at most 1e3.
    """
    positive = x > 0
    count = np.count_nonzero(positive, axis=-1)
    logarithms = np.log(np.where(positive, x, 1.0))
    mean = total(logarithms) / count
    deviation = masked(logarithms - mean[:, None], positive)
    spread = np.sqrt(total_of_products(deviation, deviation) / (count - 1))
    z = (np.log(edges) - mean[:, None]) / spread[:, None]
    rises = np.diff(rates)
    density = rises * np.exp(-z * z / 2) / _SQRT_2PI
    loss = np.maximum(total_of_products(rises, ndtr(-z)), _TINY)
    by_mean, by_spread = total(density) / loss, total_of_products(density, z) / loss
    variance = by_mean**2 / count + by_spread**2 / (2 * (count - 1)) + (n - count) / (n * count)
    error: NDArray[np.float64] = np.minimum(np.sqrt(variance), _LARGEST_ERROR)
    return error


def error_of_gev(
    x_sorted: NDArray[np.float64], params: gev.Gev, edges: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard error of Σ P·r under a GEV: the gradient in the moments times their covariance.

    The edges are held: the interval is that of the probability to pass these levels, in their unit. The
    gradient is taken at the moments of the fitted distribution with a free shape: a bound on the shape that
    held it does not make it better known.

    Args:
        x_sorted: (rows, years) ascending, NaN missing and last; at least 4 years.
        params: the distributions fitted to them, (rows,).
        edges: (rows or 1, k).
        rates: (k + 1,) or (rows, k + 1).

    Returns:
        (rows,), in the unit of the rates.
    """
    moments = gev.moments_of(params)
    step = _STEP * (2 * moments[1] - moments[0])
    offsets = np.concatenate([np.eye(3), -np.eye(3)])[..., None] * step  # (6, 3, rows)
    shifted = gev.from_moments(np.moveaxis(moments + offsets, 1, 0), shape=None)
    expected = np.zeros((6, moments.shape[-1]))
    steps = np.moveaxis(np.diff(rates, axis=-1), -1, 0)
    for edge, weight in zip(np.moveaxis(edges, -1, 0), steps, strict=True):
        expected -= weight * gev.cdf(shifted, edge)
    gradient = (expected[:3] - expected[3:]) / (2 * step)
    return _jackknife_error(x_sorted, gradient)


def _jackknife_error(x_sorted: NDArray[np.float64], gradient: NDArray[np.float64]) -> NDArray[np.float64]:
    """sqrt(gᵀ C g), C the jackknife covariance of the probability-weighted moments b0, b1, b2.

    The moments without year i follow from sums over the ranks below and above it: for all i in one pass
    (Efron & Stein 1981 for the jackknife of such U-statistics). What they weigh together by g is one number
    per year, whose jackknife variance is gᵀ C g.

    Args:
        x_sorted: (rows, years) ascending, NaN missing and last.
        gradient: (3, rows).
    """
    valid = ~np.isnan(x_sorted)
    n = np.count_nonzero(valid, axis=-1)[:, None].astype(np.float64)
    rank = np.arange(x_sorted.shape[-1], dtype=np.float64)
    weights = gradient[..., None] / np.stack([n - 1, (n - 1) * (n - 2), (n - 1) * (n - 2) * (n - 3)])
    # Moments of X - c have the same covariance; centred, the sums lose no digits.
    centre = total(masked(x_sorted, valid))[:, None] / n
    values = masked(x_sorted - centre, valid)
    # Without year i the ranks above it go down by one: j to j - 1, j(j-1) to (j-1)(j-2) = j(j-1) - 2(j-1).
    above = _sums_above(values)
    above_ranked = _sums_above(values * (rank - 1))
    without = -values * (weights[0] + rank * (weights[1] + (rank - 1) * weights[2]))
    without -= weights[1] * above + 2 * weights[2] * above_ranked
    mean = total(masked(without, valid))[:, None] / n
    deviation = masked(without - mean, valid)
    error: NDArray[np.float64] = np.sqrt(total_of_products(deviation, deviation) * ((n - 1) / n)[:, 0])
    return error


def _sums_above(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of the values behind each, along the last axis."""
    sums = np.cumsum(values, axis=-1)
    return sums[:, -1:] - sums


def bounds(
    mean: NDArray[np.float64],
    error: NDArray[np.float64],
    n: NDArray[np.int16] | NDArray[np.int64],
    lowest: NDArray[np.float64] | float,
    highest: NDArray[np.float64] | float,
) -> Bounded:
    """The 90 % interval of a mean that lies between two values.

    Args:
        mean: any shape.
        error: standard error of the mean; NaN gives NaN.
        n: years; their number less one are the degrees of freedom.
        lowest: the least value there is, broadcast.
        highest: the greatest, broadcast.

    Returns:
        The mean with its bounds: the mean itself where it has no error, or is the least or greatest itself.
    """
    span = np.asarray(highest - lowest, dtype=np.float64)
    share = (mean - lowest) / np.where(span > 0, span, 1.0)
    inside = (share > 0) & (share < 1) & (error > 0)
    share = np.where(inside, share, 0.5)
    reach, slope = _student(n) * error, span * share * (1 - share)
    distance = np.full(np.shape(reach), _FARTHEST)
    np.divide(reach, slope, out=distance, where=inside & (reach < _FARTHEST * slope))
    shrunk, grown = np.exp(-distance), np.exp(distance)
    low = np.where(inside, lowest + span * share * shrunk / (share * shrunk + 1 - share), mean)
    high = np.where(inside, lowest + span * share * grown / (share * grown + 1 - share), mean)
    missing = np.isnan(error)
    return Bounded(mean, np.where(missing, np.nan, low), np.where(missing, np.nan, high))


def _student(n: NDArray[np.int16] | NDArray[np.int64]) -> NDArray[np.float64]:
    """The 95th percentile of Student's t with n - 1 degrees of freedom; of 1 for fewer than 2 years."""
    freedom = np.maximum(n, 2) - 1
    quantiles = stdtrit(np.arange(1, int(freedom.max(initial=1)) + 1), _QUANTILE)
    percentiles: NDArray[np.float64] = quantiles[freedom - 1]
    return percentiles


def difference(one: Bounded, other: Bounded, *, of_the_same_years: bool = False) -> Bounded:
    """The 90 % interval of one mean less another, from those of both.

    Independent means: the distances to the bounds add as errors do, each on its own side (MOVER; Zou & Donner 2008,
    Statistics in Medicine 27, 1693-1702). Means of the same years, read through two climates, are too high or too low
    together: so are their bounds.

    Args:
        one: the first.
        other: what is taken from it; broadcast.
        of_the_same_years: both rest on the same sample.
    """
    mean = one.mean - other.mean
    if of_the_same_years:
        ends = one.low - other.low, one.high - other.high
        return Bounded(mean, np.minimum(mean, np.minimum(*ends)), np.maximum(mean, np.maximum(*ends)))
    below = np.hypot(one.mean - one.low, other.high - other.mean)
    above = np.hypot(one.high - one.mean, other.mean - other.low)
    return Bounded(mean, mean - below, mean + above)
