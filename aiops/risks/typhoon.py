"""Typhoon: the largest wind of a year at the place, storms of the past in a warmer climate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.indices.cyclone import warmed_wind
from aiops.risks._damage import DamageSet
from aiops.risks._place import REINFORCED_CONCRETE, ByDistance, Stairs, Storeys, by_words
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Driver, Indicator
from aiops.risks._shape import LossKind, MeanOf, Risk, Term
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.stats.codes import Estimator
from aiops.stats.curves import curve_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.risks._reader import Warming

KOREAN_PER_GLOBAL = 1.4
"""Korea warms so much faster than the globe; used where only Korean temperatures are known."""

TEN_MINUTES_PER_ONE = 0.88
"""The 10-minute mean wind, which best tracks have, over the 1-minute mean, which the curve takes."""
THRESHOLD = 25.7
"""m/s, 1-minute; no damage below (Emanuel 2011)."""
HALF = 190.5
"""m/s, 1-minute; half the value is lost (Eberenz et al. 2021, North-West Pacific 4, fitted to total damage)."""
STRONGEST = 100.0
"""m/s; no storm has a 10-minute wind beyond, and the curve is flat there."""


def _excess(wind: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.minimum(wind, STRONGEST) / TEN_MINUTES_PER_ONE - THRESHOLD, 0.0) / (HALF - THRESHOLD)


def damage_by_wind(wind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Damage rate v³/(1 + v³), v = max(w − 25.7, 0)/(190.5 − 25.7), w the 1-minute wind.

    Args:
        wind: 10-minute wind, m/s.

    Source: Emanuel, K. (2011): Global warming effects on U.S. hurricane damage. Weather Clim. Soc. 3, 261–268;
    Eberenz, S. et al. (2021): Regional tropical cyclone impact functions. Nat. Hazards Earth Syst. Sci. 21, 393–415.
    """
    cube = _excess(wind) ** 3
    return cube / (1 + cube)


def slope_of_damage(wind: NDArray[np.float64]) -> NDArray[np.float64]:
    """Its derivative, per m/s."""
    v = _excess(wind)
    return 3 * v**2 / (1 + v**3) ** 2 / (HALF - THRESHOLD) / TEN_MINUTES_PER_ONE


EMANUEL = curve_of(
    damage_by_wind,
    slope_of_damage,
    ((THRESHOLD * TEN_MINUTES_PER_ONE, 25, 1), (25, 33, 2), (33, 44, 3), (44, 60, 2), (60, STRONGEST, 2)),
)


def warmed(wind: NDArray[np.float64], warming: Warming) -> NDArray[np.float64]:
    """Winds of past years in the climate of each horizon: (cells, years) to (32, cells, years)."""
    degrees = warming.by_horizon / (KOREAN_PER_GLOBAL if warming.is_regional else 1.0)
    return warmed_wind(wind, degrees[:, None, None])


WIND = Indicator("max_site_wind", past_only=True, warmed=warmed)
"""m/s, 10-minute mean; a year without a storm is 0."""
S_TC = Indicator("s_tc", past_only=True)
"""Time in the storms' wind areas, weighted six-hours a year; it stays as it was."""

RISK = Risk(
    name="typhoon",
    aliases=(),
    loss_kind=LossKind.DIRECT,
    damage_sets={
        "calibrated": DamageSet(
            indicator=WIND,
            edges=(17, 25, 33, 44),
            rates=EMANUEL,
            estimator=Estimator.HURDLE,
            closed="right",
        ),
        "reference": DamageSet(
            indicator=S_TC,
            edges=(0, 5, 15),
            rates=(0, 0.02, 0.10, 0.30),
            estimator=Estimator.HURDLE,
            closed="right",
        ),
    },
    hazard=(
        Term("s_tc", 0, 30, 0.6, MeanOf(S_TC)),
        Term("max_site_wind", 17, 50, 0.4, MeanOf(WIND)),
    ),
    driver=Driver.WARMING,
    proximity=Proximity(
        parts=(
            ByDistance("coast_distance_m", ((5_000, 0.9), (20_000, 0.7), (50_000, 0.4)), beyond=0.2),
            Storeys("floors", each=0.01, beyond=5),
        )
    ),
    vulnerability=VulnerabilityScore(
        base=50,
        factors=(
            age_factor(over_20=0, over_30=20),
            Factor(
                "structure_type_score",
                by_words("structure", (("wood", "masonry"), 30), ((*REINFORCED_CONCRETE, "steel"), -15)),
            ),
            Factor("height_score", Stairs("floors", (10,), (0, 15), closed="right")),
        ),
    ),
)
