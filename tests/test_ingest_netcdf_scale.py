"""Grids larger than memory: in blocks, turned on disk where need be, gone on with after a crash."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from daemons import environment, wait_for
from gridded import some_days, write_netcdf

from aiops.db import ingest_progress
from aiops.db.packing import unpack
from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_ids_of
from aiops.ingest.grids import scratch
from aiops.ingest.grids.load import load_grids
from aiops.ingest.grids.options import grid_options
from aiops.ingest.grids.plan import Chunks, Memory, blocks_of, order_points, passes_of

ROWS, COLUMNS = 30, 40
LATITUDES, LONGITUDES = 36 + np.arange(ROWS) * 0.01, 127 + np.arange(COLUMNS) * 0.01
IDS = grid_ids_of(*np.meshgrid(LATITUDES, LONGITUDES, indexing="ij"))
COMMAND = [sys.executable, "-m", "workers.cli", "ingest", "netcdf"]


@pytest.fixture
def loading(connect):
    return connect(autocommit=True)


def stored(connection):
    """(steps, rows, columns) of what is in the database."""
    rows = dict(connection.execute("SELECT grid_id, values FROM climate_data").fetchall())
    return np.stack([unpack(rows[cell]) for cell in IDS.ravel()], axis=1).reshape(-1, ROWS, COLUMNS)


def blocks_in(connection):
    return connection.execute("SELECT first_point, last_point FROM ingest_block ORDER BY first_point").fetchall()


def two_years(folder, **encoding):
    days = some_days(730, ROWS, COLUMNS)
    given = {"latitudes": LATITUDES, "longitudes": LONGITUDES, "encoding": encoding}
    write_netcdf(folder / "2021.nc", days[:365], **given)
    write_netcdf(folder / "2022.nc", days[365:], first="2022-01-01", **given)
    return days


@pytest.mark.parametrize(
    ("encoding", "turned"),
    [
        ({"contiguous": True}, False),
        ({"zlib": True, "complevel": 1, "chunksizes": (1, ROWS, COLUMNS)}, True),
        ({"zlib": True, "complevel": 1, "chunksizes": (50, 7, 9)}, False),
        ({"zlib": True, "complevel": 1, "chunksizes": (365, 30, 2)}, False),
    ],
    ids=["contiguous", "a chunk a day", "tiles", "columns"],
)
def test_whatever_the_chunks_a_load_in_blocks_is_the_same(loading, tmp_path, encoding, turned):
    days = two_years(tmp_path, **encoding)
    (report,) = load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2))
    np.testing.assert_array_equal(stored(loading), days)
    assert report.blocks > 4
    assert (report.scratch_bytes > 0) == turned
    assert (report.values_accepted, report.series_inserted) == (days.size, ROWS * COLUMNS)
    blocks = blocks_in(loading)
    assert (blocks[0][0], blocks[-1][1]) == (0, ROWS * COLUMNS - 1)
    assert all(last + 1 == first for (_, last), (first, _) in pairwise(blocks))


def test_a_chunk_that_is_too_large_beside_a_block_is_turned_first(loading, tmp_path):
    path = tmp_path / "a.nc"
    encoding = {"zlib": True, "complevel": 1, "chunksizes": (365, ROWS, COLUMNS)}
    days = some_days(365, ROWS, COLUMNS)
    write_netcdf(path, days, latitudes=LATITUDES, longitudes=LONGITUDES, encoding=encoding)
    # 1.75 MB of it and 0.6 MB of a block are more than 2 MB.
    (report,) = load_grids(loading, [path], grid_options("netcdf", scenario="ssp585", memory_mb=2))
    assert (report.blocks, report.scratch_bytes) == (3, days.nbytes)
    np.testing.assert_array_equal(stored(loading), days)
    (report,) = load_grids(loading, [path], grid_options("netcdf", scenario="ssp585", memory_mb=4, again=True))
    assert (report.blocks, report.scratch_bytes) == (2, 0)
    np.testing.assert_array_equal(stored(loading), days)


def test_a_killed_load_is_gone_on_with_and_ends_as_if_nothing_had_been(
    loading, connect, database, tmp_path, monkeypatch
):
    days = two_years(tmp_path)
    loading.execute(
        "CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF (SELECT count(*) FROM ingest_block) > 3 THEN PERFORM pg_advisory_xact_lock(4711); END IF; "
        "RETURN NULL; END $$"
    )
    loading.execute("CREATE TRIGGER hold AFTER INSERT ON ingest_block FOR EACH ROW EXECUTE FUNCTION hold()")
    holder = connect(autocommit=True)
    holder.execute("SELECT pg_advisory_lock(4711)")
    command = [*COMMAND, str(tmp_path), "--scenario", "ssp585", "--memory", "2"]
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 4711"
    with subprocess.Popen(command, env=environment(database), stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: loading.execute(waiting).fetchone() == (1,))
            monkeypatch.setattr(ingest_progress, "LOCK_SECONDS", 0.1)
            with pytest.raises(BadInput, match="another session is loading the same files; allowed: one at a time"):
                load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2))
        finally:
            process.kill()
    holder.execute("SELECT pg_advisory_unlock(4711)")
    loading.execute("DROP TRIGGER hold ON ingest_block")
    monkeypatch.undo()
    # The server finishes what the killed process had asked for last, or takes it back; then its lock is free.
    wait_for(
        lambda: (
            loading.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'aiops ingest%'"
            ).fetchone()
            == (0,)
        ),
        60,
    )
    before = loading.execute("SELECT grid_id, xmin::text FROM climate_data").fetchall()
    n_before = len(blocks_in(loading))
    assert 3 <= n_before <= 4
    assert 0 < len(before) < ROWS * COLUMNS
    # With another memory the blocks are others; what is done stays done.
    (report,) = load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=3))
    assert report.blocks_before == n_before
    assert (report.series_inserted, report.series_updated, report.series_unchanged) == (ROWS * COLUMNS, 0, 0)
    np.testing.assert_array_equal(stored(loading), days)
    assert set(before) <= set(loading.execute("SELECT grid_id, xmin::text FROM climate_data").fetchall())
    assert loading.execute("SELECT count(*) FROM dataset").fetchone() == (1,)
    assert loading.execute("SELECT count(*) FROM ingest_load WHERE finished_at IS NOT NULL").fetchone() == (1,)


PEAK = """
import re, sys
from workers.cli import main
import xarray, pint, scipy.spatial, cftime, h5py

def peak():  # of this program alone: what getrusage says begins with what the parent had
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) // 1024

before = peak()
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print(peak() - before, file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of a program's memory")
def test_memory_is_bounded_by_the_budget_and_not_by_the_file(database, tmp_path):
    rows, columns = 30, 30
    path = tmp_path / "a.nc"
    days = np.broadcast_to(np.arange(14610, dtype=np.float32)[:, None, None] % 40, (14610, rows, columns))  # 53 MB
    write_netcdf(
        path,
        days,
        latitudes=35 + np.arange(rows) * 0.01,
        longitudes=127 + np.arange(columns) * 0.01,
        encoding={"zlib": True, "complevel": 1, "chunksizes": (1, rows, columns)},
    )
    done = subprocess.run(
        [sys.executable, "-c", PEAK, "ingest", "netcdf", path, "--scenario", "ssp126", "--memory", "6", "--json"],
        env=environment(database),
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    (report,) = json.loads(done.stdout)
    assert report["scratch_bytes"] == days.nbytes
    assert report["series_inserted"] == rows * columns
    assert int(done.stderr.split()[-1]) < 40


def test_a_disk_that_is_too_full_is_said_before_anything_is_written(loading, tmp_path, monkeypatch):
    two_years(tmp_path, zlib=True, complevel=1, chunksizes=(1, ROWS, COLUMNS))
    options = grid_options("netcdf", scenario="ssp585", memory_mb=1, scratch=tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(scratch.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
        with pytest.raises(BadInput, match=r"--scratch: .* has 0\.00 GB free, .* allowed: a folder on a larger disk"):
            load_grids(loading, [tmp_path], options)
    options = grid_options("netcdf", scenario="ssp585", memory_mb=1, scratch=tmp_path / "none")
    with pytest.raises(BadInput, match=r"--scratch: .*none: No such file"):
        load_grids(loading, [tmp_path], options)
    assert loading.execute("SELECT count(*) FROM climate_data").fetchone() == (0,)


def test_a_file_that_changes_while_it_is_read_ends_the_load(loading, tmp_path):
    two_years(tmp_path)

    def touch(what, share):
        if what.startswith("tasmax") and share > 0.3:
            os.utime(tmp_path / "2022.nc")

    with pytest.raises(FileRefused, match=r"2022\.nc: was changed while it was read"):
        load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2), touch)
    assert loading.execute("SELECT finished_at FROM ingest_load").fetchone() == (None,)


def test_a_load_anew_that_was_ended_is_gone_on_with(loading, tmp_path):
    days = two_years(tmp_path)
    load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2))
    loading.execute("DELETE FROM climate_data")

    def end(what, share):
        if what.startswith("tasmax") and share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2, again=True), end)
    (report,) = load_grids(loading, [tmp_path], grid_options("netcdf", scenario="ssp585", memory_mb=2))
    assert 0 < report.blocks_before < report.blocks
    np.testing.assert_array_equal(stored(loading), days)


def test_the_command_reports_shows_progress_and_ends_with_2_when_a_file_is_refused(aiops, tmp_path):
    path = write_netcdf(tmp_path / "a.nc", some_days())
    code, text, progress = aiops("ingest", "netcdf", path, "--scenario", "SSP5-8.5")
    assert code == 0
    assert text.startswith(
        f"{path}: tasmax, ssp585, daily, 2021-01-01 to 2021-01-05\n  5 steps, 1 files; units: degC taken"
    )
    assert "next: aiops run indicators" in text
    assert "tasmax ssp585: 100 %" in progress.splitlines()
    assert aiops("ingest", "netcdf", path, "--scenario", "ssp126", "--quiet")[2] == ""
    _, text, _ = aiops("ingest", "netcdf", path, "--scenario", "ssp126", "--quiet", "--again")
    assert "series: 0 new, 0 changed, 12 as they were" in text
    assert "already loaded" not in text
    code, text, progress = aiops("ingest", "netcdf", path, "--scenario", "ssp245", "--variable", "TAMAX", "--json")
    assert (json.loads(text)[0]["series_inserted"], progress) == (12, "")
    code, text, complaint = aiops("ingest", "netcdf", path, "--scenario", "rcp85")
    assert (code, text, complaint.count("\n")) == (2, "", 1)
    broken = tmp_path / "b.nc"
    broken.write_bytes(path.read_bytes()[:1000])
    code, text, complaint = aiops("ingest", "netcdf", broken, "--scenario", "ssp126", "--quiet")
    assert (code, text, complaint.count("\n")) == (2, "", 1)
    assert complaint.startswith(f"aiops: {broken}: the NetCDF file is cut off or damaged")
    code, _, complaint = aiops("ingest", "asc", path, "--variable", "tas", "--scenario", "ssp126", "--quiet")
    assert (code, complaint.count("\n")) == (2, 1)


def test_blocks_end_with_chunks_and_cover_what_is_not_done():
    points, places = order_points(np.arange(40 * 60), 60, Chunks(100, 10, 20))
    assert sorted(places.tolist()) == list(range(2400))
    memory = Memory(3 * 1000 * 4 * 450)  # 450 series of 1,000 values: two chunks of 200 points
    blocks = blocks_of(points, 1000, memory)
    assert {len(block) for block in blocks} == {400}
    assert passes_of(points, blocks) == 1.0
    rest = blocks_of(points, 1000, memory, [range(1000, 1100), range(30)])
    assert [rest[0].start, rest[-1].stop] == [30, 2400]
    assert sum(map(len, rest)) == 2400 - 130
    whole_days, _ = order_points(np.arange(40 * 60), 60, Chunks(1, 40, 60))
    assert passes_of(whole_days, blocks_of(whole_days, 1000, memory)) == 6.0
