"""The tasks of the queue. Each is thin: what it does stands in a module of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.assess import METHOD_VERSION
from aiops.db.statements import statement
from aiops.settings import settings
from workers.chunks import run_chunk
from workers.indicators import CELLS_A_CHUNK
from workers.indicators import JOB_TYPE as INDICATORS
from workers.indicators import METHOD_VERSION as INDICATORS_VERSION
from workers.planning import PLANNING, plan_batch
from workers.queue import COMPUTE, CONTROL, app
from workers.retry import PATIENCE, Patient

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from procrastinate import JobContext

CHUNK = Patient(attempts=PATIENCE)  # a chunk counts its own failures


def _yearly_batch(job_type: str) -> Callable[..., Awaitable[None]]:
    async def plan(context: JobContext, batch_id: str | None = None, **input_params: Any) -> None:
        """Split a yearly batch into chunks; without a batch_id (`procrastinate defer`) make its row first."""
        most_cells = settings().batch_size
        parameters = {
            "most_cells": min(most_cells, CELLS_A_CHUNK) if job_type == INDICATORS else most_cells,
            "method_version": INDICATORS_VERSION if job_type == INDICATORS else METHOD_VERSION,
            "damage_set": settings().damage_set,
        }
        await plan_batch(context, job_type, batch_id, input_params, (statement("plan_batch"), parameters))

    return plan


for _job_type in ("probability", "hazard", "assessment", INDICATORS):
    app.task(name=f"{_job_type}_batch", queue=CONTROL, pass_context=True, retry=PLANNING)(_yearly_batch(_job_type))


@app.task(name="risk_chunk", queue=COMPUTE, pass_context=True, retry=CHUNK)
def risk_chunk(context: JobContext, batch_id: str, chunk_no: int) -> None:
    """Compute one chunk of a batch and write its results."""
    run_chunk(
        batch_id,
        chunk_no,
        worker=context.worker_name or "worker",
        last_attempt=CHUNK.is_last(context.job.attempts),
    )
