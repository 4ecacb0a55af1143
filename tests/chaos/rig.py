"""What a fault test works with: a database of its own, daemons, a proxy, gates; and the check at its end."""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
from daemons import wait_for

from chaos.daemon import Daemon
from chaos.invariants import LISTENING_SECONDS, settled_violations
from chaos.proxy import Proxy
from chaos.record import Record
from chaos.witness import Witness
from chaos.work import CELLS_A_CHUNK, FIRST_CELL, Batch, keep_as_reference

SETTINGS = {"PARALLEL_WORKERS": "2", "ONDEMAND_WORKERS": "1", "BATCH_SIZE": str(CELLS_A_CHUNK)}
START_SECONDS = 120.0
"""Within which a daemon has to be at work: the machine may be slow, and five processes start at once."""
ANNOUNCED_SECONDS = 30.0
"""Half of what a job whose announcement was lost waits while polls are rare."""
POLLS = Path(__file__).parent / "polls"
PROBE = json.dumps({"job": "hazard", "cells": [FIRST_CELL], "risk_types": ["extreme_heat"], "force": True})
LISTENER = (
    "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'aiops listener%' AND datname = current_database()"
)


def with_folder(folder):
    """The setting that has Python load the `sitecustomize.py` of a folder."""
    return {"PYTHONPATH": os.pathsep.join(part for part in (str(folder), os.environ.get("PYTHONPATH")) if part)}


class Watch:
    """A connection of the test's own, in autocommit mode, that is made anew when the server was restarted."""

    def __init__(self, server, database):
        self._connect = lambda: server.connect(database, application_name="watch")
        self._connection = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._connection is not None:
            self._connection.close()

    def execute(self, query, parameters=None):
        if self._connection is None:
            self._connection = self._connect()
        try:
            return self._connection.execute(query, parameters)
        except psycopg.OperationalError:
            if not self._connection.closed:
                raise
            self._connection = self._connect()
            return self._connection.execute(query, parameters)


class Rig:
    """One test's own."""

    def __init__(self, server, name, seed, folder, fault):
        self.server = server
        self.database = name
        self.folder = folder
        self.dice = random.Random(seed)
        self.record = Record(fault, seed)
        self.daemons: list[Daemon] = []
        self.alive_at_the_end = True
        """Whether a daemon is to be alive and listening when the invariants are checked."""
        self.crashes = 0
        """Of the server. A test that has it crash counts that beforehand; see `chaos.heard`."""
        self._witness = None
        self._rare_polls = folder / "rare-polls"
        self.watch = Watch(server, name)
        self._stack = ExitStack()
        self._stack.enter_context(self.watch)

    # --- the server ---------------------------------------------------------------------------------------------

    @property
    def url(self):
        """The straight way to the database."""
        return self.server.conninfo(self.database)

    def connect(self, **options):
        return self._stack.enter_context(self.server.connect(self.database, **options))

    def look(self, query, *parameters):
        """The first column of a query's first row."""
        row = self.watch.execute(query, parameters or None).fetchone()
        return row[0] if row else None

    @contextmanager
    def closed_gate(self, name):
        """A gate that nobody passes (see books.sql)."""
        with self.server.connect(self.database, application_name="gate") as holder:
            holder.execute("SELECT pg_advisory_lock(hashtext('chaos gate'), hashtext(%s))", (name,))
            yield holder

    def waiting_at_gate(self):
        """The server's processes that wait at a gate."""
        query = (
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            " AND classid = ((hashtext('chaos gate')::bigint + 4294967296) % 4294967296)::oid"
        )
        return [pid for (pid,) in self.watch.execute(query)]

    def set_pace(self, seconds, spread=1.0):
        """How long the writing of a chunk takes, on average, and by what share that varies."""
        self.watch.execute("UPDATE chaos.pace SET seconds = %s, spread = %s", (seconds, spread))

    def set_step_pace(self, seconds):
        """How long a row of a request's steps takes on average."""
        self.watch.execute("UPDATE chaos.pace SET step_seconds = %s", (seconds,))

    def fail_writes(self, sqlstate, times, steps=("write",)):
        """The next so many writes of chunks, or of these steps of requests, fail with this error."""
        self.watch.execute("TRUNCATE chaos.failing")
        self.watch.execute("SELECT setval('chaos.failed', 1, false)")
        self.watch.execute("INSERT INTO chaos.failing VALUES (%s, %s, %s)", (sqlstate, times, list(steps)))

    def crash_server(self):
        """Stop the server at once."""
        self.crashes += 1
        self.server.stop("immediate")

    def take_server_away(self, seconds, *, crash=False):
        """Stop the server, in order or at once, and start it again after so many seconds."""
        if crash:
            self.crash_server()
        else:
            self.server.stop()
        self.injected()
        time.sleep(seconds)
        self.server.start()

    def listen_to_progress(self):
        """From now on, remember what is told of progress; at the end it has to be in order."""
        self._witness = Witness(self)

    def proxy(self):
        """A proxy in front of the server."""
        return self._stack.enter_context(Proxy(self.server.host, self.server.port, self.dice))

    def url_through(self, proxy):
        return self.server.conninfo(self.database, through=proxy)

    # --- the daemons --------------------------------------------------------------------------------------------

    def daemon(self, url=None, *, wait=True, **settings):
        """Start a daemon; return when all its processes take jobs and one daemon listens."""
        log = self.folder / f"daemon-{len(self.daemons)}.log"
        known = self.workers() if wait else 0
        settings = {**SETTINGS, **with_folder(POLLS), "CHAOS_RARE_POLLS": str(self._rare_polls), **settings}
        daemon = Daemon(self.server.guardian, url or self.url, log, **settings)
        self.daemons.append(daemon)
        if wait:
            processes = int(settings["PARALLEL_WORKERS"]) + int(settings["ONDEMAND_WORKERS"]) + 1
            wait_for(lambda: self.workers() >= known + processes, START_SECONDS)
            wait_for(self.is_listening, START_SECONDS)
        return daemon

    @contextmanager
    def rare_polls(self):
        """Meanwhile daemons look for jobs by themselves once a minute only: what is done sooner was announced to them.

        That counts from their next look on, so the first job may still be one that was polled for.
        """
        self._rare_polls.touch()
        try:
            yield
        finally:
            self._rare_polls.unlink()

    def workers(self):
        """Processes that have registered and give signs of life."""
        return self.look("SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '15 s'")

    def listener(self):
        """The server's process of the session that listens for NOTIFY; None: nobody listens."""
        return self.look(
            f"{LISTENER} AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND classid = ((hashtext('aiops listener')::bigint + 4294967296) % 4294967296)::oid)"
        )

    def is_listening(self):
        return self.listener() is not None

    def workers_process(self, batch, state="running"):
        """The process that computes a chunk of a batch, by what the chunk's row says."""
        name = self.look(
            "SELECT worker FROM batch_chunks WHERE batch_id = %s AND state = %s ORDER BY started_at LIMIT 1",
            batch.batch_id,
            state,
        )
        return psutil.Process(int(name.split()[-1])) if name else None

    def process_of_session(self, pid):
        """The process of ours that a process of the server works for."""
        name = self.look("SELECT application_name FROM pg_stat_activity WHERE pid = %s", pid)
        return psutil.Process(int(name.split()[-1]))

    def rescues(self):
        """How often the daemons said that they rescued a job."""
        return sum(len(daemon.said("job rescued")) for daemon in self.daemons)

    # --- the work -----------------------------------------------------------------------------------------------

    def batch(self, chunks, job_type="probability", **params):
        """Ask for a yearly batch of so many chunks."""
        return Batch.ask(self.watch, chunks, job_type, **params)

    # --- the fault ----------------------------------------------------------------------------------------------

    def injected(self, times=1):
        """Count a fault."""
        self.record.injections += times

    def killer(self, daemon, every, *, first=0.0, last=float("inf")):
        """What, asked again and again, kills any of a daemon's processes so often, and starts it again when need be.

        The first falls after so many seconds, and after the last none.
        """
        start = time.monotonic()
        due = first

        def keep_killing():
            nonlocal due
            daemon.keep()
            now = time.monotonic() - start
            if due <= now < last:
                due = now + every
                family = daemon.family()
                if family:
                    self.dice.choice(family).kill()
                    self.injected()

        return keep_killing

    @contextmanager
    def recovery(self, within):
        """Measure how long what stands inside takes: the time from the fault's end until all is well again."""
        start = time.monotonic()
        yield
        took = time.monotonic() - start
        self.record.recovered_seconds.append(took)
        assert took <= within, f"recovered after {took:.1f} s; allowed: {within:.0f} s"

    def wait(self, question, seconds=120.0):
        return wait_for(question, seconds)

    def starts_a_batch_on_notify(self):
        """The daemon hears, plans, computes and completes: the probe that it is well. Takes seconds."""
        self.wait(self.is_listening, LISTENING_SECONDS)
        before = self.look("SELECT count(*) FROM batch_jobs")
        told_at = 0.0

        def heard():
            # A NOTIFY that falls between two sessions is heard by nobody; that is what NOTIFY is like.
            nonlocal told_at
            if time.monotonic() - told_at > 4:
                told_at = time.monotonic()
                self.watch.execute("SELECT pg_notify('aiops_trigger', %s)", (PROBE,))
            return self.look("SELECT count(*) FROM batch_jobs") > before

        self.wait(heard)
        newest = "SELECT status FROM batch_jobs ORDER BY created_at DESC LIMIT 1"
        self.wait(lambda: self.look(newest) == "completed")

    # --- the end ------------------------------------------------------------------------------------------------

    def conclude(self):
        """The last act of every test: nothing is lost, nothing doubled, and the daemon starts the next job."""
        if self.alive_at_the_end and self.daemons:
            self.starts_a_batch_on_notify()
        if self._witness is not None:
            self._witness.stop()
        found = settled_violations(self.watch, is_alive=self.alive_at_the_end and bool(self.daemons))
        self.record.lost = sum(one.times for one in found if one.invariant.startswith("1 lost"))
        self.record.doubled = sum(one.times for one in found if one.invariant.startswith("1 doubled"))
        assert not found, "\n".join(map(str, found))

    def end(self):
        """End everything, whatever state it is in."""
        for daemon in self.daemons:
            daemon.end()
        if self._witness is not None:
            self._witness.end()
        self._stack.close()

    def show_logs(self):
        """The logs of the daemons, for a test that has failed."""
        for daemon in self.daemons:
            print(f"--- {daemon.log}")  # noqa: T201 (shown with a failed test only)
            print("\n".join(daemon.log.read_text(errors="replace").splitlines()[-120:]))  # noqa: T201


def undisturbed_run(server, database, folder, chunks):
    """Compute every cell once with nobody in the way, both kinds, and keep the results to compare with."""
    rig = Rig(server, database, 0, folder, "0 none")
    try:
        rig.set_pace(0)
        daemon = rig.daemon(BATCH_SIZE="40")
        assert rig.batch(chunks, "assessment", risk_types=None).wait(300) == "completed"
        assert daemon.stop() == 0
        with psycopg.connect(rig.url) as connection:
            keep_as_reference(connection)
        rig.set_pace(0.05)
    finally:
        rig.end()
