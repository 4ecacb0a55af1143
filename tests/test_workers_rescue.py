"""What a dead process left behind is put right, and who comes back late is kept out."""

from __future__ import annotations

import asyncio
import json
import threading

import psutil
import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import running_daemon, wait_for
from psycopg_pool import AsyncConnectionPool

from aiops.db.statements import statement
from workers.rescue import Rescue

RESCUE = "SELECT task_name, outcome FROM rescue_jobs('20 seconds', 5)"
RECONCILE = "SELECT outcome FROM reconcile_batches('20 seconds')"
AMID_COPY = (
    "SELECT state = 'active' AND wait_event_type = 'Client' AND state_change < clock_timestamp() - interval '5 s'"
    " FROM pg_stat_activity WHERE pid = %s"
)
"""Whether a session has waited for the next part of a COPY for so long."""


@pytest.fixture
def planned(connection):
    """A batch of two chunks whose jobs wait on the queue."""
    write_climate(connection, cells=(1, 2, 3, 4), periods={"historical": (1991, 30)})
    insert = "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    (batch_id,) = connection.execute(insert).fetchone()
    take(connection)  # the planning job
    connection.execute("SELECT plan_batch(%s, 2, '1', 'calibrated')", (batch_id,))
    connection.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'hazard_batch'")
    connection.commit()
    return batch_id


def take(connection, alive=True):
    """Take a job as a worker that is alive, or that fell silent a minute ago."""
    heartbeat = "now()" if alive else "now() - interval '1 minute'"
    (worker,) = connection.execute(
        f"INSERT INTO procrastinate_workers (last_heartbeat) VALUES ({heartbeat}) RETURNING id"
    ).fetchone()
    row = connection.execute("SELECT id, args FROM procrastinate_fetch_job_v2(NULL, %s)", (worker,)).fetchone()
    connection.commit()
    return row


def claim(connection, batch_id, args):
    row = connection.execute(
        "SELECT attempt FROM claim_chunk(%s, %s, 'w', '90 seconds')", (batch_id, args["chunk_no"])
    ).fetchone()
    connection.commit()
    return row[0]


def jobs(connection):
    rows = connection.execute("SELECT status::text, count(*)::int FROM procrastinate_jobs GROUP BY 1 ORDER BY 1")
    return dict(rows.fetchall())


def test_the_job_of_a_silent_worker_is_handed_back_and_that_of_a_living_one_is_not(connection, planned):
    take(connection, alive=True)
    take(connection, alive=False)
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]
    assert jobs(connection) == {"doing": 1, "todo": 1}


def test_a_job_whose_worker_is_gone_altogether_is_handed_back(connection, planned):
    take(connection)
    connection.execute("DELETE FROM procrastinate_workers")
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]


def test_a_job_is_handed_back_by_one_of_two_rescuers(connection, planned, connect):
    take(connection, alive=False)
    one, two = connect(), connect()
    assert len(one.execute(RESCUE).fetchall()) == 1
    assert two.execute(RESCUE).fetchall() == []
    one.commit()
    assert two.execute(RESCUE).fetchall() == []


def test_a_job_that_another_gave_to_a_living_worker_meanwhile_is_left_to_it(connection, planned, connect):
    """The one rescuer waits, for a chunk's row, while the other goes on."""
    first, args = take(connection, alive=False)
    second, _ = take(connection, alive=False)
    claim(connection, planned, args)
    holder, slow, quick = connect(), connect(autocommit=True), connect(autocommit=True)
    holder.execute("SELECT FROM batch_chunks WHERE chunk_no = %s FOR UPDATE", (args["chunk_no"],))
    found = []
    thread = threading.Thread(target=lambda: found.extend(slow.execute(RESCUE).fetchall()))
    thread.start()
    blocked = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
    wait_for(lambda: connection.execute(blocked, (slow.info.backend_pid,)).fetchone()[0])
    connection.commit()
    assert quick.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")], "the second job; the first is held"
    job_id, _ = take(connection, alive=True)
    assert job_id == second != first
    holder.rollback()
    thread.join(120)
    assert found == [("risk_chunk", "handed back")]
    living = connection.execute("SELECT status::text FROM procrastinate_jobs WHERE id = %s", (second,)).fetchone()
    assert living == ("doing",)


@pytest.mark.parametrize(
    "held",
    [
        pytest.param("SELECT FROM batch_chunks WHERE chunk_no = %s FOR UPDATE", id="the chunk"),
        pytest.param("UPDATE batch_chunks SET state = 'done' WHERE chunk_no = %s", id="the ended chunk"),
    ],
)
def test_the_session_of_a_process_that_was_stopped_amid_its_results_does_not_keep_the_chunk(
    connection, planned, connect, held
):
    """The server waits for the next part of a COPY for as long as the network answers: by itself for ever."""
    _, args = take(connection, alive=False)
    claim(connection, planned, args)
    zombie, living, stranger = connect(), connect(), connect()
    for session, name in ((zombie, "aiops compute 1"), (living, "aiops compute 2"), (stranger, "psql")):
        session.execute("SELECT set_config('application_name', %s, false)", (name,))
        session.commit()
    living.execute("SELECT FROM batch_chunks WHERE chunk_no <> %s FOR UPDATE", (args["chunk_no"],))
    stranger.execute("SELECT FROM risk_type")
    watcher = connect(autocommit=True)
    # In one go: between two statements the session would be idle.
    zombie.execute("SET idle_in_transaction_session_timeout = '4s';" + held.replace("%s", str(args["chunk_no"])))
    with (  # noqa: PT012 (a COPY is a block)
        pytest.raises(psycopg.errors.AdminShutdown),
        zombie.cursor() as cursor,
        cursor.copy("COPY hazard_packed (grid_id) FROM STDIN") as copy,
    ):
        wait_for(lambda: watcher.execute(AMID_COPY, (zombie.info.backend_pid,)).fetchone()[0])
        assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]
        connection.commit()
        copy.write("1\n")
    assert jobs(connection) == {"todo": 2}
    for session in (living, stranger):
        assert session.execute("SELECT 1").fetchone() == (1,)


def test_a_process_that_was_stopped_amid_the_results_of_a_cell_keeps_nobody_from_writing_results(
    connection, planned, connect
):
    """It has all results to itself while it writes, and no chunk of its own by whose row it could be found."""
    take(connection, alive=False)
    zombie, other = connect(), connect()
    zombie.execute("SET application_name = 'aiops cell 1'")
    zombie.commit()
    zombie.execute(statement("lock_results"))
    other.execute("SET lock_timeout = '1s'")
    other.commit()
    with (  # noqa: PT012 (a COPY is a block)
        pytest.raises(psycopg.errors.AdminShutdown),
        zombie.cursor() as cursor,
        cursor.copy("COPY hazard_packed (grid_id) FROM STDIN") as copy,
    ):
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute(statement("share_results"))
        other.rollback()
        wait_for(lambda: connection.execute(AMID_COPY, (zombie.info.backend_pid,)).fetchone()[0])
        connection.execute(RESCUE)
        connection.commit()
        other.execute(statement("share_results"))
        copy.write("1\n")


def test_who_holds_a_chunk_for_a_moment_keeps_it(connection, planned, connect):
    """A process that is slow to speak may be about to commit: it has the time of a lock to do it."""
    _, args = take(connection, alive=False)
    claim(connection, planned, args)
    slow = connect()
    slow.execute("SET application_name = 'aiops compute 1'")
    slow.execute("SELECT FROM batch_chunks WHERE chunk_no = %s FOR UPDATE", (args["chunk_no"],))
    ((task, outcome),) = connection.execute(RESCUE).fetchall()
    assert (task, outcome[:5]) == ("risk_chunk", "error"), "it is waited for, and met again in the next round"
    connection.commit()
    slow.rollback()
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]


def test_a_round_that_waits_for_locks_is_a_look_at_the_workers(database, connection, planned, connect, monkeypatch):
    """Else the rounds after it would take it for a time in which nobody could speak, and wait for the workers anew."""
    monkeypatch.setattr("workers.rescue._LONGEST_GAP_SECONDS", 3.0)
    _, args = take(connection, alive=False)
    claim(connection, planned, args)
    holder = connect()
    holder.execute("SELECT FROM batch_chunks WHERE chunk_no = %s FOR UPDATE", (args["chunk_no"],))

    async def two_rounds():
        async with AsyncConnectionPool(database, min_size=1, open=False) as pool:
            rescue = Rescue(pool)
            await rescue.round()
            holder.rollback()
            await rescue.round()

    asyncio.run(two_rounds())
    assert jobs(connection) == {"todo": 2}


def test_after_a_job_that_is_failed_a_round_ends(connection, planned):
    """It holds the batch's row; the chunks of those that follow are taken before it, not after."""
    for _ in range(2):
        _, args = take(connection, alive=False)
        claim(connection, planned, args)
    connection.execute("UPDATE batch_chunks SET tries = 4 WHERE chunk_no = 1")
    connection.commit()
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "failed")]
    connection.commit()
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]


def test_a_zombie_that_wakes_up_cannot_write(connection, planned):
    _, args = take(connection, alive=False)
    first = claim(connection, planned, args)
    connection.execute(RESCUE)
    _, again = take(connection)
    assert again == args
    second = claim(connection, planned, again)
    hold = "SELECT hold_chunk(%s, %s, %s)"
    assert connection.execute(hold, (planned, args["chunk_no"], first)).fetchone() == (False,)
    assert connection.execute(hold, (planned, args["chunk_no"], second)).fetchone() == (True,)


def test_a_chunk_that_ends_its_process_again_and_again_fails_by_name(connection, planned):
    for _ in range(5):
        _, args = take(connection, alive=False)
        claim(connection, planned, args)
        outcomes = connection.execute(RESCUE).fetchall()
    assert outcomes == [("risk_chunk", "failed")]
    state, error = connection.execute(
        "SELECT state, error FROM batch_chunks WHERE chunk_no = %s", (args["chunk_no"],)
    ).fetchone()
    assert state == "failed"
    assert "its process ended 5 times" in error
    assert jobs(connection) == {"failed": 1, "todo": 1}


def test_a_job_whose_work_is_committed_is_finished_not_done_again(connection, planned):
    job_id, args = take(connection, alive=True)
    claim(connection, planned, args)
    connection.execute("SELECT finish_chunk(%s, %s, 2, 0, '{}')", (planned, args["chunk_no"]))
    assert connection.execute(RESCUE).fetchall() == []  # its worker may be about to say so
    connection.execute("UPDATE batch_chunks SET completed_at = completed_at - interval '1 minute'")
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "finished")]
    status = connection.execute("SELECT status::text FROM procrastinate_jobs WHERE id = %s", (job_id,)).fetchone()
    assert status == ("succeeded",)


def test_a_claim_that_outlives_its_lease_under_a_living_worker_is_taken_back(connection, planned):
    _, args = take(connection, alive=True)
    claim(connection, planned, args)
    connection.execute("UPDATE batch_chunks SET lease_until = now() - interval '1 second' WHERE state = 'running'")
    assert connection.execute(RESCUE).fetchall() == [("risk_chunk", "handed back")]


@pytest.mark.parametrize("end", ["DELETE FROM procrastinate_jobs", "UPDATE procrastinate_jobs SET status = 'aborted'"])
def test_a_chunk_without_a_job_gets_one(connection, planned, end):
    connection.execute(end)
    assert connection.execute(RECONCILE).fetchall() == [("chunk had no job",)] * 2
    assert connection.execute(RECONCILE).fetchall() == []
    assert jobs(connection)["todo"] == 2


def test_a_batch_without_a_planning_job_gets_one_after_a_while(connection):
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
    connection.execute("DELETE FROM procrastinate_jobs")
    assert connection.execute(RECONCILE).fetchall() == []
    connection.execute("UPDATE batch_jobs SET updated_at = now() - interval '1 minute'")
    assert connection.execute(RECONCILE).fetchall() == [("batch had no job",)]
    assert jobs(connection) == {"todo": 1}


def test_the_chunks_of_a_cancelled_batch_are_marked_and_its_jobs_leave_the_queue(connection, planned):
    _, args = take(connection)
    claim(connection, planned, args)
    connection.execute("SELECT cancel_batch(%s)", (planned,))
    assert jobs(connection) == {"doing": 1}
    connection.execute(RECONCILE)
    states = connection.execute("SELECT DISTINCT state FROM batch_chunks").fetchall()
    assert states == [("cancelled",)]


def test_ended_jobs_leave_the_queue_after_a_day_and_running_ones_stay(connection, planned):
    connection.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE args->>'chunk_no' = '1'")
    prune = "SELECT jobs FROM prune_queue('24 hours', '400 days')"
    assert connection.execute(prune).fetchone() == (0,)
    connection.execute("UPDATE procrastinate_events SET at = now() - interval '2 days'")
    assert connection.execute(prune).fetchone() == (1,)
    assert jobs(connection) == {"todo": 1}


def test_a_retry_runs_just_what_failed(connection, planned):
    for _ in range(2):
        _, args = take(connection)
        attempt = claim(connection, planned, args)
        if args["chunk_no"] == 1:
            connection.execute("SELECT fail_chunk(%s, 1, %s, 'no', NULL, true)", (planned, attempt))
        else:
            connection.execute("SELECT finish_chunk(%s, 2, 2, 0, '{}')", (planned,))
        connection.execute("UPDATE procrastinate_jobs SET status = 'succeeded' WHERE status = 'doing'")
    assert connection.execute("SELECT status FROM batch_jobs").fetchone() == ("failed",)
    assert connection.execute("SELECT retry_batch(%s)", (planned,)).fetchone() == (1,)
    assert connection.execute("SELECT retry_batch(%s)", (planned,)).fetchone() == (0,)
    row = connection.execute("SELECT status, completed_items, failed_items, open_chunks FROM batch_jobs").fetchone()
    assert row == ("running", 2, 0, 1)
    _, args = take(connection)
    assert args["chunk_no"] == 1
    claim(connection, planned, args)
    connection.execute("SELECT finish_chunk(%s, 1, 2, 0, '{}')", (planned,))
    row = connection.execute("SELECT status, progress, completed_items, failed_items FROM batch_jobs").fetchone()
    assert row == ("completed", 100, 4, 0)


def test_a_lost_job_with_arguments_of_any_name_does_not_keep_the_others_from_being_rescued(
    database, connection, planned
):
    odd = '{"outcome": 1, "event": 2}'
    connection.execute("UPDATE procrastinate_jobs SET args = args || %s::jsonb WHERE args->>'chunk_no' = '1'", (odd,))
    take(connection, alive=False)
    take(connection, alive=False)

    async def one_round():
        async with AsyncConnectionPool(database, min_size=1, open=False) as pool:
            await Rescue(pool).round()

    asyncio.run(one_round())
    assert jobs(connection) == {"todo": 2}


@pytest.mark.daemon
def test_a_chunk_whose_process_is_killed_is_rescued_within_45_seconds_without_a_restart(database, connection, tmp_path):
    write_climate(connection)
    # A lock that a compute process runs into with its results in hand: it is killed in mid-chunk for certain.
    connection.execute("LOCK TABLE hazard_packed IN ACCESS EXCLUSIVE MODE")
    with (
        running_daemon(database, tmp_path / "daemon.log", PARALLEL_WORKERS="2", BATCH_SIZE="6") as daemon,
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        params = '{"risk_types": ["extreme_heat"]}'
        watcher.execute("INSERT INTO batch_jobs (job_type, input_params) VALUES ('hazard', %s)", (params,))
        running = "SELECT count(*) FROM batch_chunks WHERE state = 'running'"
        wait_for(lambda: watcher.execute(running).fetchone() == (2,))
        for process in psutil.Process(daemon.pid).children():
            if "compute" in process.cmdline():
                process.kill()
        (killed_at,) = watcher.execute("SELECT clock_timestamp()").fetchone()
        connection.rollback()
        ended = "SELECT status, progress FROM batch_jobs"
        wait_for(lambda: watcher.execute(ended).fetchall() == [("completed", 100)], seconds=180)
        # Promised is when they are taken up, whatever their computation then takes.
        taken_up = "SELECT count(*), extract(epoch FROM max(started_at) - %s) FROM batch_chunks WHERE attempt > 1"
        count, seconds = watcher.execute(taken_up, (killed_at,)).fetchone()
        assert (count, seconds < 45) == (2, True), seconds
        counts = "SELECT count(*), count(DISTINCT grid_id) FROM hazard_packed"
        assert watcher.execute(counts).fetchone() == (len(CELLS), len(CELLS))
        assert watcher.execute("SELECT max(attempt) FROM batch_chunks").fetchone() == (2,)


def is_refusal(line, process):
    """Whether a line of the log says that a process found its job in other hands by its end: the last of an attempt."""
    said = json.loads(line) if line.startswith("{") else {}
    return said.get("event") == "job was in other hands by its end" and said["process"].endswith(f" {process.pid}")


@pytest.mark.daemon
def test_a_process_that_is_stopped_with_a_lock_in_hand_keeps_nobody_waiting_and_cannot_write_when_it_wakes(
    database, connection, tmp_path
):
    write_climate(connection)
    connection.execute("LOCK TABLE hazard_packed IN ACCESS EXCLUSIVE MODE")
    log = tmp_path / "daemon.log"
    with (
        running_daemon(database, log, PARALLEL_WORKERS="2", BATCH_SIZE="6", LOG_FORMAT="json") as daemon,
        psycopg.connect(database, autocommit=True) as watcher,
    ):
        params = '{"risk_types": ["extreme_heat"]}'
        watcher.execute("INSERT INTO batch_jobs (job_type, input_params) VALUES ('hazard', %s)", (params,))
        running = "SELECT count(*) FROM batch_chunks WHERE state = 'running'"
        wait_for(lambda: watcher.execute(running).fetchone() == (2,))
        zombie = next(p for p in psutil.Process(daemon.pid).children() if "compute" in p.cmdline())
        zombie.suspend()
        try:
            connection.rollback()
            ended = "SELECT status, progress FROM batch_jobs"
            wait_for(lambda: watcher.execute(ended).fetchall() == [("completed", 100)], seconds=180)
            attempts = "SELECT grid_id, calculated_at FROM hazard_packed ORDER BY 1"
            before = watcher.execute(attempts).fetchall()
        finally:
            zombie.resume()
        wait_for(lambda: any(is_refusal(line, zombie) for line in log.read_text().splitlines()))
        assert watcher.execute(attempts).fetchall() == before
        assert len(before) == len(CELLS)
        assert watcher.execute(ended).fetchall() == [("completed", 100)]
