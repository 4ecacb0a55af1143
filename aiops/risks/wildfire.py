"""Wildfire: fire weather near a forest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.risks._damage import DamageSet
from aiops.risks._distance import along_distance
from aiops.risks._place import REINFORCED_CONCRETE, ByDistance, by_words
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Indicator, attribute
from aiops.risks._shape import LossKind, Reach, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.stats.codes import Estimator

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from aiops.risks._reader import Attributes

FWI95 = Indicator("fwi95")
"""95th percentile of the year's daily Fire Weather Index; the annual maximum saturates."""

FOREST_KNOTS = ((30.0, 1.0), (100.0, 0.7), (500.0, 0.4), (1000.0, 0.1))
BEYOND_FOREST = 0.05


def reach_of_forest(attributes: Attributes, n_cells: int) -> NDArray[np.float64]:
    """Reach by distance to the forest; NaN where it is unknown."""
    return along_distance(attribute(attributes, "forest_distance_m", n_cells), FOREST_KNOTS, BEYOND_FOREST)


RISK = Risk(
    name="wildfire",
    aliases=(),
    loss_kind=LossKind.DIRECT,
    damage_sets={
        "calibrated": DamageSet(
            indicator=FWI95,
            edges=(18, 22, 26, 32),
            rates=(0, 0.00005, 0.0001, 0.0002, 0.0005),
            estimator=Estimator.SHRUNK,
        ),
        "reference": DamageSet(
            indicator=FWI95,
            edges=(11.2, 21.3, 38, 50),
            rates=(0, 0.01, 0.03, 0.10, 0.25),
            estimator=Estimator.SHRUNK,
        ),
    },
    hazard=(
        Term("fwi95", 5.2, 50, 0.7, mean_of("fwi95")),
        Term("fwi21", 0, 60, 0.3, mean_of("fwi21")),
    ),
    reach=Reach(at=reach_of_forest, national_mean=0.3),
    proximity=Proximity(parts=(ByDistance("forest_distance_m", FOREST_KNOTS, BEYOND_FOREST),)),
    vulnerability=VulnerabilityScore(
        base=30,
        factors=(
            age_factor(over_20=8, over_30=15),
            Factor(
                "structure_type_score",
                by_words("structure", (("wood", "sandwich_panel"), 40), ((*REINFORCED_CONCRETE, "steel"), -5)),
            ),
        ),
    ),
)
