"""How near a hazard comes to a place: the factor of Exposure, 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.risks._place import Place, SiteValue


@dataclass(frozen=True, slots=True)
class Proximity:
    """A sum, at least something, at most 1."""

    base: float = 0.0
    parts: tuple[SiteValue, ...] = ()
    """What is added."""
    at_least: SiteValue | None = None
    """What the sum does not fall below."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What it reads of a place, each name once."""
        every = self.parts if self.at_least is None else (*self.parts, self.at_least)
        return tuple(dict.fromkeys(name for part in every for name in part.reads))

    def at(self, place: Place) -> NDArray[np.float64]:
        """The factor of each site: (sites,), 0 to 1."""
        factor = np.asarray(self.base, dtype=np.float64)
        for part in self.parts:
            factor = factor + part(place)
        if self.at_least is not None:
            factor = np.maximum(factor, self.at_least(place))
        return np.minimum(factor, 1.0)
