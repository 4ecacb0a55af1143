"""Blocks: a range of cells read at once, with the history in front of each scenario."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import PROJECTIONS, SCENARIOS, Series
from aiops.db.blocks import read_block
from aiops.db.cells import write_cells
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.db.statements import statement


@pytest.fixture
def dataset(connection):
    return register_dataset(
        connection, name="d", source="test", file_sha256=None, first_year=None, last_year=None, synthetic=True
    )


def series(grid_id, scenario, first_year, values, variable="rx1day"):
    return Series(variable, scenario, grid_id, first_year, np.array(values, np.float32))


def test_a_scenario_is_read_with_its_history_in_front(connection, dataset):
    write_series(
        connection,
        [
            series(10, "historical", 2018, [1, 2, 3, 4]),
            series(10, "ssp245", 2021, [50, 60]),
            series(12, "ssp585", 2020, [7, 8, 9]),
        ],
        dataset,
    )
    block = read_block(connection, ["rx1day", "wsdi"], 1, 100)
    assert block.grid_ids.tolist() == [10, 12]
    assert block.years.tolist() == [2018, 2019, 2020, 2021, 2022]
    rain = block.values["rx1day"]
    nan = np.nan
    assert np.array_equal(rain[SCENARIOS.index("historical"), :, 0], [1, 2, 3, 4, nan], equal_nan=True)
    # The scenario's own 2021 goes before the historical one.
    assert np.array_equal(rain[SCENARIOS.index("ssp245"), :, 0], [1, 2, 3, 50, 60], equal_nan=True)
    assert np.isnan(rain[SCENARIOS.index("ssp585"), :, 0]).all()
    assert np.array_equal(rain[SCENARIOS.index("ssp585"), :, 1], [nan, nan, 7, 8, 9], equal_nan=True)
    assert np.isnan(block.values["wsdi"]).all()
    assert block.present[:, 0].tolist() == [True, False, True, False, False]
    assert block.present[:, 1].tolist() == [False, False, False, False, True]


def test_cells_of_one_block_may_have_series_of_different_length(connection, dataset):
    write_series(connection, [series(1, "historical", 2000, [1, 2]), series(2, "historical", 2001, [3, 4, 5])], dataset)
    block = read_block(connection, ["rx1day"], 1, 2)
    expected = [[1, np.nan], [2, 3], [np.nan, 4], [np.nan, 5]]
    assert np.array_equal(block.values["rx1day"][0], expected, equal_nan=True)


def test_a_block_carries_the_surroundings_and_nan_for_what_is_unknown(connection, dataset):
    write_series(connection, [series(5, "historical", 2000, [1])], dataset)
    write_cells(connection, [{"grid_id": 5, "elevation_m": 12.5, "name": "Here"}], dataset)
    block = read_block(connection, ["rx1day"], 5, 5)
    assert block.attributes["elevation_m"].tolist() == [12.5]
    assert np.isnan(block.attributes["river_distance_m"]).all()


def test_only_the_cells_that_were_asked_for_are_read(connection, dataset):
    write_series(connection, [series(cell, "historical", 2000, [cell]) for cell in (1, 2, 3, 752)], dataset)
    assert read_block(connection, ["rx1day"], 1, 800, cells=[2, 752]).grid_ids.tolist() == [2, 752]
    box = [124.5, 33.0, 124.51, 33.01]
    block = read_block(connection, ["rx1day"], 1, 800, box=box)
    assert block.grid_ids.tolist() == [1, 2, 752]
    assert block.values["rx1day"][0, 0].tolist() == [1, 2, 752]


def test_a_range_without_climate_data_is_an_empty_block(connection):
    block = read_block(connection, ["rx1day"], 1, 100)
    assert block.n_cells == 0
    assert block.values["rx1day"].shape == (5, 0, 0)


def test_a_range_read_is_one_index_scan(connection):
    connection.execute(
        "INSERT INTO climate_data (variable, grid_id, scenario, first_year, values)"
        " SELECT 'rx1day', cell, scenario, 1991, decode(repeat('00', 120), 'hex')"
        " FROM generate_series(1, 20000) AS cell, scenario"
    )
    connection.execute("ANALYZE climate_data")
    where = {"variables": ["rx1day"], "first": 5000, "last": 5500, "cells": None, "box": None}
    plan = "\n".join(row[0] for row in connection.execute("EXPLAIN " + statement("read_block_series"), where))
    assert plan.count("Index Scan") == 1, plan
    assert "climate_data_rx1day_pkey" in plan, plan
    assert "Seq Scan" not in plan, plan


def test_the_tables_of_scenarios_and_projections_hold_what_python_holds(connection):
    scenarios = connection.execute("SELECT scenario FROM scenario ORDER BY position").fetchall()
    assert tuple(row[0] for row in scenarios) == SCENARIOS
    projections = connection.execute(
        "SELECT scenario, horizon, target_year FROM projection ORDER BY projection_id"
    ).fetchall()
    assert projections == [(p.scenario, p.horizon, p.target_year) for p in PROJECTIONS]
