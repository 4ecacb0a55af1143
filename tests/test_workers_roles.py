"""A daemon that may do no more than aiops_worker does everything for clients that may do no more than aiops_client."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import psycopg
import pytest
from asking import SEOUL, ask, copied_database, end_of, place, write_inputs
from daemons import environment, running_daemon, wait_for
from logins import login
from psycopg.conninfo import conninfo_to_dict

from aiops.climate import Series
from aiops.db.climate import write_series
from aiops.grid import grid_id_of

pytestmark = pytest.mark.daemon

PLACES = 3


@pytest.fixture(scope="module")
def at_work(migrated_server, server, tmp_path_factory):
    """Connection strings of a client, of the worker that a daemon runs as, of nobody; and the daemon's log."""
    log = tmp_path_factory.mktemp("roles") / "daemon.log"
    with copied_database(migrated_server, server, "workers_roles") as owner:
        with psycopg.connect(owner) as connection:
            write_inputs(connection, PLACES)
            rain = Series("pr", "historical", grid_id_of(*place(0)), 2001, np.ones(365, dtype=np.float32))
            write_series(connection, [rain], None)
        with (
            login(owner, "aiops_client") as client,
            login(owner, "aiops_worker") as worker,
            login(owner) as nobody,
            running_daemon(worker, log),
        ):
            yield {"client": client, "worker": worker, "nobody": nobody, "log": log}


@pytest.fixture
def client(at_work):
    with psycopg.connect(at_work["client"], autocommit=True) as connection:
        yield connection


def test_it_answers_a_clients_request_and_computes_its_cell(client):
    client.execute("LISTEN aiops_progress")
    batch_id = ask(client)
    row = end_of(client, batch_id)
    assert row["status"] == "completed", row["error_message"]
    told = [json.loads(one.payload) for one in client.notifies(timeout=0)]
    mine = [one["progress"] for one in told if one["batch_id"] == str(batch_id)]
    assert mine == sorted(mine)
    assert mine[-1] == 100
    assert client.execute("SELECT count(DISTINCT risk_type) FROM risk_results").fetchone() == (9,)
    assert len(client.execute("SELECT * FROM risk_history(%s, %s)", SEOUL).fetchall()) == 1


def test_it_runs_a_clients_yearly_batch(client):
    (batch_id,) = client.execute("SELECT start_batch('assessment')").fetchone()
    row = end_of(client, batch_id)
    assert (row["status"], row["progress"]) == ("completed", 100), row["error_message"]
    (cells,) = client.execute("SELECT count(DISTINCT grid_id) FROM probability_results").fetchone()
    assert cells == PLACES
    logged = "SELECT status FROM batch_job_logs WHERE batch_id = %s AND step IS NULL"
    assert client.execute(logged, (batch_id,)).fetchall() == [("completed",)]


def test_it_writes_the_indicators_that_a_client_asks_for(client):
    (batch_id,) = client.execute("SELECT start_batch('indicators')").fetchone()
    row = end_of(client, batch_id)
    assert row["status"] == "completed", row["error_message"]
    assert row["results"]["rows"] > 0
    names = "SELECT DISTINCT name FROM climate_data JOIN dataset USING (dataset_id) WHERE variable = 'pr_month'"
    assert client.execute(names).fetchall() == [("indicators",)]


def test_it_computes_a_clients_portfolio(client):
    sites = [dict(zip(("latitude", "longitude"), place(n), strict=True)) for n in range(PLACES)]
    (batch_id,) = client.execute("SELECT request_risk_many(%s)", (json.dumps(sites),)).fetchone()
    row = end_of(client, batch_id)
    assert row["status"] == "completed", row["error_message"]
    rows = client.execute("SELECT status FROM portfolio_results(%s)", (batch_id,)).fetchall()
    assert rows == [("ok",)] * PLACES


FORGED = (
    json.dumps({"job": "ondemand_risk_calculation", "latitude": SEOUL[0], "longitude": SEOUL[1]}),
    json.dumps({"job": "test"}),
    json.dumps({"job": "hazard", "status": "completed"}),
    json.dumps({"job": "hazard", "created_by": "me"}),
    json.dumps({"job": "hazard; DROP TABLE batch_jobs"}),
    json.dumps({"job": "hazard", "note": "\x00"}),
    json.dumps({"job": "hazard", "note": "\ud800"}),
    '{"job": "hazard", "cells": [NaN]}',
    '{"job": "hazard", "cells": [Infinity]}',
    '{"job": "hazard", "cells": ' + "[" * 900 + "]" * 900 + "}",
    "risk_chunk",
)


def test_whatever_a_stranger_notifies_starts_a_yearly_batch_or_nothing(client, at_work):
    (before,) = client.execute("SELECT count(*) FROM batch_jobs").fetchone()
    with psycopg.connect(at_work["nobody"], autocommit=True) as nobody:
        for payload in FORGED:
            nobody.execute("SELECT pg_notify('aiops_trigger', %s)", (payload,))
        # Heard after all of those.
        nobody.execute("""NOTIFY aiops_trigger, '{"job": "hazard", "risk_types": ["drought"], "force": true}'""")
    newest = (
        "SELECT batch_id, job_type, status, input_params, created_by FROM batch_jobs ORDER BY created_at DESC LIMIT 1"
    )
    wait_for(lambda: client.execute("SELECT count(*) FROM batch_jobs").fetchone()[0] > before)
    batch_id, job_type, _, params, created_by = client.execute(newest).fetchone()
    assert (job_type, params) == ("hazard", {"force": True, "risk_types": ["drought"]})
    assert created_by == conninfo_to_dict(at_work["worker"])["user"]
    # Nobody's own: the daemon asked for it.
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="was asked for by aiops_worker_"):
        client.execute("SELECT cancel_batch(%s)", (batch_id,))
    assert end_of(client, batch_id, 60)["status"] == "completed"
    assert client.execute("SELECT count(*) FROM batch_jobs").fetchone() == (before + 1,)


def test_a_worker_finds_it_healthy(at_work):
    """Every check reads something: the schema's books, the listener's round trip, the schedule, the queue."""
    command = [sys.executable, "-m", "workers.cli", "health"]

    def is_healthy():
        done = subprocess.run(command, env=environment(at_work["worker"]), capture_output=True, timeout=60, check=False)
        return done.returncode == 0

    wait_for(is_healthy)


def test_nothing_was_refused_to_it(at_work):
    """The last of the module: by now every part of the daemon has been at work."""
    log = at_work["log"].read_text()
    assert "permission denied" not in log
    assert "service failed" not in log
