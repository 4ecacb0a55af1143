"""Batch jobs in SQL: asked for by INSERT, planned into chunks, fenced, ended once."""

from __future__ import annotations

import json

import psycopg
import pytest

from aiops.db import batches

JOBS = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = %s"


def give_climate(connection, cells):
    connection.execute(
        "INSERT INTO climate_data (variable, grid_id, scenario, first_year, values)"
        " SELECT 'wsdi', cell, 'historical', 1991, pack_series('{1,2,3}') FROM unnest(%s::int[]) AS cell",
        (list(cells),),
    )


def insert(connection, job_type="probability", params=None):
    return batches.create_batch_job(connection, job_type, params)


def plan(connection, batch_id, size=2):
    return connection.execute("SELECT plan_batch(%s, %s, '1', 'calibrated')", (batch_id, size)).fetchone()[0]


def claim(connection, batch_id, chunk=1):
    return connection.execute("SELECT * FROM claim_chunk(%s, %s, 'w', '1 minute')", (batch_id, chunk)).fetchone()


def finish(connection, batch_id, chunk=1):
    query = "SELECT finish_chunk(%s, %s, 2, 0, '{\"read\": 0.1}')"
    return connection.execute(query, (batch_id, chunk)).fetchone()[0]


def fail(connection, batch_id, chunk, attempt, *, for_good):
    query = "SELECT fail_chunk(%s, %s, %s, 'ValueError: no', 'trace', %s)"
    return connection.execute(query, (batch_id, chunk, attempt, for_good)).fetchone()[0]


def status(connection, batch_id):
    return batches.get_batch_status(connection, batch_id)


# --- asking ---------------------------------------------------------------------------------------------------------


def test_an_insert_puts_one_job_on_the_queue(connection):
    batch_id = insert(connection)
    rows = connection.execute("SELECT queue_name, task_name, args FROM procrastinate_jobs").fetchall()
    assert rows == [("control", "probability_batch", {"batch_id": str(batch_id)})]
    assert status(connection, batch_id)["status"] == "queued"


def test_a_rollback_takes_the_job_with_it(connection, connect):
    insert(connection)
    connection.rollback()
    assert connect().execute(JOBS, ("probability_batch",)).fetchone() == (0,)


def test_nothing_is_enqueued_for_a_row_that_on_conflict_drops(connection):
    batch_id = insert(connection)
    connection.execute(
        "INSERT INTO batch_jobs (batch_id, job_type) VALUES (%s, 'probability') ON CONFLICT DO NOTHING", (batch_id,)
    )
    assert connection.execute(JOBS, ("probability_batch",)).fetchone() == (1,)


def test_a_test_job_is_accepted_and_not_enqueued(connection):
    insert(connection, "test", {"any": "thing"})
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


@pytest.mark.parametrize(
    ("job_type", "params", "message"),
    [
        ("yearly", {}, r"job_type: 'yearly' is not allowed; allowed: assessment, hazard, .*, probability, test"),
        (
            "hazard",
            {"risks": []},
            r"input_params\.risks: .* allowed: risk_types, scenarios, horizons, cells, bbox, force",
        ),
        ("hazard", {"risk_types": ["heat"]}, r"risk_types: 'heat' is not allowed; allowed: .*extreme_heat"),
        ("hazard", {"risk_types": []}, r"risk_types: .* at least one"),
        ("hazard", {"risk_types": "extreme_heat"}, r"risk_types: .* a list"),
        ("hazard", {"risk_types": [1]}, r"risk_types: "),
        ("hazard", {"cells": [0]}, r"cells: .* 1 to 451351"),
        ("hazard", {"cells": [1.5]}, r"cells: "),
        ("hazard", {"cells": ["1"]}, r"cells: "),
        ("hazard", {"bbox": [128, 35, 127, 36]}, r"bbox: .* \[west, south, east, north\]"),
        ("hazard", {"bbox": [120, 35, 127, 36]}, r"bbox: .* 124\.5"),
        ("hazard", {"bbox": [1, 2, 3]}, r"bbox: "),
        ("hazard", {"scenarios": ["ssp999"]}, r'scenarios: "ssp999" .* ssp245'),
        ("hazard", {"scenarios": "ssp245"}, r"scenarios: .* a list"),
        ("hazard", {"horizons": [2050]}, r"horizons: 2050 .* 2050s"),
        ("hazard", {"force": "yes"}, r"force: .* true or false"),
    ],
)
def test_what_cannot_be_is_refused_at_the_insert_by_the_fields_name(connection, job_type, params, message):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=message):
        insert(connection, job_type, params)


def test_parameters_that_are_no_object_are_refused(connection):
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="input_params: a JSON array"):
        connection.execute("INSERT INTO batch_jobs (job_type, input_params) VALUES ('hazard', '[]')")


def test_equal_requests_have_equal_hashes(connection):
    one = insert(connection, "hazard", {"risk_types": ["inland_flood", "high_temperature"], "cells": [3, 1, 3]})
    batches.complete_batch_job(connection, one, {})
    two = insert(connection, "hazard", {"cells": [1, 3], "risk_types": ["extreme_heat", "river_flood"]})
    rows = connection.execute("SELECT input_hash, input_params FROM batch_jobs").fetchall()
    assert one != two
    assert rows[0] == rows[1]
    assert rows[0][1] == {"risk_types": ["extreme_heat", "river_flood"], "cells": [1, 3]}


@pytest.mark.parametrize(
    ("active", "asked"), [("probability", "probability"), ("assessment", "hazard"), ("hazard", "assessment")]
)
def test_one_yearly_batch_of_a_family_at_a_time(connection, active, asked):
    active_id = insert(connection, active)
    with pytest.raises(psycopg.errors.UniqueViolation) as refused:
        insert(connection, asked)
    assert str(active_id) in refused.value.diag.message_detail


def test_probability_and_hazard_run_beside_each_other(connection):
    assert insert(connection, "probability") != insert(connection, "hazard")


def test_two_transactions_cannot_both_start_a_batch(connect):
    one, two = connect(), connect()
    insert(one)
    two.execute("SET lock_timeout = '200ms'")
    with pytest.raises(psycopg.errors.LockNotAvailable):
        insert(two)
    two.rollback()
    one.commit()
    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(two)


@pytest.mark.parametrize("level", [psycopg.IsolationLevel.REPEATABLE_READ, psycopg.IsolationLevel.SERIALIZABLE])
def test_nor_can_one_that_looks_at_the_past(connect, level):
    one, two = connect(), connect()
    two.isolation_level = level
    two.execute("SELECT FROM batch_jobs")  # its snapshot is of now
    insert(one)
    one.commit()
    with pytest.raises(psycopg.errors.SerializationFailure):
        insert(two)
    two.rollback()
    with pytest.raises(psycopg.errors.UniqueViolation):
        insert(two)


def test_start_batch_joins_the_active_one_that_asks_the_same(connection):
    first = batches.start_batch(connection, "hazard", {"risk_types": ["high_temperature"]})
    assert batches.start_batch(connection, "hazard", {"risk_types": ["extreme_heat"]}) == first
    with pytest.raises(psycopg.errors.UniqueViolation):
        batches.start_batch(connection, "hazard", {})


def test_a_job_of_the_queue_that_came_first_makes_its_row_once(connection):
    ids = {connection.execute("SELECT batch_of_job(77, 'hazard', '{}')").fetchone()[0] for _ in range(2)}
    assert len(ids) == 1
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


# --- planning -------------------------------------------------------------------------------------------------------


def test_the_cells_with_climate_data_are_split_into_chunks_with_a_job_each(connection):
    give_climate(connection, [5, 1, 9, 700, 800])
    connection.execute("INSERT INTO location_grid (grid_id) VALUES (6)")
    batch_id = insert(connection)
    assert plan(connection, batch_id) == 3
    chunks = connection.execute("SELECT first_grid_id, last_grid_id, n_cells FROM batch_chunks ORDER BY chunk_no")
    assert chunks.fetchall() == [(1, 5, 2), (9, 700, 2), (800, 800, 1)]
    jobs = connection.execute("SELECT args FROM procrastinate_jobs WHERE task_name = 'risk_chunk' ORDER BY id")
    assert [row[0]["chunk_no"] for row in jobs] == [1, 2, 3]
    row = status(connection, batch_id)
    assert (row["status"], row["total_items"], row["progress"]) == ("running", 5, 0)


def test_a_plan_is_made_once(connection):
    give_climate(connection, [1, 2, 3])
    batch_id = insert(connection)
    assert plan(connection, batch_id) == plan(connection, batch_id) == 2
    assert connection.execute(JOBS, ("risk_chunk",)).fetchone() == (2,)


def test_a_subset_is_planned_by_list_and_by_box(connection):
    give_climate(connection, [1, 2, 3, 752])
    by_list = insert(connection, "hazard", {"cells": [3, 1, 99]})
    plan(connection, by_list)
    assert status(connection, by_list)["total_items"] == 2
    by_box = insert(connection, "probability", {"bbox": [124.5, 33.0, 124.51, 33.5]})
    plan(connection, by_box)
    assert status(connection, by_box)["total_items"] == 3


def test_a_batch_over_no_cells_completes_at_once_and_says_so(connection):
    batch_id = insert(connection)
    assert plan(connection, batch_id) == 0
    row = status(connection, batch_id)
    assert (row["status"], row["progress"], row["results"]["cells"]) == ("completed", 100, 0)
    assert "no cell has climate data" in row["warnings"][0]


# --- chunks ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def planned(connection):
    """A batch of two chunks of two cells."""
    give_climate(connection, [1, 2, 3, 4])
    batch_id = insert(connection)
    plan(connection, batch_id)
    return batch_id


def hold(connection, batch_id, chunk, attempt):
    return connection.execute("SELECT hold_chunk(%s, %s, %s)", (batch_id, chunk, attempt)).fetchone()[0]


def test_the_last_chunk_completes_the_batch(connection, planned):
    claim(connection, planned, 1)
    assert finish(connection, planned, 1)
    row = status(connection, planned)
    assert (row["status"], row["progress"], row["completed_items"]) == ("running", 50, 2)
    claim(connection, planned, 2)
    assert finish(connection, planned, 2)
    row = status(connection, planned)
    assert (row["status"], row["progress"], row["completed_items"]) == ("completed", 100, 4)
    assert row["results"]["rows"] == 4
    assert row["results"]["compute_seconds"] == {"read": 0.2}
    log = connection.execute("SELECT step, status, total_grids, processed_grids, success_rate FROM batch_job_logs")
    assert log.fetchall() == [("plan", "completed", 4, None, None), (None, "completed", 4, 4, 100.0)]


def test_the_progress_of_a_hundred_chunks_moves_a_hundred_times_and_never_back(connection):
    give_climate(connection, range(1, 301))
    batch_id = insert(connection)
    assert plan(connection, batch_id, size=3) == 100
    seen = [0]
    for chunk in range(1, 101):
        claim(connection, batch_id, chunk)
        finish(connection, batch_id, chunk)
        seen.append(status(connection, batch_id)["progress"])
    assert seen == list(range(101))


def test_chunks_are_made_smaller_when_the_last_batch_shows_that_they_would_last_long(connection):
    give_climate(connection, range(1, 301))
    size = "SELECT chunk_size('probability', 100000, 500)"
    assert connection.execute(size).fetchone() == (250,)
    batch_id = insert(connection)
    assert plan(connection, batch_id, size=300) == 8
    for chunk in range(1, 9):
        claim(connection, batch_id, chunk)
        query = "SELECT finish_chunk(%s, %s, 2, 0, %s)"
        connection.execute(query, (batch_id, chunk, json.dumps({"compute": 0.9, "write": 0.1})))
    assert status(connection, batch_id)["status"] == "completed"
    assert connection.execute(size).fetchone() == (75,)  # 8 s for 300 cells


def test_a_later_claim_fences_the_earlier_one_out(connection, planned):
    first = claim(connection, planned)[0]
    second = claim(connection, planned)[0]
    assert (first, second) == (1, 2)
    assert not hold(connection, planned, 1, first)
    assert hold(connection, planned, 1, second)


def test_a_done_chunk_cannot_be_claimed_again(connection, planned):
    claim(connection, planned)
    finish(connection, planned)
    assert claim(connection, planned) is None


def test_after_a_cancel_nothing_is_claimed_and_nothing_is_finished(connection, planned):
    attempt = claim(connection, planned)[0]
    assert connection.execute("SELECT cancel_batch(%s)", (planned,)).fetchone() == (True,)
    assert hold(connection, planned, 1, attempt)
    assert finish(connection, planned) is False
    assert claim(connection, planned, 2) is None
    assert connection.execute("SELECT cancel_batch(%s)", (planned,)).fetchone() == (False,)
    assert status(connection, planned)["status"] == "cancelled"


def test_a_cancel_does_not_wait_for_a_chunk_that_is_being_written(connect, connection, planned):
    connection.commit()
    writer, other = connect(), connect()
    attempt = claim(writer, planned)[0]
    writer.commit()
    assert hold(writer, planned, 1, attempt)
    other.execute("SET lock_timeout = '1s'")
    other.execute("SELECT cancel_batch(%s)", (planned,))
    other.commit()
    assert finish(writer, planned) is False


def test_a_chunk_that_fails_for_good_is_named_and_the_rest_goes_on(connection, planned):
    attempt = claim(connection, planned, 1)[0]
    assert fail(connection, planned, 1, attempt, for_good=False)
    attempt = claim(connection, planned, 1)[0]
    assert fail(connection, planned, 1, attempt, for_good=True)
    assert status(connection, planned)["status"] == "running"
    claim(connection, planned, 2)
    finish(connection, planned, 2)
    row = status(connection, planned)
    assert (row["status"], row["failed_items"], row["progress"]) == ("failed", 2, 99)
    assert row["error_message"] == "1 of 2 chunks failed; first: ValueError: no"
    logs = connection.execute("SELECT step, status, error_message FROM batch_job_logs WHERE step LIKE 'chunk%'")
    assert logs.fetchall() == [("chunk 1", "failed", "ValueError: no")]


def test_an_attempt_that_lost_its_chunk_cannot_fail_it(connection, planned):
    claim(connection, planned)
    claim(connection, planned)
    assert fail(connection, planned, 1, 1, for_good=True) is False


# --- following ------------------------------------------------------------------------------------------------------


def test_progress_is_told_to_who_listens(connect, connection, planned):
    connection.commit()
    listener = connect(autocommit=True)
    listener.execute("LISTEN aiops_progress")
    claim(connection, planned)
    finish(connection, planned)
    connection.commit()
    (told,) = listener.notifies(timeout=60, stop_after=1)
    assert json.loads(told.payload) == {
        "batch_id": str(planned),
        "status": "running",
        "progress": 50,
        "step": "computing",
    }


def test_progress_never_goes_back_and_an_ended_batch_stays_as_it_is(connection):
    batch_id = insert(connection, "test")
    batches.update_batch_progress(connection, batch_id, 40, "step", 4)
    batches.update_batch_progress(connection, batch_id, 30)
    assert status(connection, batch_id)["progress"] == 40
    batches.update_batch_progress(connection, batch_id, 100)
    assert status(connection, batch_id)["progress"] == 99
    batches.complete_batch_job(connection, batch_id, {"a": 1})
    batches.fail_batch_job(connection, batch_id, "late")
    batches.update_batch_progress(connection, batch_id, 5)
    row = status(connection, batch_id)
    assert (row["status"], row["progress"], row["results"], row["error_message"]) == ("completed", 100, {"a": 1}, None)


def test_a_failed_batch_says_why(connection):
    batch_id = insert(connection, "test")
    batches.fail_batch_job(connection, batch_id, "why", "trace")
    assert status(connection, batch_id)["error_message"] == "why"


def test_an_unknown_batch_has_no_status(connection):
    assert batches.get_batch_status(connection, "00000000-0000-0000-0000-000000000000") is None
