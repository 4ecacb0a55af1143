"""Who may answer a request: one at a time, by an attempt number that keeps everybody else from writing."""

from __future__ import annotations

import json

import psycopg
import pytest
from asking import NINE, ask, compute, copied_database, look, place, rows_of, write_inputs

from aiops.db import requests
from aiops.grid import grid_id_of
from workers.ondemand.answer import Answer
from workers.ondemand.runner import Ending, run_request, settled

RESCUE = "SELECT task_name, outcome FROM rescue_jobs('20 seconds', 5)"
RECONCILE = "SELECT outcome FROM reconcile_batches('20 seconds')"
STATE = "SELECT status, progress, attempt FROM batch_jobs WHERE batch_id = %s"


@pytest.fixture(scope="module")
def places(migrated_server, server):
    """A database with two places that are computed, and no daemon."""
    with copied_database(migrated_server, server, "claims") as database:
        with psycopg.connect(database) as connection:
            write_inputs(connection, 2)
        with psycopg.connect(database, autocommit=True) as connection:
            compute(connection, sorted(grid_id_of(*place(number)) for number in range(2)))
        yield database


@pytest.fixture
def connection(places):
    """A connection to it, in autocommit mode, with an empty queue."""
    with psycopg.connect(places, autocommit=True) as own:
        own.execute("TRUNCATE procrastinate_jobs, batch_jobs, procrastinate_workers CASCADE")
        yield own


def claim(connection, batch_id, worker="a"):
    return requests.begin_request(connection, batch_id, settled(worker))


def let_lease_run_out(connection):
    connection.execute("UPDATE batch_jobs SET lease_until = now() - interval '1 second'")


def take(connection, alive=True):
    """Take a job as a worker that is alive, or that fell silent a minute ago."""
    heartbeat = "now()" if alive else "now() - interval '1 minute'"
    (worker,) = connection.execute(
        f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat}) RETURNING id"
    ).fetchone()
    row = connection.execute("SELECT id, args FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,)).fetchone()
    return None if row[0] is None else row


def jobs(connection):
    rows = connection.execute("SELECT status::text, count(*)::int FROM procrastinate_jobs GROUP BY 1")
    return dict(rows.fetchall())


# --- claims -------------------------------------------------------------------------------------------------


def test_a_claim_says_all_that_the_answer_follows_from(connection):
    begun = claim(connection, ask(connection, force=True, building={"floors": 4}))
    assert (begun.outcome, begun.attempt, begun.missing, begun.stale) == ("ready", 1, [], [])
    assert begun.params["risk_types"] == NINE
    assert begun.building == {"floors": 4}
    assert begun.surroundings["elevation_m"] is not None


def test_who_comes_second_finds_nothing_to_do(connection):
    batch_id = ask(connection, force=True)
    claim(connection, batch_id, "a")
    assert claim(connection, batch_id, "b").outcome == "gone"
    assert run_request(connection, batch_id, "b") is Ending.GONE
    assert connection.execute(STATE, (batch_id,)).fetchone() == ("running", 10, 1)


def test_a_claim_waits_for_one_that_is_not_committed_and_then_finds_nothing_to_do(connection, places):
    batch_id = ask(connection, force=True)
    with psycopg.connect(places) as first, psycopg.connect(places, autocommit=True) as second:
        claim(first, batch_id, "a")
        second.execute("SET lock_timeout = '200ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            claim(second, batch_id, "b")
        first.commit()
        assert claim(second, batch_id, "b").outcome == "gone"


def test_the_same_job_may_claim_again_what_it_holds(connection):
    batch_id = ask(connection, force=True)
    assert [claim(connection, batch_id, "job 1").attempt for _ in range(3)] == [1, 2, 3]


def test_who_lost_the_request_writes_no_step_and_no_end(connection):
    batch_id = ask(connection, force=True)
    first = claim(connection, batch_id, "a")
    results = requests.read_cell_results(connection, [first.grid_id], NINE)
    answer = Answer(first, results, None)
    requests.write_request_step(connection, batch_id, first.attempt, "exposure", (10, 40), answer.exposure())
    let_lease_run_out(connection)
    assert claim(connection, batch_id, "b").attempt == 2
    vulnerability = answer.vulnerability()
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="does not hold it any more"):
        requests.write_request_step(connection, batch_id, first.attempt, "vulnerability", (50, 30), vulnerability)
    answer.aal()
    run = {"latitude": 1, "longitude": 1, "grid_id": 1, "projection_id": 1, "risk_types": NINE, "insurance_rate": 0}
    run |= {
        "building": {},
        "building_source": {},
        "surroundings": {},
        "inputs": {},
        "method_version": "",
        "damage_set": "",
    }
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState):
        requests.finish_request(
            connection, batch_id, first, run=run, rows=answer.integrate(), results={}, warnings=[], logs=[]
        )
    assert requests.fail_request(connection, batch_id, first.attempt, "late", None) is False
    requests.release_request(connection, batch_id, first.attempt, "late")
    assert rows_of(connection, batch_id) == (9, 0, 0, 0)
    assert connection.execute("SELECT count(*) FROM current_run WHERE batch_id = %s", (batch_id,)).fetchone() == (0,)
    assert connection.execute(STATE, (batch_id,)).fetchone() == ("running", 50, 2)
    assert look(connection, batch_id)["lease_until"] is not None
    # Its successor writes the same rows again, and each stands once.
    assert run_request(connection, batch_id, "b") is Ending.COMPLETED
    assert rows_of(connection, batch_id) == (9, 9, 9, 9)


def test_nothing_is_claimed_after_the_end(connection):
    ended = ask(connection, force=True)
    run_request(connection, ended, "a")
    cancelled = ask(connection, force=True)
    connection.execute("SELECT cancel_batch(%s)", (cancelled,))
    yearly = connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id").fetchone()[0]
    for batch_id in (ended, cancelled, yearly, "00000000-0000-0000-0000-000000000000"):
        before = connection.execute(
            "SELECT to_jsonb(b) FROM batch_jobs AS b WHERE batch_id = %s", (batch_id,)
        ).fetchone()
        assert run_request(connection, batch_id, "a") is Ending.GONE
        after = connection.execute(
            "SELECT to_jsonb(b) FROM batch_jobs AS b WHERE batch_id = %s", (batch_id,)
        ).fetchone()
        assert after == before


def test_a_request_that_failed_ends_as_failed_once(connection):
    batch_id = ask(connection, force=True)
    begun = claim(connection, batch_id)
    assert requests.fail_request(connection, batch_id, begun.attempt, "why", "trace")
    assert not requests.fail_request(connection, batch_id, begun.attempt, "again", None)
    row = look(connection, batch_id)
    assert (row["status"], row["error_message"], row["error_stack_trace"]) == ("failed", "why", "trace")


# --- lost and found -----------------------------------------------------------------------------------------


def test_the_job_of_a_dead_process_is_handed_back_and_its_request_can_be_claimed_at_once(connection):
    batch_id = ask(connection, force=True)
    job_id, args = take(connection, alive=False)
    assert args == {"batch_id": str(batch_id)}
    claim(connection, batch_id, f"job {job_id}")
    assert connection.execute(RESCUE).fetchall() == [("ondemand_risk", "handed back")]
    assert jobs(connection) == {"todo": 1}
    assert run_request(connection, batch_id, "another job") is Ending.COMPLETED


def test_a_job_that_died_after_the_end_of_its_request_is_not_done_again(connection):
    batch_id = ask(connection, force=True)
    job_id, _ = take(connection, alive=False)
    run_request(connection, batch_id, f"job {job_id}")
    assert connection.execute(RESCUE).fetchall() == [("ondemand_risk", "finished")]
    assert jobs(connection) == {"succeeded": 1}


def test_a_request_that_ends_its_process_again_and_again_fails_and_says_so(connection):
    batch_id = ask(connection, force=True)
    for _ in range(5):
        job_id, _ = take(connection, alive=False)
        claim(connection, batch_id, f"job {job_id}")
        outcomes = connection.execute(RESCUE).fetchall()
    assert outcomes == [("ondemand_risk", "failed")]
    row = look(connection, batch_id)
    assert (row["status"], row["error_message"]) == ("failed", "the process that computed it ended 5 times")
    assert jobs(connection) == {"failed": 1}


def test_a_request_without_a_job_gets_one_after_a_while(connection):
    batch_id = ask(connection, force=True)
    connection.execute("DELETE FROM procrastinate_jobs")
    assert connection.execute(RECONCILE).fetchall() == []
    connection.execute("UPDATE batch_jobs SET updated_at = now() - interval '1 minute'")
    assert connection.execute(RECONCILE).fetchall() == [("batch had no job",)]
    assert connection.execute(RECONCILE).fetchall() == []
    assert take(connection)[1] == {"batch_id": str(batch_id)}


def test_a_request_that_is_held_without_a_job_is_left_to_its_holder_until_the_lease_runs_out(connection):
    batch_id = ask(connection, force=True)
    claim(connection, batch_id, "somebody's own program")
    connection.execute("DELETE FROM procrastinate_jobs")
    connection.execute("UPDATE batch_jobs SET updated_at = now() - interval '1 minute'")
    assert connection.execute(RECONCILE).fetchall() == []
    let_lease_run_out(connection)
    assert connection.execute(RECONCILE).fetchall() == [("batch had no job",)]


def test_a_test_batch_is_nobodys_but_its_callers(connection):
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('test')")
    connection.execute("UPDATE batch_jobs SET updated_at = now() - interval '1 minute'")
    assert connection.execute(RECONCILE).fetchall() == []


# --- equal ones, one after the other ------------------------------------------------------------------------


def test_of_equal_requests_one_job_runs_at_a_time_and_the_next_is_announced_at_its_end(connection, places):
    asked = [ask(connection) for _ in range(3)]
    other = ask(connection, building={"floors": 2})
    first, _ = take(connection)
    assert take(connection)[1] == {"batch_id": str(other)}
    assert take(connection) is None
    with psycopg.connect(places, autocommit=True) as worker:
        worker.execute('LISTEN "procrastinate_queue_v1#ondemand"')
        connection.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (first,))
        (told,) = worker.notifies(timeout=60, stop_after=1)
    second = json.loads(told.payload)
    assert second["type"] == "job_inserted"
    assert take(connection) == (second["job_id"], {"batch_id": str(asked[1])})


def test_the_end_of_the_last_of_equal_requests_is_announced_to_nobody(connection, places):
    ask(connection)
    job_id, _ = take(connection)
    with psycopg.connect(places, autocommit=True) as worker:
        worker.execute('LISTEN "procrastinate_queue_v1#ondemand"')
        connection.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (job_id,))
        connection.execute("SELECT pg_notify('procrastinate_queue_v1#ondemand', 'the end')")
        assert [one.payload for one in worker.notifies(timeout=60, stop_after=1)] == ["the end"]


def test_an_equal_request_is_answered_from_the_run_of_the_first(connection):
    first, second = ask(connection, insurance_rate=0.7), ask(connection, insurance_rate=0.7)
    assert run_request(connection, first, "a") is Ending.COMPLETED
    assert run_request(connection, second, "b") is Ending.CACHED
    assert look(connection, second)["results"]["computed_by"] == str(first)
