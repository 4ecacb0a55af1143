"""The command line, as people and scripts see it."""

from __future__ import annotations

import json

import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import run

pytestmark = pytest.mark.daemon


def aiops(database, *arguments, code=0, **settings):
    return run(database, "workers.cli", *arguments, code=code, **settings)


@pytest.fixture
def climate(connection):
    write_climate(connection)


def test_run_computes_without_a_daemon_and_results_show_it(climate, database):
    row = json.loads(aiops(database, "run", "probability", "--json"))
    assert (row["status"], row["progress"], row["results"]["cells"]) == ("completed", 100, len(CELLS))
    shown = json.loads(aiops(database, "results", "--json"))
    assert shown["synthetic"] is True
    assert len(shown["places"]) == len(CELLS)
    with_numbers = {row["risk_type"] for row in shown["rows"] if row["aal"] is not None}
    assert with_numbers == {"extreme_heat", "river_flood"}
    assert all(row["reason"] for row in shown["rows"] if row["aal"] is None)
    text = aiops(database, "results", "--risk", "high_temperature")
    assert "extreme_heat" in text
    assert "river_flood" not in text
    assert "SYNTHETIC" in text


def test_status_tells_of_data_and_batches(climate, database):
    batch_id = json.loads(aiops(database, "run", "hazard", "--no-wait", "--json"))["batch_id"]
    data = json.loads(aiops(database, "status", "--json"))
    assert data["data"]["cells_with_climate"] == len(CELLS)
    assert data["batches"][0]["batch_id"] == batch_id
    assert data["queue"]["waiting"] == 1
    assert "test (SYNTHETIC)" in aiops(database, "status")


def test_a_migrated_database_is_up_to_date(database):
    report = json.loads(aiops(database, "db", "migrate", "--json"))
    assert report["applied"] == []
    assert report["total"] > 40


def test_the_server_that_settings_name_is_told_of(database):
    status = json.loads(aiops(database, "db", "status", "--json"))
    assert (status["embedded"], status["host"]) == (False, "127.0.0.1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "hazard", "--risk", "heat"], "risk_types: 'heat' is not allowed; allowed: extreme_heat"),
        (["run", "hazard", "--bbox", "1,2"], "--bbox: '1,2'; allowed: WEST,SOUTH,EAST,NORTH"),
        (["run", "hazard", "--bbox", "1,2,3,4"], "bbox: "),
        (["results", "--at", "1,2"], "latitude: 1.0 lies outside the frame; allowed: 33.00 to 39.00"),
        (["results", "--at", "here"], "--at: 'here'; allowed: LATITUDE,LONGITUDE"),
        (["results", "--at", "37.5,127"], "results: there are none"),
        (["ingest", "csv", "missing.csv"], "missing.csv: no such file"),
        (["ingest", "place", "x.csv", "--place", "1", "--columns", "pr=rain"], "place: '1'; allowed: "),
        (
            ["ingest", "place", "x.csv", "--place", "37,127", "--columns", "pr"],
            "columns: 'pr'; allowed: VARIABLE=COLUMN",
        ),
        (["db", "start"], "DATABASE_URL or DATABASE_HOST is set"),
        (["nonsense"], "No such command"),
    ],
)
def test_what_cannot_be_ends_in_one_line_and_exit_code_2(database, arguments, message):
    said = aiops(database, *arguments, code=2)
    assert message in said
    assert "Traceback" not in said


def test_a_wrong_setting_is_named(database):
    said = aiops(database, "status", code=2, BATCH_SIZE="zero")
    assert said.startswith("aiops: setting BATCH_SIZE: 'zero': ")
    assert len(said.strip().splitlines()) == 1


def test_a_server_that_is_not_there_is_said_in_one_line(database):
    said = aiops("postgresql://nobody@127.0.0.1:1/none", "status", code=1)
    assert said.startswith("aiops: cannot connect to the database: ")
    assert len(said.strip().splitlines()) == 1


def test_a_traceback_is_shown_only_when_asked_for(database):
    assert "Traceback" in aiops(database, "--debug", "results", "--at", "1,2", code=2)


def test_the_embedded_server_is_started_found_and_stopped_but_not_under_a_running_daemon(open_folder, postgres):
    from aiops.db.embedded import EmbeddedServer

    settings = {"EMBEDDED_DIRECTORY": str(open_folder / "cli"), "EMBEDDED_POSTGRES": postgres}
    try:
        first = json.loads(aiops("", "db", "start", "--json", **settings))
        second = json.loads(aiops("", "db", "start", "--json", **settings))
        assert first["running"]
        assert (first["pid"], first["port"]) == (second["pid"], second["port"])
        url = aiops("", "db", "url", **settings).strip()
        aiops("", "db", "migrate", **settings)
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SELECT * FROM procrastinate_register_worker_v1()")
            assert "a daemon is running" in aiops("", "db", "stop", code=2, **settings)
            connection.execute("DELETE FROM procrastinate_workers")
        assert json.loads(aiops("", "db", "stop", "--json", **settings)) == {"stopped": True}
        assert "does not run" in aiops("", "db", "status", **settings)
    finally:
        EmbeddedServer(open_folder / "cli", postgres).stop("immediate")
