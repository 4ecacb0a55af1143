"""The check itself: each invariant, broken by hand, is found by its name."""

from __future__ import annotations

import psycopg
import pytest

from chaos.invariants import FILES, violations
from chaos.places import AT_SEA, PLACES, Portfolio, Request, site

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

NOTE = "INSERT INTO chaos.batch_history (batch_id, status, progress, attempt, committed_items, total_items) "
# The engine itself does not let progress go down.
FREE = "ALTER TABLE batch_jobs DISABLE TRIGGER USER; UPDATE batch_jobs SET "

# What is done to a database in which a batch of four chunks has completed, and what has to be found.
BREAKAGES = {
    "DELETE FROM probability_packed WHERE grid_id = 343001 AND risk_type = 'extreme_heat'": {
        "1 lost: a chunk is done and a result of it is not there"
    },
    "UPDATE batch_chunks SET state = 'failed', error = 'x' WHERE chunk_no = 2": {
        "1 lost: a batch is completed and a chunk of it is not done",
        "1 half written: a result is there and its chunk is not done",
        "4 the counts of a batch are not those of its chunks",
        "7 a failed chunk lacks its error or its log row",
    },
    "UPDATE batch_chunks SET attempt = attempt + 1 WHERE chunk_no = 2": {"1 doubled: a chunk was done twice"},
    "UPDATE probability_packed SET batch_id = gen_random_uuid() WHERE grid_id = 343001": {
        "1 half written: a result is there and its chunk is not done",
        "1 lost: a chunk is done and a result of it is not there",
    },
    "UPDATE probability_packed SET aal[1] = 0.5 WHERE grid_id = 343001 AND risk_type = 'extreme_heat'": {
        "2 differs from the undisturbed run"
    },
    NOTE + "SELECT batch_id, 'running', 40, 1, 8, 8 FROM batch_jobs": {
        "3 progress went down",
        "4 a batch ended twice",
    },
    NOTE + "SELECT gen_random_uuid(), 'running', 100, 1, 8, 8": {
        "3 progress is 100 without completion, or the reverse"
    },
    NOTE + "SELECT gen_random_uuid(), 'running', 51, 1, 4, 8": {"3 progress shows more than what is committed"},
    NOTE + "SELECT batch_id, ended, 100, 1, 8, 8 FROM batch_jobs, (VALUES ('failed'), ('completed')) AS v (ended)": {
        "3 progress is 100 without completion, or the reverse",
        "4 a batch completed twice",
        "4 a batch ended twice",
    },
    "INSERT INTO chaos.batch_history (batch_id, status, progress, attempt, at)"
    " SELECT batch_id, 'cancelled', 100, 1, now() - interval '1 day' FROM batch_jobs": {
        "3 progress is 100 without completion, or the reverse",
        "4 a batch ended twice",
        "4 a cancelled batch went on writing",
    },
    "UPDATE batch_jobs SET open_chunks = 1": {"4 the counts of a batch are not those of its chunks"},
    "UPDATE procrastinate_events SET at = at - interval '1 minute';"
    " UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'risk_chunk'": {
        "5 a job has been at work for longer than a rescue takes"
    },
    FREE + "completed_at = completed_at - interval '1 hour';"
    " UPDATE batch_chunks SET state = 'running', started_at = now() - interval '1 hour' WHERE chunk_no = 1": {
        "1 half written: a result is there and its chunk is not done",
        "1 lost: a batch is completed and a chunk of it is not done",
        "4 the counts of a batch are not those of its chunks",
        "5 a chunk has been computed for longer than a rescue takes",
        "5 a batch has ended and a chunk of it has not",
    },
    FREE + "status = 'running', progress = 0, completed_at = NULL, open_chunks = 4, completed_items = 0;"
    " DELETE FROM procrastinate_jobs;"
    " UPDATE batch_chunks SET state = 'waiting', completed_at = now() - interval '1 hour'": {
        "1 half written: a result is there and its chunk is not done",
        "5 a chunk waits and no job computes it",
    },
    "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 hour'": {
        "6 no process gives a sign of life"
    },
    FREE + "status = 'failed', progress = 99": {"7 a failed batch lacks its error, its trace or its log row"},
    "DELETE FROM batch_job_logs WHERE step IS NULL": {"7 an ended batch has not one log row for each run"},
    # The last: what it does is not rolled back.
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE 'aiops listener%'": {
        "6 nobody listens"
    },
}


# What is done to a database in which requests and a portfolio have been answered, and what has to be found.
NOT_WHOLE = "1 half written: a place speaks by a run that is not whole"
NOT_GOT = "1 half written: a run is there and what asked for it has not got it"
HEARD = "INSERT INTO chaos.heard (batch_id, status, progress, crashes) VALUES "
BREAKAGES_OF_REQUESTS = {
    "DELETE FROM exposure_results_runs WHERE batch_id = '{first}' AND risk_type = 'drought'": {
        "1 lost: an answer lacks a row"
    },
    "DELETE FROM current_run WHERE batch_id = '{first}'": {
        "1 lost: an answer was given and no run speaks for its place"
    },
    "UPDATE vulnerability_results_runs SET risk_type = 'x' WHERE batch_id = '{first}' AND risk_type = 'drought'": {
        "1 doubled: an answer has rows that nobody asked for",
        "1 lost: an answer lacks a row",
        "2 an answer differs from that of an undisturbed run",
    },
    "UPDATE portfolio_site SET reason = 'x' WHERE batch_id = '{portfolio}' AND site_no = 0": {
        "1 doubled: a site has an answer and a reason for having none",
        NOT_GOT,
        NOT_WHOLE,
        "4 the sums of a portfolio are not those of its sites",
    },
    "UPDATE portfolio_site SET reason = NULL WHERE batch_id = '{portfolio}'": {
        "1 lost: an answer lacks a row",
        "1 lost: an answer was given and no run speaks for its place",
        "4 the sums of a portfolio are not those of its sites",
    },
    FREE + "status = 'running', progress = 95, completed_at = NULL WHERE batch_id = '{first}'": {NOT_GOT, NOT_WHOLE},
    "UPDATE batch_chunks SET state = 'failed', error = 'x' WHERE batch_id = '{portfolio}' AND chunk_no = 1": {
        "1 half written: sites of a chunk are there and the chunk is not done",
        "1 lost: a batch is completed and a chunk of it is not done",
        NOT_GOT,
        NOT_WHOLE,
        "4 the counts of a batch are not those of its chunks",
        "7 a failed chunk lacks its error or its log row",
    },
    "DELETE FROM hazard_packed WHERE batch_id = '{bare}' AND risk_type = 'drought'": {
        "1 half written: a request has computed one kind of its cell's results, or some risks"
    },
    "UPDATE aal_scaled_results_runs SET final_aal = 0.5 WHERE batch_id = '{first}' AND risk_type = 'drought'": {
        "2 an answer differs from that of an undisturbed run"
    },
    FREE + "results = jsonb_set(results, '{{batch_id}}', '1') WHERE batch_id = '{first}'": {
        "2 an answer is told otherwise than it is stored"
    },
    HEARD + "('{first}', 'running', 50, 0), ('{first}', 'running', 49, 0)": {"3 progress was heard to go down"},
    # A crash of the server may take some of it back.
    HEARD + "('{first}', 'running', 50, 0), ('{first}', 'running', 49, 1)": set(),
    HEARD + "('{first}', 'cancelled', 50, 0)": {"4 an end that was heard is not the end that is stored"},
    NOTE + "SELECT batch_id, 'running', 54, 2, 53, 100 FROM batch_jobs WHERE batch_id = '{first}'": {
        "3 progress shows more than what is committed",
        "3 progress went down",
        "4 a batch ended twice",
    },
    "UPDATE risk_run SET expected_loss = expected_loss + 1 WHERE batch_id = '{portfolio}'": {
        "2 an answer differs from that of an undisturbed run",
        "4 the sums of a portfolio are not those of its sites",
    },
    FREE + "status = 'running', progress = 95, completed_at = NULL, updated_at = now() - interval '1 hour'"
    " WHERE batch_id = '{first}'": {
        NOT_GOT,
        NOT_WHOLE,
        "5 a request has been under way for longer than a rescue takes",
        "5 a request or a portfolio waits and no job is there for it",
    },
    "DELETE FROM batch_job_logs WHERE batch_id = '{first}' AND step IS NULL": {
        "7 a request has not one log row for each time that it ended"
    },
    FREE + "lease_until = now() WHERE batch_id = '{first}'": {
        "7 an ended request is still held, or does not say when it ended"
    },
}


def found_after(rig, breakages, names, *, is_alive):
    """What is found after each breakage, while nobody can mend it; nothing of it stays."""
    for process in (family := [one for daemon in rig.daemons for one in daemon.family()]):
        process.suspend()
    found = {}
    for breakage in breakages:
        with psycopg.connect(rig.url) as connection:
            connection.execute(breakage.format(**names) if names else breakage)
            found[breakage] = {one.invariant for one in violations(connection, is_alive=is_alive)}
            connection.rollback()
    for process in reversed(family):
        process.resume()
    return found


def names_of(file):
    """The invariants of a file."""
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return {
        line.split("SELECT '")[1].split("',")[0].replace("''", "'") for line in lines if line.startswith("SELECT '")
    }


@pytest.mark.fault("0 none: the check of the invariants")
def test_each_broken_invariant_is_found_by_its_name(rig):
    rig.daemon()
    assert rig.batch(4).wait(120) == "completed"
    rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0)
    assert found_after(rig, BREAKAGES, {}, is_alive=True) == BREAKAGES


@pytest.mark.fault("0 none: the check of the invariants of requests")
def test_each_broken_invariant_of_a_request_is_found_by_its_name(asked_rig):
    rig = asked_rig
    rig.daemon()
    asked = {"first": Request.ask(rig.watch, 1), "bare": Request.ask(rig.watch, PLACES - 1)}
    asked["portfolio"] = Portfolio.ask_for(rig.watch, [site(2), site(3), AT_SEA])
    for one in asked.values():
        assert one.wait(120) == "completed"
    assert Request.ask(rig.watch, 1).wait() == "completed"
    rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0)
    names = {name: one.batch_id for name, one in asked.items()}
    # (That the daemons are alive is not looked at: after so long, nobody would think so.)
    assert found_after(rig, BREAKAGES_OF_REQUESTS, names, is_alive=False) == BREAKAGES_OF_REQUESTS


def test_every_invariant_has_been_broken():
    broken = {name for table in (BREAKAGES, BREAKAGES_OF_REQUESTS) for names in table.values() for name in names}
    assert set.union(*map(names_of, FILES)) == broken
