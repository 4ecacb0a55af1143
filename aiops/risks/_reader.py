"""What a risk reads its climate through; the room `assess` brings it.

Arrays are by projection and cell: (33, cells) in the order of `aiops.climate.PROJECTIONS`; baselines by scenario:
(5, cells).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from aiops.stats.gev import Gev

    Transform = Callable[[NDArray[np.float64]], NDArray[np.float64]]
    Warmed = Callable[[NDArray[np.float64], "Warming"], NDArray[np.float64]]
    Attributes = Mapping[str, NDArray[np.float64]]


Made = TypeVar("Made")


class Driver(StrEnum):
    """What tells one scenario from another for a risk, so that a cell can have a result for it."""

    SERIES = "series"
    """The cell's own rows for the scenario."""
    WARMING = "warming"
    """These, or the global warming of the scenario."""
    SEA = "sea"
    """The cell's own rows, or the rise of the sea under the scenario; the past wherever a gauge is known."""


@dataclass(frozen=True, slots=True)
class Indicator:
    """What X is: a yearly variable, as it stands or turned into an intensity that rises with the risk."""

    variable: str
    """Name in `climate_variable`."""
    transform: Transform | None = None
    """Elementwise; what it makes infinite or NaN is missing."""
    past_only: bool = False
    """No scenario has rows of it: every horizon is read through the years of the historical baseline."""
    warmed: Warmed | None = None
    """What warming makes of such years: gets them, (cells, years), and the warming, and gives those of the horizons,
    (32, cells, years). None: they stay."""


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


class Warming(NamedTuple):
    """How much warmer than 1991–2020 each horizon is."""

    by_horizon: NDArray[np.float64]
    """(32,), K, mean over the horizon's years; NaN with fewer than 5."""
    is_regional: bool
    """It is Korea's own warming, not the globe's."""


class Sea(NamedTuple):
    """Tide gauges, and the rise of the sea at them."""

    of_cell: NDArray[np.int32]
    """(cells,): a place in the axis of gauges; −1: none within reach."""
    maxima: NDArray[np.float64]
    """(gauge years, gauges), m above mean sea level at Incheon, NaN missing."""
    maxima_years: NDArray[np.int32]
    """(gauge years,)."""
    rise: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Of the historical baseline, (1, gauges, 30), and of the horizons, (32, gauges, 20): m above 1995–2014, of each
    of their years; NaN missing."""
    baseline: list[str | None]
    """(gauges,): which years of the rise the baseline is."""


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
        """Every projection but the first: (32, cells, 20), or 30 years where they are those of the baseline."""

    def mean(self, indicator: Indicator) -> Reduced:
        """Mean over the years of each projection; NaN with fewer than 5."""

    def gev(self, indicator: Indicator) -> tuple[Gev, NDArray[np.int64]]:
        """GEV of each projection and its years, (33, cells); NaN with fewer than 15."""

    def sea(self) -> Sea | None:
        """The sea at the cells; None where no gauge is known."""

    def once(self, make: Callable[[Reader], Made]) -> Made:
        """What a function makes of this block, made at the first call and kept."""


def attribute(attributes: Attributes, name: str, n_cells: int) -> NDArray[np.float64]:
    """One attribute of the cells, NaN throughout where nobody knows any."""
    return attributes.get(name, np.full(n_cells, np.nan))
