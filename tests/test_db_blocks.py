"""Blocks: a range of cells read at once, with the history in front of each scenario."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import PROJECTIONS, SCENARIOS, Series
from aiops.db import block_inputs, blocks
from aiops.db.blocks import read_block
from aiops.db.cells import write_cells
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.db.inputs import (
    Gauge,
    GaugeMaximum,
    SeaLevelRise,
    Warming,
    write_gauge_maxima,
    write_gauges,
    write_sea_level_rise,
    write_warming,
)
from aiops.db.statements import statement
from aiops.grid import grid_id_of


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
    where = {"variables": ["rx1day"], "first": 5000, "last": 5500, "cells": None}
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


# --- the warming of the globe and the tides -----------------------------------------------------------------

INCHEON, BUSAN = (37.45, 126.59), (35.10, 129.04)


def coastal_cell(connection, dataset, place, coast=500.0):
    """A cell with a year of rain, at a place."""
    grid_id = grid_id_of(*place)
    write_series(connection, [series(grid_id, "historical", 2018, [1])], dataset)
    write_cells(connection, [{"grid_id": grid_id, "coast_distance_m": coast, "crest_m": 6.5}], dataset)
    return grid_id


def write_sea(connection, dataset, gauges, rise=None):
    write_gauges(connection, [Gauge(name, None, *place, offset) for name, place, offset in gauges], dataset)
    write_gauge_maxima(
        connection,
        [GaugeMaximum(name, year, 4.0 + n) for n, (name, *_) in enumerate(gauges) for year in (2001, 2003)],
        dataset,
    )
    rows = rise if rise is not None else [(name, "ssp585", 2100, 0.8) for name, *_ in gauges]
    write_sea_level_rise(connection, [SeaLevelRise(*row) for row in rows], dataset)


def test_warming_lies_on_the_axis_of_years_with_the_history_in_front(connection, dataset):
    write_series(connection, [series(10, "historical", 2018, [1, 2])], dataset)
    rows = [Warming("historical", 2019, 0.1), Warming("historical", 2021, 9.0)]
    rows += [Warming("ssp585", 2021, 0.4), Warming("ssp585", 2022, 0.5), Warming("ssp585", 2150, 6.0)]
    write_warming(connection, rows, dataset)
    block = read_block(connection, ["rx1day"], 1, 100)
    assert block.years.tolist() == [2018, 2019, 2020, 2021, 2022]
    nan = np.nan
    expected = np.full((5, 5), nan)
    expected[0] = [nan, 0.1, nan, 9.0, nan]
    expected[4] = [nan, 0.1, nan, 0.4, 0.5]
    assert np.array_equal(block.warming, expected, equal_nan=True)
    assert not block.warming_is_regional
    assert block.present[4].tolist() == [False], "warming is no row of the cell"


def test_the_warming_of_the_globe_goes_before_what_was_derived_from_koreas(connection, dataset):
    write_series(connection, [series(10, "historical", 2018, [1])], dataset)
    write_warming(connection, [Warming("ssp245", 2018, 3.0)], dataset, regional=True)
    block = read_block(connection, ["rx1day"], 1, 100)
    assert (block.warming[2, 0], block.warming_is_regional) == (3.0, True)
    write_warming(connection, [Warming("ssp245", 2018, 2.0)], dataset)
    block = read_block(connection, ["rx1day"], 1, 100)
    assert (block.warming[2, 0], block.warming_is_regional) == (2.0, False)


def test_without_gauges_and_warming_a_block_has_none(connection, dataset):
    write_series(connection, [series(10, "historical", 2018, [1])], dataset)
    block = read_block(connection, ["rx1day"], 1, 100)
    assert (block.warming, block.warming_is_regional, block.tides) == (None, False, None)


def test_a_cell_by_the_coast_looks_to_the_nearest_gauge(connection, dataset):
    near_incheon = coastal_cell(connection, dataset, (37.40, 126.65))
    unknown_coast = coastal_cell(connection, dataset, (35.18, 129.08), coast=None)
    inland = coastal_cell(connection, dataset, (37.48, 126.70), coast=10_001.0)
    too_far = coastal_cell(connection, dataset, (33.50, 126.53))
    write_sea(connection, dataset, [("busan", BUSAN, 0.5), ("incheon", INCHEON, -4.5)])
    block = read_block(connection, ["rx1day"], 1, 451_351)
    of_cell = dict(zip(block.grid_ids.tolist(), block.tides.of_cell.tolist(), strict=True))
    assert of_cell == {near_incheon: 1, unknown_coast: 0, inland: -1, too_far: -1}
    assert block.attributes["crest_m"].tolist() == [6.5] * 4
    # The datum offset makes a level one above mean sea level; a year between two measured ones is none.
    assert block.tides.maxima_years.tolist() == [2001, 2003]
    assert block.tides.maxima.tolist() == [[4.5, 0.5], [4.5, 0.5]]
    # The axis reaches to the last year of the rise.
    assert (block.years[0], block.years[-1]) == (2018, 2100)
    assert block.tides.rise.shape == (5, 83, 2)
    assert block.tides.rise[4, -1].tolist() == [0.8, 0.8]
    assert np.isnan(block.tides.rise[:4]).all()


def test_a_cells_tides_do_not_depend_on_the_block_it_is_read_in(connection, dataset):
    cell = coastal_cell(connection, dataset, (35.18, 129.08))
    coastal_cell(connection, dataset, (37.40, 126.65))
    write_sea(connection, dataset, [("busan", BUSAN, 0.5), ("incheon", INCHEON, -4.5)])
    alone = read_block(connection, ["rx1day"], cell, cell).tides
    together = read_block(connection, ["rx1day"], 1, 451_351).tides
    assert together.of_cell[0] == alone.of_cell[0]
    assert np.array_equal(alone.rise, together.rise, equal_nan=True)
    assert np.array_equal(alone.maxima, together.maxima)


def test_an_observed_gauge_goes_before_a_generated_one_that_is_nearer(connection, dataset):
    cell = coastal_cell(connection, dataset, (37.40, 126.65))
    write_sea(connection, dataset, [("generated", INCHEON, 0.0)])
    real = register_dataset(
        connection, name="r", source="test", file_sha256=None, first_year=None, last_year=None, synthetic=False
    )
    write_sea(connection, real, [("observed", (37.2, 126.3), 0.0)], rise=[])
    block = read_block(connection, ["rx1day"], cell, cell)
    assert block.tides.of_cell.tolist() == [1], "gauges stand in the order of their ids"


def test_among_gauges_one_of_which_the_rise_is_known_goes_first(connection, dataset):
    cell = coastal_cell(connection, dataset, (37.40, 126.65))
    write_sea(
        connection,
        dataset,
        [("a", INCHEON, 0.0), ("b", (37.2, 126.3), 0.0)],
        rise=[("b", "historical", 2005, 0.0), ("b", "ssp245", 2021, 0.1)],
    )
    block = read_block(connection, ["rx1day"], cell, cell)
    assert block.tides.of_cell.tolist() == [1]
    rise = dict(zip(block.years.tolist(), block.tides.rise[2, :, 1].tolist(), strict=True))
    assert (rise[2005], rise[2021]) == (0.0, 0.1)


def test_a_block_is_read_in_five_statements_one_of_them_for_the_series(connection, dataset, monkeypatch):
    coastal_cell(connection, dataset, (37.40, 126.65))
    write_sea(connection, dataset, [("incheon", INCHEON, 0.0)])
    asked = []

    def counted(name):
        asked.append(name)
        return statement(name)

    monkeypatch.setattr(blocks, "statement", counted)
    monkeypatch.setattr(block_inputs, "statement", counted)
    read_block(connection, ["rx1day", "wsdi", "cdd", "fwi95"], 1, 451_351)
    assert asked.count("read_block_series") == 1
    assert len(asked) == 5
