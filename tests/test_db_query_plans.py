"""What runs often finds its rows by an index, with fifty thousand rows in each table."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aiops.db.statements import statement

ROWS = 50_000
BIG = {
    "location_grid",
    "climate_data_rx1day",
    "climate_data_tx33",
    "probability_packed",
    "hazard_packed",
    "batch_jobs",
    "batch_chunks",
    "batch_job_logs",
    "procrastinate_jobs",
    "procrastinate_events",
}
RUNNING = "00000000-0000-0000-0000-000000000001"
"""A batch of a thousand chunks: ten are done, two under way, the others wait; its jobs have the numbers after ROWS."""

FILL = f"""
SET LOCAL session_replication_role = replica;  -- no trigger: the rows are put where they belong by hand

INSERT INTO location_grid (grid_id, has_climate) SELECT n, true FROM generate_series(1, {ROWS}) AS n;
INSERT INTO climate_data (variable, grid_id, scenario, first_year, values)
SELECT variable, cell, scenario, 1991, '\\x00000000'
FROM unnest('{{rx1day,tx33}}'::text[]) AS variable,
     unnest('{{historical,ssp126,ssp245,ssp370,ssp585}}'::text[]) AS scenario,
     generate_series(1, {ROWS // 5}) AS cell;
INSERT INTO probability_packed (grid_id, risk_type, damage_set, n_bins, bin_edges, probabilities, damage_rates, aal,
                                aal_low, aal_high, estimator, n_years, status, method_version)
SELECT cell, risk_type, 'calibrated', 2, '{{1}}', '{{1,0}}', '{{0,1}}', '{{1}}', '{{1}}', '{{1}}', '{{1}}', '{{1}}',
       '{{1}}', '1'
FROM generate_series(1, {ROWS // 9} + 1) AS cell, risk_type;
INSERT INTO hazard_packed (grid_id, risk_type, score, coverage, status, method_version)
SELECT cell, risk_type, '{{1}}', '{{1}}', '{{1}}', '1' FROM generate_series(1, {ROWS // 9} + 1) AS cell, risk_type;

INSERT INTO batch_jobs (job_type, status, progress, started_at, completed_at, created_at, total_chunks)
SELECT 'hazard', CASE WHEN n % 1000 = 0 THEN 'cancelled' ELSE 'completed' END,
       CASE WHEN n % 1000 = 0 THEN 50 ELSE 100 END,
       now() - n * interval '1 hour', now() - n * interval '1 hour', now() - n * interval '1 hour', 1
FROM generate_series(1, {ROWS}) AS n;
INSERT INTO batch_jobs (batch_id, job_type, status, progress, started_at, total_items, total_chunks, open_chunks)
VALUES ('{RUNNING}', 'probability', 'running', 1, now(), 10000, 1000, 990);
INSERT INTO batch_jobs (job_type, created_at, updated_at)
SELECT 'hazard', now() - interval '1 minute', now() - interval '1 minute';
INSERT INTO batch_job_logs (batch_id, job_type, status, completed_at)
SELECT batch_id, job_type, status, completed_at FROM batch_jobs;

INSERT INTO batch_chunks (batch_id, chunk_no, first_grid_id, last_grid_id, n_cells, state, job_id, attempt, started_at,
                          completed_at)
SELECT batch_id, 1, 1, 1, 1, CASE status WHEN 'completed' THEN 'done' ELSE 'cancelled' END, row_number() OVER (), 1,
       started_at, completed_at
FROM batch_jobs WHERE status IN ('completed', 'cancelled');
INSERT INTO batch_chunks (batch_id, chunk_no, first_grid_id, last_grid_id, n_cells, state, job_id, lease_until)
SELECT '{RUNNING}', n, n, n, 10, CASE WHEN n <= 10 THEN 'done' WHEN n <= 12 THEN 'running' ELSE 'waiting' END,
       {ROWS} + n, now() + interval '1 minute'
FROM generate_series(1, 1000) AS n;

INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now());
INSERT INTO procrastinate_jobs (id, queue_name, task_name, args, status, worker_id)
SELECT n, 'compute', 'risk_chunk', jsonb_build_object('batch_id', '{RUNNING}', 'chunk_no', n - {ROWS}),
       (CASE WHEN n <= {ROWS} + 10 THEN 'succeeded' WHEN n <= {ROWS} + 12 THEN 'doing' ELSE 'todo' END)
           ::procrastinate_job_status,
       CASE WHEN n BETWEEN {ROWS} + 11 AND {ROWS} + 12 THEN (SELECT max(id) FROM procrastinate_workers) END
FROM generate_series(1, {ROWS} + 1000) AS n;
SELECT setval('procrastinate_jobs_id_seq', {ROWS} + 1000);
INSERT INTO procrastinate_events (job_id, type) SELECT id, 'deferred' FROM procrastinate_jobs;
"""


@pytest.fixture(scope="module")
def filled(server, migrated_server):
    """The connection string of a database with fifty thousand rows in each table; only these tests see it."""
    name = "query_plans"
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as maintenance:
        maintenance.execute(f"DROP DATABASE IF EXISTS {name}")
        maintenance.execute(f'CREATE DATABASE {name} TEMPLATE "{migrated_server.template_dbname}"')
        where = make_conninfo(server.conninfo, dbname=name)
        with psycopg.connect(where) as connection:
            connection.execute(FILL)
        with psycopg.connect(where, autocommit=True) as connection:
            # All rows, not a sample of them: the same plans each time.
            connection.execute("SET default_statistics_target = 1000")
            connection.execute("ANALYZE")
        yield where
        maintenance.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def connection(filled):
    """A connection whose changes are taken back."""
    with psycopg.connect(filled) as own:
        yield own
        own.rollback()


def nodes(plan):
    """Every node of a plan."""
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def plan_of(connection, query, arguments=None):
    """The nodes of a statement's plan; fails if it goes through a big table from end to end."""
    ((found,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {query}", arguments).fetchall()
    plan = list(nodes(found[0]["Plan"]))
    through = {node["Relation Name"] for node in plan if node["Node Type"] == "Seq Scan"}
    assert not through & BIG, json.dumps(found, indent=1)
    return plan


def indices(plan):
    return {node["Index Name"] for node in plan if "Index Name" in node}


def body(connection, function):
    """The text of a function of ours, its parameters as names."""
    return connection.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (function,)).fetchone()[0]


def loops(connection, function):
    """The queries that a function in PL/pgSQL goes through the rows of."""
    return re.findall(r"FOR \w+ IN\s(.*?)\sLOOP", body(connection, function), re.DOTALL)


COUNTS = "SELECT relname, seq_tup_read, coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables"


@contextmanager
def rows_read(connection):
    """Counts, while a block runs statements: table → rows read from end to end, and rows fetched by an index.

    What is counted is what really happened, inside functions, too: no plan is asked for, and none is assumed.
    """
    before = {name: (whole, by_index) for name, whole, by_index in connection.execute(COUNTS)}
    found = {}
    yield found
    for name, whole, by_index in connection.execute(COUNTS).fetchall():
        earlier = before.get(name, (0, 0))
        found[name] = (whole - earlier[0], by_index - earlier[1])


def assert_few(read, at_most):
    """No big table was read from end to end, and of each at most so many rows by an index."""
    assert {name: rows for name, rows in read.items() if name in BIG and (rows[0] > 0 or rows[1] > at_most)} == {}


# --- the queue -------------------------------------------------------------------------------------------------------


def test_a_claim_touches_one_chunk_and_its_batch(connection):
    ((text,),) = connection.execute("SELECT pg_get_function_sqlbody('claim_chunk'::regproc)").fetchall()
    update = re.search(r"BEGIN ATOMIC(.*);\s*END", text, re.DOTALL)[1]
    for name, value in {
        "p_batch_id": f"'{RUNNING}'::uuid",
        "p_chunk_no": "20",
        "p_worker": "'w'",
        "lease": "interval '90 seconds'",
    }.items():
        update = update.replace(f"claim_chunk.{name}", value)
    assert "batch_jobs_pkey" in indices(plan_of(connection, update))
    with rows_read(connection) as read:
        claim = {"batch_id": RUNNING, "chunk_no": 20, "worker": "w", "lease": "90 seconds"}
        assert len(connection.execute(statement("claim_chunk"), claim).fetchall()) == 1
    assert_few(read, at_most=1)


def test_a_rescue_looks_at_the_jobs_under_way_only(connection):
    jobs = body(connection, "lost_jobs")
    plan = plan_of(connection, jobs.replace("silent_for", "interval '20 seconds'"))
    assert {"procrastinate_jobs_doing_idx", "batch_chunks_job_idx"} <= indices(plan)
    connection.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'")
    with rows_read(connection) as read:
        rescued = connection.execute(statement("rescue_jobs"), {"silent_for": 20, "most_tries": 5}).fetchall()
    assert [outcome for *_, outcome in rescued] == ["handed back"] * 2
    assert_few(read, at_most=40)


def test_a_worker_that_leaves_is_taken_off_its_jobs_without_reading_all(connection):
    plan = plan_of(connection, "UPDATE procrastinate_jobs SET worker_id = NULL WHERE worker_id = 7")
    assert "aiops_jobs_of_worker" in indices(plan)


def test_a_reconciliation_looks_at_active_batches_only(connection):
    queries = loops(connection, "reconcile_batches")
    used = [indices(plan_of(connection, query.replace("settled_for", "interval '20 seconds'"))) for query in queries]
    assert {"batch_jobs_active_idx", "batch_chunks_open_idx"} <= used[0]
    assert "batch_jobs_active_idx" in used[1]
    text = body(connection, "reconcile_batches")
    sweep = re.search(r"UPDATE batch_chunks AS c SET state = 'cancelled'.*?;", text, re.DOTALL)
    assert "batch_chunks_open_idx" in indices(plan_of(connection, sweep[0]))
    with rows_read(connection) as read:
        found = connection.execute(statement("reconcile_batches"), {"settled_for": 20}).fetchall()
    assert [outcome for *_, outcome in found] == ["batch had no job"]
    assert_few(read, at_most=6000)  # each of the thousand open chunks and its job and batch a few times


def test_a_job_is_fetched_without_reading_those_that_have_ended(connection):
    with rows_read(connection) as read:
        connection.execute("SELECT procrastinate_fetch_job_v2(ARRAY['compute'], 1)")
    assert_few(read, at_most=10)


def test_the_health_of_a_queue_is_seen_without_reading_ended_jobs(connection):
    plan_of(connection, statement("waiting_jobs"), {"silent_for": 20})
    with rows_read(connection) as read:
        (row,) = connection.execute(statement("waiting_jobs"), {"silent_for": 20}).fetchall()
    assert row[1] == 988
    assert_few(read, at_most=4000)


# --- data and results ------------------------------------------------------------------------------------------------

BLOCK = {"first": 1001, "last": 1200, "cells": None}
SOME_CELLS = {"first": 1001, "last": 9000, "cells": [1001, 5000, 9000]}


@pytest.mark.parametrize(("asked", "cells"), [(BLOCK, 200), (SOME_CELLS, 3)], ids=["range", "some cells"])
def test_a_blocks_series_are_found_by_variable_and_cell(connection, asked, cells):
    asked = {**asked, "variables": ["rx1day", "tx33"]}
    used = indices(plan_of(connection, statement("read_block_series"), asked))
    assert used == {"climate_data_rx1day_pkey", "climate_data_tx33_pkey"}
    with rows_read(connection) as read:
        connection.execute(statement("read_block_series"), asked)
    assert read["climate_data_rx1day"] == (0, cells * 5)


@pytest.mark.parametrize(("asked", "cells"), [(BLOCK, 200), (SOME_CELLS, 3)], ids=["range", "some cells"])
def test_a_blocks_cells_are_found_by_number(connection, asked, cells):
    assert indices(plan_of(connection, statement("read_block_cells"), asked)) & {
        "location_grid_climate_idx",
        "location_grid_pkey",
    }
    with rows_read(connection) as read:
        assert len(connection.execute(statement("read_block_cells"), asked).fetchall()) == cells
    assert_few(read, at_most=cells)


@pytest.mark.parametrize("kind", ["probability", "hazard"])
@pytest.mark.parametrize("risk_types", [None, ["drought", "typhoon"]])
def test_the_results_of_a_cell_are_found_by_its_number(connection, kind, risk_types):
    asked = {"grid_id": 77, "risk_types": risk_types}
    assert f"{kind}_packed_pkey" in indices(plan_of(connection, statement(f"fetch_{kind}_results"), asked))
    with rows_read(connection) as read:
        rows = connection.execute(statement(f"fetch_{kind}_results"), asked).fetchall()
    assert len(rows) == (9 if risk_types is None else 2)
    assert_few(read, at_most=9)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_the_status_of_a_batch_is_one_look(connection):
    with rows_read(connection) as read:
        assert connection.execute(statement("get_batch_status"), {"batch_id": RUNNING}).fetchone() is not None
        assert connection.execute(statement("watch_batch"), {"batch_id": RUNNING}).fetchone() is not None
    assert_few(read, at_most=2)
    plan = plan_of(connection, statement("watch_batch"), {"batch_id": RUNNING})
    assert indices(plan) == {"batch_jobs_pkey"}


def test_the_latest_batches_are_found_without_sorting_all(connection):
    plan = plan_of(connection, statement("recent_batches"))
    assert indices(plan) == {"batch_jobs_recent_idx"}
    assert "Sort" not in {node["Node Type"] for node in plan}
    with rows_read(connection) as read:
        rows = connection.execute(statement("recent_batches")).fetchall()
    assert [row[2] for row in rows[:3]] == ["running", "queued", "completed"]
    assert_few(read, at_most=10)


def test_the_latest_that_have_ended_are_found_without_those_that_wait(connection):
    plan = plan_of(connection, statement("ended_batches"), {"most": 6})
    assert indices(plan) == {"batch_jobs_recent_idx"}
    assert "Sort" not in {node["Node Type"] for node in plan}
    plan_of(connection, statement("count_active_batches"))


def test_whether_a_run_was_made_since_is_seen_without_reading_older_batches(connection):
    since = {"job_type": "probability", "since": "2 days ago"}
    query = statement("run_since").replace("%(since)s", "now() - interval '2 days'")
    assert "batch_jobs_created_idx" in indices(plan_of(connection, query, since))
