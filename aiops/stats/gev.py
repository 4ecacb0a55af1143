"""The generalised extreme value distribution by L-moments.

Hosking, Wallis & Wood (1985), Technometrics 27, 251-261, and Hosking (1990), JRSS B 52, 105-124; the sign of
the shape k is theirs: k < 0 has the heavy upper tail.
F(x) = exp(-(1 - k(x - ξ)/α)^(1/k)); for k = 0, Gumbel, F(x) = exp(-exp(-(x - ξ)/α)).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gamma

from aiops.stats.samples import has_spread, masked, total, total_of_products

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

SHAPES = (-0.35, 0.15)
"""The shapes that annual rain maxima are allowed; a fit of 20 years strays beyond."""
GUMBEL = 1e-6
"""Shapes nearer to 0 are 0."""
_LN2 = float(np.log(2.0))
_LN3 = float(np.log(3.0))


class Gev(NamedTuple):
    """Parameters of any number of distributions; NaN where there is none."""

    location: NDArray[np.float64]
    """ξ, in the unit of X."""
    scale: NDArray[np.float64]
    """α, in the unit of X."""
    shape: NDArray[np.float64]
    """k, Hosking's sign."""


def fit(x: ArrayLike, axis: int = 0, shape: tuple[float, float] | None = SHAPES) -> Gev:
    """Fit by unbiased probability-weighted moments.

    Args:
        x: annual maxima; NaN is a missing year.
        axis: the axis of the years.
        shape: the least and the largest k; a k beyond is set to the bound, and ξ and α follow from the first
            two L-moments. None does not clip.

    Returns:
        Parameters of the remaining axes; NaN with fewer than 3 years or years that do not differ.
    """
    years_last = np.moveaxis(np.asarray(x, dtype=np.float64), axis, -1)
    return from_moments(weighted_moments(years_last), shape)


def weighted_moments(x: NDArray[np.float64], *, is_sorted: bool = False) -> NDArray[np.float64]:
    """Unbiased probability-weighted moments b0, b1, b2 (Landwehr et al. 1979; Hosking 1990, eq. 2.3).

    Args:
        x: (..., years), NaN missing.
        is_sorted: the years ascend already, NaN behind them.

    Returns:
        (3, ...), in the unit of X; NaN with fewer than 3 years.
    """
    x_sorted = x if is_sorted else np.sort(x, axis=-1)  # NaN goes to the end
    valid = ~np.isnan(x_sorted)
    n = np.count_nonzero(valid, axis=-1)
    values = masked(x_sorted, valid)
    rank = np.arange(x.shape[-1], dtype=np.float64)
    count = np.where(n >= 3, n, np.nan)
    return np.stack(
        [
            total(values) / count,
            total_of_products(values, rank) / (count * (count - 1)),
            total_of_products(values, rank * (rank - 1)) / (count * (count - 1) * (count - 2)),
        ]
    )


def from_moments(moments: NDArray[np.float64], shape: tuple[float, float] | None = SHAPES) -> Gev:
    """The GEV whose probability-weighted moments are given.

    Args:
        moments: (3, ...): b0, b1, b2.
        shape: as in `fit`.

    Returns:
        NaN for moments that are NaN or of values that do not differ.
    """
    b0, b1, b2 = moments
    l1, l2, l3 = b0, 2 * b1 - b0, 6 * b2 - 6 * b1 + b0
    k = shape_of(l3 / np.where(has_spread(l2, l1), l2, np.nan))
    if shape is not None:
        k = np.clip(k, *shape)
    k = np.where(np.abs(k) < GUMBEL, 0.0, k)
    gumbel = k == 0
    some_k = np.where(gumbel, 0.5, k)
    gamma_k = gamma(1 + some_k)
    scale_per_l2 = np.where(gumbel, 1 / _LN2, some_k / (-np.expm1(-some_k * _LN2) * gamma_k))
    mean_offset = np.where(gumbel, np.euler_gamma, (1 - gamma_k) / some_k)
    scale = l2 * scale_per_l2
    return Gev(l1 - scale * mean_offset, scale, k)


def moments_of(params: Gev) -> NDArray[np.float64]:
    """Probability-weighted moments b0, b1, b2 of distributions: (3, ...); the inverse of `from_moments`."""
    location, scale, k = params
    gumbel = np.abs(k) < GUMBEL
    some_k = np.where(gumbel, 0.5, k)
    gamma_k = gamma(1 + some_k)
    two, three = -np.expm1(-some_k * _LN2), -np.expm1(-some_k * _LN3)
    l1 = location + scale * np.where(gumbel, np.euler_gamma, (1 - gamma_k) / some_k)
    l2 = scale * np.where(gumbel, _LN2, two * gamma_k / some_k)
    l3 = l2 * (2 * np.where(gumbel, _LN3 / _LN2, three / two) - 3)
    return np.stack([l1, (l1 + l2) / 2, (2 * l1 + 3 * l2 + l3) / 6])


def shape_of(skewness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shape k from the L-skewness τ3 = 2(1 - 3^-k)/(1 - 2^-k) - 3.

    Rational approximations of Donaldson (1996, Commun. Statist. Simul. Comput. 25) as in Hosking
    (1996, IBM Research Report RC 20525, PELGEV), within 3e-7 of k; below τ3 = -0.8 Newton's iteration from
    the limit τ3 → -1.

    Args:
        skewness: any shape; NaN gives NaN. The extreme samples, τ3 = ±1, have the k next to them.
    """
    t = np.clip(skewness, _LEAST_SKEWNESS, -_LEAST_SKEWNESS)
    low = np.clip(t, -0.8, 0.0)
    k_low = np.polyval(_LOW_NUMERATOR, low) / np.polyval(_LOW_DENOMINATOR, low)
    high = 1 - np.maximum(t, 0.0)
    k_high = np.polyval(_HIGH_NUMERATOR, high) / np.polyval(_HIGH_DENOMINATOR, high)
    k = np.where(t <= 0, k_low, k_high)
    bounded = t < -0.8
    if bounded.any():
        k[bounded] = _newton(t[bounded])
    return k


_LEAST_SKEWNESS = -1 + 1e-9
# Coefficients from the highest power down.
_LOW_NUMERATOR = (-0.07138022, -1.13455566, -2.50728214, -1.21096399, 0.28377530)
_LOW_DENOMINATOR = (0.25077104, 1.31912239, 2.06189696, 1.0)
_HIGH_NUMERATOR = (0.01573152, -0.48832213, 1.59921491, -1.0)
_HIGH_DENOMINATOR = (0.08985247, -0.64363929, 1.0)


def _newton(skewness: NDArray[np.float64]) -> NDArray[np.float64]:
    k = 1 - np.log2(1 + skewness)
    for _ in range(6):
        three, two = 3.0**-k, 2.0**-k
        error = 2 * (1 - three) / (1 - two) - 3 - skewness
        slope = 2 * (_LN3 * three * (1 - two) - _LN2 * two * (1 - three)) / (1 - two) ** 2
        k = k - error / slope
    return k


def return_level(params: Gev, years: ArrayLike) -> NDArray[np.float64]:
    """The level that is exceeded once in so many years on average.

    Args:
        params: of any shape (...).
        years: return periods above 1 year: one, or (k,).

    Returns:
        (...) for one period, (..., k) for several, in the unit of X.
    """
    periods = np.asarray(years, dtype=np.float64)
    location, scale, k = (np.asarray(part) for part in params)
    if periods.ndim:
        location, scale, k = location[..., None], scale[..., None], k[..., None]
    reduced = np.log(-np.log1p(-1 / periods))  # ln(-ln F)
    gumbel = np.abs(k) < GUMBEL
    some_k = np.where(gumbel, 1.0, k)
    growth = np.where(gumbel, -reduced, -np.expm1(some_k * reduced) / some_k)
    level: NDArray[np.float64] = location + scale * growth
    return level


def cdf(params: Gev, x: ArrayLike) -> NDArray[np.float64]:
    """P(X ≤ x), 0 below and 1 above the support.

    Args:
        params: of any shape.
        x: broadcast against the parameters.
    """
    location, scale, k = (np.asarray(part) for part in params)
    z = (np.asarray(x, dtype=np.float64) - location) / scale
    gumbel = np.abs(k) < GUMBEL
    some_k = np.where(gumbel, 1.0, k)
    # 1 - kz is 0 or less beyond the end of the support: a lower end for k < 0, an upper one for k > 0.
    beyond = ~gumbel & (some_k * z >= 1)
    reduced = np.where(gumbel, z, -np.log1p(np.where(gumbel | beyond, 0.0, -some_k * z)) / some_k)
    reduced = np.where(beyond, np.copysign(np.inf, k), reduced)
    # Beyond ±700 the double exponential has long been 0 or 1, and exp would overflow.
    probability: NDArray[np.float64] = np.exp(-np.exp(-np.clip(reduced, -700.0, 700.0)))
    return probability
