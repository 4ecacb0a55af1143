"""`NOTIFY aiops_trigger`: one daemon of many listens, and what it cannot use it ignores."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack

import psycopg
import pytest
from climate import write_climate
from daemons import running_daemon, wait_for
from hypothesis import given
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from aiops.errors import BadInput
from workers.listener import JOBS, Listener, parse_payload

LISTENER = (
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'aiops listener%'"
    " AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory') AND datname = current_database()"
)


@pytest.mark.parametrize(
    ("payload", "asked"),
    [
        ("probability", ("probability", {})),
        (" hazard\n", ("hazard", {})),
        ('{"job": "probability", "risk_types": ["drought"]}', ("probability", {"risk_types": ["drought"]})),
    ],
)
def test_a_payload_is_a_job_or_an_object_with_parameters(payload, asked):
    assert parse_payload(payload) == asked


@pytest.mark.parametrize(
    "payload", ["", "everything", "[]", "1", '{"job": "x"}', '{"risk_types": []}', "{" * 7999, "null"]
)
def test_anything_else_is_refused_with_what_is_allowed(payload):
    with pytest.raises(BadInput, match="allowed: probability, hazard"):
        parse_payload(payload)


@given(st.text())
def test_no_text_does_anything_but_be_understood_or_refused(payload):
    try:
        job, params = parse_payload(payload)
    except BadInput:
        return
    assert job in JOBS
    assert isinstance(params, dict)


@pytest.fixture
def three_daemons(database, connection, tmp_path):
    """Three daemons, one of which listens; and a connection in autocommit mode."""
    write_climate(connection, cells=(1, 2, 3))
    with ExitStack() as stack:
        logs = [tmp_path / f"{number}.log" for number in range(3)]
        for log in logs:
            stack.enter_context(running_daemon(database, log))
        watcher = stack.enter_context(psycopg.connect(database, autocommit=True))
        wait_for(lambda: len(watcher.execute(LISTENER).fetchall()) == 1)
        wait_for(lambda: sum("listening" in log.read_text() for log in logs) == 1)
        yield watcher, logs


@pytest.mark.daemon
def test_one_notify_with_three_daemons_is_one_batch(three_daemons):
    watcher, _ = three_daemons
    watcher.execute("NOTIFY aiops_trigger, 'probability'")
    rows = "SELECT job_type, status FROM batch_jobs"
    wait_for(lambda: watcher.execute(rows).fetchall() == [("probability", "completed")])
    watcher.execute("SELECT pg_notify('aiops_trigger', %s)", (json.dumps({"job": "hazard", "cells": [2]}),))
    wait_for(lambda: ("hazard", "completed") in watcher.execute(rows).fetchall())
    assert watcher.execute("SELECT total_items FROM batch_jobs WHERE job_type = 'hazard'").fetchone() == (1,)


@pytest.mark.daemon
def test_garbage_is_logged_once_and_the_daemon_goes_on(three_daemons):
    watcher, logs = three_daemons
    for payload in ["", "x" * 7999, "nonsense", "nonsense", '{"job": "hazard", "risk_types": ["none"]}']:
        watcher.execute("SELECT pg_notify('aiops_trigger', %s)", (payload,))
    watcher.execute("NOTIFY aiops_trigger, 'hazard'")
    wait_for(lambda: watcher.execute("SELECT status FROM batch_jobs").fetchall() == [("completed",)])
    said = "".join(log.read_text() for log in logs)
    assert said.count("payload=nonsense") == 1
    assert "'none' is not allowed" in said


@pytest.mark.daemon
def test_when_the_listeners_session_dies_another_takes_over(three_daemons):
    watcher, _ = three_daemons
    (first,) = watcher.execute(LISTENER).fetchone()
    watcher.execute("SELECT pg_terminate_backend(%s)", (first,))
    wait_for(lambda: (now := watcher.execute(LISTENER).fetchone()) is not None and now[0] != first)
    wait_for(
        lambda: (
            watcher.execute("NOTIFY aiops_trigger, 'probability'")
            and watcher.execute("SELECT count(*) FROM batch_jobs").fetchone()[0] > 0
        ),
        pause=0.5,
    )


def test_what_cannot_be_started_now_keeps_nothing_else_from_it(database, connect):
    """Two families in one bunch; somebody has started a batch of the one and not committed."""
    holder, watcher = connect(), connect(autocommit=True)
    holder.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")

    async def act():
        impatient = {"options": "-c lock_timeout=300"}
        async with AsyncConnectionPool(database, kwargs=impatient, min_size=1, open=False) as pool:
            listener = Listener(pool)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await listener._act_on(["hazard", "probability"])
            assert watcher.execute("SELECT job_type FROM batch_jobs").fetchall() == [("probability",)]
            watcher.execute("SELECT cancel_batch(batch_id) FROM batch_jobs")
            holder.rollback()
            await listener._act_on(["hazard"])

    asyncio.run(act())
    rows = "SELECT job_type FROM batch_jobs WHERE status = 'queued'"
    assert watcher.execute(rows).fetchall() == [("hazard",)]
