"""docs/howto/backup-and-restore.md: a dump comes back whole, and a daemon goes on with it."""

from __future__ import annotations

import subprocess

import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import run
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.db.embedded.binaries import find_binaries
from workers.schema import check_schema

COUNTED = (
    "climate_data",
    "location_grid",
    "probability_packed",
    "hazard_packed",
    "risk_run",
    "batch_jobs",
    "role_right",
)


@pytest.fixture
def restored(database, connection):
    """Another database on the same server; gone at the end."""
    name = f"{connection.info.dbname}_restored"
    with psycopg.connect(make_conninfo(database, dbname="postgres"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield make_conninfo(database, dbname=name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def counts(database):
    with psycopg.connect(database) as own:
        return {table: own.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED}


@pytest.mark.daemon
def test_a_dump_comes_back_whole_and_the_work_goes_on(database, connection, restored, postgres, tmp_path):
    programs = find_binaries(postgres)
    dump, restore = programs.folder / "pg_dump", programs.folder / "pg_restore"
    if not dump.exists():
        pytest.skip(f"there is no pg_dump beside this server ({programs.folder})")
    write_climate(connection, cells=CELLS[:3])
    run(database, "workers.cli", "run", "assessment")
    run(database, "workers.cli", "request", "37.565", "128.49", "--force", code=1)  # no data: a request that failed
    with psycopg.connect(database, autocommit=True) as own:
        own.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")  # waits for a daemon

    reach = conninfo_to_dict(database)
    environment = {**programs.environment(), "PGPASSWORD": reach["password"]}
    options = ["--host", reach["host"], "--port", reach["port"], "--username", reach["user"]]
    file = tmp_path / "aiops.dump"
    for command in (
        [dump, *options, "--format=custom", f"--file={file}", reach["dbname"]],
        [restore, *options, f"--dbname={conninfo_to_dict(restored)['dbname']}", "--no-owner", "--jobs=2", file],
    ):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert (done.returncode, done.stderr) == (0, "")

    assert counts(restored) == counts(database)
    assert counts(restored)["probability_packed"] > 0
    with psycopg.connect(restored, autocommit=True) as own:
        check_schema(own)
    assert "up to date" in run(restored, "workers.cli", "db", "migrate")
    # The waiting batch is in the dump, too: the first daemon there takes it up.
    run(restored, "workers.cli", "run", "hazard")
    with psycopg.connect(restored) as own:
        states = own.execute("SELECT DISTINCT status FROM batch_jobs WHERE job_type = 'hazard'").fetchall()
    assert states == [("completed",)]
