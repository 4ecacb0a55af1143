"""Tracks in half-hour steps, the steps that can matter to some cells, and sums and maxima of steps by year.

Everything between two fixes is linear in time and taken at the middle of each step; grade and direction of an area
are those of the fix before. Distances are equirectangular, 111.195 km a degree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from aiops.indices.best_track import Tracks

    Floats = NDArray[np.float64]

KM_PER_DEGREE = 111.195
KM_PER_NAUTICAL_MILE = 1.852
STEP_MINUTES = 30
STORM_GRADES = (3, 4, 5, 9)
"""Tropical storm or stronger: the grades whose winds are analysed."""
_BLOCK_VALUES = 1_000_000  # steps × cells worked on at once


@dataclass(frozen=True, slots=True)
class Area:
    """Where winds reach a speed: circles around a point beside the centre; (steps,) each, NaN where none."""

    radius: Floats
    """km."""
    east: Floats
    """Of the circle's middle from the storm's centre, km; `north` the same."""
    north: Floats


@dataclass(frozen=True, slots=True)
class Steps:
    """Half-hours of all storms, (steps,) each."""

    year: NDArray[np.int64]
    """UTC year of the step's middle."""
    grade: NDArray[np.int64]
    latitude: Floats
    longitude: Floats
    pressure: Floats
    """hPa."""
    wind: Floats
    """Largest 10-minute wind, knots; NaN where one of the two fixes has none."""
    east: Floats
    """Motion of the storm towards the east, m/s; `north` the same."""
    north: Floats
    area_50: Area
    area_30: Area

    def take(self, chosen: NDArray[np.intp]) -> Steps:
        """Some of the steps."""
        area_50, area_30 = (
            Area(area.radius[chosen], area.east[chosen], area.north[chosen]) for area in (self.area_50, self.area_30)
        )
        return Steps(
            self.year[chosen],
            self.grade[chosen],
            self.latitude[chosen],
            self.longitude[chosen],
            self.pressure[chosen],
            self.wind[chosen],
            self.east[chosen],
            self.north[chosen],
            area_50,
            area_30,
        )


def steps_of(tracks: Tracks) -> Steps:
    """The half-hours between the fixes of each storm."""
    before = np.flatnonzero(np.diff(tracks.storm) == 0)
    minutes = (tracks.time[before + 1] - tracks.time[before]).astype(np.int64)
    # Fixes stand on full hours, so that every interval is a whole number of half-hours.
    n_steps = minutes // STEP_MINUTES
    fix = np.repeat(before, n_steps)
    first_of_fix = np.repeat(np.cumsum(n_steps) - n_steps, n_steps)
    elapsed = (np.arange(fix.size) - first_of_fix + 0.5) * STEP_MINUTES
    share = elapsed / np.repeat(minutes, n_steps)

    def between(values: Floats) -> Floats:
        linear: Floats = values[fix] + share * (values[fix + 1] - values[fix])
        return linear

    latitude = between(tracks.latitude)
    seconds = np.repeat(minutes, n_steps) * 60.0
    to_metres_per_second = 1000.0 * KM_PER_DEGREE / seconds
    time = tracks.time[fix] + elapsed.astype("timedelta64[m]")
    return Steps(
        year=time.astype("datetime64[Y]").astype(np.int64) + 1970,
        grade=tracks.grade[fix],
        latitude=latitude,
        longitude=between(tracks.longitude),
        pressure=between(tracks.pressure),
        wind=between(tracks.wind),
        east=(tracks.longitude[fix + 1] - tracks.longitude[fix]) * np.cos(np.radians(latitude)) * to_metres_per_second,
        north=(tracks.latitude[fix + 1] - tracks.latitude[fix]) * to_metres_per_second,
        area_50=_area(between(tracks.longest_50), between(tracks.shortest_50), tracks.direction_50[fix]),
        area_30=_area(between(tracks.longest_30), between(tracks.shortest_30), tracks.direction_30[fix]),
    )


def complete_years(tracks: Tracks) -> NDArray[np.int64]:
    """The years of a file: from its first to its last, the last only if the file reaches its 31 December."""
    first, last = tracks.time.min(), tracks.time.max()
    first_year, last_year = (int(t.astype("datetime64[Y]").astype(np.int64)) + 1970 for t in (first, last))
    reached = last >= np.datetime64(f"{last_year}-12-31", "m")
    return np.arange(first_year, last_year + 1 if reached else last_year, dtype=np.int64)


def near(steps: Steps, latitude: Floats, longitude: Floats, reach: Floats) -> Steps:
    """The steps whose centre is within `reach` km, (steps,), of the smallest box around the cells.

    Never leaves out a step that a cell is within reach of; so no cell's result depends on its neighbours.
    """
    south_north = _gap(steps.latitude, latitude)
    west_east = _gap(steps.longitude, longitude)
    shrink = np.cos(np.radians(np.maximum(np.abs(steps.latitude), np.max(np.abs(latitude), initial=0.0))))
    distance = KM_PER_DEGREE * np.hypot(south_north, west_east * shrink)
    return steps.take(np.flatnonzero(distance <= reach))


def reduce_by_year(
    steps: Steps,
    years: NDArray[np.int64],
    n_cells: int,
    per_step: Callable[[Steps], Floats],
    reduction: np.ufunc,
) -> Floats:
    """Add up, or take the greatest of, what each step brings each cell: (years, cells), 0 where none does.

    Args:
        steps: in any order.
        years: ascending, without gaps; steps of other years are left out.
        n_cells: number of cells.
        per_step: gives (steps, cells), not negative.
        reduction: np.add or np.maximum.
    """
    result = np.zeros((years.size, n_cells))
    for block in _blocks(steps, years, n_cells):
        of_year = np.flatnonzero(np.diff(block.year, prepend=block.year[0] - 1))
        rows = block.year[of_year] - years[0]
        result[rows] = reduction(result[rows], reduction.reduceat(per_step(block), of_year, axis=0))
    return result


def offsets(steps: Steps, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
    """How far each cell lies east and north of each step's centre, km: (steps, cells) each."""
    north = KM_PER_DEGREE * (latitude - steps.latitude[:, np.newaxis])
    # The cosine of the middle latitude, by the sum of half angles: no cosine for every pair.
    half_centre, half_cell = np.radians(steps.latitude)[:, np.newaxis] / 2.0, np.radians(latitude) / 2.0
    shrink = np.cos(half_centre) * np.cos(half_cell) - np.sin(half_centre) * np.sin(half_cell)
    east = KM_PER_DEGREE * (longitude - steps.longitude[:, np.newaxis]) * shrink
    return east, north


def _blocks(steps: Steps, years: NDArray[np.int64], n_cells: int) -> Iterator[Steps]:
    """Steps of the years in order of year, few enough at once to fit the memory."""
    in_years = np.flatnonzero(np.isin(steps.year, years))
    order = in_years[np.argsort(steps.year[in_years], kind="stable")]
    rows = max(1, _BLOCK_VALUES // max(n_cells, 1))
    for first in range(0, order.size, rows):
        yield steps.take(order[first : first + rows])


def _area(longest: Floats, shortest: Floats, direction: NDArray[np.int64]) -> Area:
    """A circle of the mean radius, moved by half the difference towards the longer side."""
    shift = (longest - shortest) / 2.0 * KM_PER_NAUTICAL_MILE
    bearing = np.radians(45.0 * direction)
    points = (direction >= 1) & (direction <= 8)
    return Area(
        radius=(longest + shortest) / 2.0 * KM_PER_NAUTICAL_MILE,
        east=np.where(points, shift * np.sin(bearing), 0.0 * shift),
        north=np.where(points, shift * np.cos(bearing), 0.0 * shift),
    )


def _gap(centres: Floats, cells: Floats) -> Floats:
    """Degrees from each centre to the interval that holds all cells; 0 inside."""
    low, high = np.min(cells, initial=np.inf), np.max(cells, initial=-np.inf)
    return np.maximum(np.maximum(low - centres, centres - high), 0.0)
