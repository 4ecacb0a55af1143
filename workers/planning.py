"""Planning a batch: the row that a job of the queue came first for, and the chunks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import structlog
from psycopg.types.json import Jsonb

from aiops.db.statements import statement
from workers.queue import app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

    from procrastinate import JobContext, PsycopgConnector

log = structlog.get_logger(__name__)


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
    """
    query, parameters = plan
    began = time.perf_counter()
    pool = cast("PsycopgConnector", app.connector).pool
    async with pool.connection() as connection:
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
