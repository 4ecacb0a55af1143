"""The frame: 0.01° cells of 33.00–39.00 °N × 124.50–132.00 °E, numbered from the south-west, row by row.

`grid_id` is arithmetic, here and in SQL (`grid_id_of`, `grid_latitude`, `grid_longitude`); a test holds both
to the same answers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Frame:
    """A regular grid by its corner, extent and cells per degree."""

    south: float
    """Latitude of the first row, degrees north."""
    north: float
    """Latitude of the last row, degrees north."""
    west: float
    """Longitude of the first column, degrees east."""
    east: float
    """Longitude of the last column, degrees east."""
    per_degree: int
    """Cells per degree, in both directions."""

    @property
    def rows(self) -> int:
        """Number of cells from south to north."""
        return round((self.north - self.south) * self.per_degree) + 1

    @property
    def columns(self) -> int:
        """Number of cells from west to east."""
        return round((self.east - self.west) * self.per_degree) + 1


FRAME = Frame(south=33.0, north=39.0, west=124.5, east=132.0, per_degree=100)
N_CELLS = FRAME.rows * FRAME.columns
"""451,351."""


def grid_id_of(latitude: float, longitude: float) -> int:
    """The cell that holds a place.

    Args:
        latitude: degrees north, 33.00 to 39.00.
        longitude: degrees east, 124.50 to 132.00.

    Raises:
        BadInput: the place lies outside the frame, or a coordinate is not a number.
    """
    for name, value, low, high in (
        ("latitude", latitude, FRAME.south, FRAME.north),
        ("longitude", longitude, FRAME.west, FRAME.east),
    ):
        if not (math.isfinite(value) and low <= value <= high):
            raise BadInput(f"{name}: {value} lies outside the frame; allowed: {low:.2f} to {high:.2f} degrees")
    return int(grid_ids_of(latitude, longitude))


def grid_ids_of(latitudes: ArrayLike, longitudes: ArrayLike) -> NDArray[np.int32]:
    """The cells that hold many places, unchecked: 0 for a place outside the frame.

    Halves round up: the SQL function has the same arithmetic, so that both agree on the borders of cells.
    """
    north, east = np.asarray(latitudes, dtype=np.float64), np.asarray(longitudes, dtype=np.float64)
    inside = (north >= FRAME.south) & (north <= FRAME.north) & (east >= FRAME.west) & (east <= FRAME.east)
    # What lies outside may be any number at all, and its cell is not asked for.
    rows = np.floor((np.where(inside, north, FRAME.south) - FRAME.south) * FRAME.per_degree + 0.5)
    columns = np.floor((np.where(inside, east, FRAME.west) - FRAME.west) * FRAME.per_degree + 0.5)
    ids = np.where(inside, 1 + rows * FRAME.columns + columns, 0)
    return ids.astype(np.int32)


def latitude_of(grid_id: ArrayLike) -> NDArray[np.float64]:
    """Latitude of a cell's centre, degrees north."""
    row = (np.asarray(grid_id, dtype=np.int64) - 1) // FRAME.columns
    return (row + round(FRAME.south * FRAME.per_degree)) / FRAME.per_degree


def longitude_of(grid_id: ArrayLike) -> NDArray[np.float64]:
    """Longitude of a cell's centre, degrees east."""
    column = (np.asarray(grid_id, dtype=np.int64) - 1) % FRAME.columns
    return (column + round(FRAME.west * FRAME.per_degree)) / FRAME.per_degree
