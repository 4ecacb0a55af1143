"""`aiops doctor` names each fault of a configuration that was broken on purpose, and what mends it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from climate import CELLS, write_climate
from logins import login
from pgbouncer import needs_pgbouncer, pooler
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.db.embedded.ports import free_port
from aiops.settings import settings
from workers.cli import main
from workers.doctor import machine
from workers.doctor.data import SOURCES, remedy_for
from workers.doctor.server import check_connections, check_durability, check_memory, check_server, facts_of
from workers.health.check import State
from workers.health.reading import reading


@pytest.fixture
def doctor(database, connection, monkeypatch, capsys):
    """Run `aiops doctor --json` with these settings; its checks by name, those of one name in a list."""
    connection.commit()
    monkeypatch.setenv("DATABASE_URL", database)

    def doctor(**given):
        for name, value in given.items():
            if value is None:
                monkeypatch.delenv(name, raising=False)
            else:
                monkeypatch.setenv(name, value)
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main(["doctor", "--json"])
        data = json.loads(capsys.readouterr().out)
        found = {}
        for one in data["checks"]:
            found.setdefault(one["name"], []).append(one)
        assert ended.value.code == (1 if any(one["state"] == "failed" for one in data["checks"]) else 0)
        assert all(one["remedy"] for one in data["checks"] if one["state"] in {"failed", "warning"})
        return found

    return doctor


def told(found, name, state):
    """The details of the checks of one name that ended so."""
    return "\n".join(f"{one['detail']} → {one['remedy']}" for one in found[name] if one["state"] == state)


# --- settings -----------------------------------------------------------------------------------------------


def test_every_bad_value_is_named_with_what_is_allowed_and_nothing_is_asked_of_a_server(doctor):
    found = doctor(BATCH_SIZE="zero", LOG_FORMAT="xml", SCHEDULE_TIMEZONE="Mars/Base")
    said = told(found, "settings", "failed")
    assert "setting BATCH_SIZE: 'zero': " in said
    assert "setting LOG_FORMAT: 'xml': input should be 'console' or 'json'" in said
    assert "SCHEDULE_TIMEZONE" in said
    assert len(found["settings"]) == 3
    assert found["database"][0] == {
        "name": "database", "state": "unknown", "detail": "not known until settings is mended", "remedy": None,
    }  # fmt: skip


def test_settings_that_contradict_each_other_are_named(doctor, tmp_path):
    found = doctor(DATABASE_HOST="db.example.org", DATABASE_USER="somebody", EMBEDDED_POSTGRES="16")
    said = told(found, "settings", "warning")
    assert "DATABASE_URL is set, so DATABASE_HOST, DATABASE_USER are not used" in said
    assert "EMBEDDED_POSTGRES is not used" in said
    nowhere = {"DATABASE_URL": None, "DATABASE_HOST": None, "EMBEDDED_DIRECTORY": str(tmp_path / "none")}
    found = doctor(**nowhere)
    assert "DATABASE_USER is set and neither DATABASE_URL nor DATABASE_HOST" in told(found, "settings", "warning")
    assert "aiops db start" in told(found, "database", "failed")
    assert not (tmp_path / "none").exists()  # it starts nothing


def test_a_misspelt_name_is_met_with_the_one_that_was_meant(doctor):
    Path(".env").write_text("PARALEL_WORKERS=2\nPOSTGRES_PASSWORD=x\nBATCH_SIZE=20\n")
    found = doctor(AIOPS_LOG_LEVEL="debug")
    said = told(found, "settings", "warning")
    assert "PARALEL_WORKERS: there is no such setting → did you mean PARALLEL_WORKERS?" in said
    assert "AIOPS_LOG_LEVEL: there is no such setting → did you mean LOG_LEVEL?" in said
    assert "POSTGRES_PASSWORD" not in said


def test_a_file_of_settings_that_is_no_text_is_named(doctor):
    Path(".env").write_bytes("BATCH_SIZE=20 # 설정".encode("cp949"))
    assert ".env: it is no text in UTF-8" in told(doctor(), "settings", "failed")


# --- server -------------------------------------------------------------------------------------------------


def test_what_is_well_is_said_to_be(doctor):
    found = doctor(PARALLEL_WORKERS="1", ONDEMAND_WORKERS="1")
    for name in ("settings", "database", "server", "connections", "pooler", "clock", "schema", "rights", "queue"):
        assert [one["state"] for one in found[name]] == ["ok"], found[name]
    assert told(found, "workers", "failed").endswith("start the daemon: aiops worker")
    assert "fsync" in told(found, "durability", "warning")  # the tests' server forgets


def test_a_server_that_is_not_there_or_refuses_is_named(doctor, database):
    nowhere = make_conninfo(database, port=free_port())
    assert "start the server, or set DATABASE_URL" in told(doctor(DATABASE_URL=nowhere), "database", "failed")
    wrong = make_conninfo(database, password="wrong")
    assert "DATABASE_PASSWORD" in told(doctor(DATABASE_URL=wrong), "database", "failed")
    missing = make_conninfo(database, dbname="nowhere")
    found = doctor(DATABASE_URL=missing)
    assert "CREATE DATABASE" in told(found, "database", "failed")
    assert found["clock"][0]["state"] == "unknown"


def test_too_few_connections_are_counted(doctor):
    said = told(doctor(PARALLEL_WORKERS="200"), "connections", "failed")
    assert "PARALLEL_WORKERS=200" in said
    assert "raise max_connections" in said


def test_an_accounts_own_limit_counts(doctor, database, connect):
    with login(database, "aiops_worker") as account:
        name = conninfo_to_dict(account)["user"]
        connect(autocommit=True).execute(f'ALTER ROLE "{name}" CONNECTION LIMIT 5')
        assert "of 5 that this account may have" in told(doctor(DATABASE_URL=account), "connections", "failed")


def test_what_a_server_should_not_be_like_is_named(doctor, connection):
    doctor()
    with reading() as looking:
        facts = facts_of(looking)
    assert check_server({**facts, "version_number": 140_011}).detail == "PostgreSQL 14 is too old"
    assert "UTF8" in check_server({**facts, "encoding": "SQL_ASCII"}).remedy
    assert "shared_buffers" in check_memory({**facts, "shared_buffers": 1 << 20}).remedy
    assert "work_mem" in check_memory({**facts, "shared_buffers": 1 << 30, "work_mem": 65536}).remedy
    safe = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
    assert check_durability({**facts, **safe}).is_ok
    assert "take the last commits back" in check_durability({**facts, **safe, "synchronous_commit": "off"}).detail
    assert check_connections({**facts, "most_connections": 1000, "others_connected": 0}).is_ok
    few = check_connections({**facts, "most_connections": 1000, "others_connected": 998})
    assert (few.state, "998 are others'" in few.detail) == (State.FAILED, True)


def test_a_database_of_another_encoding_is_named(doctor, database, connect):
    connect(autocommit=True).execute("CREATE DATABASE odd ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        found = doctor(DATABASE_URL=make_conninfo(database, dbname="odd"))
        assert "SQL_ASCII; Korean names need UTF8" in told(found, "server", "failed")
        assert "aiops db migrate" in told(found, "schema", "failed")
        assert found["data"][0]["state"] == "unknown"
    finally:
        connect(autocommit=True).execute("DROP DATABASE odd")


@needs_pgbouncer
def test_a_pooler_without_a_way_past_it_is_named(doctor, database):
    with pooler(database) as pooled:
        found = doctor(DATABASE_URL=pooled)
        assert "is a connection pooler" in told(found, "pooler", "failed")
        assert "set DATABASE_DIRECT_URL" in told(found, "pooler", "failed")
        found = doctor(DATABASE_URL=pooled, DATABASE_DIRECT_URL=pooled)
        assert "DATABASE_DIRECT_URL" in told(found, "pooler", "failed")
        found = doctor(DATABASE_URL=pooled, DATABASE_DIRECT_URL=database)
        assert found["pooler"][0]["state"] == "ok"
        assert found["schema"][0]["state"] == "ok"


# --- schema, rights -----------------------------------------------------------------------------------------


SCHEMAS = {
    "DELETE FROM schema_migrations WHERE name LIKE '0001%' AND source = 'aiops'": "1 migrations are missing",
    "UPDATE schema_migrations SET sha256 = '0' WHERE name LIKE '0001%' AND source = 'aiops'": "has changed since",
    "INSERT INTO schema_migrations SELECT r.* FROM schema_migrations AS m, LATERAL jsonb_populate_record(m,"
    " '{\"name\": \"9999_x.sql\"}') AS r WHERE m.source = 'aiops' AND m.name LIKE '0001%'": "newer than this program",
}


@pytest.mark.parametrize("change", SCHEMAS, ids=["missing", "edited", "newer"])
def test_a_schema_that_does_not_fit_is_named(doctor, connection, change):
    connection.execute(change)
    connection.commit()
    found = doctor()
    assert SCHEMAS[change] in told(found, "schema", "failed")
    assert found["data"][0]["state"] == "unknown"


def test_the_rights_of_the_account_are_told(doctor, database, connect):
    assert "owns the tables" in told(doctor(), "rights", "ok")
    with login(database, "aiops_worker") as account:
        assert "runs the daemon" in told(doctor(DATABASE_URL=account), "rights", "ok")
        connect(autocommit=True).execute("REVOKE ALL ON batch_chunks FROM aiops_worker")
        found = doctor(DATABASE_URL=account)
        assert "lacks its rights → let the owner run: aiops db migrate" in told(found, "rights", "failed")
    with login(database, "aiops_client") as account:
        found = doctor(DATABASE_URL=account)
        assert "asks and reads" in told(found, "rights", "ok")
        assert "not shown to this account" in found["workers"][0]["detail"]
    with login(database) as account:
        found = doctor(DATABASE_URL=account)
        assert "may do nothing here" in told(found, "rights", "failed")
        assert found["schema"][0]["state"] == "unknown"


# --- machine ------------------------------------------------------------------------------------------------


def test_a_clock_that_differs_is_named(doctor, monkeypatch):
    truly = machine.now
    for seconds, said in ((60, "ahead of"), (-60, "behind")):
        monkeypatch.setattr(machine, "now", lambda seconds=seconds: truly() + seconds)
        found = re.match(rf"this machine's clock is ([\d.]+) s {said} the server's", told(doctor(), "clock", "warning"))
        assert float(found[1]) == pytest.approx(60, abs=20)


def test_a_full_disk_is_named(doctor, monkeypatch):
    usage = type("usage", (), {"free": 1 << 20})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    assert "1 MB free for " in told(doctor(), "disk", "failed")


def test_a_disk_elsewhere_is_not_judged(doctor, monkeypatch):
    monkeypatch.setattr(machine, "_LOOPBACK", ())
    assert doctor()["disk"][0]["state"] == "unknown"


# --- data ---------------------------------------------------------------------------------------------------


def test_without_data_the_first_step_is_told(doctor):
    said = told(doctor(), "data", "failed")
    assert "no cell has climate data" in said
    assert "aiops ingest sample" in said


def test_a_risk_that_cannot_be_computed_is_named_with_the_file_that_it_lacks(doctor, connection):
    write_climate(connection, cells=CELLS[:4])
    connection.execute("DELETE FROM climate_data WHERE variable = 'rx5day' AND grid_id > %s", (CELLS[1],))
    connection.commit()
    found = doctor()
    assert "4 cells, 1991 to 2100; historical, ssp245; 1 of 9 risks" in told(found, "data", "ok")
    # The tests' data have one scenario besides the past.
    assert "no series of ssp126, ssp370, ssp585" in told(found, "data scenarios", "warning")
    assert "have it: rx5day 50 %" in told(found, "data river_flood", "warning")
    assert "load daily pr" in told(found, "data river_flood", "warning")
    assert "at all: there is no fwi21, fwi95" in told(found, "data wildfire", "warning")
    assert "aiops ingest tracks" in told(found, "data typhoon", "warning")
    assert "aiops ingest gauges" in told(found, "data sea_level_rise", "warning")
    assert "aiops ingest water" in told(found, "data water_stress", "warning")
    assert "SYNTHETIC" in told(found, "synthetic", "warning")
    assert "run: aiops run probability" in told(found, "results", "warning")


def test_cells_without_a_variable_are_told_as_a_share(doctor, connection):
    write_climate(
        connection,
        cells=CELLS[:4],
        periods=dict.fromkeys(("historical", "ssp126", "ssp245", "ssp370", "ssp585"), (1991, 30)),
    )
    connection.execute("DELETE FROM climate_data WHERE variable = 'rx5day' AND grid_id > %s", (CELLS[1],))
    connection.commit()
    found = doctor()
    assert "some cells lack data; have it: rx5day 50 %" in told(found, "data river_flood", "warning")
    assert "data extreme_heat" not in found


def test_results_that_are_older_than_the_data_are_named(doctor, connection):
    write_climate(connection, cells=CELLS[:1])
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('assessment')")
    connection.execute(
        "UPDATE batch_jobs SET status = 'completed', progress = 100, started_at = now() - interval '1 day',"
        " completed_at = now()"
    )
    connection.commit()
    assert "loaded after the last hazard batch began" in told(doctor(), "results", "warning")
    connection.execute("UPDATE batch_jobs SET started_at = now() + interval '1 second'")
    connection.commit()
    assert doctor()["results"][0]["state"] == "ok"


def test_every_variable_that_a_risk_reads_has_a_file_that_brings_it():
    from aiops.risks import all_risks

    known = {name for source in SOURCES for name in source.variables}
    read = {
        name
        for risk in all_risks().values()
        for name in (*risk.probability_variables("calibrated"), *risk.hazard_variables())
    }
    assert read <= known
    assert remedy_for(["wsi"]).startswith("load river flow")
    assert remedy_for(["of_my_own"]) == "load of_my_own (aiops ingest csv)"


# --- as people see it ---------------------------------------------------------------------------------------


def test_people_get_a_line_a_check_and_what_mends_it_below(database, connection, monkeypatch, capsys):
    connection.commit()
    monkeypatch.setenv("DATABASE_URL", database)
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    text = capsys.readouterr().out
    assert ended.value.code == 1
    assert re.search(r"\nfailed   data +no cell has climate data\n +→ load some \(aiops ingest --help\)", text)
    assert text.rstrip().splitlines()[-1].endswith("failed.")
