"""Daily rain from a normal field: dry below a seasonal threshold, above it a heavy-tailed amount.

One autocorrelated normal field gives occurrence and amount together, so that wet days follow wet days and rain is
heaviest in the middle of a wet area (a meta-Gaussian model: Wilks, D. S. (1998): Multisite generalization of a
daily stochastic precipitation generation model. J. Hydrol. 210, 178–191). Amounts follow the extended generalised
Pareto law with F(x) = H(x)^κ (Naveau, P. et al. (2016): Modeling jointly low, moderate, and heavy rainfall
intensities without a threshold selection. Water Resour. Res. 52, 2753–2769): a gamma-like body, a Pareto tail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import beta, ndtr, ndtri

from aiops.ingest.sample.storms import MEASURABLE_MM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Singles = NDArray[np.float32]

TAIL = 0.15
"""ξ of the Pareto tail, near the GEV shapes of Korean daily maxima."""
BODY = 0.5
"""κ; one half makes H^κ a square root."""
_CHANGE_POWER = 8
"""How steeply the change of heavy rain sets in with the rank s of the amount: s⁸."""
_MOST_WET_DAYS = 0.62


def _weighted_mean(power: int) -> float:
    """∫ s^power · Q(s) ds of the quantile function Q(s) = ((1 − s^{1/κ})^{−ξ} − 1) / ξ."""
    return float((BODY * beta((power + 1) * BODY, 1.0 - TAIL) - 1.0 / (power + 1)) / TAIL)


_MEAN = _weighted_mean(0)
_HEAVY_SHARE = _weighted_mean(_CHANGE_POWER) / _MEAN
"""Share of the mean amount that carries the weight s⁸."""


@dataclass(frozen=True, slots=True)
class RainClimate:
    """The rain's annual course on each day and cell, (days, cells)."""

    wet_share: Singles
    """Probability of a wet day."""
    threshold: Singles
    """Value of the normal field above which it rains."""
    scale: Singles
    """Mean amount of a wet day over the mean of the standard law, mm."""


def rain_climate(mean_rain: Floats) -> RainClimate:
    """Wet days and amounts from the mean daily rain (days, cells), mm.

    The number of wet days grows with the 0.42nd power of the month's rain: a fit to Korean stations.
    """
    wet_share = np.clip(1.35 * (mean_rain * 30.44) ** 0.42 / 30.44, 0.02, _MOST_WET_DAYS)
    return RainClimate(
        wet_share=wet_share.astype(np.float32),
        threshold=(-ndtri(wet_share)).astype(np.float32),
        scale=(mean_rain / wet_share / _MEAN).astype(np.float32),
    )


def daily_rain(field: Singles, climate: RainClimate, mean_factor: float, heavy_factor: float) -> Singles:
    """Rain of one year, mm.

    Args:
        field: the standard normal field, (days, cells).
        climate: the annual course on the same days.
        mean_factor: change of the mean amount of a wet day.
        heavy_factor: change of the heaviest amounts; the light ones take the rest, so that the mean is right.
    """
    wet = field > climate.threshold
    above = ndtr(-field[wet]) / climate.wet_share[wet]  # 1 − s, without loss near the top
    rank8 = (1.0 - above) ** 2
    rank8 *= rank8
    rank8 *= rank8
    light = (mean_factor - heavy_factor * _HEAVY_SHARE) / (1.0 - _HEAVY_SHARE)
    amount = ((above * (2.0 - above)) ** np.float32(-TAIL) - 1.0) / np.float32(TAIL)
    amount *= climate.scale[wet] * (np.float32(light) + np.float32(heavy_factor - light) * rank8)
    rain = np.zeros_like(field)
    rain[wet] = np.where(amount >= MEASURABLE_MM, amount, np.float32(0.0))
    return rain
