"""Water stress: what is withdrawn from a basin, over what it has to give."""

from __future__ import annotations

from aiops.risks._damage import DamageSet
from aiops.risks._place import Flagged, Stairs
from aiops.risks._reader import Indicator
from aiops.risks._shape import LossKind, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.risks._water_users import WATER_USERS
from aiops.stats.codes import Estimator

WSI = Indicator("wsi")
"""Withdrawal over available flow, W / (Q·(1 − .37))."""

RISK = Risk(
    name="water_stress",
    aliases=("water_scarcity",),
    loss_kind=LossKind.OPERATIONAL,
    damage_sets={
        "calibrated": DamageSet(
            indicator=WSI,
            edges=(0.2, 0.4, 0.8),
            rates=(0, 0.0001, 0.0003, 0.001),
            estimator=Estimator.SHRUNK,
        ),
        "reference": DamageSet(
            indicator=WSI,
            edges=(0.2, 0.4, 0.8),
            rates=(0.01, 0.03, 0.07, 0.15),
            estimator=Estimator.SHRUNK,
        ),
    },
    hazard=(Term("wsi", 0, 1, 1, mean_of("wsi")),),
    proximity=WATER_USERS,
    vulnerability=VulnerabilityScore(
        base=40,
        factors=(
            age_factor(over_20=8, over_30=15),
            Factor("new_building_score", Stairs("age_years", (10,), (-10, 0))),
            Factor("water_tank_score", Flagged("water_tank", 0, otherwise=25)),
        ),
    ),
)
