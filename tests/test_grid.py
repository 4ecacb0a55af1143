"""The frame: one arithmetic, in Python and in SQL."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aiops.errors import BadInput
from aiops.grid import N_CELLS, grid_id_of, grid_ids_of, latitude_of, longitude_of


def test_the_frame_has_601_rows_of_751_cells():
    assert N_CELLS == 601 * 751 == 451_351
    assert grid_id_of(33.0, 124.5) == 1
    assert grid_id_of(33.0, 132.0) == 751
    assert grid_id_of(39.0, 132.0) == N_CELLS


def test_a_place_and_its_cells_centre_are_at_most_half_a_cell_apart():
    grid_id = grid_id_of(37.5665, 126.9780)
    assert latitude_of(grid_id) == 37.57
    assert longitude_of(grid_id) == 126.98


def test_every_centre_lies_in_its_own_cell():
    ids = np.arange(1, N_CELLS + 1)
    assert np.array_equal(grid_ids_of(latitude_of(ids), longitude_of(ids)), ids)


@pytest.mark.parametrize(
    ("latitude", "longitude", "field"),
    [
        (32.999, 127, "latitude"),
        (39.001, 127, "latitude"),
        (float("nan"), 127, "latitude"),
        (37, 124.49, "longitude"),
        (37, 132.01, "longitude"),
        (37, float("inf"), "longitude"),
    ],
)
def test_a_place_outside_the_frame_is_refused_by_the_name_of_the_coordinate(latitude, longitude, field):
    with pytest.raises(BadInput, match=f"^{field}: .* allowed: "):
        grid_id_of(latitude, longitude)


def test_sql_and_python_number_the_same_cells(connection):
    random = np.random.default_rng(20260101)
    latitudes, longitudes = random.uniform(32.9, 39.1, 5000), random.uniform(124.4, 132.1, 5000)
    # Borders of cells, where rounding decides.
    latitudes[:1000] = np.round(latitudes[:1000], 2) + 0.005
    longitudes[:1000] = np.round(longitudes[:1000], 2) + 0.005
    rows = connection.execute(
        "SELECT coalesce(grid_id_of(lat, lon), 0), grid_latitude(grid_id_of(lat, lon)),"
        " grid_longitude(grid_id_of(lat, lon)) FROM unnest(%s::float8[], %s::float8[]) AS place (lat, lon)",
        (latitudes.tolist(), longitudes.tolist()),
    ).fetchall()
    ids = grid_ids_of(latitudes, longitudes)
    assert [row[0] for row in rows] == ids.tolist()
    inside = ids > 0
    assert 0 < inside.sum() < inside.size
    centres = np.array([row[1:] for row in rows])[inside].astype(float)
    assert np.array_equal(centres[:, 0], latitude_of(ids[inside]))
    assert np.array_equal(centres[:, 1], longitude_of(ids[inside]))


def test_coordinates_of_any_size_lie_outside():
    far = [1e308, -1e308, math.inf, -math.inf, math.nan]
    assert grid_ids_of(far, 127.0).tolist() == [0] * 5
    assert grid_ids_of(37.0, far).tolist() == [0] * 5
