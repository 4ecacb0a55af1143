"""Event streams: nothing is missed, whatever happens to the session that listens; and they end."""

from __future__ import annotations

import re
import signal
import socket
import time
from contextlib import suppress
from types import SimpleNamespace

import httpx
import psycopg
import pytest
from asking import copied_database
from daemons import wait_for
from serving import Reader, events_of, running_api

from aiops.db.batches import complete_batch_job, fail_batch_job, update_batch_progress
from workers.api.problems import Problem
from workers.api.streams import KEEP_ALIVE_SECONDS, refuse_too_many

pytestmark = pytest.mark.daemon


@pytest.fixture(scope="module")
def database(migrated_server, server):
    with copied_database(migrated_server, server, "api_streams") as one:
        yield one


@pytest.fixture(scope="module")
def api(database, tmp_path_factory):
    """One for all: the last test ends it."""
    with running_api(database, tmp_path_factory.mktemp("streams") / "api.log") as one:
        yield one


@pytest.fixture
def writer(database):
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


def batch(writer):
    """A batch that no daemon takes: this test moves it."""
    return str(writer.execute("INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id").fetchone()[0])


def listening(writer):
    return writer.execute(
        "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'aiops api listener%' "
        "AND datname = current_database()"
    ).fetchone()


def test_a_stream_begins_with_the_state_and_tells_each_change_and_the_end(api, writer):
    batch_id = batch(writer)
    reader = Reader(api, batch_id)
    wait_for(lambda: reader.states)
    assert reader.states[0]["status"] == "queued"
    for progress in (10, 40, 70):
        update_batch_progress(writer, batch_id, progress, f"step {progress}")
        wait_for(lambda: reader.states[-1]["progress"] == progress)  # noqa: B023
    fail_batch_job(writer, batch_id, "the reason")
    wait_for(lambda: reader.ended)
    assert [one["progress"] for one in reader.states] == [0, 10, 40, 70, 70]
    assert reader.states[-1]["status"] == "failed"
    assert reader.states[-1]["error_message"] == "the reason"
    assert reader.states[-1]["completed_at"]


def test_an_event_source_that_comes_back_after_the_end_is_told_to_stay_away(api, writer):
    batch_id = batch(writer)
    complete_batch_job(writer, batch_id, {})
    with api.client() as client:
        assert [one["status"] for one in events_of(client, batch_id)] == ["completed"]
        again = client.get(f"/api/batch/{batch_id}/events", headers={"Last-Event-ID": "completed-100"})
        assert again.status_code == 204


def test_what_happens_while_nobody_listens_is_told_afterwards(api, writer):
    batch_id = batch(writer)
    reader = Reader(api, batch_id)
    wait_for(lambda: reader.states)
    (pid,) = wait_for(lambda: listening(writer))
    # In one transaction: when the change is committed, the session that would have heard it is gone.
    with writer.transaction():
        writer.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        complete_batch_job(writer, batch_id, {})
    wait_for(lambda: reader.ended)
    assert reader.states[-1]["status"] == "completed"
    wait_for(lambda: (found := listening(writer)) and found[0] != pid)


def test_every_connection_may_be_lost_and_the_stream_goes_on(api, writer):
    batch_id = batch(writer)
    reader = Reader(api, batch_id)
    wait_for(lambda: reader.states)
    for progress in (20, 60):
        writer.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE application_name LIKE 'aiops api%' AND datname = current_database()"
        )
        update_batch_progress(writer, batch_id, progress)
        wait_for(lambda: reader.states[-1]["progress"] == progress)  # noqa: B023
    with api.client() as client:
        assert client.get(f"/api/batch/{batch_id}/status").status_code == 200
        created = client.post("/api/risk/calculate", json={"latitude": 37, "longitude": 127})
        assert created.status_code in (202, 503)
    complete_batch_job(writer, batch_id, {})
    wait_for(lambda: reader.ended)
    assert not [line for line in api.log.read_text().splitlines() if "request failed" in line]


def test_noise_on_the_channel_disturbs_nobody(api, writer):
    batch_id = batch(writer)
    reader = Reader(api, batch_id)
    wait_for(lambda: reader.states)
    for noise in ("", "x", "[]", "null", '{"batch_id": 1}',
                  f'{{"batch_id": "{batch_id}", "status": "running", "progress": "x"}}',
                  f'{{"batch_id": "{batch_id}", "status": "completed", "progress": 100, "step": null}}'):  # fmt: skip
        writer.execute("SELECT pg_notify('aiops_progress', %s)", (noise,))
    update_batch_progress(writer, batch_id, 50)
    wait_for(lambda: reader.states[-1]["progress"] == 50)
    assert not reader.ended
    assert "completed" not in {one["status"] for one in reader.states}
    complete_batch_job(writer, batch_id, {})
    wait_for(lambda: reader.ended)


def test_many_streams_hang_on_one_session(api, writer):
    batch_id = batch(writer)
    readers = [Reader(api, batch_id) for _ in range(60)]
    wait_for(lambda: all(one.states for one in readers))
    (count,) = writer.execute(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE application_name LIKE 'aiops api%' AND datname = current_database()"
    ).fetchone()
    assert count <= 1 + 8
    complete_batch_job(writer, batch_id, {})
    wait_for(lambda: all(one.ended for one in readers))
    assert {one.states[-1]["status"] for one in readers} == {"completed"}
    with api.client() as client:
        wait_for(lambda: "aiops_http_event_streams 0.0" in client.get("/metrics").text)


def test_a_reader_that_goes_away_is_forgotten(api, writer):
    batch_id = batch(writer)
    with api.client() as client:
        with client.stream("GET", f"/api/batch/{batch_id}/events") as answer:
            lines = answer.iter_lines()
            next(lines)
            assert "aiops_http_event_streams 1.0" in client.get("/metrics").text
        wait_for(lambda: "aiops_http_event_streams 0.0" in client.get("/metrics").text)


def test_a_batch_of_which_there_is_no_news_is_still_heard_of(api, writer):
    """What stands between ends a connection that is silent for long; so a reader who has gone is noticed, too."""
    reader = Reader(api, batch(writer))
    wait_for(lambda: ": still here" in reader.lines, KEEP_ALIVE_SECONDS + 15)
    assert len(reader.states) == 1


def test_a_reader_that_sends_more_than_it_may_is_forgotten(api, writer):
    """Its body is read for nothing but to notice that it goes; a stream without a reader must not stay."""
    address = httpx.URL(api.url)
    with api.client() as client:

        def streams():
            return float(re.search(r"^aiops_http_event_streams (\S+)", client.get("/metrics").text, re.MULTILINE)[1])

        before = streams()
        for _ in range(3):
            with socket.create_connection((address.host, address.port), 30) as reader:
                path = f"/api/batch/{batch(writer)}/events"
                reader.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
                with suppress(OSError):  # it may be cut off in the middle
                    for _ in range(9):
                        reader.sendall(b"100000\r\n" + b"x" * (1 << 20) + b"\r\n")
        wait_for(lambda: streams() <= before)


def test_more_streams_than_allowed_are_refused():
    refuse_too_many(SimpleNamespace(streams=1), 2)
    with pytest.raises(Problem) as refused:
        refuse_too_many(SimpleNamespace(streams=2), 2)
    assert refused.value.status == 503
    assert refused.value.headers["Retry-After"]


def test_without_a_server_it_answers_503_and_never_500(tmp_path):
    nowhere = "postgresql://nobody:x@127.0.0.1:1/none"
    with running_api(nowhere, tmp_path / "away.log") as away, away.client() as client:
        assert client.get("/healthz").status_code == 200
        for answer in (
            client.get("/readyz"),
            client.get("/api/batches"),
            client.post("/api/risk/calculate", json={"latitude": 37, "longitude": 127}),
        ):
            assert answer.status_code == 503
        assert client.get("/api/overview").headers["retry-after"]
        page = client.get("/", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "The database cannot be reached" in page.text


def test_sigterm_ends_streams_and_process_within_seconds(api, writer):
    reader = Reader(api, batch(writer))
    wait_for(lambda: reader.states)
    started = time.monotonic()
    api.process.send_signal(signal.SIGTERM)
    assert api.process.wait(15) == 0
    assert time.monotonic() - started < 10
    wait_for(lambda: reader.ended)
