"""Where the points of a grid lie, and which of them each cell of the frame takes its values from.

A cell takes those of the nearest point, if that is within reach. On a grid of parallels and meridians (1-D latitudes
and longitudes) the nearest row and the nearest column are found each on its own; on a curvilinear grid (2-D) the points
are searched in a k-d tree of unit vectors, some rows at a time, so that memory does not grow with the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import FileRefused
from aiops.grid import FRAME, N_CELLS, latitude_of, longitude_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

EARTH_KM = 6371.0088
"""Mean radius, IUGG."""
REACH_OF_CELL = 0.75
"""Default reach, of the grid's spacing: half a diagonal is 0.71, so every place between points is reached."""
_KM_PER_DEGREE = EARTH_KM * np.pi / 180
_POINTS_AT_ONCE = 500_000


@dataclass(frozen=True, slots=True)
class Grid:
    """Latitudes and longitudes, degrees, of a grid's points (rows, columns)."""

    latitudes: NDArray[np.float64]
    """(rows,), or (rows, columns) of a curvilinear grid; NaN where a point has no place."""
    longitudes: NDArray[np.float64]
    """(columns,), or (rows, columns); −180 to 180."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        rows, columns = (
            (self.latitudes.shape * 2)[:2] if self.curvilinear else (self.latitudes.size, self.longitudes.size)
        )
        return int(rows), int(columns)

    @property
    def curvilinear(self) -> bool:
        """Whether it has a latitude and a longitude for each point."""
        return self.latitudes.ndim == 2

    def same_as(self, other: Grid) -> bool:
        """Whether the points lie in the same places."""
        return all(
            mine.shape == theirs.shape and np.allclose(mine, theirs, rtol=0, atol=1e-6, equal_nan=True)
            for mine, theirs in ((self.latitudes, other.latitudes), (self.longitudes, other.longitudes))
        )

    @property
    def extent(self) -> str:
        """For a message."""
        south, north = np.nanmin(self.latitudes), np.nanmax(self.latitudes)
        west, east = np.nanmin(self.longitudes), np.nanmax(self.longitudes)
        return f"{south:.2f} to {north:.2f} °N, {west:.2f} to {east:.2f} °E"

    def spacing_km(self) -> float:
        """Distance of neighbouring points, the larger of both directions, km; of a single point 0."""
        if self.curvilinear:
            # A window in the middle is enough, and does not copy the whole grid.
            rows, columns = (slice(max(n // 2 - 50, 0), n // 2 + 50) for n in self.shape)
            vectors = unit_vectors(self.latitudes[rows, columns], self.longitudes[rows, columns])
            steps = [np.linalg.norm(np.diff(vectors, axis=axis), axis=-1) for axis in (0, 1)]
            found = [float(np.nanmedian(step)) for step in steps if np.isfinite(step).any()]
            return max(found, default=0.0) * EARTH_KM
        middle = np.cos(np.radians(np.clip(np.nanmean(self.latitudes), FRAME.south, FRAME.north)))
        found = [
            float(np.median(np.abs(np.diff(axis)))) * scale
            for axis, scale in ((self.latitudes, 1.0), (self.longitudes, middle))
            if axis.size > 1
        ]
        return max(found, default=0.0) * _KM_PER_DEGREE


def grid_of(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64], path: Path) -> Grid:
    """A grid of coordinates that have been looked at.

    Raises:
        FileRefused: coordinates that are none, of shapes that do not fit, or not regular.
    """
    for name, values, limit in (("latitude", latitudes, 90.0), ("longitude", longitudes, 360.0)):
        if not np.isfinite(values).any() or (values.ndim == 1 and not np.isfinite(values).all()):
            raise FileRefused(f"{path}: {name}: has no values, or some that are not finite; allowed: degrees")
        worst = float(np.nanmax(np.abs(values)))
        if worst > limit:
            raise FileRefused(f"{path}: {name}: {worst:g}; allowed: degrees, -{limit:g} to {limit:g}")
    wrapped = (longitudes + 180.0) % 360.0 - 180.0
    if latitudes.ndim == 1:
        for name, values in (("latitude", latitudes), ("longitude", wrapped)):
            if np.unique(values).size != values.size:
                raise FileRefused(f"{path}: {name}: a value stands twice; allowed: each row and column once")
    return Grid(latitudes, wrapped)


@dataclass(frozen=True, slots=True)
class FrameMap:
    """Which point each cell takes its values from; (cells,), ascending by cell."""

    grid_ids: NDArray[np.int32]
    points: NDArray[np.int64]
    """row × columns + column."""
    farthest_km: float
    """The largest distance of a cell from its point."""
    reach_km: float
    outside: int
    """Points of the grid that lie beyond the frame by more than the reach, or have no place."""


def map_to_frame(grid: Grid, reach_km: float | None, path: Path) -> FrameMap:
    """Find the point of each cell of the frame.

    Args:
        grid: of the file.
        reach_km: how far a point may be; None: REACH_OF_CELL of the grid's spacing.
        path: the file, for a message.

    Raises:
        FileRefused: no cell has a point within reach; the message has both extents.
    """
    reach = REACH_OF_CELL * grid.spacing_km() if reach_km is None else reach_km
    reach = max(reach, 1e-3)  # a single point, or coordinates rounded to single precision
    cells = _cells_around(grid, reach)
    points = np.full(cells.size, -1, dtype=np.int64)
    distances = np.full(cells.size, np.inf)
    search = _search_curvilinear if grid.curvilinear else _search_axes
    near = search(grid, reach, latitude_of(cells), longitude_of(cells), points, distances)
    reached = np.flatnonzero(points >= 0)
    if reached.size == 0:
        raise FileRefused(
            f"{path}: the grid covers {grid.extent}; allowed: a grid that reaches into the frame, {FRAME.south:.2f} to "
            f"{FRAME.north:.2f} °N, {FRAME.west:.2f} to {FRAME.east:.2f} °E (within {reach:.3g} km)"
        )
    return FrameMap(
        grid_ids=cells[reached].astype(np.int32),
        points=points[reached],
        farthest_km=float(distances[reached].max()),
        reach_km=reach,
        outside=grid.shape[0] * grid.shape[1] - int(near),
    )


def _cells_around(grid: Grid, reach_km: float) -> NDArray[np.int64]:
    """The cells of the frame that lie within the grid's extent, or as near to it as the reach."""
    margin, wide = _margins(reach_km)
    cells = np.arange(1, N_CELLS + 1)
    for axis, of, extra in ((grid.latitudes, latitude_of, margin), (grid.longitudes, longitude_of, wide)):
        cells = cells[_inside(of(cells), float(np.nanmin(axis)), float(np.nanmax(axis)), extra)]
    return cells


def unit_vectors(latitudes: NDArray[np.float64], longitudes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Places on the unit sphere, (…, 3); NaN where a coordinate is."""
    north, east = np.radians(latitudes), np.radians(longitudes)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)


def _inside(values: NDArray[np.float64], low: float, high: float, margin: float) -> NDArray[np.bool_]:
    return np.asarray((values >= low - margin) & (values <= high + margin))


def _margins(reach_km: float) -> tuple[float, float]:
    """The reach in degrees of latitude, and of longitude at the frame's northern edge, where it is the widest."""
    margin = reach_km / _KM_PER_DEGREE
    return margin, min(margin / float(np.cos(np.radians(min(FRAME.north + margin, 89.0)))), 180.0)


def _search_axes(
    grid: Grid,
    reach_km: float,
    north: NDArray[np.float64],
    east: NDArray[np.float64],
    points: NDArray[np.int64],
    distances: NDArray[np.float64],
) -> int:
    """Fill points and distances in place; the number of the grid's points in and around the frame."""
    rows, columns = _nearest(grid.latitudes, north), _nearest(grid.longitudes, east)
    chords = np.linalg.norm(
        unit_vectors(north, east) - unit_vectors(grid.latitudes[rows], grid.longitudes[columns]), axis=-1
    )
    arcs = _arc_km(chords)
    reached = arcs <= reach_km
    points[reached] = rows[reached] * grid.longitudes.size + columns[reached]
    distances[reached] = arcs[reached]
    margin, wide = _margins(reach_km)
    near = [
        np.count_nonzero(_inside(axis, low, high, extra))
        for axis, low, high, extra in (
            (grid.latitudes, FRAME.south, FRAME.north, margin),
            (grid.longitudes, FRAME.west, FRAME.east, wide),
        )
    ]
    return int(near[0]) * int(near[1])


def _nearest(axis: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.int64]:
    order = np.argsort(axis)
    ordered = axis[order]
    middles = (ordered[1:] + ordered[:-1]) / 2
    return np.asarray(order[np.searchsorted(middles, wanted)], dtype=np.int64)


def _search_curvilinear(
    grid: Grid,
    reach_km: float,
    north: NDArray[np.float64],
    east: NDArray[np.float64],
    points: NDArray[np.int64],
    distances: NDArray[np.float64],
) -> int:
    from scipy.spatial import cKDTree  # noqa: PLC0415  slow to import, and only this needs it

    margin, wide = _margins(reach_km)
    cells = unit_vectors(north, east)
    limit = 2 * np.sin(min(reach_km / EARTH_KM, np.pi) / 2)
    near = 0
    for first, latitudes, longitudes in _bands(grid):
        inside = _inside(latitudes, FRAME.south, FRAME.north, margin) & _inside(
            longitudes, FRAME.west, FRAME.east, wide
        )
        found = np.flatnonzero(inside)
        near += found.size
        if found.size == 0:
            continue
        within = latitudes.ravel()[found]
        tree = cKDTree(unit_vectors(within, longitudes.ravel()[found]))
        candidates = np.flatnonzero((north >= within.min() - margin) & (north <= within.max() + margin))
        chords, nearest = map(np.asarray, tree.query(cells[candidates], distance_upper_bound=limit * (1 + 1e-12)))
        better = np.isfinite(chords)
        better[better] &= _arc_km(chords[better]) < distances[candidates[better]]
        chosen = candidates[better]
        distances[chosen] = _arc_km(chords[better])
        points[chosen] = first * grid.shape[1] + found[nearest[better]]
    return near


def _bands(grid: Grid) -> Iterator[tuple[int, NDArray[np.float64], NDArray[np.float64]]]:
    """First row, latitudes and longitudes of some rows at a time."""
    rows, columns = grid.shape
    band = max(1, _POINTS_AT_ONCE // columns)
    for first in range(0, rows, band):
        yield first, grid.latitudes[first : first + band], grid.longitudes[first : first + band]


def _arc_km(chords: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(2 * EARTH_KM * np.arcsin(np.minimum(chords / 2, 1.0)))
