"""What the fuzzing has found, as tests of its own."""

from __future__ import annotations

import gzip

import pytest
from asking import question
from psycopg.errors import InvalidParameterValue

from aiops.db.cells import write_cells
from aiops.db.datasets import register_dataset
from aiops.errors import FileRefused
from aiops.indices.best_track import read_best_track

TRACK = (
    "66666 1501  001 0001 1501 0 6             MEKKHALA              20150217\n"
    "15080100 002 5 330 1265 0950     085     70080 0080 90200 0200\n"
)


def normal(connection, function, params):
    return connection.execute(f"SELECT {function}(%s::jsonb)", (params,)).fetchone()[0]


def test_a_cell_may_be_written_with_a_point(connection):
    params = '{"cells": [343001.0, 3.43e5, 343001]}'
    assert normal(connection, "normalise_batch_params", params) == {"cells": [343000, 343001]}


@pytest.mark.parametrize("field", ["insurance_rate", "asset_value"])
def test_a_number_too_small_for_the_machine_is_zero(connection, field):
    params = question().replace("{", f'{{"{field}": 1e-400, ', 1)
    assert normal(connection, "normalise_request_params", params)[field] == 0


@pytest.mark.parametrize(
    ("function", "params", "field"),
    [
        ("normalise_request_params", question(lattitude=None), "lattitude"),
        ("normalise_request_params", question(**{"": None}), ""),
        ("normalise_request_params", question(building={"flors": None}), "building.flors"),
        ("normalise_portfolio_params", '{"sites": [{"latitude": 37, "longitude": 127}], "steps": null}', "steps"),
        ("normalise_portfolio_params", '{"sites": [{"latitude": 37, "longitude": 127, "x": null}]}', "sites[0].x"),
    ],
)
def test_a_key_that_there_is_not_is_refused_even_without_a_value(connection, function, params, field):
    with pytest.raises(InvalidParameterValue) as failure:
        normal(connection, function, params)
    assert (failure.value.diag.column_name or "") == field


def test_a_request_looks_at_no_other_that_waits(connection):
    """Or else the ten thousandth of a statement takes ten thousand times as long as the first."""
    n = 300
    connection.execute("SET LOCAL track_functions = 'all'")
    connection.execute(
        "INSERT INTO batch_jobs (job_type, input_params) SELECT 'ondemand_risk_calculation',"
        " json_build_object('latitude', 37.5, 'longitude', 127 + place / 1000.0) FROM generate_series(1, %s) AS place",
        (n,),
    )
    calls = "SELECT coalesce(sum(calls), 0) FROM pg_stat_xact_user_functions WHERE funcname = 'batch_families'"
    assert connection.execute(calls).fetchone()[0] <= 5 * n


def test_an_attribute_too_small_for_its_column_is_zero(connection):
    dataset = register_dataset(
        connection, name="x", source="x", file_sha256=None, first_year=None, last_year=None, synthetic=False
    )
    write_cells(connection, [{"grid_id": 1, "elevation_m": 8.7e-200, "name": "x"}], dataset)
    assert connection.execute("SELECT elevation_m FROM location_grid").fetchall() == [(0.0,)]


def test_a_damaged_best_track_archive_is_refused(tmp_path):
    whole = gzip.compress(TRACK.encode(), mtime=0)
    for at in range(10, len(whole)):
        path = tmp_path / "bst.txt.gz"
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        with pytest.raises(FileRefused):
            read_best_track(path)


def test_a_best_track_with_a_zero_byte_is_refused_by_its_line(tmp_path):
    path = tmp_path / "bst.txt"
    path.write_text(TRACK.replace("0 6  ", "0 6\0 "), encoding="ascii")
    with pytest.raises(FileRefused, match="line 1: holds a NUL byte"):
        read_best_track(path)
