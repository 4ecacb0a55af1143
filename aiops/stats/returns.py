"""The yearly loss as a distribution: exceedance curve and return-period losses, from the bins' own P.

A bin's rate is the loss of its years, so the loss is a discrete variable: its mean is Σ P·r exactly, the
area under the curve, and the curve never rises nor falls below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PERIODS = (10.0, 20.0, 50.0, 100.0, 200.0)
"""Return periods that are reported, years."""
_ROUNDING = 1e-12
"""P(loss) equal to 1/T up to rounding counts as equal: the 20-year bin starts at P = 0.05."""


class ExceedanceCurve(NamedTuple):
    """P(loss > l) as a falling step function."""

    losses: NDArray[np.float64]
    """(..., bins), ascending; in the unit of the rates."""
    exceedance: NDArray[np.float64]
    """(..., bins): probability in a year that the loss is greater; the last is 0."""


def exceedance_curve(probabilities: ArrayLike, rates: ArrayLike) -> ExceedanceCurve:
    """Exceedance probability of each of the losses that can be.

    Args:
        probabilities: (..., bins).
        rates: (bins,) or (..., bins), at least 0.
    """
    p, losses = np.broadcast_arrays(np.asarray(probabilities, np.float64), np.asarray(rates, np.float64))
    steps = np.diff(losses, axis=-1)
    if (steps < 0).any():
        order = np.argsort(losses, axis=-1, kind="stable")
        losses = np.take_along_axis(losses, order, axis=-1)
        p = np.take_along_axis(p, order, axis=-1)
        steps = np.diff(losses, axis=-1)
    reached = np.cumsum(p[..., ::-1], axis=-1)[..., ::-1]  # P(loss ≥ l)
    exceedance = np.concatenate([reached[..., 1:], np.zeros_like(reached[..., :1])], axis=-1)
    same = steps == 0
    if same.any():
        # What several bins cost is exceeded only by what lies beyond the last of them.
        for place in range(same.shape[-1] - 1, -1, -1):
            exceedance[..., place] = np.where(same[..., place], exceedance[..., place + 1], exceedance[..., place])
    exceedance[np.isnan(p)] = np.nan
    return ExceedanceCurve(losses, exceedance)


def return_period_losses(
    probabilities: ArrayLike, rates: ArrayLike, periods: ArrayLike = PERIODS
) -> NDArray[np.float64]:
    """The least loss that is exceeded at most once in T years on average.

    Args:
        probabilities: (..., bins).
        rates: (bins,) or (..., bins), at least 0.
        periods: (T,), years above 1.

    Returns:
        (..., T), in the unit of the rates, not falling with T; NaN where a probability is NaN.
    """
    return losses_of_periods(exceedance_curve(probabilities, rates), periods)


def losses_of_periods(curve: ExceedanceCurve, periods: ArrayLike = PERIODS) -> NDArray[np.float64]:
    """The same, read off a curve: (..., T), in the unit of its losses."""
    rarity = 1 / np.asarray(periods, dtype=np.float64) + _ROUNDING
    passed = curve.exceedance[..., None, :] <= rarity[:, None]
    first = np.argmax(passed, axis=-1)
    losses = np.take_along_axis(curve.losses, first, axis=-1)
    return np.where(np.isnan(curve.exceedance).any(axis=-1, keepdims=True), np.nan, losses)
