"""Tropical cyclones at a place, year by year: exposure to their analysed wind areas, and the largest site wind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.best_track import Tracks, read_best_track
from aiops.indices.series import LATITUDE, LONGITUDE, per_cell
from aiops.indices.track_steps import (
    STEP_MINUTES,
    STORM_GRADES,
    Area,
    Steps,
    complete_years,
    near,
    offsets,
    reduce_by_year,
    steps_of,
)
from aiops.indices.wind_field import REACH, Profile, site_wind

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    YearsAndValues = tuple[NDArray[np.int64], Floats]

__all__ = ["Tracks", "exposure_by_year", "read_best_track", "warmed_wind", "wind_by_year"]

TYPHOON_GRADE = 5
INSIDE_TYPHOON, INSIDE_50, INSIDE_30 = 7.0, 3.0, 1.0
"""Weights of six hours inside an area."""
_STEPS_IN_SIX_HOURS = 360 / STEP_MINUTES
WIND_PER_DEGREE = 0.025
"""Gain of the strongest winds per degree of global warming (Knutson et al. 2020: 5 %, 1–10 %, at 2 °C)."""


def exposure_by_year(tracks: Tracks, latitude: ArrayLike, longitude: ArrayLike) -> YearsAndValues:
    """S_tc: time inside the wind areas of storms, in weighted six-hours a year.

    Areas are circles of the mean of longest and shortest radius, moved towards the longer side. Inside 50 knots of a
    typhoon (grade 5) weighs 7, inside 50 knots otherwise 3, inside 30 knots of a storm (grade 3, 4, 5, 9) 1. An area
    exists between two fixes that both have it.

    Args:
        tracks: `read_best_track(…)`.
        latitude: degrees north, a number or (cells,).
        longitude: degrees east, the same.

    Returns:
        The years of the file (the last only if the file reaches its 31 December) and S_tc, (years, cells) or
        (years,) for numbers. Years without a storm are 0; years with storms of which no area is analysed are NaN.

    Raises:
        BadInput: coordinates that are none, or do not fit each other.
    """
    cells = _cells(latitude, longitude)
    steps = steps_of(tracks)
    reach = np.fmax(_reach(steps.area_50), _reach(steps.area_30))
    years = complete_years(tracks)
    sums = reduce_by_year(
        near(steps, *cells, np.where(np.isnan(reach), -1.0, reach)),
        years,
        cells[0].size,
        lambda some: _weights(some, *cells),
        np.add,
    )
    unknown = _years_not_analysed(tracks, years, tracks.longest_30)
    return years, _like_place(np.where(unknown, np.nan, sums / _STEPS_IN_SIX_HOURS), latitude, longitude)


def wind_by_year(tracks: Tracks, latitude: ArrayLike, longitude: ArrayLike) -> YearsAndValues:
    """The largest site wind of each year, m/s: a 10-minute mean, over open ground (`wind_field`).

    Arguments, shapes and errors as `exposure_by_year`. Years without a wind of 30 knots at the place are 0 and
    count; years with storms of which no wind is analysed (before 1977) are NaN.
    """
    cells = _cells(latitude, longitude)
    steps = steps_of(tracks)
    years = complete_years(tracks)
    within_reach = near(steps, *cells, np.where(np.isnan(steps.wind), -1.0, REACH))
    largest = reduce_by_year(
        near(within_reach, *cells, Profile.of(within_reach).gale_radius()[:, 0]),
        years,
        cells[0].size,
        lambda some: site_wind(some, *cells),
        np.maximum,
    )
    unknown = _years_not_analysed(tracks, years, tracks.wind)
    return years, _like_place(np.where(unknown, np.nan, largest), latitude, longitude)


def warmed_wind(wind: ArrayLike, warming: ArrayLike) -> Floats:
    """Winds of past years in a warmer climate: wind × (1 + 0.025·ΔT).

    Args:
        wind: m/s, any shape.
        warming: ΔT, global warming since the baseline, °C, of a shape that fits.

    Source: Knutson, T. et al. (2020): Tropical cyclones and climate change assessment, part II. Bull. Am. Meteorol.
    Soc. 101, E303–E322.
    """
    gain = 1.0 + WIND_PER_DEGREE * np.asarray(warming, dtype=np.float64)
    return np.asarray(np.asarray(wind, dtype=np.float64) * gain)


def _weights(steps: Steps, latitude: Floats, longitude: Floats) -> Floats:
    """What a step weighs at each cell, (steps, cells)."""
    east, north = offsets(steps, latitude, longitude)
    grade = steps.grade[:, np.newaxis]
    inside_50 = _inside(steps.area_50, east, north)
    inside_30 = _inside(steps.area_30, east, north) & np.isin(grade, STORM_GRADES)
    return np.select(
        [inside_50 & (grade == TYPHOON_GRADE), inside_50, inside_30],
        [INSIDE_TYPHOON, INSIDE_50, INSIDE_30],
        default=0.0,
    )


def _inside(area: Area, east: Floats, north: Floats) -> NDArray[np.bool_]:
    """Is the cell in the circle; never in one that is NaN."""
    from_middle = np.hypot(east - area.east[:, np.newaxis], north - area.north[:, np.newaxis])
    inside: NDArray[np.bool_] = from_middle <= area.radius[:, np.newaxis]
    return inside


def _reach(area: Area) -> Floats:
    """How far from the centre an area ends at most, km."""
    reach: Floats = area.radius + np.hypot(area.east, area.north)
    return reach


def _years_not_analysed(tracks: Tracks, years: NDArray[np.int64], analysed: Floats) -> NDArray[np.bool_]:
    """Years with fixes of storm strength none of which has the value, (years, 1)."""
    of_fix = tracks.time.astype("datetime64[Y]").astype(np.int64) + 1970
    storms = np.isin(tracks.grade, STORM_GRADES)
    without = np.isin(years, of_fix[storms]) & ~np.isin(years, of_fix[storms & ~np.isnan(analysed)])
    return without[:, np.newaxis]


def _cells(latitude: ArrayLike, longitude: ArrayLike) -> tuple[Floats, Floats]:
    """Checked coordinates, (cells,) each."""
    if np.shape(latitude) != np.shape(longitude):
        raise BadInput(f"longitude: shape {np.shape(longitude)} given; allowed: {np.shape(latitude)}")
    n_cells = np.size(latitude)
    return per_cell("latitude", latitude, LATITUDE, n_cells), per_cell("longitude", longitude, LONGITUDE, n_cells)


def _like_place(values: Floats, latitude: ArrayLike, longitude: ArrayLike) -> Floats:
    """(years, cells), or (years,) where the place was given as two numbers."""
    return values[:, 0] if np.ndim(latitude) == 0 and np.ndim(longitude) == 0 else values
