"""Claim, hold, finish, fail, rescue, cancel and retry in any order: checked against a model, on a real Postgres.

Two workers with a connection each do what a compute process does, statement by statement, so that everything may come
in between: one falls silent in the middle, its job is handed on, and it goes on as if nothing had happened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from psycopg.rows import namedtuple_row

CELLS_A_CHUNK = 2
N_CHUNKS = st.integers(2, 3)
"""Of a batch of one chunk the batch's own end keeps a second copy out."""
MOST_TRIES = 2
OPEN = ("waiting", "running")

WITNESSES = """
INSERT INTO location_grid (grid_id, has_climate) SELECT n, true FROM generate_series(1, 8) AS n;

-- The results: no key keeps a second copy out.
CREATE TABLE written (batch_id uuid, chunk_no integer, attempt integer);

CREATE TABLE ended (batch_id uuid, status text);
CREATE FUNCTION note_end() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN INSERT INTO ended VALUES (NEW.batch_id, NEW.status); RETURN NULL; END $$;
CREATE TRIGGER note_end AFTER UPDATE ON batch_jobs FOR EACH ROW
WHEN (OLD.completed_at IS NULL AND NEW.completed_at IS NOT NULL) EXECUTE FUNCTION note_end();

-- Who would wait for a lock is told so at once: one hand moves them all, and nobody lets go meanwhile.
ALTER FUNCTION rescue_jobs(interval, integer) SET lock_timeout = '100ms';
"""

LOOK = """
SELECT b.status, b.progress, b.completed_items, b.failed_items, b.open_chunks,
       (SELECT jsonb_object_agg(chunk_no, jsonb_build_array(state, attempt, tries)) FROM batch_chunks) AS chunks,
       (SELECT coalesce(jsonb_object_agg(chunk_no, times), '{}')
        FROM (SELECT chunk_no, count(*) AS times FROM written WHERE batch_id = b.batch_id GROUP BY 1)) AS written,
       (SELECT count(*) FROM ended WHERE batch_id = b.batch_id AND status = 'completed') AS completions
FROM batch_jobs AS b WHERE b.batch_id = %(batch_id)s
"""

NO_FENCE = """
CREATE OR REPLACE FUNCTION hold_chunk(p_batch_id uuid, p_chunk_no integer, p_attempt integer) RETURNS boolean
LANGUAGE sql RETURN true;
"""


@dataclass
class Chunk:
    """What the model knows of a chunk."""

    state: str = "waiting"
    attempt: int = 0
    tries: int = 0


@dataclass
class Worker:
    """A compute process: its connection, and what it believes to be doing."""

    connection: psycopg.Connection
    number: int | None = None
    job_id: int | None = None
    runs: int = 0
    chunk_no: int | None = None
    attempt: int = 0
    holds: bool = False

    @property
    def step(self):
        if self.chunk_no is None:
            return "idle"
        return "holds" if self.holds else "computes"

    def ask(self, query, *arguments):
        row = self.connection.execute(query, arguments).fetchone()
        return row[0] if row is not None and len(row) == 1 else row

    def let_go(self):
        if self.holds:
            self.connection.execute("ROLLBACK")
        self.chunk_no, self.holds = None, False

    def end_job(self, status):
        """Tell the queue, which knows whether the job is still ours."""
        self.ask("SELECT finish_held_job(%s, %s, %s, %s, false)", self.job_id, self.number, self.runs, status)

    def put_job_back(self):
        self.ask("SELECT retry_held_job(%s, %s, %s, now(), NULL, NULL, NULL)", self.job_id, self.number, self.runs)


@dataclass
class Model:
    """What has to be so."""

    status: str = "running"
    chunks: dict[int, Chunk] = field(default_factory=dict)
    completions: int = 0

    def has(self, state):
        return any(one.state == state for one in self.chunks.values())

    def can_go_on(self):
        return not self.has_ended() and self.has("waiting")

    def has_ended(self):
        return self.status != "running"

    def conclude(self):
        if self.status == "running" and not any(one.state in OPEN for one in self.chunks.values()):
            failed = any(one.state == "failed" for one in self.chunks.values())
            self.status = "failed" if failed else "completed"
            self.completions += not failed


class Engine(RuleBasedStateMachine):
    """One batch, two workers, and those who look after them."""

    predicts = True
    """Whether what functions answer is compared with the model, too, and not only what has become of the tables."""

    def __init__(self, database):
        super().__init__()
        connections = [psycopg.connect(database, autocommit=True) for _ in range(3)]
        for one in connections:
            one.execute("SET lock_timeout = '100ms'")
        self.control = connections.pop()
        self.control.row_factory = namedtuple_row
        self.workers = [Worker(one) for one in connections]
        self.model = Model()
        self.batch_id = None
        self.progress, self.written_at_cancel = 0, None

    # --- the beginning and the end ---------------------------------------------------------------------------

    @initialize(n_chunks=N_CHUNKS)
    def ask(self, n_chunks):
        self.plan(n_chunks)

    @precondition(lambda self: self.model.has_ended() and all(one.step == "idle" for one in self.workers))
    @rule(n_chunks=N_CHUNKS)
    def ask_for_another(self, n_chunks):
        self.plan(n_chunks)

    def plan(self, n_chunks):
        self.progress, self.written_at_cancel = 0, None
        for table in ("batch_jobs", "batch_chunks", "batch_job_logs", "procrastinate_jobs", "procrastinate_workers"):
            self.control.execute(f"DELETE FROM {table}")
        cells = json.dumps({"cells": list(range(1, n_chunks * CELLS_A_CHUNK + 1))})
        insert = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('hazard', %s) RETURNING batch_id"
        (self.batch_id,) = self.control.execute(insert, (cells,)).fetchone()
        self.control.execute("DELETE FROM procrastinate_jobs")  # the job that would plan it
        self.control.execute("SELECT plan_batch(%s, %s, '1', 'calibrated')", (self.batch_id, CELLS_A_CHUNK))
        self.model = Model(chunks={number: Chunk() for number in range(1, n_chunks + 1)})

    def teardown(self):
        try:
            if self.batch_id is not None:
                self.run_to_the_end()
        finally:
            for one in (self.control, *(worker.connection for worker in self.workers)):
                one.close()

    def run_to_the_end(self):
        """However things stand: a healthy worker and the rescue bring every batch to its end."""
        for worker in self.workers:
            worker.let_go()
            self.fall_silent(worker)
        for _ in range(3 * len(self.model.chunks)):
            self.expire_leases()
            self.rescue()
            self.take(self.workers[0])
            if self.workers[0].step == "computes":
                self.hold(self.workers[0])
            if self.workers[0].step == "holds":
                self.finish(self.workers[0])
            self.all_holds()
        if self.predicts:
            assert self.model.status != "running"
            assert not [one for one in self.model.chunks.values() if one.state in OPEN]
            busy = "SELECT count(*) AS jobs FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
            assert self.control.execute(busy).fetchone().jobs == 0

    # --- what a compute process does --------------------------------------------------------------------------

    which = st.integers(0, 1)

    def compare(self, found, expected):
        assert found == expected or not self.predicts

    def one_of(self, which, *steps):
        """One of the workers that are at a step."""
        able = [one for one in self.workers if one.step in steps]
        return able[which % len(able)]

    @precondition(lambda self: self.model.can_go_on() and any(one.step == "idle" for one in self.workers))
    @rule(which=which)
    def take_a_job(self, which):
        self.take(self.one_of(which, "idle"))

    @precondition(lambda self: any(one.step == "computes" for one in self.workers))
    @rule(which=which)
    def hold_the_chunk_and_write(self, which):
        self.hold(self.one_of(which, "computes"))

    @precondition(lambda self: any(one.step == "computes" for one in self.workers))
    @rule(which=which)
    def write_and_commit(self, which):
        """The same, with nothing in between."""
        worker = self.one_of(which, "computes")
        self.hold(worker)
        if worker.step == "holds":
            self.finish(worker)

    @precondition(lambda self: any(one.step == "holds" for one in self.workers))
    @rule(which=which)
    def finish_and_commit(self, which):
        self.finish(self.one_of(which, "holds"))

    @precondition(lambda self: any(one.step != "idle" for one in self.workers))
    @rule(which=which, for_good=st.booleans())
    def fail(self, which, for_good):
        worker = self.one_of(which, "computes", "holds")
        chunk = self.model.chunks[worker.chunk_no]
        number, has_it = worker.chunk_no, self.has_it(worker)
        worker.let_go()
        if for_good:
            done = worker.ask(
                "SELECT fail_chunk(%s, %s, %s, 'error', NULL, true)", self.batch_id, number, worker.attempt
            )
            worker.end_job("failed")
        else:
            done = worker.ask("SELECT postpone_chunk(%s, %s, %s, 'error', true)", self.batch_id, number, worker.attempt)
            worker.put_job_back()
        self.compare(done, has_it)
        if done:
            chunk.tries += not for_good
            chunk.state = "failed" if for_good else "waiting"
            self.model.conclude()

    def stop_and_hand_back(self, worker):
        """What a process does that is asked to end: its sessions are cut, its job goes back."""
        chunk, has_it = self.model.chunks[worker.chunk_no], self.has_it(worker)
        worker.let_go()
        hand_back = "SELECT outcome FROM hand_back_jobs(%s, %s, '{}')"
        outcomes = self.control.execute(hand_back, (worker.number, [worker.job_id])).fetchall()
        if outcomes and has_it:
            chunk.state = "waiting"

    def has_it(self, worker):
        chunk = self.model.chunks[worker.chunk_no]
        return (chunk.state, chunk.attempt) == ("running", worker.attempt)

    def take(self, worker):
        worker.number = worker.ask("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
        fetch = "SELECT id, attempts, args FROM procrastinate_fetch_job_v2('{compute}', %s)"
        worker.job_id, worker.runs, args = worker.ask(fetch, worker.number)
        if worker.job_id is None:
            return
        number = args["chunk_no"]
        chunk = self.model.chunks[number]
        try:
            attempt = worker.ask("SELECT attempt FROM claim_chunk(%s, %s, 'w', '90 seconds')", self.batch_id, number)
        except psycopg.errors.LockNotAvailable:
            assert any(one.holds and one.chunk_no == number for one in self.workers)
            worker.put_job_back()
            return
        can_be_claimed = self.model.status == "running" and chunk.state in OPEN
        self.compare(attempt, chunk.attempt + 1 if can_be_claimed else None)
        if attempt is None:
            worker.end_job("succeeded")
            return
        chunk.state, chunk.attempt = "running", attempt
        worker.chunk_no, worker.attempt = number, attempt

    def hold(self, worker):
        worker.connection.execute("BEGIN")
        worker.holds = worker.ask("SELECT hold_chunk(%s, %s, %s)", self.batch_id, worker.chunk_no, worker.attempt)
        self.compare(worker.holds, self.has_it(worker))
        if worker.holds:
            insert = "INSERT INTO written VALUES (%s, %s, %s)"
            worker.connection.execute(insert, (self.batch_id, worker.chunk_no, worker.attempt))
        else:
            worker.connection.execute("ROLLBACK")
            worker.let_go()
            worker.end_job("succeeded")

    def finish(self, worker):
        number = worker.chunk_no
        try:
            done = worker.ask("SELECT finish_chunk(%s, %s, 1, 0, '{}')", self.batch_id, number)
        except psycopg.errors.LockNotAvailable:  # never with the fence: it has the chunk's row already
            assert not self.predicts
            worker.let_go()
            return
        self.compare(done, self.model.status == "running")
        if done:
            worker.connection.execute("COMMIT")
            worker.holds = False
            self.model.chunks[number].state = "done"
            self.model.conclude()
        worker.let_go()
        worker.end_job("succeeded")

    # --- what happens to it -----------------------------------------------------------------------------------

    @precondition(lambda self: any(one.step != "idle" for one in self.workers))
    @rule(which=which, how=st.sampled_from(("silent", "late", "stopped")), successor=st.booleans())
    def lose_the_job(self, which, how, successor):
        """…which the other takes at once, or not. Who was silent or late may go on all the same."""
        worker = self.one_of(which, "computes", "holds")
        if how == "stopped":
            self.stop_and_hand_back(worker)
        else:
            if how == "silent":
                self.fall_silent(worker)
            else:
                self.expire_leases()
            self.rescue()
        (other,) = (one for one in self.workers if one is not worker)
        if successor and other.step == "idle":
            self.take(other)

    def fall_silent(self, worker):
        old = "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute' WHERE id = %s"
        self.control.execute(old, (worker.number,))

    def expire_leases(self):
        self.control.execute(
            "UPDATE batch_chunks SET lease_until = now() - interval '1 second' WHERE chunk_no IN"
            " (SELECT chunk_no FROM batch_chunks WHERE state = 'running' FOR UPDATE SKIP LOCKED)"
        )

    def rescue(self):
        """A round of the rescue."""
        rescued = self.control.execute("SELECT args, outcome FROM rescue_jobs('20 seconds', %s)", (MOST_TRIES,))
        for args, outcome in rescued.fetchall():
            chunk = self.model.chunks[args["chunk_no"]]
            if outcome.startswith("error"):
                assert any(one.holds and one.chunk_no == args["chunk_no"] for one in self.workers), outcome
            elif chunk.state == "running":
                chunk.tries += 1
                if not self.model.has_ended():
                    expected = "failed" if chunk.tries >= MOST_TRIES else "handed back"
                    self.compare(outcome, expected)
                    chunk.state = "failed" if outcome == "failed" else "waiting"
                    self.model.conclude()
        self.reconcile()

    def reconcile(self):
        self.control.execute("SELECT * FROM reconcile_batches('0 seconds')").fetchall()
        if self.model.status == "cancelled":
            held = {one.chunk_no for one in self.workers if one.holds}
            for number, chunk in self.model.chunks.items():
                if chunk.state in OPEN and number not in held:
                    chunk.state = "cancelled"

    @precondition(lambda self: self.model.has("running"))
    @rule(seldom=st.integers(0, 5))
    def cancel(self, seldom):
        if seldom == 0 or self.model.has_ended():  # seldom: after it there is little left to happen
            (done,) = self.control.execute("SELECT cancel_batch(%s)", (self.batch_id,)).fetchone()
            self.compare(done, not self.model.has_ended())
            if done:
                self.model.status = "cancelled"
                self.written_at_cancel = self.look().written

    @precondition(lambda self: self.model.has_ended() and self.model.has("failed"))
    @rule()
    def retry(self):
        failed = [one for one in self.model.chunks.values() if one.state == "failed"]
        (chunks,) = self.control.execute("SELECT retry_batch(%s)", (self.batch_id,)).fetchone()
        self.compare(chunks, len(failed) if self.model.status == "failed" else 0)
        if chunks:
            self.model.status = "running"
            for chunk in failed:
                chunk.state, chunk.tries = "waiting", 0

    # --- what must hold at every moment -----------------------------------------------------------------------

    def look(self):
        return self.control.execute(LOOK, {"batch_id": self.batch_id}).fetchone()

    @invariant()
    def all_holds(self):
        if self.batch_id is None:
            return
        seen = self.look()
        self.what_is_written_is_written_once_and_of_chunks_that_are_done(seen)
        self.progress_never_goes_back(seen)
        assert seen.completions <= 1
        # A cancelled batch writes nothing.
        assert self.written_at_cancel in (None, seen.written)
        if self.predicts:
            self.everything_is_as_the_model_has_it(seen)

    def what_is_written_is_written_once_and_of_chunks_that_are_done(self, seen):
        for number, times in seen.written.items():
            assert times == 1, f"chunk {number} is written {times} times"
        assert seen.written.keys() == {number for number, (state, _, _) in seen.chunks.items() if state == "done"}

    def progress_never_goes_back(self, seen):
        assert seen.progress >= self.progress, f"progress went back from {self.progress} to {seen.progress}"
        assert (seen.progress == 100) == (seen.status == "completed")
        self.progress = seen.progress

    def everything_is_as_the_model_has_it(self, seen):
        chunks = {int(number): Chunk(*rest) for number, rest in seen.chunks.items()}
        assert (seen.status, chunks) == (self.model.status, self.model.chunks)
        assert seen.completions == self.model.completions
        if seen.status != "cancelled":  # what its chunks come to is not counted any more
            states = [one.state for one in chunks.values()]
            assert seen.failed_items == CELLS_A_CHUNK * states.count("failed")
            assert seen.completed_items == CELLS_A_CHUNK * (states.count("failed") + states.count("done"))
            assert seen.open_chunks == sum(state in OPEN for state in states)


class FencelessEngine(Engine):
    """As it is, but judged by nothing but what has become of the tables."""

    predicts = False


LIMITS = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    database=None,
    print_blob=False,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def witnessed(database, connection):
    """The connection string of a database that notes what is written, and every end of a batch."""
    connection.execute(WITNESSES)
    connection.commit()
    return database


def test_whatever_happens_in_whatever_order_the_model_holds(witnessed):
    run_state_machine_as_test(lambda: Engine(witnessed), settings=LIMITS)


def a_zombie_writes(engine):
    """The one sequence that a fence is for: one falls silent, another does its work, and it goes on."""
    try:
        engine.ask(2)
        engine.take_a_job(0)
        engine.lose_the_job(0, how="silent", successor=True)
        engine.write_and_commit(1)
        engine.all_holds()
        engine.write_and_commit(0)
        engine.all_holds()
    finally:
        for one in (engine.control, *(worker.connection for worker in engine.workers)):
            one.close()


def test_the_machine_fails_when_the_fence_is_taken_out(witnessed, connection):
    a_zombie_writes(Engine(witnessed))
    connection.execute("UPDATE batch_jobs SET status = 'cancelled', completed_at = now()")
    connection.execute(NO_FENCE)
    connection.commit()
    with pytest.raises(AssertionError, match=r"chunk \d is written 2 times"):
        a_zombie_writes(FencelessEngine(witnessed))


def test_chance_finds_that_the_fence_is_gone_where_answers_are_compared_too(witnessed, connection):
    connection.execute(NO_FENCE)
    connection.commit()
    # Found, not made small; always the same sequences.
    limits = settings(LIMITS, phases=[Phase.generate], derandomize=True, report_multiple_bugs=False)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(lambda: Engine(witnessed), settings=limits)
