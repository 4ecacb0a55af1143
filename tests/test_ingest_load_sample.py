"""The sample into the database: once, whole, and marked synthetic."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.climate import Series
from aiops.db.blocks import read_block
from aiops.db.climate import read_series, write_series
from aiops.db.datasets import register_dataset
from aiops.grid import N_CELLS
from aiops.ingest import load_sample as module
from aiops.ingest.load_sample import load_sample
from aiops.ingest.sample import generate_sample, sample_cells

CELLS = tuple(cell for cell in sample_cells() if cell.name in {"Incheon", "Daegu"})


@pytest.fixture
def few_cells(monkeypatch):
    """Generating the other cells would only take time."""
    monkeypatch.setattr(
        module, "generate_in_processes", lambda progress=None: generate_sample(cells=CELLS, progress=progress)
    )


@pytest.fixture
def loaded(connection, few_cells):
    return load_sample(connection)


def test_everything_that_is_loaded_belongs_to_a_synthetic_data_set(connection, loaded):
    for table in (
        "climate_data",
        "best_track",
        "best_track_year",
        "tide_gauge",
        "tide_gauge_maximum",
        "sea_level_rise",
        "basin",
        "water_use",
        "warming_level",
    ):
        found = connection.execute(
            f"SELECT count(*), bool_and(synthetic) FROM {table} JOIN dataset USING (dataset_id)"
        ).fetchone()
        assert found[0] > 0, table
        assert found[1] is True, table


def test_the_report_counts_what_there_is(connection, loaded):
    assert loaded.cells == len(sample_cells())
    assert loaded.series_inserted == len(CELLS) * (20 * 5 + 2)
    for table, kind in {"best_track": "track_fixes", "tide_gauge": "tide_gauges", "basin": "basins"}.items():
        assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (loaded.inputs[kind],)


def test_a_second_load_changes_nothing(connection, loaded):
    again = load_sample(connection)
    assert (again.series_inserted, again.series_updated) == (0, 0)
    assert again.series_unchanged == loaded.series_inserted
    assert connection.execute("SELECT count(*) FROM dataset").fetchone() == (1,)


def test_the_sample_leaves_what_is_real_as_it_is(connection, few_cells):
    real = register_dataset(
        connection, name="r", source="test", file_sha256=None, first_year=2001, last_year=2001, synthetic=False
    )
    series = Series("wsdi", "historical", CELLS[0].grid_id, 2001, np.array([3], np.float32))
    write_series(connection, [series], real)
    report = load_sample(connection)
    assert (report.series_left_out, report.series_inserted) == (1, len(CELLS) * (20 * 5 + 2) - 1)
    (kept,) = read_series(connection, ["wsdi"], [CELLS[0].grid_id], ["historical"])
    assert (kept.first_year, kept.values.tolist()) == (2001, [3])


def test_a_block_has_all_that_nine_risks_read(connection, loaded):
    variables = ("wsdi", "csdi", "fwi95", "spei12_min", "wsi", "rx1day", "rain80", "max_site_wind", "s_tc")
    block = read_block(connection, variables, 1, N_CELLS)
    incheon, daegu = (block.grid_ids.tolist().index(cell.grid_id) for cell in sorted(CELLS, key=lambda c: -c.latitude))
    assert block.present.all()
    history = slice(1992 - int(block.years[0]), 2021 - int(block.years[0]))
    for name in variables:
        assert np.isfinite(block.values[name][0, history]).all(), name
    assert np.isfinite(block.warming[4]).all()
    assert not block.warming_is_regional
    assert block.tides.of_cell[daegu] == -1
    gauge = block.tides.of_cell[incheon]
    assert 4.8 < np.nanmean(block.tides.maxima[:, gauge]) < 5.5
    assert block.tides.rise[4, -1, gauge] == pytest.approx(0.82)
