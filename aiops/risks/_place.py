"""What a place and its building make of a number: the parts that proximity and vulnerability are put together from.

The room `assess` brings the place. What is unknown of it comes with a default filled in, and is marked there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from aiops.risks._distance import along_distance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from aiops.stats.kernels import Closed

REINFORCED_CONCRETE = ("reinforced_concrete", "steel_reinforced_concrete")
"""What the rows of reinforced concrete cover."""


class Place(Protocol):
    """Sites, by name: attributes of `location_grid`, `latitude`, fields of a building."""

    def number(self, name: str) -> NDArray[np.float64]:
        """A number of each site: (sites,), nowhere NaN."""

    def flag(self, name: str) -> NDArray[np.bool_]:
        """Whether something is so: (sites,)."""

    def word(self, name: str) -> NDArray[np.str_]:
        """A word of each site: (sites,)."""


class SiteValue(Protocol):
    """A number that a place has: (sites,)."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What it reads of a place."""

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """The number of each site."""


@dataclass(frozen=True, slots=True)
class Proportional:
    """So much for each unit."""

    name: str
    each: float = 1.0

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        return place.number(self.name) * self.each


@dataclass(frozen=True, slots=True)
class ByDistance:
    """Fades with a distance (`along_distance`)."""

    name: str
    knots: tuple[tuple[float, float], ...]
    """(metres, value), ascending in metres."""
    beyond: float
    """Farther than the last knot."""

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        return along_distance(place.number(self.name), self.knots, self.beyond)


@dataclass(frozen=True, slots=True)
class Stairs:
    """One value between two edges, the next beyond."""

    name: str
    edges: tuple[float, ...]
    """Ascending."""
    values: tuple[float, ...]
    """One more than edges."""
    closed: Closed = "left"
    """The side on which a step holds its edge: `right` rises only above the edge, `left` from the edge on."""

    def __post_init__(self) -> None:
        if len(self.values) != len(self.edges) + 1:
            raise ValueError(f"{self.name}: {len(self.edges)} edges need {len(self.edges) + 1} values")

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        side: Literal["left", "right"] = "left" if self.closed == "right" else "right"
        step = np.asarray(self.edges).searchsorted(place.number(self.name), side=side)
        values: NDArray[np.float64] = np.asarray(self.values, dtype=np.float64)[step]
        return values


@dataclass(frozen=True, slots=True)
class Storeys:
    """So much for each floor beyond some, on top of a start; 0 up to there."""

    name: str
    each: float
    beyond: int = 0
    """Floors that do not count."""
    start: float = 0.0
    at_most: float = 1.0

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        floors = place.number(self.name) - self.beyond
        return np.where(floors > 0, np.minimum(self.start + self.each * floors, self.at_most), 0.0)


@dataclass(frozen=True, slots=True)
class ByWord:
    """By what something is called."""

    name: str
    values: Mapping[str, float]
    otherwise: float = 0.0

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        return np.array([self.values.get(word, self.otherwise) for word in place.word(self.name).tolist()])


@dataclass(frozen=True, slots=True)
class Flagged:
    """One value where something is so, another where it is not."""

    name: str
    value: float
    otherwise: float = 0.0

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (self.name,)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        return np.where(place.flag(self.name), self.value, self.otherwise)


@dataclass(frozen=True, slots=True)
class Times:
    """One value times another."""

    one: SiteValue
    other: SiteValue

    @property
    def reads(self) -> tuple[str, ...]:
        """See `SiteValue`."""
        return (*self.one.reads, *self.other.reads)

    def __call__(self, place: Place) -> NDArray[np.float64]:
        """See `SiteValue`."""
        return self.one(place) * self.other(place)


def by_words(name: str, *groups: tuple[tuple[str, ...], float], otherwise: float = 0.0) -> ByWord:
    """The same value for each word of a group."""
    return ByWord(name, {word: value for words, value in groups for word in words}, otherwise)


BASEMENT = Storeys("basement_floors", each=0.1, start=0.7)
"""How much of what is below ground a flood can fill: min(1, .7 + .1n) of n floors, 0 without any."""
