"""Extreme heat: long warm spells cost output and cooling."""

from __future__ import annotations

from aiops.risks._damage import DamageSet
from aiops.risks._place import REINFORCED_CONCRETE, Proportional, by_words
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Indicator
from aiops.risks._shape import LossKind, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.stats.codes import Estimator

WSDI = Indicator("wsdi")
"""Days of the year in warm spells (Zhang et al. 2011)."""

RISK = Risk(
    name="extreme_heat",
    aliases=("high_temperature",),
    loss_kind=LossKind.OPERATIONAL,
    damage_sets={
        "calibrated": DamageSet(
            indicator=WSDI,
            edges=(1, 10, 30, 80),
            rates=(0, 0.0001, 0.0003, 0.0007, 0.0015),
            estimator=Estimator.HURDLE,
        ),
        "reference": DamageSet(
            indicator=WSDI,
            edges=(3, 8, 20, 40),
            rates=(0.001, 0.003, 0.010, 0.020, 0.035),
            estimator=Estimator.HURDLE,
        ),
    },
    hazard=(
        Term("wsdi", 0, 120, 0.3, mean_of("wsdi")),
        Term("tx33", 0, 90, 0.3, mean_of("tx33")),
        Term("tn25", 0, 70, 0.2, mean_of("tn25")),
        # By definition a tenth of the baseline's days, 36.5, lie above TX90.
        Term("tx90p_days", 36.5, 200, 0.2, mean_of("tx90p_days")),
    ),
    proximity=Proximity(0.3, (Proportional("impervious_ratio", 0.6),)),
    vulnerability=VulnerabilityScore(
        base=50,
        factors=(
            age_factor(over_20=10, over_30=20),
            Factor(
                "structure_type_score", by_words("structure", (("wood", "masonry"), 15), (REINFORCED_CONCRETE, -10))
            ),
            Factor("building_use_score", by_words("use", (("office", "retail"), 10))),
        ),
    ),
)
