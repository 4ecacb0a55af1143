"""The queue's task of portfolios; their chunks are those of every batch (`risk_chunk`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.db.statements import statement
from aiops.settings import settings
from workers.planning import PLANNING, plan_batch
from workers.portfolio import JOB_TYPE
from workers.queue import CONTROL, app

if TYPE_CHECKING:
    from procrastinate import JobContext


@app.task(name="portfolio_risk", queue=CONTROL, pass_context=True, retry=PLANNING)
async def portfolio_risk(context: JobContext, /, batch_id: str | None = None, **input_params: Any) -> None:
    """Split a portfolio into chunks; without a batch_id (`procrastinate defer`) make its row first."""
    plan = statement("plan_portfolio"), {"most_sites": settings().batch_size}
    await plan_batch(context, JOB_TYPE, batch_id, input_params, plan)
