"""The cells of the sample grid: a coarse lattice of Korean land, the cities, and their approximate surroundings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aiops.grid import grid_id_of, grid_ids_of, latitude_of, longitude_of
from aiops.ingest.sample.geography import BORDER, CITIES, COAST, ISLANDS, JEJU, RIDGES, RIVERS
from aiops.ingest.sample.plane import distance_to_line, inside, to_plane
from aiops.ingest.sample.tides import highest_water

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LATTICE_STEP = 17
"""Cells of 0.01° from one lattice point to the next."""
_NEAREST_KM = 4.0
"""A lattice point nearer than this to a city gives way to it."""
_SHORE_KM = 2.0
"""A lattice point nearer than this to the hand-drawn coast might lie in the sea."""
_WEST_KM, _SOUTH_KM = -30.0, -160.0
"""The western plains: this far east and north of the middle of the plane."""
_DIKE_KM = 10.0
"""Low ground nearer than this to the sea lies behind a dike."""
_DIKE_YEARS = 100.0
"""The dike holds the water of so many years …"""
_FREEBOARD_M = (0.3, 1.4)
"""… and from this to that much more."""
_KNOWN_DIKES = 0.75
"""Share of the dikes whose height is known."""
_JEJU_NORTH = 34.0


@dataclass(frozen=True, slots=True)
class SampleCell:
    """One land cell of the sample, with the attribute columns of `location_grid` (approximate)."""

    grid_id: int
    latitude: float
    longitude: float
    name: str | None
    """English name of the city, if it is one."""
    name_ko: str | None
    elevation_m: float
    slope: float
    """Degrees."""
    coast_distance_m: float
    river_distance_m: float
    river_elevation_m: float
    """Water level of the nearest river."""
    forest_distance_m: float
    impervious_ratio: float
    """0 to 1."""
    crest_m: float | None
    """Height of the sea dike, m above mean sea level; None where the ground needs none, or nobody knows of one."""
    basin_id: str


@lru_cache(maxsize=1)
def sample_cells() -> tuple[SampleCell, ...]:
    """All cells of the sample grid, ascending by `grid_id`; the same on every call and for every seed."""
    cities = {grid_id_of(city.latitude, city.longitude): city for city in CITIES}
    ids = np.array(sorted({*_lattice(), *cities}), dtype=np.int32)
    latitude, longitude = latitude_of(ids), longitude_of(ids)
    places = to_plane(latitude, longitude)
    coast_km = coast_distance_km(places)
    named = [cities.get(int(grid_id)) for grid_id in ids]
    is_city = np.array([city is not None for city in named])
    chance = _chance(ids)

    plain, ranges = _relief_m(places, coast_km)
    relief = plain * (0.4 + 1.2 * chance[0]) + ranges * (0.75 + 0.5 * chance[1])
    city_height = np.array([0.0 if city is None else city.elevation_m for city in named])
    elevation = np.where(is_city, city_height, relief)
    slope = _slope_degrees(places) * (0.5 + chance[2]) + 0.3
    city_impervious = np.array([0.0 if city is None else city.impervious_ratio for city in named])
    impervious = np.where(is_city, city_impervious, 0.01 + 0.24 * chance[3] ** 3 / (1.0 + elevation / 150.0))
    river_m, river_level, basins = _rivers(places, elevation, chance[4], chance[5])
    basins = np.where(latitude < _JEJU_NORTH, JEJU, basins)
    crest = _crests(places, coast_km, elevation, chance[7], chance[8])
    # Forest is never far in the mountains, and far only in large towns and on the plains.
    forest = 20.0 * np.exp(3.0 * chance[6]) * (1.0 + 25.0 * impervious**2) / (1.0 + elevation / 120.0)

    return tuple(
        SampleCell(
            grid_id=int(ids[i]),
            latitude=float(latitude[i]),
            longitude=float(longitude[i]),
            name=None if city is None else city.name,
            name_ko=None if city is None else city.name_ko,
            elevation_m=round(float(elevation[i]), 1),
            slope=round(float(slope[i]), 2),
            coast_distance_m=round(float(coast_km[i]) * 1000.0),
            river_distance_m=round(float(river_m[i])),
            river_elevation_m=round(float(river_level[i]), 1),
            forest_distance_m=round(float(max(forest[i], 5.0))),
            impervious_ratio=round(float(impervious[i]), 3),
            crest_m=None if np.isnan(crest[i]) else round(float(crest[i]), 2),
            basin_id=str(basins[i]),
        )
        for i, city in enumerate(named)
    )


def coast_distance_km(places: Floats) -> Floats:
    """Distance from places (places, 2) on the plane to the nearest sea coast, km."""
    lines = [COAST, *((*outline, outline[0]) for outline in ISLANDS.values())]
    nearest: Floats = np.min([distance_to_line(places, line)[0] for line in lines], axis=0)
    return nearest


def _lattice() -> list[int]:
    """Lattice points on land, away from the shore and from the cities."""
    latitude, longitude = (
        axis.ravel()
        for axis in np.meshgrid(
            np.arange(3310, 3862, LATTICE_STEP) / 100,
            np.arange(12605, 12965, LATTICE_STEP) / 100,
            indexing="ij",
        )
    )
    places = to_plane(latitude, longitude)
    land = np.any([inside(places, outline) for outline in ((*COAST, *BORDER), *ISLANDS.values())], axis=0)
    land &= coast_distance_km(places) >= _SHORE_KM
    cities = to_plane([city.latitude for city in CITIES], [city.longitude for city in CITIES])
    apart = np.hypot(*np.moveaxis(places[:, None] - cities, -1, 0)).min(axis=1) >= _NEAREST_KM
    chosen = land & apart
    return [int(grid_id) for grid_id in grid_ids_of(latitude[chosen], longitude[chosen])]


def _relief_m(places: Floats, coast_km: Floats) -> tuple[Floats, Floats]:
    """Height of the plain that rises slowly from the coast, and of the ranges upon it, m."""
    # The plains of the west coast hardly rise; the other coasts do at once.
    west = (places[:, 0] < _WEST_KM) & (places[:, 1] > _SOUTH_KM)
    plain = 1.0 + np.where(west, 1.0, 2.5) * coast_km**0.8
    ranges = np.zeros(len(places))
    for ridge in RIDGES:
        distance, height = distance_to_line(places, ridge.points)
        ranges = np.maximum(ranges, height * np.exp(-((distance / ridge.width_km) ** 2)))
    return plain, ranges * (1.0 - np.exp(-coast_km / 8.0))


def _slope_degrees(places: Floats) -> Floats:
    """Steepness of the relief itself, from its heights half a kilometre around."""
    rise_east, rise_north = (
        np.add(*_relief_m(places + shift, coast_distance_km(places + shift)))
        - np.add(*_relief_m(places - shift, coast_distance_km(places - shift)))
        for shift in (np.array([0.5, 0.0]), np.array([0.0, 0.5]))
    )
    # The smooth ranges have no valleys; real Korean slopes are some three times as steep.
    slope: Floats = np.degrees(np.arctan(3.0 * np.hypot(rise_east, rise_north) / 1000.0))
    return slope


def _crests(places: Floats, coast_km: Floats, elevation: Floats, chance: Floats, known: Floats) -> Floats:
    """Heights of dikes before low ground, m; NaN where there is none or nobody knows of one."""
    water = highest_water(places, _DIKE_YEARS)
    low, high = _FREEBOARD_M
    crest = water + low + (high - low) * chance
    return np.where((coast_km <= _DIKE_KM) & (elevation < crest) & (known < _KNOWN_DIKES), crest, np.nan)


def _rivers(places: Floats, elevation: Floats, chance: Floats, fall: Floats) -> tuple[Floats, Floats, NDArray[np.str_]]:
    """Distance (m) and water level (m) of the nearest main river, or of a brook that is nearer; the river's basin."""
    found = [distance_to_line(places, river.points) for river in RIVERS]
    distances = np.array([distance for distance, _ in found]) * 1000.0
    nearest = distances.argmin(axis=0)
    rows = np.arange(len(places))
    main, level = distances[nearest, rows], np.array([value for _, value in found])[nearest, rows]
    brook = 250.0 * np.exp(2.6 * chance)
    brook_level = elevation - (2.0 + 25.0 * fall) * np.sqrt(brook / 500.0)
    distance = np.maximum(np.minimum(main, brook), 20.0)
    level = np.maximum(np.where(main <= brook, level, brook_level), 0.0)
    return distance, np.minimum(level, elevation - 0.5), np.array([river.basin for river in RIVERS])[nearest]


def _chance(ids: NDArray[np.int32]) -> Floats:
    """Nine numbers in [0, 1) for every cell (9, cells), that depend on nothing but its id."""
    return np.array([np.random.default_rng([int(grid_id), 2020]).random(9) for grid_id in ids]).T
