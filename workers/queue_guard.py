"""What procrastinate 3.10 does not withstand, made good in this one place. Nothing of it is changed or copied.

| procrastinate                                                    | seen as                           | here         |
|------------------------------------------------------------------|-----------------------------------|--------------|
| `PsycopgConnector.listen_notify` raises when it cannot reconnect | LISTEN is lost for good           | listens anew |
| `JobManager.listen_for_jobs` parses whatever it gets             | garbage ends the listening        | dropped      |
| `Worker._handle_notification` believes any request to abort      | anybody may end a job             | looked up    |
| `Worker._update_heartbeat` ends with an error …                  | a living worker looks dead        | tried again  |
| `Worker._run_loop` ends with an error                            | exits while the server restarts   | tried again  |
| `JobManager.finish_job`, `retry_job` know no owner               | a zombie ends its successor's job | fenced       |
| … and are tried once                                             | a job stays `doing` for ever      | tried again  |
| `JobManager.fetch_job`: its answer may get lost                  | a job stays `doing` for ever      | given back   |
| `prune_stalled_workers` at every start                           | after an outage all look stalled  | left to us   |
| `register_worker` does not look at the schema                    | old code on a new schema          | refused      |

An error of a side task goes unseen, since `_monitor_side_tasks` stops looking when the first of them has ended, and
without periodic tasks one ends at once: none of what is called from them may raise.

The names are those of `procrastinate/worker.py`, `manager.py`, `psycopg_connector.py`.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
from typing import TYPE_CHECKING, Any

import psycopg
import structlog
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.manager import JobManager

from aiops.db.connect import connect
from aiops.db.statements import statement
from aiops.db.transient import is_transient
from aiops.errors import DatabaseUnavailable, SchemaError, in_one_line
from workers.ear import hear, listening_session
from workers.queue_notices import Heard, understand
from workers.rescue import MOST_TRIES
from workers.schema import all_migrations, check_schema

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from procrastinate.connector import Notify, Pool
    from procrastinate.jobs import Job, Status

log = structlog.get_logger(__name__)

_LONGEST_PAUSE_SECONDS = 4.0
_LAST_BEAT_SECONDS = 2.0
"""A sign of life that is under way when the worker ends is waited for so long."""
_FORGOTTEN_AFTER = 4
"""Signs of life in a row at which a job is this worker's by the table, and the worker knows nothing of it."""


class GuardedConnector(PsycopgConnector):
    """Opens without a server, and goes on listening whatever happens."""

    _ignored = 0

    async def open_async(self, pool: Pool | None = None) -> None:
        """Open the pool; whether there is a server turns out when a connection is asked for."""
        if pool is not None:
            await super().open_async(pool)
        elif self._async_pool is None:
            self._async_pool = await self._create_pool(self._pool_args)
            await self._async_pool.open()

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen until cancelled, over as many sessions as it takes."""
        names = list(channels)
        failures = 0
        while True:
            try:
                async with listening_session("queue-listener") as connection:
                    async for payloads in hear(connection, names):
                        failures = 0
                        # What came while nobody listened is looked for as soon as somebody does.
                        heard = understand(payload for _, payload in payloads) if payloads else Heard(has_job=True)
                        await self._pass_on(heard, on_notification, names[0])
            except (psycopg.Error, OSError, ConnectorException, DatabaseUnavailable) as error:
                failures += 1
                _tell("queue is not listened to", error, failures)
            await asyncio.sleep(_pause(failures))

    async def _pass_on(self, heard: Heard, on_notification: Notify, channel: str) -> None:
        if heard.has_job:
            await on_notification(channel=channel, payload=json.dumps({"type": "job_inserted", "job_id": 0}))
        asked: list[dict[str, Any]] = []
        if heard.aborts:
            asked = await self.execute_query_all_async(statement("aborts_asked_for"), job_ids=sorted(heard.aborts))
        for row in asked:
            payload = {"type": "abort_job_requested", "job_id": row["id"]}
            await on_notification(channel=channel, payload=json.dumps(payload))
        ignored = self._ignored + len(heard.garbage) + len(heard.aborts) - len(asked)
        if ignored.bit_length() > self._ignored.bit_length():  # the first, the second, the fourth … of a flood
            sample = heard.garbage[0][:80] if heard.garbage else "a request to abort that nobody made"
            log.warning("ignored on the queue's channel", times=ignored, sample=sample)
        self._ignored = ignored


class GuardedJobs(JobManager):
    """Outlasts a server that is away, and touches no job that is not its worker's own any more."""

    def __init__(self, connector: PsycopgConnector) -> None:
        super().__init__(connector)
        self.worker_id: int | None = None
        self.role = "worker"
        """What this process does, for those who look which processes there are."""
        self.held: dict[int, Job] = {}
        """The jobs that this process works on."""
        self._forgotten: dict[int, int] = {}
        self._silence = 0
        self._beat: asyncio.Future[Any] | None = None
        """The last sign of life, which may be under way."""
        self._migrations = len(all_migrations())
        self._refusal: SchemaError | None = None

    async def register_worker(self) -> int:
        """Register, and leave no trace where the process is asked to stop meanwhile."""
        registering = asyncio.ensure_future(self._register())
        try:
            return await asyncio.shield(registering)
        except asyncio.CancelledError:
            # The worker has not begun: nobody but us would take it off the books.
            await asyncio.wait([registering], timeout=_LAST_BEAT_SECONDS)
            if registering.done() and not registering.cancelled() and registering.exception() is None:
                await self.unregister_worker(registering.result())
            registering.cancel()
            raise

    async def _register(self) -> int:
        """Register, as soon as there is a server, and if its schema is this version's (SchemaError)."""
        failures = 0
        self.worker_id = None  # of an earlier worker of this process, perhaps of another database
        while self.worker_id is None:
            try:
                await asyncio.to_thread(_check_schema)
                self.worker_id = await super().register_worker()
            except (ConnectorException, DatabaseUnavailable) as error:
                failures += 1
                _tell("no server yet", error, failures)
                await asyncio.sleep(_pause(failures))
        await self._note_process(self.worker_id)
        return self.worker_id

    async def _note_process(self, worker_id: int) -> None:
        """Say where this process runs; one that could not works all the same, without a host's name."""
        whereabouts = {"role": self.role, "host": socket.gethostname(), "pid": os.getpid()}
        try:
            await self.connector.execute_query_async(statement("note_process"), worker_id=worker_id, **whereabouts)
        except ConnectorException as error:
            _tell("where this process runs is not noted", error, 1)

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Job | None:
        """Take a job; None where there is none, or no server just now.

        Raises:
            SchemaError: the database has become another version's.
        """
        if self._refusal is not None:
            raise self._refusal
        try:
            job = await super().fetch_job(queues, worker_id)
        except ConnectorException as error:
            self._silence += 1
            _tell("no job can be taken", error, self._silence)
            return None
        self._silence = 0
        if job is not None and job.id is not None:
            self.held[job.id] = job
        return job

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        """End a job, if it is still ours."""
        await self._end("finish_held_job", job, {"status": status.value, "delete_job": delete_job})

    async def retry_job(
        self,
        job: Job,
        retry_at: dt.datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back on the queue, if it is still ours."""
        how = {"retry_at": retry_at, "new_priority": priority, "new_queue_name": queue, "new_lock": lock}
        await self._end("retry_held_job", job, how)

    async def _end(self, name: str, job: Job, how: dict[str, Any]) -> None:
        which = {"job_id": job.id, "worker_id": job.worker_id, "attempts": job.attempts}
        failures = 0
        try:
            while True:
                try:
                    row = await self.connector.execute_query_one_async(statement(name), **which, **how)
                    break
                except ConnectorException as error:
                    if not is_transient(error):
                        raise
                    failures += 1
                    _tell("the end of a job is not noted yet", error, failures)
                    await asyncio.sleep(_pause(failures))
            if not row["was_ours"]:
                about = {"batch_id": job.task_kwargs.get("batch_id"), "chunk": job.task_kwargs.get("chunk_no")}
                log.warning("job was in other hands by its end", job_id=job.id, task=job.task_name, **about)
        finally:
            if job.id is not None:
                self.held.pop(job.id, None)

    async def update_heartbeat(self, worker_id: int) -> None:
        """Give a sign of life; give back what is ours by the table and not by what we know.

        Where the database has become another version's, no further job is taken, and the worker ends.
        """
        try:
            self._beat = asyncio.ensure_future(
                self.connector.execute_query_one_async(statement("note_heartbeat"), worker_id=worker_id)
            )
            row = await asyncio.shield(self._beat)
            unknown = [job_id for job_id in row["doing"] if job_id not in self.held]
            self._forgotten = {job_id: self._forgotten.get(job_id, 0) + 1 for job_id in unknown}
            overdue = [job_id for job_id, times in self._forgotten.items() if times >= _FORGOTTEN_AFTER]
            if overdue:
                log.warning("jobs whose handing over got lost are given back", jobs=overdue)
                await self.connector.execute_query_async(
                    statement("rescue_forgotten_jobs"), worker_id=worker_id, job_ids=overdue, most_tries=MOST_TRIES
                )
            if row["migrations"] != self._migrations:
                await asyncio.to_thread(_check_schema)
                self._migrations = row["migrations"]
        except SchemaError as error:
            self._refusal = error
        except (ConnectorException, DatabaseUnavailable) as error:
            self._silence += 1
            _tell("no sign of life can be given", error, self._silence)

    async def list_jobs_to_abort_async(self, queue: str | None = None) -> Iterable[int]:
        """Jobs that somebody wants aborted; none where there is no server just now."""
        try:
            return await super().list_jobs_to_abort_async(queue)
        except ConnectorException:
            return []  # the next sign of life tells of it

    async def unregister_worker(self, worker_id: int) -> None:
        """Say goodbye, if there is somebody to say it to."""
        beat = self._beat
        if beat is not None:
            # Left alone by who was stopped while it waited, it would put the worker back on the books afterwards.
            await asyncio.wait([beat], timeout=_LAST_BEAT_SECONDS)
        try:
            await super().unregister_worker(worker_id)
            if beat is not None and not beat.done():
                # It may have come after the goodbye.
                await asyncio.wait([beat], timeout=2 * _LAST_BEAT_SECONDS)
                await super().unregister_worker(worker_id)
        except ConnectorException as error:
            _tell("worker was not taken off the books", error, 1)

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Nothing: after an absence of the server all others look stalled to the first that is back."""
        del seconds_since_heartbeat
        return []


def _check_schema() -> None:
    try:
        with connect("schema") as connection:
            check_schema(connection)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"the database went away: {error}") from error


def _pause(failures: int) -> float:
    return min(_LONGEST_PAUSE_SECONDS, 0.25 * 2.0 ** min(failures, 10)) * random.uniform(0.8, 1.2)  # noqa: S311 (jitter)


def _tell(what: str, error: Exception, times: int) -> None:
    """Log the first, the second, the fourth … time that something fails."""
    if times & (times - 1) == 0:
        reason = error.__cause__ or error
        log.warning(what, error=in_one_line(reason), times=times)
