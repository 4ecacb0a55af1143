"""How sure a mean yearly loss is: 90 % intervals by the delta method.

A loss is Σ P[i]·r[i] with the rates r of the bins. Under shrunk, hurdle and count it is the mean of n yearly
contributions Σ r[i]·(G_j(e_i+1) - G_j(e_i)); under GEV it is a smooth function of three moments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.stats import gev

if TYPE_CHECKING:
    from numpy.typing import NDArray

Z90 = 1.6448536269514722
"""The 95th percentile of the standard normal distribution."""
MIN_YEARS = 10
"""Below, there is no interval."""
_STEP = 1e-3
"""Of the second L-moment: central differences are then exact to about 1e-6 of the gradient."""


def error_of_mean(
    yearly: NDArray[np.float64], valid: NDArray[np.bool_], n: NDArray[np.int64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Standard error of Σ P·r, where P are differences of the mean of yearly distribution functions.

    Args:
        yearly: (k, rows, years), each year's distribution function at the edges; 0 in missing years.
        valid: (rows, years).
        n: (rows,), the valid years.
        rates: (k + 1,) or (rows, k + 1).

    Returns:
        (rows,), in the unit of the rates; NaN with fewer than 2 years.
    """
    steps = np.diff(rates, axis=-1)
    # Σ r[i]·(G[i+1] - G[i]) = r[last] - Σ (r[i+1] - r[i])·G[i+1]: the constant does not vary.
    contribution = np.zeros(yearly.shape[1:])
    for layer, step in zip(yearly, np.moveaxis(steps, -1, 0)[..., None], strict=True):
        contribution += step * layer
    count = np.where(n >= 2, n, np.nan)
    mean = contribution.sum(axis=-1) / count
    deviation = np.where(valid, contribution - mean[:, None], 0.0)
    error: NDArray[np.float64] = np.sqrt((deviation * deviation).sum(axis=-1) / (count * (count - 1)))
    return error


def error_of_gev(
    x: NDArray[np.float64],
    moments: NDArray[np.float64],
    edges: NDArray[np.float64],
    rates: NDArray[np.float64],
    shape: tuple[float, float] | None = gev.SHAPES,
) -> NDArray[np.float64]:
    """Standard error of Σ P·r under a GEV: the gradient in the moments times their covariance.

    The edges are held: the interval is that of the probability to pass these levels, in their unit.

    Args:
        x: (rows, years), NaN missing.
        moments: (3, rows), the probability-weighted moments of x.
        edges: (rows, k).
        rates: (k + 1,) or (rows, k + 1).
        shape: as in `gev.fit`.

    Returns:
        (rows,), in the unit of the rates.
    """
    step = _STEP * (2 * moments[1] - moments[0])
    offsets = np.concatenate([np.eye(3), -np.eye(3)])[..., None] * step  # (6, 3, rows)
    params = gev.from_moments(np.moveaxis(moments + offsets, 1, 0), shape)
    steps = np.diff(rates, axis=-1)
    expected = np.zeros((6, moments.shape[-1]))
    for edge, weight in zip(np.moveaxis(edges, -1, 0), np.moveaxis(steps, -1, 0), strict=True):
        expected -= weight * gev.cdf(params, edge)
    gradient = (expected[:3] - expected[3:]) / (2 * step)
    covariance = moment_covariance(x)
    variance = np.zeros(moments.shape[-1])
    for i in range(3):
        for j in range(3):
            variance += gradient[i] * gradient[j] * covariance[i, j]
    error: NDArray[np.float64] = np.sqrt(np.maximum(variance, 0.0))
    return error


def moment_covariance(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance of the probability-weighted moments b0, b1, b2 by the jackknife.

    The moments without year i follow from sums over the ranks below and above it, so that all of them cost
    one pass (Efron & Stein 1981 for the jackknife of such U-statistics).

    Args:
        x: (rows, years), NaN missing; at least 4 years in each row.

    Returns:
        (3, 3, rows), in the squared unit of X.
    """
    x_sorted = np.sort(x, axis=-1)
    valid = ~np.isnan(x_sorted)
    n = np.count_nonzero(valid, axis=-1)[:, None].astype(np.float64)
    rank = np.arange(x.shape[-1], dtype=np.float64)
    # Moments of X - c have the same covariance; centred, the sums lose no digits.
    centre = np.where(valid, x_sorted, 0.0).sum(axis=-1, keepdims=True) / n
    values = np.where(valid, x_sorted - centre, 0.0)
    ranked = values * rank
    # Without year i the ranks above it go down by one: j to j - 1, j(j-1) to (j-1)(j-2) = j(j-1) - 2(j-1).
    above = values.sum(axis=-1, keepdims=True) - np.cumsum(values, axis=-1)
    above_ranked = (ranked - values).sum(axis=-1, keepdims=True) - np.cumsum(ranked - values, axis=-1)
    without = (
        -values / (n - 1),
        -(ranked + above) / ((n - 1) * (n - 2)),
        -(ranked * (rank - 1) + 2 * above_ranked) / ((n - 1) * (n - 2) * (n - 3)),
    )
    deviations = []
    for part in without:
        mean = np.where(valid, part, 0.0).sum(axis=-1, keepdims=True) / n
        deviations.append(np.where(valid, part - mean, 0.0))
    covariance = np.empty((3, 3, x.shape[0]))
    for i in range(3):
        for j in range(i, 3):
            product = (deviations[i] * deviations[j]).sum(axis=-1)
            covariance[i, j] = covariance[j, i] = product * ((n - 1) / n)[:, 0]
    return covariance


def bounds(
    mean: NDArray[np.float64],
    error: NDArray[np.float64],
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 90 % interval mean ± 1.645·error, within what the quantity can be.

    Args:
        mean: any shape.
        error: standard error of the mean; NaN gives NaN.
        lowest: the least possible value, broadcast.
        highest: the greatest possible value, broadcast.
    """
    reach = Z90 * error
    return np.clip(mean - reach, lowest, highest), np.clip(mean + reach, lowest, highest)
