"""Planning a batch: the row that a job of the queue came first for, and the chunks."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any, cast

import structlog
from psycopg.types.json import Jsonb

from aiops.db.statements import statement
from aiops.errors import in_one_line
from workers.queue import app
from workers.retry import Patient

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

    from procrastinate import JobContext, PsycopgConnector
    from psycopg_pool import AsyncConnectionPool

log = structlog.get_logger(__name__)

PLANNING = Patient(attempts=8)


async def plan_batch(
    context: JobContext,
    job_type: str,
    batch_id: str | None,
    input_params: Mapping[str, Any],
    plan: tuple[LiteralString, Mapping[str, Any]],
) -> None:
    """Split a batch into chunks.

    Args:
        context: of the planning job.
        job_type: of the batch.
        batch_id: None: the job came first (`procrastinate defer`), so the batch's row is made from `input_params`.
        input_params: what was asked, without a `batch_id`.
        plan: the statement that makes the plan, and its parameters beside `batch_id`.

    A failure that is not going to be tried again ends the batch: one that stayed queued would be given a new job, and
    would fail again, unseen and for ever.
    """
    try:
        await _plan(context, job_type, batch_id, input_params, plan)
    except Exception as error:
        if batch_id is not None and PLANNING.get_retry_decision(exception=error, job=context.job) is None:
            await _fail(batch_id, error)
        raise


async def _plan(
    context: JobContext,
    job_type: str,
    batch_id: str | None,
    input_params: Mapping[str, Any],
    plan: tuple[LiteralString, Mapping[str, Any]],
) -> None:
    query, parameters = plan
    began = time.perf_counter()
    async with _pool().connection() as connection:
        # Somebody may keep the batch's row for long. Who waits for it holds one of the few connections of this process,
        # and its signs of life need one, too; it is tried again.
        await connection.execute(statement("wait_briefly"))
        if batch_id is None:
            cursor = await connection.execute(
                statement("batch_of_job"),
                {"job_id": context.job.id, "job_type": job_type, "input_params": Jsonb(dict(input_params))},
            )
            row = await cursor.fetchone()
            batch_id = str(row[0]) if row is not None else None
        cursor = await connection.execute(query, {**parameters, "batch_id": batch_id})
        row = await cursor.fetchone()
    log.info(
        "batch planned",
        batch_id=batch_id,
        job_type=job_type,
        step="plan",
        seconds=round(time.perf_counter() - began, 4),
        chunks=row[0] if row is not None else None,
    )


async def _fail(batch_id: str, error: Exception) -> None:
    trace = "".join(traceback.format_exception(error))
    parameters = {"batch_id": batch_id, "attempt": None, "error": in_one_line(error), "trace": trace, "logs": Jsonb([])}
    async with _pool().connection() as connection:
        await connection.execute(statement("fail_request"), parameters)
    log.error("batch cannot be planned", batch_id=batch_id, step="plan", error=in_one_line(error))


def _pool() -> AsyncConnectionPool:
    return cast("PsycopgConnector", app.connector).pool
