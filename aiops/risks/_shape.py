"""What a risk is: a frozen description, and the few functions that are truly its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import numpy as np

from aiops.errors import BadInput
from aiops.risks._reader import Driver, Indicator, Reduced
from aiops.stats.gev import return_level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from aiops.risks._damage import AnalyticSet, DamageSet
    from aiops.risks._proximity import Proximity
    from aiops.risks._reader import Attributes, Reader, Transform
    from aiops.risks._vulnerability import VulnerabilityScore


class LossKind(StrEnum):
    """What a loss falls on."""

    DIRECT = "direct"
    """Damage to the asset."""
    OPERATIONAL = "operational"
    """Running cost, output."""


class TermValue(Protocol):
    """What a term of the Hazard score is made of."""

    @property
    def variables(self) -> frozenset[str]:
        """The yearly variables that it reads."""

    def __call__(self, reader: Reader) -> Reduced:
        """Its value by projection and cell."""


@dataclass(frozen=True, slots=True)
class Term:
    """One term of the Hazard score: clip((value - low)/(high - low), 0, 1), weighted."""

    name: str
    low: float
    high: float
    weight: float
    value: TermValue


@dataclass(frozen=True, slots=True)
class Reach:
    """How far the hazard reaches the asset, 0 to 1, from where the cell lies; scales the damage rates."""

    at: Callable[[Attributes, int], NDArray[np.float64]]
    """Of the cells' attributes and their number: (cells,), NaN where unknown."""
    national_mean: float
    """What stands where it is unknown: an expectation over an unknown place, marked as a default."""


@dataclass(frozen=True, slots=True)
class RatesByUse:
    """Another damage curve for buildings of some uses than the one that P(H) was computed with."""

    damage_set: str
    """The damage set with that curve; the rates of others are no curve, and stay."""
    convert: Mapping[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]]
    """By use: base damage rates by the curve of P(H) to those by the curve of the use, elementwise; NaN for NaN."""


@dataclass(frozen=True, slots=True)
class Risk:
    """All that is particular to one risk type."""

    name: str
    aliases: tuple[str, ...]
    loss_kind: LossKind
    damage_sets: Mapping[str, DamageSet | AnalyticSet]
    """By name: `calibrated`, `reference`."""
    hazard: tuple[Term, ...]
    driver: Driver = Driver.SERIES
    """What tells one scenario from another."""
    reach: Reach | None = None
    inapplicable: Callable[[Attributes, int], tuple[NDArray[np.bool_], str]] | None = None
    """Cells that cannot have this risk, (cells,), and why, in plain words."""
    proximity: Proximity | None = None
    """How near it comes to a place, for Exposure; None: not described."""
    vulnerability: VulnerabilityScore | None = None
    """How badly it hurts a building; None: not described."""
    by_use: RatesByUse | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)

    def damage_set(self, name: str) -> DamageSet | AnalyticSet:
        """The damage set of a name.

        Raises:
            BadInput: there is none of that name.
        """
        try:
            return self.damage_sets[name]
        except KeyError:
            raise BadInput(f"damage set: {name!r} is unknown; allowed: {' '.join(self.damage_sets)}") from None

    def probability_variables(self, damage_set: str) -> frozenset[str]:
        """The yearly variables that P(H) reads with a damage set (BadInput: there is none of that name)."""
        return self.damage_set(damage_set).variables

    def hazard_variables(self) -> frozenset[str]:
        """The yearly variables that the Hazard score reads."""
        return frozenset[str]().union(*(term.value.variables for term in self.hazard))

    def exclusion(self, attributes: Attributes, n_cells: int) -> tuple[NDArray[np.bool_], str]:
        """Cells that cannot have this risk, (cells,), and why."""
        if self.inapplicable is None:
            return np.zeros(n_cells, dtype=np.bool_), ""
        return self.inapplicable(attributes, n_cells)


@dataclass(frozen=True, slots=True)
class MeanOf:
    """A term's value: the indicator's mean over the horizon."""

    indicator: Indicator

    @property
    def variables(self) -> frozenset[str]:
        """See `TermValue`."""
        return frozenset({self.indicator.variable})

    def __call__(self, reader: Reader) -> Reduced:
        """See `Term.value`."""
        return reader.mean(self.indicator)


@dataclass(frozen=True, slots=True)
class ReturnLevelOf:
    """A term's value: the level that the indicator passes once in so many years, by GEV."""

    indicator: Indicator
    years: float

    @property
    def variables(self) -> frozenset[str]:
        """See `TermValue`."""
        return frozenset({self.indicator.variable})

    def __call__(self, reader: Reader) -> Reduced:
        """See `Term.value`."""
        params, n = reader.gev(self.indicator)
        return Reduced(return_level(params, self.years), n)


def mean_of(variable: str, transform: Transform | None = None) -> MeanOf:
    """The mean of a variable over the horizon."""
    return MeanOf(Indicator(variable, transform))
