"""The words that data travel in between the rooms: scenarios, horizons, series, blocks.

The tables `scenario`, `horizon` and `projection` hold the same rows; a test holds them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scenario = Literal["historical", "ssp126", "ssp245", "ssp370", "ssp585"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)
DECADES = tuple(range(2020, 2100, 10))
HORIZONS = ("baseline", *(f"{decade}s" for decade in DECADES))


class Cadence(StrEnum):
    """How often a variable has a value."""

    DAILY = "daily"
    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Projection:
    """One column of a result: a scenario read through a horizon."""

    scenario: str
    horizon: str
    """`baseline`, or a decade such as `2050s`."""
    target_year: int | None
    """First year of the decade; None for the baseline."""


PROJECTIONS = (
    Projection("historical", "baseline", None),
    *(Projection(scenario, f"{decade}s", decade) for scenario in SCENARIOS[1:] for decade in DECADES),
)
"""33 of them; a result's arrays follow this order (`projection_id` − 1)."""


@dataclass(frozen=True, slots=True)
class Series:
    """One packed row of `climate_data`."""

    variable: str
    scenario: str
    grid_id: int
    first_year: int
    """The first value belongs to 1 January, to January, or to the whole of this year, by the cadence."""
    values: NDArray[np.float32]
    """Daily values run over true Gregorian days (29 February included). NaN is missing."""


@dataclass(frozen=True, slots=True)
class Tides:
    """What the sea did and will do at the tide gauges that the cells of a block look to."""

    of_cell: NDArray[np.int32]
    """(cells,): the nearest gauge, a place in the axis of gauges; −1: none within reach."""
    maxima: NDArray[np.float64]
    """(gauge years, gauges), m: the year's highest still water level above mean sea level at Incheon (the gauge's
    datum offset is applied). NaN is missing."""
    maxima_years: NDArray[np.int32]
    """(gauge years,)."""
    rise: NDArray[np.float64]
    """(5, years, gauges), m: mean sea level relative to 1995–2014 by scenario, on the block's axis of years, with the
    history in front as for every series. NaN is missing."""


@dataclass(frozen=True, slots=True)
class Block:
    """The yearly series of a range of cells: what a chunk computes on."""

    grid_ids: NDArray[np.int32]
    """(cells,), ascending."""
    years: NDArray[np.int32]
    """(years,), without gaps; the common axis of all series."""
    values: dict[str, NDArray[np.float64]]
    """By variable: (5, years, cells) in the order of SCENARIOS. 0 is the historical rows alone; 1 to 4 are a
    scenario's rows with the history in front of its first year. NaN is missing."""
    present: NDArray[np.bool_]
    """(5, cells): does the cell have rows of its own for that scenario."""
    attributes: dict[str, NDArray[np.float64]]
    """By column of `location_grid`: (cells,), NaN where unknown."""
    warming: NDArray[np.float64] | None = None
    """(5, years), K: global mean surface warming of each scenario since 1991–2020; NaN or None unknown."""
    warming_is_regional: bool = False
    """The warming was derived from Korean temperatures, for want of global ones."""
    tides: Tides | None = None
    """None: no gauge is known."""

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.grid_ids.size)


def calendar_days(first_year: int, n_years: int) -> NDArray[np.datetime64]:
    """The true Gregorian days of whole years, as datetime64[D]."""
    return np.arange(f"{first_year:04d}-01-01", f"{first_year + n_years:04d}-01-01", dtype="datetime64[D]")
