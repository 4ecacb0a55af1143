"""The queue's tasks of requests."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING, Any

import structlog
from psycopg.types.json import Jsonb

from aiops.db import requests
from aiops.db.connect import open_pool
from aiops.db.statements import statement
from aiops.db.transient import is_transient
from aiops.settings import settings
from workers.ondemand.cell import compute_cell
from workers.ondemand.runner import fail_waiting_request, run_request, settled
from workers.queue import COMPUTE, ONDEMAND, app
from workers.retry import OnlyTransient
from workers.watchdog import time_limit

if TYPE_CHECKING:
    from procrastinate import JobContext
    from psycopg_pool import ConnectionPool

    from aiops.db.connect import Connection

log = structlog.get_logger(__name__)

REQUESTS_AT_A_TIME = 4
"""In each process: while one waits for the database, another computes."""
# Somebody waits: tried again soon, and for some minutes at most.
REQUEST = OnlyTransient(attempts=30, longest_pause_seconds=4)
CELL = OnlyTransient(attempts=30, longest_pause_seconds=4)


@cache
def _pool() -> ConnectionPool[Connection]:
    return open_pool("request", min_size=REQUESTS_AT_A_TIME, max_size=REQUESTS_AT_A_TIME, autocommit=True)


@cache
def _cell_pool() -> ConnectionPool[Connection]:
    """Of a compute process: one job at a time, and most processes never have such a one."""
    return open_pool("cell", min_size=0, max_size=1, autocommit=True)


def warm_up() -> None:
    """Have connections open before the first request comes."""
    _pool().wait()


@app.task(name="ondemand_risk", queue=ONDEMAND, pass_context=True, retry=REQUEST)
def ondemand_risk(context: JobContext, /, batch_id: str | None = None, **input_params: Any) -> None:
    """Answer one request; without a batch_id (`procrastinate defer`) make its row first."""
    with _pool().connection() as connection:
        if batch_id is None:
            row = connection.execute(
                statement("batch_of_job"),
                {
                    "job_id": context.job.id,
                    "job_type": "ondemand_risk_calculation",
                    "input_params": Jsonb(input_params),
                },
            ).fetchone()
            batch_id = str(row[0]) if row is not None else ""
        # A job that is tried again, or was handed to another process, takes up its own request at once.
        worker = f"job {context.job.id}"
        with time_limit(settings().chunk_seconds, f"request {batch_id}"):
            run_request(connection, batch_id, worker, last_attempt=REQUEST.is_last(context.job.attempts))


@app.task(name="cell_results", queue=COMPUTE, pass_context=True, retry=CELL)
def cell_results(context: JobContext, /, batch_id: str) -> None:
    """Compute H and P(H) of the cell of a request that waits for them, and let it go on."""
    with structlog.contextvars.bound_contextvars(batch_id=batch_id):
        _make_cell_results(context, batch_id)


def _make_cell_results(context: JobContext, batch_id: str) -> None:
    began = time.perf_counter()
    with _cell_pool().connection() as connection:
        wanted = requests.cell_of_request(connection, batch_id, settled("cell"))
        if wanted is None:
            log.info("request has ended")
            return
        grid_id, missing = wanted
        if missing:
            try:
                with time_limit(settings().chunk_seconds, f"cell {grid_id} of request {batch_id}"):
                    compute_cell(connection, grid_id, missing, batch_id)
            except Exception as error:
                if CELL.is_last(context.job.attempts) or not is_transient(error):
                    fail_waiting_request(connection, batch_id, error)
                raise
        # Killed before this, the job is handed to another process, which finds nothing missing and comes here.
        requests.resume_request(connection, batch_id)
    seconds = round(time.perf_counter() - began, 4)
    log.info("cell computed", grid_id=grid_id, step="hazard and probability", risk_types=missing, seconds=seconds)
