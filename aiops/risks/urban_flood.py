"""Urban flood: cloudbursts that sealed ground sheds faster than sewers take them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.risks._damage import DamageSet
from aiops.risks._place import BASEMENT, Flagged, Proportional, Times
from aiops.risks._proximity import Proximity
from aiops.risks._reader import Indicator, Reduced, attribute
from aiops.risks._shape import LossKind, Risk, Term, mean_of
from aiops.risks._vulnerability import Factor, VulnerabilityScore, age_factor, basement_factor
from aiops.stats.codes import Estimator
from aiops.stats.gev import return_level

if TYPE_CHECKING:
    from aiops.risks._reader import Reader

RAIN80 = Indicator("rain80")
"""Days of the year with 80 mm and more."""
RX1DAY = Indicator("rx1day")

HOURLY_SHARE = 0.30
"""Median of the highest hour's rain to the highest day's, 279 station-years."""
RUNOFF_OF_SOIL, RUNOFF_OF_SEAL = 0.3, 0.6
"""Share that runs off open ground, and what sealing all of it adds."""
SEWERS = 40.0
"""mm/h that sewers take."""


@dataclass(frozen=True, slots=True)
class ExcessOf:
    """A term's value: runoff of the heaviest hour in so many years beyond what sewers take, mm/h."""

    indicator: Indicator
    years: float

    @property
    def variables(self) -> frozenset[str]:
        """See `TermValue`."""
        return frozenset({self.indicator.variable})

    def __call__(self, reader: Reader) -> Reduced:
        """See `Term.value`; NaN where it is unknown how much of the ground is sealed."""
        params, n = reader.gev(self.indicator)
        impervious = attribute(reader.attributes, "impervious_ratio", reader.n_cells)
        runoff = RUNOFF_OF_SOIL + RUNOFF_OF_SEAL * impervious
        return Reduced(return_level(params, self.years) * HOURLY_SHARE * runoff - SEWERS, n)


RISK = Risk(
    name="urban_flood",
    aliases=(),
    loss_kind=LossKind.DIRECT,
    damage_sets={
        "calibrated": DamageSet(
            indicator=RAIN80,
            edges=(1, 3, 5, 8),
            rates=(0, 0.00005, 0.00015, 0.0005, 0.0015),
            estimator=Estimator.COUNT,
        ),
        "reference": DamageSet(
            indicator=RAIN80,
            edges=(1, 3, 5, 8),
            rates=(0, 0.03, 0.10, 0.25, 0.45),
            estimator=Estimator.COUNT,
        ),
    },
    hazard=(
        Term("rain80", 0, 8, 0.5, mean_of("rain80")),
        Term("excess_20_years", 0, 60, 0.5, ExcessOf(RX1DAY, 20)),
    ),
    proximity=Proximity(
        0.1,
        (Proportional("impervious_ratio", 0.75),),
        at_least=Times(BASEMENT, Proportional("impervious_ratio")),
    ),
    vulnerability=VulnerabilityScore(
        base=40,
        factors=(
            age_factor(over_20=0, over_30=10),
            basement_factor(20),
            Factor("pilotis_score", Flagged("pilotis", -15)),
        ),
    ),
)
