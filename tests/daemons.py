"""Real daemon processes, and waiting for what they do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import psutil


def environment(database, **settings):
    """The environment of a program of ours that is to use this test's database."""
    return {**os.environ, "DATABASE_URL": database, "LOG_LEVEL": "debug", **settings}


PROCESSES = 3
"""Of a daemon with one process of each kind under its parent: control, ondemand, compute."""


@contextmanager
def running_daemon(database, log, **settings):
    """`aiops worker` as a process of its own; stopped, and if need be killed, at the end."""
    settings = {"PARALLEL_WORKERS": "1", "ONDEMAND_WORKERS": "1", **settings}
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers"], env=environment(database, **settings), stdout=said, stderr=said
        )
    tree = psutil.Process(process.pid)
    try:
        yield process
    finally:
        children = tree.children(recursive=True) if tree.is_running() and process.poll() is None else []
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for child in children:
            if child.is_running():
                child.kill()


def wait_for(question, seconds=120.0, pause=0.02):
    """Ask until the answer is true, and return it; fail when time is up."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"still {answer!r} after {seconds} s"
        time.sleep(pause)
    return answer


def wait_until_at_work(connection, processes=PROCESSES):
    """Wait until so many processes have registered with the queue."""

    def registered():
        (count,) = connection.execute("SELECT count(*) FROM procrastinate_workers").fetchone()
        if not connection.autocommit:
            connection.rollback()
        return count >= processes

    wait_for(registered)


HOLD = """
CREATE FUNCTION hold_write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM batch_chunks WHERE state = 'done') THEN
        -- By sleeping, since a wait for a lock is given up after a while.
        WHILE NOT pg_try_advisory_xact_lock_shared(hashtext('a test holds writes')) LOOP
            PERFORM pg_sleep(0.01);
        END LOOP;
    END IF;
    RETURN NULL;
END $$;
"""


@contextmanager
def held_writes(watcher, table):
    """Let one chunk write its rows of a table, and hold the next amid its write until the end of the block.

    Args:
        watcher: a connection in autocommit mode.
        table: what the chunks write to.

    Yields:
        What waits until a chunk of a batch is held.
    """
    watcher.execute(HOLD)
    watcher.execute(f"CREATE TRIGGER hold AFTER INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION hold_write()")
    watcher.execute("SELECT pg_advisory_lock(hashtext('a test holds writes'))")
    held = (
        "SELECT (SELECT array_agg(state) FROM batch_chunks WHERE batch_id = %s) @> '{done,running}'"
        " AND EXISTS (SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database())"
    )
    try:
        yield lambda batch_id: wait_for(lambda: watcher.execute(held, (batch_id,)).fetchone()[0])
    finally:
        watcher.execute("SELECT pg_advisory_unlock(hashtext('a test holds writes'))")


def run(database, *arguments, code=0, **settings):
    """Run one of our commands to its end; its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        env=environment(database, **settings),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout if code == 0 else done.stderr
