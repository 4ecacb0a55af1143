"""The queue: procrastinate, in the same database as everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
from procrastinate import App
from psycopg_pool import AsyncConnectionPool

from aiops.db.connect import POOL_TIMES, connection_arguments, conninfo, guards, keep_connecting_async
from aiops.db.patience import PatientAsyncConnection
from workers.queue_guard import GuardedConnector, GuardedJobs

if TYPE_CHECKING:
    from psycopg.rows import TupleRow

CONTROL = "control"
"""Queue of the jobs that plan batches; they wait for the database, not for the processor."""
ONDEMAND = "ondemand"
"""Queue of the requests of single places; somebody waits for each."""
COMPUTE = "compute"
"""Queue of the jobs that compute; one at a time in each compute process."""


_notes = {"durable": True}


def take_notes_without_waiting() -> None:
    """Have this process not wait for the disk when it notes which job it took and which it ended.

    A crash of the server may take such a note back: a job is then taken again, and finds its work done, or is found
    under a worker that is gone. What the job itself writes is not concerned.
    """
    _notes["durable"] = False


def _connection_arguments() -> dict[str, Any]:
    return connection_arguments("queue", durable=_notes["durable"])


def _patient_pool(**arguments: Any) -> AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]]:
    async def check(connection: psycopg.AsyncConnection[TupleRow]) -> None:
        try:
            await AsyncConnectionPool.check_connection(connection)
        except psycopg.Error:
            # What broke one has most likely broken all; found out one by one, each would cost a longer pause.
            await pool.drain()
            raise

    ours = {
        "connection_class": PatientAsyncConnection,
        "configure": _guard_both_ends,
        "check": check,
        "reconnect_failed": keep_connecting_async,
        **POOL_TIMES,
    }
    pool: AsyncConnectionPool[psycopg.AsyncConnection[TupleRow]] = AsyncConnectionPool(**{**arguments, **ours})
    return pool


async def _guard_both_ends(connection: psycopg.AsyncConnection[Any]) -> None:
    for guard in guards():
        await connection.execute(guard)
    await connection.commit()


_connector = GuardedConnector(
    # Where to connect is found out when a connection is made, not when this module is imported: a command that needs
    # no database must not start one, and a wrong setting must not break an import.
    conninfo=conninfo,
    kwargs=_connection_arguments,
    min_size=1,
    max_size=6,
    pool_factory=_patient_pool,
)
jobs = GuardedJobs(_connector)
app = App(
    connector=_connector,
    import_paths=["workers.tasks", "workers.ondemand.tasks", "workers.portfolio.tasks", "workers.notify.tasks"],
)
app.job_manager = jobs
