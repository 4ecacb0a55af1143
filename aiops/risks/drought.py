"""Drought: a year's lowest water balance, twelve months together, against what the place is used to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.risks._damage import DamageSet
from aiops.risks._place import by_words
from aiops.risks._reader import Indicator
from aiops.risks._shape import LossKind, MeanOf, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor, basement_factor
from aiops.risks._water_users import WATER_USERS
from aiops.stats.codes import Estimator

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEVEREST = 3.5
"""An index beyond says only that the month lies outside the distribution fitted to the baseline."""


def severity(spei12_min: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lowest SPEI-12 turned round, held to ±3.5."""
    return np.clip(-spei12_min, -SEVEREST, SEVEREST)


SEVERITY = Indicator("spei12_min", severity)

RISK = Risk(
    name="drought",
    aliases=(),
    loss_kind=LossKind.OPERATIONAL,
    damage_sets={
        "calibrated": DamageSet(
            indicator=SEVERITY,
            edges=(1, 1.5, 2),
            rates=(0, 0.00005, 0.0002, 0.0005),
            estimator=Estimator.SHRUNK,
        ),
        "reference": DamageSet(
            indicator=SEVERITY,
            edges=(1, 1.5, 2),
            rates=(0, 0.02, 0.07, 0.20),
            estimator=Estimator.SHRUNK,
        ),
    },
    hazard=(
        Term("spei12_min", 0, 2.5, 0.6, MeanOf(SEVERITY)),
        Term("spei12_dry_share", 0, 0.5, 0.25, mean_of("spei12_dry_share")),
        Term("cdd", 10, 50, 0.15, mean_of("cdd")),
    ),
    proximity=WATER_USERS,
    vulnerability=VulnerabilityScore(
        base=35,
        factors=(
            age_factor(over_20=8, over_30=15),
            Factor("building_use_score", by_words("use", (("factory", "hotel"), 30))),
            basement_factor(5),
        ),
    ),
)
