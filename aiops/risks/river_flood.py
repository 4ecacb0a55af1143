"""River flood: rain beyond what the place's own rivers are used to, near a river."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.risks._damage import DamageSet, ReturnLevels
from aiops.risks._distance import along_distance
from aiops.risks._place import BASEMENT, ByDistance, Flagged, Stairs, Times
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Indicator, attribute
from aiops.risks._shape import LossKind, Reach, ReturnLevelOf, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor, basement_factor
from aiops.stats.codes import Estimator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.risks._reader import Attributes

RX1DAY = Indicator("rx1day")
"""The year's largest daily rain, mm."""

SAFE_HEIGHT_M = 10.0
"""Ground so much above the river is not flooded by it."""


def reach_of_river(attributes: Attributes, n_cells: int) -> NDArray[np.float64]:
    """Reach by distance to the river and height above it; NaN where the distance is unknown."""
    by_distance = along_distance(
        attribute(attributes, "river_distance_m", n_cells), ((300, 1.0), (1000, 0.3), (2000, 0.0)), beyond=0.0
    )
    height = attribute(attributes, "elevation_m", n_cells) - attribute(attributes, "river_elevation_m", n_cells)
    return np.where(height > SAFE_HEIGHT_M, 0.0, by_distance)


RISK = Risk(
    name="river_flood",
    aliases=("inland_flood",),
    loss_kind=LossKind.DIRECT,
    damage_sets={
        "calibrated": DamageSet(
            indicator=RX1DAY,
            edges=ReturnLevels((20, 50, 100, 200)),
            rates=(0, 0.0005, 0.005, 0.03, 0.10),
            estimator=Estimator.GEV,
        ),
        "reference": DamageSet(
            indicator=RX1DAY,
            edges=ReturnLevels((5, 20, 100)),
            rates=(0, 0.02, 0.08, 0.20),
            estimator=Estimator.GEV,
        ),
    },
    hazard=(
        Term("rx5day", 50, 400, 0.4, mean_of("rx5day")),
        Term("rx1day", 50, 300, 0.4, mean_of("rx1day")),
        Term("rx1day_100_years", 100, 500, 0.2, ReturnLevelOf(RX1DAY, 100)),
    ),
    reach=Reach(at=reach_of_river, national_mean=0.15),
    proximity=Proximity(
        parts=(ByDistance("river_distance_m", ((100, 0.9), (300, 0.7), (1000, 0.4)), beyond=0.1),),
        at_least=Times(BASEMENT, Stairs("river_distance_m", (1000,), (1, 0), closed="right")),
    ),
    vulnerability=VulnerabilityScore(
        base=40,
        factors=(
            age_factor(over_20=0, over_30=15),
            basement_factor(25),
            Factor("flood_zone_score", Flagged("in_flood_zone", 20)),
            Factor("pilotis_score", Flagged("pilotis", -20)),
        ),
    ),
)
