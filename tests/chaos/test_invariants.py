"""The check itself: each invariant, broken by hand, is found by its name."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from chaos.invariants import violations

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


@pytest.mark.fault("0 none: the check of the invariants")
def test_each_broken_invariant_is_found_by_its_name(rig):
    daemon = rig.daemon()
    assert rig.batch(4).wait(60) == "completed"
    rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0)
    for process in daemon.family():
        process.suspend()  # nobody is to mend what is broken here
    found = {}
    for breakage in BREAKAGES:
        with psycopg.connect(rig.url) as connection:
            connection.execute(breakage)
            found[breakage] = {one.invariant for one in violations(connection, is_alive=True)}
            connection.rollback()
    for process in reversed(daemon.family()):
        process.resume()
    assert found == BREAKAGES
    named = {name for names in BREAKAGES.values() for name in names}
    text = (Path(__file__).parent / "invariants.sql").read_text()
    assert {line.split("'")[1] for line in text.splitlines() if line.lstrip().startswith("SELECT '")} == named
