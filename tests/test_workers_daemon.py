"""The daemon: real processes that take batches from the database and compute them."""

from __future__ import annotations

import signal

import psutil
import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import PROCESSES, held_writes, run, running_daemon, wait_for, wait_until_at_work

pytestmark = pytest.mark.daemon

ENDED = ("completed", "failed", "cancelled")
RESULTS = (
    "SELECT grid_id, risk_type, bin_edges, probabilities, damage_rates, aal, aal_low, aal_high, estimator, n_years,"
    " status, baseline FROM probability_packed ORDER BY 1, 2"
)


@pytest.fixture
def watcher(database, connection):
    """A second connection, in autocommit mode, to a database with climate data."""
    write_climate(connection)
    with psycopg.connect(database, autocommit=True) as own:
        yield own


@pytest.fixture
def daemon(database, watcher, tmp_path):
    """A running daemon that has registered its workers."""
    with running_daemon(database, tmp_path / "daemon.log", BATCH_SIZE="5") as process:
        wait_until_at_work(watcher)
        yield process


def start(watcher, job_type="probability", params='{"risk_types": ["extreme_heat", "river_flood"]}'):
    query = "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s) RETURNING batch_id"
    return watcher.execute(query, (job_type, params)).fetchone()[0]


def look(watcher, batch_id):
    query = "SELECT status, progress, error_message FROM batch_jobs WHERE batch_id = %s"
    return watcher.execute(query, (batch_id,)).fetchone()


def wait_for_end(watcher, batch_id):
    return wait_for(lambda: (row := look(watcher, batch_id))[0] in ENDED and row)


def test_an_insert_starts_a_batch_and_progress_rises_to_100_with_the_results(daemon, watcher):
    batch_id = start(watcher)
    seen = [0]

    def is_complete():
        status, progress, error = look(watcher, batch_id)
        assert error is None
        # What is shown is committed: the rows of a finished chunk are there.
        rows = watcher.execute("SELECT count(*) FROM probability_packed").fetchone()[0]
        assert rows >= progress * len(CELLS) * 2 // 100 - 2
        assert (progress == 100) == (status == "completed")
        if progress != seen[-1]:
            seen.append(progress)
        return progress == 100

    wait_for(is_complete, pause=0)
    assert seen == sorted(seen)
    assert len(seen) > 2
    counts = "SELECT count(*), count(DISTINCT grid_id), count(DISTINCT (grid_id, risk_type)) FROM probability_packed"
    assert watcher.execute(counts).fetchone() == (48, 24, 48)
    sums = "SELECT max(abs(1 - (SELECT sum(p) FROM unnest(bin_probabilities) AS p))) FROM probability_results"
    assert watcher.execute(sums).fetchone()[0] < 1e-12


def test_an_insert_that_is_rolled_back_starts_nothing(daemon, watcher, connect):
    other = connect()
    start(other)
    other.rollback()
    kept = start(watcher, "hazard")
    wait_for_end(watcher, kept)
    assert watcher.execute("SELECT job_type FROM batch_jobs").fetchall() == [("hazard",)]


def test_a_known_id_with_on_conflict_do_nothing_enqueues_nothing(daemon, watcher):
    batch_id = start(watcher)
    wait_for_end(watcher, batch_id)
    jobs = watcher.execute("SELECT count(*) FROM procrastinate_jobs").fetchone()
    watcher.execute(
        "INSERT INTO batch_jobs (batch_id, job_type) VALUES (%s, 'probability') ON CONFLICT DO NOTHING", (batch_id,)
    )
    assert watcher.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == jobs


def test_the_queues_own_command_line_works_and_makes_exactly_one_batch(daemon, watcher, database):
    assert "DB connection: OK" in run(database, "procrastinate", "--app=workers.app", "healthchecks")
    run(database, "procrastinate", "--app=workers.app", "defer", "probability_batch", "{}")
    wait_for(lambda: watcher.execute("SELECT status FROM batch_jobs").fetchall() == [("completed",)])


def test_a_hazard_and_a_probability_batch_run_beside_each_other(daemon, watcher):
    for batch_id in (start(watcher, "probability"), start(watcher, "hazard")):
        assert wait_for_end(watcher, batch_id)[0] == "completed"
    scores = watcher.execute("SELECT min(hazard_score_100), max(hazard_score_100), count(*) FROM hazard_results")
    low, high, count = scores.fetchone()
    assert 0 <= low < high <= 100
    # Baseline and eight decades of the one scenario that has data; the others are no results.
    assert count == len(CELLS) * 2 * 9


def test_results_do_not_depend_on_how_the_cells_are_cut_into_chunks(database, watcher, tmp_path):
    found = []
    for size in ("24", "1"):
        with running_daemon(database, tmp_path / f"{size}.log", BATCH_SIZE=size):
            params = '{"force": true, "risk_types": ["extreme_heat", "river_flood"]}'
            assert wait_for_end(watcher, start(watcher, params=params))[0] == "completed"
        found.append(watcher.execute(RESULTS).fetchall())
    assert str(found[0]) == str(found[1])  # as text: NaN is not equal to itself


def test_a_chunk_that_cannot_be_written_fails_by_name_and_the_rest_completes(daemon, watcher):
    watcher.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " RAISE 'poisoned cell %%' , NEW.grid_id USING ERRCODE = 'data_exception'; END $$".replace("%%", "%")
    )
    watcher.execute(
        "CREATE TRIGGER poison BEFORE INSERT ON probability_packed FOR EACH ROW"
        f" WHEN (NEW.grid_id = {CELLS[7]}) EXECUTE FUNCTION refuse()"
    )
    status, progress, error = wait_for_end(watcher, start(watcher))
    assert (status, progress) == ("failed", 99)
    assert error.startswith("1 of 5 chunks failed; first: ")
    assert f"poisoned cell {CELLS[7]}" in error
    written = watcher.execute("SELECT count(DISTINCT grid_id) FROM probability_packed").fetchone()[0]
    assert written == len(CELLS) - 5
    log = watcher.execute("SELECT step, status, failed_grids FROM batch_job_logs WHERE step LIKE 'chunk%'")
    assert log.fetchall() == [("chunk 2", "failed", 5)]


def test_a_killed_process_is_started_again(daemon, watcher):
    children = psutil.Process(daemon.pid).children()
    assert len(children) == PROCESSES
    for child in children:
        child.kill()
    wait_for(
        lambda: (
            len(now := [c for c in psutil.Process(daemon.pid).children() if c.status() != "zombie"]) == PROCESSES
            and not {c.pid for c in now} & {c.pid for c in children}
        )
    )
    assert wait_for_end(watcher, start(watcher))[0] == "completed"


def test_sigterm_ends_the_daemon_and_all_its_processes(daemon, watcher):
    children = psutil.Process(daemon.pid).children()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait(120) == 0
    assert not [child for child in children if child.is_running() and child.status() != "zombie"]
    assert watcher.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)


def test_a_killed_parent_takes_its_processes_along(daemon):
    children = psutil.Process(daemon.pid).children()
    daemon.kill()
    daemon.wait()
    wait_for(lambda: not [child for child in children if child.is_running() and child.status() != "zombie"])


def test_after_a_cancel_nothing_is_written_and_the_processes_are_free(daemon, watcher):
    rows = "SELECT count(*) FROM probability_packed WHERE batch_id = %s"
    with held_writes(watcher, "probability_packed") as wait_until_held:
        batch_id = start(watcher)
        wait_until_held(batch_id)
        assert watcher.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
        written = watcher.execute(rows, (batch_id,)).fetchone()[0]
    busy = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
    wait_for(lambda: watcher.execute(busy).fetchone() == (0,))
    assert watcher.execute(rows, (batch_id,)).fetchone() == (written,)
    assert 0 < written < len(CELLS) * 2
    assert look(watcher, batch_id)[0] == "cancelled"
    # …and they take the next batch.
    assert wait_for_end(watcher, start(watcher))[0] == "completed"


def test_an_assessment_gives_both_in_one_pass(daemon, watcher):
    batch_id = start(watcher, "assessment")
    assert wait_for_end(watcher, batch_id)[0] == "completed"
    for table in ("probability_packed", "hazard_packed"):
        count = f"SELECT count(*) FROM {table} WHERE batch_id = %s AND input_hash IS NOT NULL"
        assert watcher.execute(count, (batch_id,)).fetchone() == (len(CELLS) * 2,)
