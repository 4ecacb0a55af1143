"""The cells of the sample: Korean land, its cities by name, plausible surroundings."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest

from aiops.db.blocks import ATTRIBUTES
from aiops.grid import grid_id_of
from aiops.ingest.sample import sample_cells
from aiops.ingest.sample.geography import BASINS, BORDER, CITIES, COAST
from aiops.ingest.sample.plane import distance_to_line, from_plane, inside, to_plane
from aiops.ingest.sample.tides import highest_water

BY_NAME = {cell.name: cell for cell in sample_cells() if cell.name}


def test_there_are_at_least_300_cells_each_with_its_own_id_in_ascending_order():
    ids = [cell.grid_id for cell in sample_cells()]

    assert len(ids) >= 300
    assert ids == sorted(set(ids))


def test_a_cell_lies_where_its_id_says():
    assert all(grid_id_of(cell.latitude, cell.longitude) == cell.grid_id for cell in sample_cells())


def test_every_cell_lies_in_south_korea_and_unnamed_cells_of_the_mainland_on_the_map_s_land():
    cells = sample_cells()
    assert all(33.1 < cell.latitude < 38.62 and 126.0 < cell.longitude < 131.0 for cell in cells)
    inland = [cell for cell in cells if cell.name is None and cell.coast_distance_m > 20_000]
    places = to_plane([cell.latitude for cell in inland], [cell.longitude for cell in inland])
    assert len(inland) > 200
    assert inside(places, (*COAST, *BORDER)).all()


@pytest.mark.parametrize(
    ("name", "name_ko", "latitude", "longitude"),
    [
        ("Seoul", "서울", 37.5665, 126.9780),
        ("Busan", "부산", 35.1796, 129.0756),
        ("Daegu", "대구", 35.8714, 128.6014),
        ("Incheon", "인천", 37.4563, 126.7052),
        ("Gwangju", "광주", 35.1595, 126.8526),
        ("Daejeon", "대전", 36.3504, 127.3845),
        ("Ulsan", "울산", 35.5384, 129.3114),
        ("Jeju", "제주", 33.4996, 126.5312),
        ("Gangneung", "강릉", 37.7519, 128.8761),
    ],
)
def test_a_city_s_own_coordinates_fall_in_its_cell(name, name_ko, latitude, longitude):
    city = BY_NAME[name]
    assert city.grid_id == grid_id_of(latitude, longitude)
    assert city.name_ko == name_ko


def test_the_other_places_of_the_demo_have_a_cell_and_every_name_is_given_once():
    assert {"Sejong", "Suwon", "Jeonju", "Mokpo", "Chuncheon", "Daegwallyeong", "Ulleungdo"} <= BY_NAME.keys()
    assert len(BY_NAME) == len(CITIES)


def test_every_attribute_of_location_grid_is_known_and_possible():
    for cell in sample_cells():
        row = asdict(cell)
        assert all(math.isfinite(row[name]) for name in ATTRIBUTES if name != "crest_m")
        assert 0 < cell.elevation_m < 1950
        assert 0 <= cell.slope < 60
        assert 0 <= cell.river_elevation_m < cell.elevation_m
        assert 0 < cell.impervious_ratio < 1
        assert min(cell.coast_distance_m, cell.river_distance_m, cell.forest_distance_m) > 0


def test_surroundings_follow_the_map():
    assert BY_NAME["Daegwallyeong"].elevation_m > 700
    assert BY_NAME["Incheon"].coast_distance_m < 10_000 < BY_NAME["Seoul"].coast_distance_m
    assert BY_NAME["Daegu"].coast_distance_m > 50_000
    assert max(cell.impervious_ratio for cell in sample_cells()) == BY_NAME["Seoul"].impervious_ratio
    elevations = [cell.elevation_m for cell in sample_cells()]
    assert np.quantile(elevations, 0.1) < 50
    assert np.quantile(elevations, 0.95) > 500


def test_rivers_reach_as_many_places_as_the_national_mean_says():
    """The mean reach of methods.md for an unknown distance is .15: within 300 m 1, at 1 km .3, from 2 km 0."""
    distance = np.array([cell.river_distance_m for cell in sample_cells()], dtype=float)
    above = np.array([cell.elevation_m - cell.river_elevation_m for cell in sample_cells()])
    reach = np.interp(np.log(distance), np.log([300, 1000, 2000]), [1.0, 0.3, 0.0])
    assert 0.08 < np.where(above > 10, 0.0, reach).mean() < 0.25


def test_low_ground_by_the_sea_lies_behind_dikes_of_which_most_heights_are_known():
    cells = [cell for cell in sample_cells() if cell.crest_m is not None]
    places = to_plane([cell.latitude for cell in cells], [cell.longitude for cell in cells])
    assert len(cells) >= 5
    for cell, water in zip(cells, highest_water(places, 100), strict=True):
        assert cell.coast_distance_m <= 10_000
        assert water + 0.2 < cell.crest_m < water + 1.5
        assert cell.elevation_m < cell.crest_m
    unknown = [cell for cell in sample_cells() if cell.coast_distance_m <= 10_000 and cell.crest_m is None]
    assert min(cell.elevation_m for cell in unknown) < 3


@pytest.mark.parametrize(
    ("name", "basin_id"),
    [
        ("Seoul", "sample-han"),
        ("Gangneung", "sample-han"),
        ("Daegu", "sample-nakdong"),
        ("Ulsan", "sample-nakdong"),
        ("Daejeon", "sample-geum"),
        ("Jeonju", "sample-geum"),
        ("Gwangju", "sample-yeongsan"),
        ("Suncheon", "sample-seomjin"),
        ("Seogwipo", "sample-jeju"),
    ],
)
def test_a_city_draws_its_water_from_its_own_basin(name, basin_id):
    assert BY_NAME[name].basin_id == basin_id


def test_every_basin_has_cells():
    assert {cell.basin_id for cell in sample_cells()} == {basin.basin_id for basin in BASINS}


def test_attributes_do_not_depend_on_anything_but_the_cell():
    first = [asdict(cell) for cell in sample_cells()]
    sample_cells.cache_clear()
    assert [asdict(cell) for cell in sample_cells()] == first


def test_distance_to_a_line_is_that_to_its_nearest_point_and_values_are_interpolated():
    places = to_plane([36.0, 36.5], [127.5, 127.0])
    distance, value = distance_to_line(places, [(35.5, 128.0, 10.0), (36.5, 128.0, 30.0)])
    degree = 111.195 * math.cos(math.radians(36.0))
    assert distance == pytest.approx([0.5 * degree, degree])
    assert value == pytest.approx([20.0, 30.0])


def test_a_place_comes_back_from_the_plane():
    latitude, longitude = from_plane(*to_plane([33.2, 38.5], [126.3, 130.9]).T)
    assert latitude == pytest.approx([33.2, 38.5])
    assert longitude == pytest.approx([126.3, 130.9])


def test_inside_is_decided_by_the_outline_alone():
    square = [(35.0, 127.0), (35.0, 128.0), (36.0, 128.0), (36.0, 127.0)]
    places = to_plane([35.5, 35.5, 36.5], [127.5, 128.5, 127.5])
    assert inside(places, square).tolist() == [True, False, False]
