"""What a risk is: a frozen description, and the few functions that are truly its own.

A risk reads its climate through a `Reader`, which the room `assess` brings. Arrays are by projection and
cell: (33, cells) in the order of `aiops.climate.PROJECTIONS`; baselines by scenario: (5, cells).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from aiops.errors import BadInput
from aiops.stats.gev import return_level

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from aiops.stats.codes import Estimator
    from aiops.stats.gev import Gev
    from aiops.stats.kernels import Closed

    Transform = Callable[[NDArray[np.float64]], NDArray[np.float64]]
    Attributes = Mapping[str, NDArray[np.float64]]


class LossKind(StrEnum):
    """What a loss falls on."""

    DIRECT = "direct"
    """Damage to the asset."""
    OPERATIONAL = "operational"
    """Running cost, output."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """What X is: a yearly variable, as it stands or turned into an intensity that rises with the risk."""

    variable: str
    """Name in `climate_variable`."""
    transform: Transform | None = None
    """Elementwise; what it makes infinite or NaN is missing."""


class Sample(NamedTuple):
    """Years of X, gathered by window."""

    values: NDArray[np.float64]
    """(windows, cells, years), NaN missing."""
    n: NDArray[np.int64]
    """(windows, cells): years that are not missing."""


class Reduced(NamedTuple):
    """One number per projection and cell."""

    values: NDArray[np.float64]
    """(33, cells), NaN without data."""
    n: NDArray[np.int64]
    """(33, cells): the years it was made from."""


class Reader(Protocol):
    """A block of cells, read through the windows."""

    @property
    def n_cells(self) -> int:
        """Number of cells."""

    @property
    def attributes(self) -> Attributes:
        """Of the cells, by column of `location_grid`; NaN unknown, absent when nobody knows any."""

    def baselines(self, indicator: Indicator) -> Sample:
        """The baseline of each scenario's series: (5, cells, 30)."""

    def horizons(self, indicator: Indicator) -> Sample:
        """Every projection but the first: (32, cells, 20)."""

    def mean(self, indicator: Indicator) -> Reduced:
        """Mean over the years of each projection; NaN with fewer than 5."""

    def gev(self, indicator: Indicator) -> tuple[Gev, NDArray[np.int64]]:
        """GEV of each projection and its years, (33, cells); NaN with fewer than 15."""


@dataclass(frozen=True, slots=True)
class ReturnLevels:
    """Edges that are the cell's own: levels of its baseline GEV."""

    years: tuple[float, ...]
    """Return periods, ascending."""


@dataclass(frozen=True, slots=True)
class DamageSet:
    """Indicator, bin edges and damage rates: what turns years into a loss."""

    indicator: Indicator
    edges: tuple[float, ...] | ReturnLevels
    """Ascending, in the unit of the indicator."""
    rates: tuple[float, ...]
    """Base damage rate of each bin, a fraction of the asset's value; one more than edges."""
    estimator: Estimator
    closed: Closed = "left"
    """The side on which a bin holds its edge."""

    def __post_init__(self) -> None:
        edges = self.edges.years if isinstance(self.edges, ReturnLevels) else self.edges
        if any(low >= high for low, high in itertools.pairwise(edges)):
            raise ValueError(f"edges must ascend: {edges}")
        if len(self.rates) != len(edges) + 1:
            raise ValueError(f"{len(edges)} edges need {len(edges) + 1} rates; got {len(self.rates)}")
        if any(low > high for low, high in zip((0.0, *self.rates), (*self.rates, 1.0), strict=True)):
            raise ValueError(f"rates must not fall, and lie in 0 to 1: {self.rates}")


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
class Risk:
    """All that is particular to one risk type."""

    name: str
    aliases: tuple[str, ...]
    loss_kind: LossKind
    damage_sets: Mapping[str, DamageSet]
    """By name: `calibrated`, `reference`."""
    hazard: tuple[Term, ...]
    reach: Reach | None = None
    inapplicable: Callable[[Attributes, int], tuple[NDArray[np.bool_], str]] | None = None
    """Cells that cannot have this risk, (cells,), and why, in plain words."""

    @property
    def names(self) -> tuple[str, ...]:
        """The name and its aliases."""
        return (self.name, *self.aliases)

    def damage_set(self, name: str) -> DamageSet:
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
        return frozenset({self.damage_set(damage_set).indicator.variable})

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


def attribute(attributes: Attributes, name: str, n_cells: int) -> NDArray[np.float64]:
    """One attribute of the cells, NaN throughout where nobody knows any."""
    return attributes.get(name, np.full(n_cells, np.nan))
