"""Distances on a local plane: kilometres east and north of the middle of Korea (equirectangular)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

KM_PER_DEGREE = 111.195
_MIDDLE = (36.0, 127.5)


def to_plane(latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """Kilometres (…, 2: east, north) from 36 °N 127.5 °E."""
    north = (np.asarray(latitude, dtype=np.float64) - _MIDDLE[0]) * KM_PER_DEGREE
    east = (np.asarray(longitude, dtype=np.float64) - _MIDDLE[1]) * KM_PER_DEGREE * np.cos(np.radians(_MIDDLE[0]))
    return np.stack(np.broadcast_arrays(east, north), axis=-1)


def from_plane(east: Floats, north: Floats) -> tuple[Floats, Floats]:
    """Latitude and longitude of kilometres from 36 °N 127.5 °E: the inverse of `to_plane`."""
    latitude = _MIDDLE[0] + north / KM_PER_DEGREE
    longitude = _MIDDLE[1] + east / (KM_PER_DEGREE * np.cos(np.radians(_MIDDLE[0])))
    return latitude, longitude


def distance_to_line(places: Floats, line: Sequence[Sequence[float]]) -> tuple[Floats, Floats]:
    """Distance from places to a line of (latitude, longitude[, value]) points.

    Args:
        places: (places, 2) on the plane, km.
        line: at least two points; a third number is interpolated along the line.

    Returns:
        Distance in km (places,), and the value at the nearest point of the line (places,), 0 where there is none.
    """
    table = np.asarray(line, dtype=np.float64)
    points = to_plane(table[:, 0], table[:, 1])
    values = table[:, 2] if table.shape[1] > 2 else np.zeros(len(table))
    start, step = points[:-1], np.diff(points, axis=0)
    offset = places[:, None, :] - start
    length2 = np.maximum((step**2).sum(axis=1), 1e-12)
    along = np.clip((offset * step).sum(axis=2) / length2, 0.0, 1.0)
    distance = np.hypot(*np.moveaxis(offset - along[..., None] * step, -1, 0))
    nearest = distance.argmin(axis=1)
    rows = np.arange(len(places))
    at = along[rows, nearest]
    value = values[nearest] + at * np.diff(values)[nearest]
    return distance[rows, nearest], value


def inside(places: Floats, outline: Sequence[Sequence[float]]) -> NDArray[np.bool_]:
    """Which places lie inside a closed outline (even–odd rule).

    Args:
        places: (places, 2) on the plane, km.
        outline: (latitude, longitude) corners; the last is joined to the first.
    """
    table = np.asarray(outline, dtype=np.float64)
    corners = to_plane(table[:, 0], table[:, 1])
    following = np.roll(corners, -1, axis=0)
    x, y = places[:, 0, None], places[:, 1, None]
    crosses = (corners[:, 1] > y) != (following[:, 1] > y)
    rise = np.where(following[:, 1] == corners[:, 1], 1.0, following[:, 1] - corners[:, 1])
    at = corners[:, 0] + (y - corners[:, 1]) / rise * (following[:, 0] - corners[:, 0])
    odd: NDArray[np.bool_] = (crosses & (x < at)).sum(axis=1) % 2 == 1
    return odd
