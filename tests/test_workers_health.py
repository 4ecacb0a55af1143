"""Whether the daemon works, and in figures how: by a command, and over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import psutil
import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import run, running_daemon, wait_for
from prometheus_client.parser import text_string_to_metric_families

from aiops.db.embedded import EmbeddedServer
from aiops.db.embedded.ports import free_port
from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable, SettingsError
from aiops.settings import settings
from workers.health import checks, reading
from workers.health.cached import Cached
from workers.health.check import State
from workers.health.overdue import check_schedule, schedule_of
from workers.health.reading import reading as read_database
from workers.health.server import health_over_http
from workers.schema import apply_schema

DAEMON_LESS = {"database": "ok", "schema": "ok", "workers": "failed", "listener": "failed", "schedule": "failed"}


def get(port, path, method="GET", headers=None):
    """Status and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def samples(port):
    """What /metrics tells: (name, labels) → value."""
    status, text = get(port, "/metrics")
    assert status == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def seconds_in(check, phrase):
    """The seconds that a check tells after a phrase."""
    return int(re.search(rf"{phrase} (\d+) s", check.detail)[1])


def by_name(found):
    return {one.name: one for one in found}


@pytest.fixture
def configured(database, monkeypatch):
    """The settings of this process name this test's database."""
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    return database


@pytest.fixture
def committed(database, connection):
    """A connection in autocommit mode; nothing that it does keeps a lock."""
    connection.commit()
    with psycopg.connect(database, autocommit=True) as own:
        yield own


# --- each check ------------------------------------------------------------------------------------------------------


def test_without_a_daemon_each_line_says_what_is_wrong_and_how_to_mend_it(configured):
    found = by_name(checks.check_all())
    assert {name: one.state.value for name, one in found.items()} == {**DAEMON_LESS, "queue": "ok"}
    assert str(found["workers"]).startswith("failed   workers ")
    assert "; start the daemon: aiops worker" in str(found["workers"])
    assert "PostgreSQL" in str(found["database"])


def test_a_server_that_is_not_there_fails_one_check_and_leaves_the_others_unknown(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/none")
    settings.cache_clear()
    found = checks.check_all()
    assert [one.state for one in found] == [State.FAILED] + [State.UNKNOWN] * 5
    assert "refused" in found[0].detail
    assert "DATABASE_URL" in found[0].remedy


def test_a_look_does_not_make_or_start_the_embedded_server(open_folder, monkeypatch, postgres):
    folder = open_folder / "never made"
    monkeypatch.setenv("EMBEDDED_DIRECTORY", str(folder))
    monkeypatch.setenv("EMBEDDED_POSTGRES", postgres)
    settings.cache_clear()
    found = checks.check_all()
    assert found[0].remedy == "start it: aiops db start"
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM schema_migrations WHERE name = '0018_health.sql'", "1 migrations are missing, first aiops/0018"),
        ("INSERT INTO schema_migrations VALUES ('aiops', '9999_new.sql', 'x', '9.9')", "upgrade the program"),
    ],
    ids=["older", "newer"],
)
def test_a_schema_that_is_not_ours_is_named_and_nothing_is_read_from_it(configured, committed, change, said):
    committed.execute(change.replace("VALUES", "(source, name, sha256, program_version) VALUES"))
    found = checks.check_all()
    assert [one.state.value for one in found] == ["ok", "failed"] + ["unknown"] * 4
    assert said in str(found[1])


def test_a_check_that_may_not_be_read_fails_alone(configured, committed):
    committed.execute("ALTER TABLE listener_round_trip RENAME TO hidden")
    found = by_name(checks.check_all())
    assert "listener_round_trip" in found["listener"].detail
    assert found["queue"].state is State.OK


def test_a_listener_that_has_fallen_silent_is_told_of(connection):
    connection.execute(statement("note_round_trip"), {"channel": "aiops_trigger", "seconds": 0.002})
    found = checks.check_listener(connection)
    assert found.is_ok
    assert "after 2.0 ms" in found.detail
    connection.execute("UPDATE listener_round_trip SET answered_at = now() - interval '95 seconds'")
    found = checks.check_listener(connection)
    assert 95 <= seconds_in(found, "came back") < 195
    assert found.remedy == "start the daemon: aiops worker"
    heartbeat(connection)
    assert "DATABASE_DIRECT_URL" in checks.check_listener(connection).remedy


def heartbeat(connection, since="0 seconds"):
    row = connection.execute(
        "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (clock_timestamp() - %s::interval) RETURNING id",
        (since,),
    ).fetchone()
    return row[0]


def defer(connection, *ages):
    """Jobs of the queue compute that were asked for so long ago."""
    for age in ages:
        (job_id,) = connection.execute("SELECT enqueue_job('compute', 'risk_chunk', '{}')").fetchone()
        connection.execute(
            "UPDATE procrastinate_events SET at = clock_timestamp() - %s::interval WHERE job_id = %s", (age, job_id)
        )


def fetch(connection, worker):
    connection.execute("SELECT procrastinate_fetch_job_v2(NULL, %s)", (worker,))


def test_jobs_that_nobody_takes_are_told_of(connection):
    defer(connection, "10 minutes", "5 minutes")
    found = checks.check_queue(connection)
    assert found.state is State.FAILED
    assert "2 jobs wait in queue compute" in found.detail
    assert 600 <= seconds_in(found, "the oldest for") < 700


def test_jobs_that_wait_behind_others_are_in_order(connection):
    worker = heartbeat(connection)
    defer(connection, "10 minutes", "10 minutes", "10 minutes")
    fetch(connection, worker)  # one is under way …
    assert checks.check_queue(connection).is_ok
    connection.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing'")
    assert checks.check_queue(connection).is_ok  # … and between two jobs the queue is served, too
    connection.execute("UPDATE procrastinate_events SET at = at - interval '1 minute' WHERE type = 'started'")
    assert not checks.check_queue(connection).is_ok


def test_a_job_under_way_in_a_dead_process_serves_nobody(connection):
    defer(connection, "10 minutes", "10 minutes")
    fetch(connection, heartbeat(connection, "1 minute"))
    connection.execute("UPDATE procrastinate_events SET at = at - interval '1 minute' WHERE type = 'started'")
    assert not checks.check_queue(connection).is_ok


def test_a_job_that_was_put_off_waits_from_then_on_and_not_before(connection):
    defer(connection, "10 minutes")
    connection.execute("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() + interval '1 hour'")
    assert checks.check_queue(connection).detail == "no job waits"
    connection.execute("UPDATE procrastinate_jobs SET scheduled_at = clock_timestamp() - interval '70 seconds'")
    assert 70 <= seconds_in(checks.check_queue(connection), "the oldest for") < 170


# --- the schedule ----------------------------------------------------------------------------------------------------


def define(connection, due, since="400 days"):
    """Have every schedule due each year at one moment, noted so long ago."""
    connection.execute(
        "UPDATE schedule SET definition = %s, defined_at = clock_timestamp() - %s::interval",
        (f"{due:%m-%d %H:%M} UTC", since),
    )


def test_a_definition_is_read_as_it_was_written():
    one = schedule_of("hazard", "02-29 04:05 Europe/Paris")
    assert one.definition == "02-29 04:05 Europe/Paris"
    with pytest.raises(ValueError, match="tomorrow"):
        schedule_of("hazard", "tomorrow")


def test_a_schedule_that_no_daemon_has_noted_is_told_of(connection):
    assert "no daemon has noted yet" in check_schedule(connection).detail


def test_what_is_due_next_is_told_in_the_schedules_own_zone(connection):
    connection.execute("UPDATE schedule SET definition = '01-01 02:00 Asia/Seoul'")
    found = check_schedule(connection)
    assert found.is_ok
    assert re.search(r"probability next 20\d\d-01-01 02:00 KST; hazard next", found.detail)


@pytest.mark.parametrize(
    ("late", "remedy"),
    [
        (timedelta(minutes=10), None),
        (timedelta(hours=3), "start the daemon"),
        (timedelta(days=40), "run it: aiops schedule run hazard"),
    ],
)
def test_a_run_that_did_not_start_is_told_of_with_what_mends_it(connection, late, remedy):
    define(connection, datetime.now(UTC) - late)
    found = check_schedule(connection)
    assert found.is_ok == (remedy is None)
    if remedy is not None:
        assert "hazard: the run of" in found.detail
        assert remedy in found.remedy


@pytest.mark.parametrize(
    ("excuse", "is_ok"),
    [
        ("UPDATE schedule SET paused = true", True),
        ("UPDATE schedule SET defined_at = clock_timestamp()", True),
        ("SELECT start_due_run(schedule, clock_timestamp() - interval '39 days') FROM schedule", True),
        ("INSERT INTO batch_jobs (job_type) VALUES ('assessment')", True),
        ("INSERT INTO batch_jobs (job_type, input_params) VALUES ('assessment', '{\"cells\": [7]}')", False),
    ],
    ids=["paused", "not due since it was defined", "it ran", "run by hand", "only one cell was run by hand"],
)
def test_a_run_that_is_not_missing_is_not_missed(connection, excuse, is_ok):
    define(connection, datetime.now(UTC) - timedelta(days=40))
    connection.execute(excuse)
    assert check_schedule(connection).is_ok == is_ok


# --- a look at the database ------------------------------------------------------------------------------------------


def test_a_look_changes_nothing(configured):
    with pytest.raises(DatabaseUnavailable, match="read-only"), read_database() as connection:
        connection.execute("UPDATE event_counter SET times = 1")


def test_a_server_that_does_not_answer_does_not_hold_a_look(configured, monkeypatch):
    monkeypatch.setattr(reading, "ANSWER_SECONDS", 1.0)
    asked_at = time.monotonic()
    with pytest.raises(DatabaseUnavailable, match="no answer within 1 s"), read_database() as connection:
        connection.execute("SELECT set_config('statement_timeout', '0', true), pg_sleep(60)")
    assert time.monotonic() - asked_at < 20


def test_an_address_that_takes_connections_and_says_nothing_does_not_hold_a_look(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("DATABASE_URL", f"postgresql://nobody@127.0.0.1:{silent.getsockname()[1]}/none")
        settings.cache_clear()
        asked_at = time.monotonic()
        assert "timeout" in checks.check_all()[0].detail
        assert time.monotonic() - asked_at < 20


def test_of_many_who_ask_at_once_one_asks_the_database():
    asked, gate = [], threading.Event()

    def ask():
        asked.append(gate.wait(60))
        return len(asked)

    kept = Cached(ask, seconds=60)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(kept.get())) for _ in range(20)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert answers == [1] * 20
    assert Cached(ask, seconds=-1).get() == 2


def test_that_a_question_fails_is_an_answer_for_all_who_wait():
    """Else each would wait in turn for the server that does not answer."""
    asked = []

    def ask():
        asked.append(1)
        raise DatabaseUnavailable("away")

    kept = Cached(ask, seconds=60)
    for _ in range(3):
        with pytest.raises(DatabaseUnavailable, match="away"):
            kept.get()
    assert asked == [1]
    again = Cached(ask, seconds=-1)
    for _ in range(2):
        with pytest.raises(DatabaseUnavailable):
            again.get()
    assert asked == [1] * 3


# --- the command -----------------------------------------------------------------------------------------------------


@pytest.mark.daemon
def test_the_command_ends_with_1_and_a_line_a_check_or_json(database):
    said = run(database, "workers.cli", "health", code=1)
    assert said == ""  # it is no error that goes to standard error: what is wrong is the answer
    run(f"postgresql://nobody@127.0.0.1:{free_port()}/none", "workers.cli", "health", "--json", code=1)


@pytest.mark.daemon
def test_the_command_tells_that_a_running_daemon_is_well(configured, committed, tmp_path):
    with running_daemon(configured, tmp_path / "daemon.log"):
        wait_for(lambda: all(one.is_ok for one in checks.check_all()))
        lines = run(configured, "workers.cli", "health").splitlines()
        data = json.loads(run(configured, "workers.cli", "health", "--json"))
    names = ["database", "schema", "workers", "listener", "schedule", "queue"]
    assert [line.split()[:2] for line in lines] == [["ok", name] for name in names]
    assert [(one["name"], one["state"]) for one in data["checks"]] == [(name, "ok") for name in names]
    assert data["healthy"] is True


# --- over HTTP -------------------------------------------------------------------------------------------------------


class Parent:
    """A daemon's parent, as it says of itself."""

    silent, stopping, gone = 0.0, False, 0

    def silent_seconds(self):
        return self.silent

    def is_stopping(self):
        return self.stopping

    def missing(self):
        return {"control": 0, "compute": self.gone}

    def restarts(self):
        return {"control": 0, "compute": 3}


@pytest.fixture
def served(configured, connection):
    """A port that answers for a parent; and the parent."""
    connection.commit()
    parent, port = Parent(), free_port()
    with health_over_http(parent, "127.0.0.1", port):
        yield port, parent


def test_a_parent_that_does_not_go_round_is_not_alive(served):
    port, parent = served
    assert get(port, "/livez")[0] == 200
    parent.silent = 31.0
    status, text = get(port, "/livez")
    assert (status, json.loads(text)["live"]) == (503, False)


def test_readiness_names_the_processes_that_are_missing(served):
    port, parent = served
    parent.gone = 2
    status, text = get(port, "/readyz")
    data = json.loads(text)
    assert status == 503
    assert data["failing"] == ["processes", "workers", "listener", "schedule"]
    assert "2 compute" in data["checks"][0]["detail"]
    parent.stopping = True
    assert "stopping" in get(port, "/readyz")[1]


def test_other_paths_and_heads_are_answered(served):
    port, _ = served
    status, text = get(port, "/")
    assert (status, text) == (404, "there are: /livez, /readyz, /metrics\n")
    assert get(port, "/livez?verbose", method="HEAD") == (200, "")
    assert get(port, "/livez", method="POST")[0] == 501


def test_the_metrics_count_what_the_tables_hold(served, connection, database):
    port, _ = served
    write_climate(connection, cells=(1, 2, 3, 4), periods={"historical": (1991, 30)})
    insert = "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    (batch_id,) = connection.execute(insert).fetchone()
    connection.execute("SELECT plan_batch(%s, 2, '1', 'calibrated')", (batch_id,))
    connection.execute("SELECT claim_chunk(%s, 1, 'w', '90 seconds')", (batch_id,))
    connection.execute("UPDATE batch_chunks SET started_at = started_at - interval '3 seconds' WHERE chunk_no = 1")
    connection.execute("SELECT finish_chunk(%s, 1, 2, 0, '{}')", (batch_id,))
    connection.execute("UPDATE procrastinate_events SET at = at - interval '30 seconds'")
    connection.execute(statement("note_round_trip"), {"channel": "aiops_trigger", "seconds": 0.5})
    connection.execute(statement("count_events"), {"event": "rescue", "kind": "handed back", "times": 2})
    connection.commit()
    told = samples(port)
    assert told["aiops_database_up",] == 1
    assert told["aiops_jobs", "compute", "todo"] == 2
    assert told["aiops_jobs", "control", "doing"] == 0
    assert told["aiops_chunks", "done"] == 1
    assert told["aiops_chunks", "waiting"] == 1
    assert told["aiops_chunks", "failed"] == 0
    assert told["aiops_cells_computed_total",] == 2
    assert told["aiops_batches", "hazard", "running"] == 1
    assert told["aiops_chunk_duration_seconds_count",] == 1
    assert told["aiops_chunk_duration_seconds_bucket", "2.5"] == 0
    assert told["aiops_chunk_duration_seconds_bucket", "5.0"] == 1
    assert told["aiops_chunk_duration_seconds_bucket", "+Inf"] == 1
    assert 3 < told["aiops_chunk_duration_seconds_sum",] < 10
    assert 30 <= told["aiops_queue_oldest_waiting_seconds", "compute"] < 60
    assert told["aiops_rescues_total", "handed back"] == 2
    assert told["aiops_refused_writes_total", "fenced out"] == 0
    assert told["aiops_process_restarts_total", "compute"] == 3
    assert told["aiops_listener_round_trip_seconds",] == 0.5


def test_a_scraper_that_reads_openmetrics_gets_it(served):
    port, _ = served
    text = get(port, "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})[1]
    assert text.endswith("# EOF\n")


def test_a_port_that_is_taken_is_named(served):
    port, parent = served
    taken = health_over_http(parent, "127.0.0.1", port)
    with pytest.raises(SettingsError, match=f"HEALTH_PORT: 127.0.0.1:{port} cannot be used"), taken:
        pass


# --- a real daemon ---------------------------------------------------------------------------------------------------


@pytest.fixture
def own_server(open_folder, postgres):
    """A migrated server that this test may stop; its connection string and itself."""
    server = EmbeddedServer(open_folder / "health", postgres, durable=False)
    where = server.start()
    with psycopg.connect(where, autocommit=True) as connection:
        apply_schema(connection)
    yield where, server
    server.stop("immediate")


@pytest.mark.daemon
def test_when_the_server_is_stopped_readiness_names_it_liveness_and_counters_go_on(own_server, tmp_path):
    where, server = own_server
    port = free_port()
    with psycopg.connect(where) as connection:
        write_climate(connection, cells=CELLS[:4])
    with running_daemon(where, tmp_path / "daemon.log", HEALTH_PORT=str(port)) as daemon:
        wait_for(lambda: get_or_none(port, "/readyz") == 200)
        with psycopg.connect(where, autocommit=True) as connection:
            connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
            wait_for(lambda: samples(port)["aiops_batches", "hazard", "completed"] == 1, pause=0.5)

        server.stop("immediate")
        wait_for(lambda: get(port, "/readyz")[0] == 503)
        data = json.loads(get(port, "/readyz")[1])
        assert "database" in data["failing"]
        assert get(port, "/livez")[0] == 200
        wait_for(lambda: samples(port)["aiops_database_up",] == 0)
        told = samples(port)
        assert told["aiops_cells_computed_total",] == 4
        assert ("aiops_process_restarts_total", "compute") in told
        assert ("aiops_chunks", "done") not in told

        server.start()
        wait_for(lambda: get(port, "/readyz")[0] == 200, pause=0.2)
        assert samples(port)["aiops_cells_computed_total",] == 4
        child = next(one for one in psutil.Process(daemon.pid).children() if "compute" in one.cmdline())
        before = samples(port)["aiops_process_restarts_total", "compute"]
        child.kill()
        wait_for(lambda: samples(port)["aiops_process_restarts_total", "compute"] > before)
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.wait(120) == 0


def get_or_none(port, path):
    try:
        return get(port, path)[0]
    except OSError:
        return None


@pytest.mark.daemon
def test_a_daemon_that_waits_for_its_server_is_alive_and_not_ready(tmp_path):
    port = free_port()
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    with running_daemon(nowhere, tmp_path / "daemon.log", HEALTH_PORT=str(port)) as daemon:
        wait_for(lambda: get_or_none(port, "/livez") == 200)
        status, text = get(port, "/readyz")
        assert status == 503
        assert json.loads(text)["failing"][:2] == ["processes", "database"]
        assert samples(port)["aiops_database_up",] == 0
        os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.wait(120) == 0


@pytest.mark.daemon
def test_a_daemon_whose_port_is_taken_says_so_and_starts_nothing(database, connection, tmp_path):
    connection.commit()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running_daemon(database, tmp_path / "daemon.log", HEALTH_PORT=str(port)) as daemon:
            assert daemon.wait(120) == 2
    assert f"127.0.0.1:{port} cannot be used" in (tmp_path / "daemon.log").read_text()
