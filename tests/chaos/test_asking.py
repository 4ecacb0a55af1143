"""Faults 11, 15, 16, 18: those who ask wrongly, too often, at once, take it back, or have no right to."""

from __future__ import annotations

import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest
from psycopg.types.json import Jsonb

from chaos.invariants import LISTENING_SECONDS
from chaos.rig import ANNOUNCED_SECONDS
from chaos.work import FIRST_CELL, RISKS, chunk_cells

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

FLOOD = 10_000
CLIENTS = 50


# --- 11: NOTIFY ------------------------------------------------------------------------------------------------------


@pytest.mark.fault("11 garbage and floods of NOTIFY, two daemons")
def test_garbage_and_floods_on_the_channel_make_one_batch(rig):
    daemons = [rig.daemon(PARALLEL_WORKERS="1"), rig.daemon(PARALLEL_WORKERS="1")]
    listener = rig.listener()
    asked = json.dumps({"job": "probability", "cells": list(chunk_cells(4)), "risk_types": list(RISKS)})
    garbage = [
        "",
        "x" * 7999,
        "nonsense",
        "nonsense",
        '{"job": "everything"}',
        "[1, 2",
        '{"job": "hazard", "cells": 0}',
    ]
    garbage += ["\\u0000", '{"job": "probability", "risk_types": ["\\u0000"]}', '{"job": "hazard", "force": "yes"}']
    with rig.closed_gate("write"):
        for payload in garbage:
            rig.watch.execute("SELECT pg_notify('aiops_trigger', %s)", (payload,))
        for _ in range(200):  # each in a transaction of its own: Postgres joins equal ones only within one
            rig.watch.execute("SELECT pg_notify('aiops_trigger', %s)", (asked,))
        rig.watch.execute(
            "SELECT count(pg_notify('aiops_trigger', 'flood ' || n)) FROM generate_series(1, %s) AS n", (FLOOD,)
        )
        for payload in garbage:
            rig.watch.execute("SELECT pg_notify('aiops_trigger', %s)", (payload,))
        rig.injected(FLOOD + 200 + 2 * len(garbage))
        # What is asked for after the flood is heard after it.
        with rig.recovery(LISTENING_SECONDS):
            after = json.dumps({"job": "hazard", "cells": [FIRST_CELL], "risk_types": ["extreme_heat"]})
            rig.watch.execute("SELECT pg_notify('aiops_trigger', %s)", (after,))
            rig.wait(lambda: rig.look("SELECT status FROM batch_jobs WHERE job_type = 'hazard'") == "running")
        assert rig.look("SELECT count(*) FROM batch_jobs WHERE job_type = 'probability'") == 1
    rig.wait(lambda: rig.look("SELECT count(*) FROM batch_jobs WHERE status = 'completed'") == 2)
    assert rig.listener() == listener, "no session was lost over it"
    said = [line for daemon in daemons for line in daemon.lines()]
    assert sum(line["event"] == "asked by NOTIFY" and line["job_type"] == "probability" for line in said) == 1
    assert sum(line["event"] == "NOTIFY ignored" and line["payload"] == "nonsense" for line in said) == 1
    assert sum("NOTIFY" in line["event"] for line in said) < 200, "a flood does not fill the log"


# --- 15: cancel, retry, the same at once -----------------------------------------------------------------------------


@pytest.mark.fault("15 cancel")
@pytest.mark.parametrize(
    "state",
    [
        "in-mid-write",
        "in-mid-commit",
        pytest.param("queued", marks=pytest.mark.slow_chaos),
        pytest.param("at-work", marks=pytest.mark.slow_chaos),
        pytest.param("completed", marks=pytest.mark.slow_chaos),
        pytest.param("cancelled", marks=pytest.mark.slow_chaos),
    ],
)
def test_a_cancel_at_every_state_has_its_documented_outcome(rig, state):
    if state != "queued":
        rig.daemon()
    gate = {"in-mid-write": "write", "in-mid-commit": "commit"}.get(state, "none")
    rig.set_pace(0.1)
    with rig.closed_gate(gate):
        batch = rig.batch(20)
        if state == "at-work":
            rig.wait(lambda: batch.done() > 2)
        elif state == "completed":
            assert batch.wait(120) == "completed"
        elif gate != "none":
            rig.wait(rig.waiting_at_gate)
        elif state == "cancelled":
            assert batch.cancel()
        rig.injected()
        if state == "in-mid-commit":
            # The chunk that commits has the batch's row: the cancel comes after it.
            with ThreadPoolExecutor(1) as pool, rig.connect() as other:
                waiting = pool.submit(other.execute, "SELECT cancel_batch(%s)", (batch.batch_id,))
                time.sleep(0.5)
                assert not waiting.done()
                rig.watch.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gate'"
                )
                assert waiting.result(30).fetchone() == (True,)
        else:
            assert batch.cancel() is (state not in {"completed", "cancelled"})
    assert batch.status == ("completed" if state == "completed" else "cancelled")
    if state == "queued":
        rig.daemon()
    with rig.recovery(LISTENING_SECONDS):
        busy = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
        rig.wait(lambda: rig.look(busy) == 0, 2 * LISTENING_SECONDS)
    written = rig.look("SELECT count(*) FROM probability_packed")
    time.sleep(1)
    assert rig.look("SELECT count(*) FROM probability_packed") == written
    if state == "in-mid-write":
        assert written == 0
    # …and cancelled a second time, or run again, it is what it was.
    assert not batch.cancel()
    assert batch.retry() == 0


@pytest.mark.fault("15 the same asked by 50 clients at once")
def test_the_same_batch_asked_for_by_fifty_at_once_is_computed_once(rig):
    rig.daemon()
    params = Jsonb({"cells": list(chunk_cells(6)), "risk_types": list(RISKS), "force": True})

    def ask(_):
        with rig.server.connect(rig.database) as own:
            return own.execute("SELECT start_batch('probability', %s)", (params,)).fetchone()[0]

    def insert(_):
        insertion = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('probability', %s) RETURNING batch_id"
        with rig.server.connect(rig.database) as own, suppress(psycopg.errors.UniqueViolation):
            return own.execute(insertion, (params,)).fetchone()[0]

    with rig.closed_gate("write"), ThreadPoolExecutor(CLIENTS) as pool:
        numbers = set(pool.map(ask, range(CLIENTS)))
        assert len(numbers) == 1
        assert set(pool.map(insert, range(CLIENTS))) == {None}
        rig.injected(2 * CLIENTS)
    rig.wait(lambda: rig.look("SELECT status FROM batch_jobs") == "completed")
    assert rig.look("SELECT count(*) FROM batch_jobs") == 1
    assert rig.look("SELECT max(attempt) FROM batch_chunks") == 1


# --- 16: what is taken back, and much at once ------------------------------------------------------------------------


@pytest.mark.fault("16 an enqueue that is rolled back")
def test_what_is_rolled_back_was_never_asked_for(rig):
    rig.daemon()
    insertion = "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s)"
    params = Jsonb({"cells": list(chunk_cells(2)), "risk_types": list(RISKS)})
    with psycopg.connect(rig.url) as own:
        own.execute(insertion, ("probability", params))
        own.rollback()
        with suppress(psycopg.errors.InvalidParameterValue), own.transaction():
            own.execute(insertion, ("probability", params))
            own.execute(insertion, ("probability", Jsonb({"cells": []})))
        with own.transaction(force_rollback=True):
            own.execute(insertion, ("hazard", params))
        with own.transaction():
            own.execute(insertion, ("hazard", params))
        own.commit()
        rig.injected(3)
    with rig.recovery(LISTENING_SECONDS):
        rig.wait(lambda: rig.look("SELECT array_agg(status) FROM batch_jobs") == ["completed"])
    assert rig.look("SELECT job_type FROM batch_jobs") == "hazard"
    tasks = rig.watch.execute("SELECT task_name, count(*) FROM procrastinate_jobs GROUP BY 1 ORDER BY 1").fetchall()
    assert tasks == [("hazard_batch", 1), ("risk_chunk", 2)]


@pytest.mark.slow_chaos
@pytest.mark.fault("16 10,000 jobs in one statement")
def test_ten_thousand_jobs_in_one_statement_are_all_there_or_none(rig):
    rig.watch.execute(
        "INSERT INTO location_grid (grid_id, has_climate) SELECT n, true FROM generate_series(1, %s) AS n", (FLOOD,)
    )
    everything = Jsonb({"risk_types": list(RISKS), "cells": list(range(1, FLOOD + 1)), "force": True})
    batch_id = rig.look("SELECT start_batch('probability', %s)", everything)
    plan = "SELECT plan_batch(%s, 1, '1', 'calibrated')"
    counts = (
        "SELECT (SELECT count(*) FROM batch_chunks), (SELECT count(DISTINCT job_id) FROM batch_chunks),"
        " (SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'risk_chunk' AND status = 'todo')"
    )
    with psycopg.connect(rig.url) as own:
        assert own.execute(plan, (batch_id,)).fetchone() == (FLOOD,)
        own.rollback()
        assert own.execute(counts).fetchone() == (0, 0, 0)
        assert own.execute(plan, (batch_id,)).fetchone() == (FLOOD,)
    rig.injected(FLOOD)
    assert rig.watch.execute(counts).fetchone() == (FLOOD, FLOOD, FLOOD)
    assert rig.look("SELECT cancel_batch(%s)", batch_id)
    assert rig.watch.execute(counts).fetchone() == (FLOOD, FLOOD, 0)
    rig.watch.execute("SELECT * FROM reconcile_batches('0 s')")


# --- 18: the queue's own channels ------------------------------------------------------------------------------------

QUEUE_CHANNELS = ("procrastinate_queue_v1#control", "procrastinate_queue_v1#compute", "procrastinate_any_queue_v1")


@pytest.fixture
def stranger(rig):
    """A role that may log in to the database, and nothing else; as a connection."""
    rig.watch.execute("CREATE ROLE chaos_stranger LOGIN PASSWORD 'strange'")
    rig.watch.execute("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC")
    try:
        with psycopg.connect(
            rig.server.conninfo(rig.database, user="chaos_stranger", password="strange"), autocommit=True
        ) as own:
            yield own
    finally:
        rig.watch.execute("DROP ROLE chaos_stranger")


@pytest.mark.fault("18 forged and garbage NOTIFY on the queue's channels")
def test_a_stranger_on_the_queues_channels_ends_no_job_and_slows_nothing(rig, stranger):
    daemon = rig.daemon()
    before = {one.pid for one in daemon.family()}
    sessions = (
        "SELECT array_agg(pid ORDER BY pid) FROM pg_stat_activity WHERE application_name LIKE 'aiops queue-listener%'"
    )
    rig.wait(lambda: len(rig.look(sessions) or []) == len(daemon.family()) - 1)
    ears = rig.look(sessions)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        stranger.execute("SELECT * FROM procrastinate_jobs")

    def tell(payload):
        for channel in QUEUE_CHANNELS:
            stranger.execute("SELECT pg_notify(%s, %s)", (channel, payload))
            rig.injected()

    with rig.closed_gate("write"):
        batch = rig.batch(4)
        rig.wait(lambda: len(rig.waiting_at_gate()) == 2)
        for (job_id,) in rig.watch.execute("SELECT id FROM procrastinate_jobs").fetchall():
            tell(json.dumps({"type": "abort_job_requested", "job_id": job_id}))
        forge_everything(tell)
        stranger.execute(
            "SELECT count(pg_notify('procrastinate_queue_v1#compute', 'flood ' || n)) FROM generate_series(1, %s) AS n",
            (FLOOD,),
        )
        rig.injected(FLOOD)
    assert batch.wait(120) == "completed"
    statuses = "SELECT array_agg(DISTINCT status::text) FROM procrastinate_jobs"
    rig.wait(lambda: rig.look(statuses) == ["succeeded"])  # a job's end is noted after its work's
    assert rig.look(sessions) == ears, "no session was lost over it"
    assert {one.pid for one in daemon.family()} == before
    with rig.rare_polls():
        seconds_of_a_small_batch(rig)
        took = [seconds_of_a_small_batch(rig) for _ in range(5)]
    rig.record.recovered_seconds.append(statistics.median(took))
    assert max(took) < ANNOUNCED_SECONDS, took


def seconds_of_a_small_batch(rig):
    start = time.monotonic()
    assert rig.batch(1, "hazard", risk_types=["extreme_heat"]).wait(300) == "completed"
    return time.monotonic() - start


def forge_everything(tell):
    """What else may stand on the channel."""
    for payload in ("", "x" * 7999, "{", "null", "[]", "1", '"abort_job_requested"', '{"type": "abort_job_requested"}'):
        tell(payload)
    for job_id in (-1, 2**70, 1.5, None, "1", True, {}, [1]):
        tell(json.dumps({"type": "abort_job_requested", "job_id": job_id}))
        tell(json.dumps({"type": "job_inserted", "job_id": job_id}))
    tell(json.dumps({"type": "drop everything", "job_id": 1}))


@pytest.mark.fault("18 a forged abort of the planning")
def test_a_forged_abort_does_not_end_what_could_be_aborted(rig, stranger):
    """The planning runs in the event loop; the queue's worker would cancel it there."""
    rig.daemon()
    doing = "SELECT id FROM procrastinate_jobs WHERE task_name = 'probability_batch' AND status = 'doing'"
    locker = rig.connect()
    with locker.transaction():
        locker.execute("LOCK TABLE batch_job_logs IN ACCESS EXCLUSIVE MODE")
        batch = rig.batch(2)
        job_id = rig.wait(lambda: rig.look(doing))
        for channel in QUEUE_CHANNELS:
            forged = json.dumps({"type": "abort_job_requested", "job_id": job_id})
            stranger.execute("SELECT pg_notify(%s, %s)", (channel, forged))
            rig.injected()
        time.sleep(2)
        assert rig.look(doing) == job_id
    assert batch.wait(120) == "completed"
    assert rig.look("SELECT status::text FROM procrastinate_jobs WHERE id = %s", job_id) == "succeeded"
