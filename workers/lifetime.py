"""The life of one worker process: it works until it is asked to stop, finishes what it can, and gives back the rest."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import psycopg
import structlog

from aiops.db.connect import connection_arguments, conninfo
from aiops.db.patience import PatientAsyncConnection, living_sessions
from aiops.db.statements import statement
from aiops.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from workers.queue_guard import GuardedJobs

log = structlog.get_logger(__name__)

GRACE_SECONDS = 20.0
"""How long a process that was asked to stop goes on with the job at hand."""
HAND_BACK_SECONDS = 4.0
"""How long it then takes at most to give the job back."""
SCHEMA_REFUSED = 3
"""Exit code of a process that does not fit the database's schema: starting it again would not help."""


async def live(work: Coroutine[None, None, None], jobs: GuardedJobs) -> int:
    """Work until the work ends, or SIGTERM or SIGINT comes; a second signal cuts the grace short.

    Returns:
        The exit code. Where a job does not end in time, it is given back and the process ends here.
    """
    loop = asyncio.get_running_loop()
    asked, hurried = asyncio.Event(), asyncio.Event()

    def on_signal() -> None:
        (hurried if asked.is_set() else asked).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)
    task = loop.create_task(work, name="work")
    await _first_of(task, asked, None)
    if not task.done():
        task.cancel()  # the queue's worker takes no more jobs, and ends with the last one at hand
        await _first_of(task, hurried, GRACE_SECONDS)
    if not task.done():
        await _give_back(jobs)
        _leave()
    if task.cancelled():
        return 0
    error = task.exception()
    if isinstance(error, SchemaError):
        log.error("the database's schema does not fit this program", reason=str(error))
        return SCHEMA_REFUSED
    if error is not None:
        log.error("the process ends by an error", exc_info=error)
        return 1
    return 0


async def _first_of(task: asyncio.Task[None], event: asyncio.Event, seconds: float | None) -> None:
    waiting = asyncio.ensure_future(event.wait())
    await asyncio.wait({task, waiting}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()


async def _give_back(jobs: GuardedJobs) -> None:
    held = sorted(jobs.held)
    log.warning("work does not end in time, and is given back", jobs=held)
    if not held or jobs.worker_id is None:
        return
    asked = {"worker_id": jobs.worker_id, "job_ids": held, "sessions": living_sessions()}
    try:
        async with asyncio.timeout(HAND_BACK_SECONDS):
            where = await asyncio.to_thread(conninfo)
            arguments = {**connection_arguments("hand-back"), "connect_timeout": 2}
            connection = await PatientAsyncConnection.connect(where, autocommit=True, **arguments)
            async with connection:
                cursor = await connection.execute(statement("hand_back_jobs"), asked)
                for job_id, outcome in await cursor.fetchall():
                    log.info("job given back", job_id=job_id, outcome=outcome)
                await connection.execute(statement("forget_worker"), {"worker_id": jobs.worker_id})
    except (psycopg.Error, TimeoutError) as error:
        # Another daemon finds it within the rescue time.
        log.warning("job could not be given back", error=f"{type(error).__name__}: {error}")


def _leave() -> None:
    """End the process now: a thread that does not end would keep the interpreter from ending."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
