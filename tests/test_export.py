"""`aiops export`: what is written reads back equal, in every format."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import pyarrow.parquet as pq
import pytest
import xarray as xr
from asking import NINE, SEOUL, copied_database, place, write_inputs
from climate import CELLS, write_climate
from daemons import run
from psycopg.rows import dict_row

from aiops.climate import PROJECTIONS
from aiops.db.batches import create_batch_job
from aiops.errors import BadInput
from aiops.export import grid_netcdf, points_netcdf, rows, texts
from aiops.export.columns import TABLES
from aiops.export.netcdf import FLAGS
from aiops.export.parquet import write_parquet
from aiops.export.rows import Selection, blocks, snapshot, synthetic_cells_of
from aiops.grid import grid_id_of
from aiops.settings import settings
from workers.ondemand import OnDemandRiskBatch
from workers.ondemand.cell import compute_cells

PLACES = 4
VIEWS = {"probability": "probability_results", "hazard": "hazard_results", "risk": "risk_results"}


@pytest.fixture(scope="module")
def stored(migrated_server, server):
    """Cells with all nine risks, one with two of them and gaps, and two places that were answered."""
    with copied_database(migrated_server, server, "exported") as database, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database)
        settings.cache_clear()
        with psycopg.connect(database) as connection:
            write_inputs(connection, PLACES)
            write_climate(connection, cells=CELLS[:1])
        with psycopg.connect(database, autocommit=True) as connection:
            (batch,) = connection.execute("SELECT gen_random_uuid()").fetchone()
            cells = sorted([*(grid_id_of(*place(number)) for number in range(PLACES)), CELLS[0]])
            compute_cells(connection, cells, NINE, batch)
            for where, year in ((SEOUL, 2050), (place(1), 2090)):
                OnDemandRiskBatch(create_batch_job(connection, "test")).run(
                    *where, scenario="ssp585", target_year=year, asset_value=1e9
                )
        yield database
        settings.cache_clear()


@pytest.fixture
def reading(stored):
    with psycopg.connect(stored, autocommit=True) as connection:
        yield connection


def expected(connection, what, where="true"):
    """The view's rows, in the order of an export."""
    order = "latitude, longitude, projection_id" if what == "risk" else "grid_id, position, projection_id"
    query = f"SELECT v.* FROM {VIEWS[what]} AS v JOIN risk_type USING (risk_type)"
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            f"{query} JOIN projection USING (scenario, horizon) WHERE {where} ORDER BY {order}, position"
        ).fetchall()


def written(connection, what, write, file, **selected):
    selection = Selection(what, **selected)
    with snapshot(connection):
        return write(file, selection, blocks(connection, selection), synthetic_cells_of(connection, selection))


WHAT = pytest.mark.parametrize("what", list(TABLES))


@WHAT
def test_csv_reads_back_equal(reading, tmp_path, what):
    file = tmp_path / "x.csv"
    want = expected(reading, what)
    assert written(reading, what, texts.write_csv, file) == len(want) > 10
    with file.open(encoding="utf-8", newline="") as stream:
        got = [
            {column.name: _parsed(column.kind, row[column.name]) for column in TABLES[what]}
            for row in csv.DictReader(stream)
        ]
    assert got == want


def _parsed(kind, text):
    if text == "":
        return None
    read = {
        "float": float,
        "int": int,
        "bool": {"true": True, "false": False}.get,
        "floats": json.loads,
        "bytes": bytes.fromhex,
        "uuid": UUID,
        "time": datetime.fromisoformat,
        "text": str,
    }[kind]
    return read(text)


@WHAT
def test_parquet_reads_back_equal(reading, tmp_path, what, monkeypatch):
    monkeypatch.setattr("aiops.export.parquet._ROWS_IN_GROUP", 100)  # several groups
    file = tmp_path / "x.parquet"
    want = expected(reading, what)
    assert written(reading, what, write_parquet, file) == len(want)
    table = pq.read_table(file)
    assert table.schema.field("latitude").metadata[b"unit"] == b"degrees_north"
    for row in want:
        row["batch_id"] = str(row["batch_id"])
        row["calculated_at"] = row["calculated_at"].astimezone(UTC)
        if "input_hash" in row:
            row["input_hash"] = row["input_hash"].hex()
    assert table.to_pylist() == want


@WHAT
def test_geojson_reads_back_equal(reading, tmp_path, what):
    file = tmp_path / "x.geojson"
    want = expected(reading, what)
    assert written(reading, what, texts.write_geojson, file) == len(want)
    collection = json.loads(file.read_text(encoding="utf-8"))
    assert collection["type"] == "FeatureCollection"
    assert [f["properties"] for f in collection["features"]] == [
        {name: texts.plain(value) for name, value in row.items()} for row in want
    ]
    geometry, first = collection["features"][0]["geometry"], want[0]
    if what == "risk":
        assert geometry == {"type": "Point", "coordinates": [first["longitude"], first["latitude"]]}
    else:
        ring = geometry["coordinates"][0]
        assert ring[0] == ring[-1]
        assert np.mean(ring[:4], axis=0) == pytest.approx([first["longitude"], first["latitude"]])
        # Counter-clockwise, as RFC 7946 wants an outer ring.
        assert sum((x2 - x1) * (y2 + y1) for (x1, y1), (x2, y2) in pairwise(ring)) < 0


@pytest.mark.parametrize("what", ["probability", "hazard"])
def test_a_netcdf_grid_reads_back_equal(reading, tmp_path, what):
    file = tmp_path / "x.nc"
    with snapshot(reading):
        assert grid_netcdf.write_grid(file, reading, Selection(what)) == PLACES + 1
    with xr.open_dataset(file, decode_coords="all") as stored:
        data = stored.load()  # or every value is a look into the file
        assert data.attrs["Conventions"] == "CF-1.11"
        assert "test" in data.attrs["source"]
        assert "aiops export" in data.attrs["history"]
        assert data.attrs["synthetic_data"] == "yes"
        assert data["latitude"].attrs["units"] == "degrees_north"
        assert data["latitude"].attrs["standard_name"] == "latitude"
        known = {(one.scenario, one.horizon): number for number, one in enumerate(PROJECTIONS)}
        assert list(data["risk_type"].values) == NINE
        seen = 0
        for row in expected(reading, what):
            at = {
                "risk_type": NINE.index(row["risk_type"]),
                "projection": known[row["scenario"], row["horizon"]],
                "latitude": int(np.abs(data["latitude"].values - row["latitude"]).argmin()),
                "longitude": int(np.abs(data["longitude"].values - row["longitude"]).argmin()),
            }
            assert data["latitude"].values[at["latitude"]] == row["latitude"]
            _same(data, at, row)
            seen += 1
        # What has no row has no value, nor a status.
        assert int(data["status"].notnull().sum()) == seen


def _same(data, at, row):
    for name, variable in data.data_vars.items():
        if name in ("crs", "target_year"):
            continue
        value = variable.isel(at).values
        want = row[name]
        if name in FLAGS:
            meanings = variable.attrs["flag_meanings"].split()
            flags = dict(zip(variable.attrs["flag_values"].tolist(), meanings, strict=True))
            if name == "is_default":
                want = "yes" if want else "no"
            assert (None if np.isnan(value) else flags[int(value)]) == want, (name, row)
        elif isinstance(want, list):
            assert value[: len(want)].tolist() == want, (name, row)
            assert np.isnan(value[len(want) :]).all()
        elif want is None:
            assert np.isnan(value).all(), (name, row)
        else:
            assert value == want, (name, row)


def test_places_read_back_equal_from_netcdf(reading, tmp_path):
    file = tmp_path / "x.nc"
    selection = Selection("risk")
    with snapshot(reading):
        n = points_netcdf.write_points(file, reading, selection, blocks(reading, selection))
    want = expected(reading, "risk")
    with xr.open_dataset(file, decode_times=False) as data:
        assert data.sizes["obs"] == n == len(want)
        assert data.attrs["featureType"] == "point"
        for column in TABLES["risk"]:
            values = data[column.name].values
            for value, row in zip(values, want, strict=True):
                told = row[column.name]
                if column.name == "status":
                    assert FLAGS["status"][int(value) - 1] == told
                elif told is None:
                    assert value == "" if column.kind == "text" else np.isnan(value)
                elif column.kind in ("uuid", "time"):
                    assert value == texts.plain(told)
                else:
                    assert value == told, column.name


def test_only_what_was_asked_for_is_exported(reading, tmp_path):
    file = tmp_path / "x.csv"
    west, south = SEOUL[1] - 0.005, SEOUL[0] - 0.01
    selected = {
        "risk_types": ["typhoon"],
        "scenarios": ["ssp126", "ssp585"],
        "horizons": ["2050s"],
        "bbox": (west, south, west + 0.02, south + 0.02),
    }
    assert written(reading, "hazard", texts.write_csv, file, **selected) == 4
    with snapshot(reading):
        assert grid_netcdf.write_grid(tmp_path / "x.nc", reading, Selection("hazard", **selected)) == 2
    with xr.open_dataset(tmp_path / "x.nc") as data:
        assert dict(data.sizes)["projection"] == 2
        assert data["scenario"].values.tolist() == ["ssp126", "ssp585"]
        assert data["hazard_score_100"].shape == (1, 2, 1, 2)


@pytest.fixture
def half_observed(reading):
    """The cell of Seoul as if it had been observed, the others being synthetic; the cell's number."""
    seoul = grid_id_of(*SEOUL)
    with reading.transaction(force_rollback=True):
        (dataset,) = reading.execute(
            "INSERT INTO dataset (name, source, synthetic) VALUES ('observed', 'test', false) RETURNING dataset_id"
        ).fetchone()
        reading.execute("UPDATE climate_data SET dataset_id = %s WHERE grid_id = %s", (dataset, seoul))
        yield seoul


def exported(connection, what, write, file, **selected):
    """As `written`, within a transaction that is taken back."""
    selection = Selection(what, **selected)
    write(file, selection, blocks(connection, selection), synthetic_cells_of(connection, selection))
    return file


@WHAT
def test_a_csv_says_of_each_row_whether_its_data_are_synthetic(half_observed, reading, tmp_path, what):
    file = exported(reading, what, texts.write_csv, tmp_path / "x.csv")
    with file.open(encoding="utf-8", newline="") as stream:
        said = {(int(row["grid_id"]) == half_observed, row["synthetic"]) for row in csv.DictReader(stream)}
    assert said == {(True, "false"), (False, "true")}


@WHAT
def test_parquet_and_geojson_say_whether_any_of_their_data_are_synthetic(half_observed, reading, tmp_path, what):
    west, south = SEOUL[1] - 0.004, SEOUL[0] - 0.004
    for box, some in ((None, True), ((west, south, west + 0.008, south + 0.008), False)):
        file = exported(reading, what, write_parquet, tmp_path / "x.parquet", bbox=box)
        assert pq.read_schema(file).metadata[b"synthetic_data"] == str(some).lower().encode()
        file = exported(reading, what, texts.write_geojson, tmp_path / "x.geojson", bbox=box)
        assert json.loads(file.read_text(encoding="utf-8"))["synthetic_data"] is some


def test_many_blocks_are_one_file(reading, tmp_path, monkeypatch):
    whole, parts = tmp_path / "whole.csv", tmp_path / "parts.csv"
    written(reading, "probability", texts.write_csv, whole)
    monkeypatch.setattr(rows, "_CELLS_AT_ONCE", 1)
    monkeypatch.setattr(rows, "_ROWS_AT_ONCE", 7)
    written(reading, "probability", texts.write_csv, parts)
    assert whole.read_bytes() == parts.read_bytes()
    assert written(reading, "risk", texts.write_csv, parts) == 2 * len(NINE)


def test_the_columns_are_those_of_the_views(reading):
    for what, view in VIEWS.items():
        cursor = reading.execute(f"SELECT * FROM {view} LIMIT 0")
        assert [column.name for column in cursor.description] == [column.name for column in TABLES[what]]


def test_the_command_writes_every_format_and_keeps_what_is_there(stored, tmp_path):
    for kind, name in (("csv", "a.csv"), ("parquet", "a.parquet"), ("geojson", "a.geojson"), ("netcdf", "a.nc")):
        said = run(
            stored, "workers.cli", "export", "hazard", "--risk", "typhoon", "--format", kind, "-o", str(tmp_path / name)
        )
        assert "Written:" in said
        assert "Computed from SYNTHETIC" in said
        assert (tmp_path / name).stat().st_size > 500
    assert "--force" in run(stored, "workers.cli", "export", "hazard", "-o", str(tmp_path / "a.csv"), code=2)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.geojson", "a.nc", "a.parquet"]


@pytest.mark.parametrize(
    ("name", "beginning"), [("a.csv", b"grid_id,"), ("a.PARQUET", b"PAR1"), ("a.geojson", b"{"), ("a.nc", b"\x89HDF")]
)
def test_the_ending_of_a_file_says_its_format(stored, tmp_path, name, beginning):
    file = tmp_path / name
    run(stored, "workers.cli", "export", "hazard", "--risk", "typhoon", "-o", str(file))
    assert file.read_bytes().startswith(beginning)


@pytest.mark.parametrize(
    ("name", "kind", "told"),
    [("x.parquet", "csv", "whose ending says parquet"), ("-", "csv", "--out: - would be a file")],
)
def test_a_file_of_another_ending_or_of_none_that_is_meant_is_refused(stored, tmp_path, name, kind, told):
    place = name if name == "-" else str(tmp_path / name)
    assert told in run(stored, "workers.cli", "export", "hazard", "--format", kind, "-o", place, code=2)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scenario", "rcp85"], "--scenario: 'rcp85'; allowed: historical"),
        (["--horizon", "2055"], "allowed: baseline, 2020s"),
        (["--risk", "volcano"], "'volcano' is not allowed"),
        (["--bbox", "1,2,3"], "--bbox: '1,2,3'"),
        (["--bbox", "131,38.9,131.1,39"], "there are no hazard results"),
        (["--bbox", "131,38.9,131.1,39", "--format", "netcdf"], "there are no hazard results"),
        (["--scenario", "historical", "--horizon", "2050s", "--format", "netcdf"], "no horizon of these scenarios"),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_no_file(stored, tmp_path, arguments, told):
    said = run(stored, "workers.cli", "export", "hazard", *arguments, "-o", str(tmp_path / "x"), code=2)
    assert told in said
    assert said.count("\n") == 1
    assert list(Path(tmp_path).iterdir()) == []


@pytest.mark.parametrize(("module", "extra"), [("pyarrow", "parquet"), ("h5netcdf", "netcdf")])
def test_a_missing_extra_is_named(reading, tmp_path, monkeypatch, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    selection = Selection("hazard")

    def write():
        if extra == "parquet":
            return write_parquet(tmp_path / "x", selection, blocks(reading, selection), ())
        return grid_netcdf.write_grid(tmp_path / "x", reading, selection)

    with snapshot(reading), pytest.raises(BadInput, match=rf"aiops\[{extra}\]") as error:
        write()
    assert error.value.exit_code == 2
