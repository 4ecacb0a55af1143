"""Extreme cold: long cold spells cost heating and output."""

from __future__ import annotations

import numpy as np

from aiops.risks._damage import DamageSet
from aiops.risks._place import Stairs, by_words
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Indicator
from aiops.risks._shape import LossKind, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor
from aiops.stats.codes import Estimator

CSDI = Indicator("csdi")
"""Days of the year in cold spells (Zhang et al. 2011)."""

RISK = Risk(
    name="extreme_cold",
    aliases=("cold_wave",),
    loss_kind=LossKind.OPERATIONAL,
    damage_sets={
        "calibrated": DamageSet(
            indicator=CSDI,
            edges=(1, 7, 15),
            rates=(0, 0.00005, 0.0001, 0.0003),
            estimator=Estimator.HURDLE,
        ),
        "reference": DamageSet(
            indicator=CSDI,
            edges=(3, 7, 15),
            rates=(0.0005, 0.002, 0.006, 0.015),
            estimator=Estimator.HURDLE,
        ),
    },
    hazard=(
        Term("csdi", 0, 20, 0.3, mean_of("csdi")),
        Term("tnm12", 0, 30, 0.3, mean_of("tnm12")),
        Term("fd", 0, 120, 0.2, mean_of("fd")),
        # The coldest night, turned round: 20 °C below zero is the full score.
        Term("tnn", 0, 20, 0.2, mean_of("tnn", np.negative)),
    ),
    proximity=Proximity(
        0.5,
        (
            Stairs("elevation_m", (200,), (0, 0.2), closed="right"),
            Stairs("latitude", (37,), (0, 0.2), closed="right"),
        ),
    ),
    vulnerability=VulnerabilityScore(
        base=50,
        factors=(
            age_factor(over_20=10, over_30=20),
            Factor("structure_type_score", by_words("structure", (("wood", "masonry"), 15))),
        ),
    ),
)
