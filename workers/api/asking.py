"""Asking: one place, many places, a yearly batch; stopping and repeating."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002  FastAPI reads the annotations
from starlette.responses import Response

from aiops.db.batches import ENDED
from workers.api.bodies import read_object
from workers.api.context import context_of
from workers.api.describe import answers, body
from workers.api.parameters import BatchId, Family  # noqa: TC001
from workers.api.problems import Problem, unknown_batch
from workers.api.shapes import CALCULATE_EXAMPLES, PORTFOLIO_EXAMPLES, YEARLY_EXAMPLES

if TYPE_CHECKING:
    from uuid import UUID

    from workers.api.context import Context

router = APIRouter(default_response_class=Response)

_REFUSED_BODY = (400, 403, 413, 415, 422)


@router.post(
    "/api/risk/calculate",
    status_code=202,
    tags=["asking"],
    summary="Ask for the risk of one place",
    responses=answers(202, "Accepted", "Asked: it waits for a daemon.", *_REFUSED_BODY),
    openapi_extra=body("Calculate", CALCULATE_EXAMPLES),
)
async def calculate(request: Request) -> Response:
    """Hazard, exposure, vulnerability, average annual loss and the integrated risk, in tens of milliseconds."""
    return await _ask(request, "ondemand_risk_calculation")


@router.post(
    "/api/portfolio",
    status_code=202,
    tags=["asking"],
    summary="Ask for the risk of up to 10,000 sites",
    responses=answers(202, "Accepted", "Asked: it waits for a daemon.", *_REFUSED_BODY),
    openapi_extra=body("Portfolio", PORTFOLIO_EXAMPLES),
)
async def portfolio(request: Request) -> Response:
    """The totals come as the batch's results, the sites by `GET /api/batch/{batch_id}/sites`."""
    return await _ask(request, "portfolio_risk_calculation")


@router.post(
    "/api/batch/{family}",
    status_code=202,
    tags=["asking"],
    summary="Start a yearly batch",
    responses=answers(202, "Started", "Started, or joined: the active one asks the same.", 409, *_REFUSED_BODY),
    openapi_extra=body("Yearly", YEARLY_EXAMPLES, required=False),
)
async def start(family: Family, request: Request) -> Response:
    """One of a family is active at a time; another one is refused with 409 and `active_batch_id`."""
    asked = await read_object(request, or_nothing=True)
    context = context_of(request)
    batch_id = await context.database.change("api_start_batch", job_type=family, input_params=asked)
    state = await context.hub.state_of(batch_id)
    data = {"batch_id": batch_id, "status": "queued" if state is None else state.status, "message": _message(batch_id)}
    return _accepted(batch_id, data)


@router.post(
    "/api/batch/{batch_id}/cancel",
    tags=["batches"],
    summary="Stop a batch that waits or runs",
    responses=answers(200, "Cancelled", "Cancelled; what it has written stays.", 403, 404, 409, 413, 422),
)
async def cancel(batch_id: BatchId, request: Request) -> Response:
    """409: it has ended already."""
    context = context_of(request)
    if not await context.database.change("cancel_batch", batch_id=batch_id):
        raise await _ended(context, batch_id, "only what waits or runs can be cancelled")
    return _json(200, {"batch_id": str(batch_id), "status": "cancelled"})


@router.post(
    "/api/batch/{batch_id}/retry",
    status_code=202,
    tags=["batches"],
    summary="Run what failed of a batch again",
    responses=answers(202, "Retried", "What failed runs again.", 403, 404, 409, 413, 422),
)
async def retry(batch_id: BatchId, request: Request) -> Response:
    """409: nothing of it has failed, or another batch of its family is active (`active_batch_id`)."""
    context = context_of(request)
    parts = await context.database.change("retry_batch", batch_id=batch_id)
    if not parts:
        raise await _ended(context, batch_id, "only what has failed can be retried")
    return _json(202, {"batch_id": str(batch_id), "parts": parts}, {"Location": f"/api/batch/{batch_id}/status"})


async def _ask(request: Request, job_type: str) -> Response:
    asked = await read_object(request)
    batch_id = await context_of(request).database.change("api_create_batch", job_type=job_type, input_params=asked)
    return _accepted(batch_id, {"batch_id": batch_id, "status": "queued", "message": _message(batch_id)})


async def _ended(context: Context, batch_id: UUID, allowed: str) -> Problem:
    state = await context.hub.state_of(str(batch_id))
    if state is None:
        return unknown_batch(batch_id)
    stands = f"has ended ({state.status})" if state.status in ENDED else f"is {state.status}"
    return Problem(409, f"batch {batch_id} {stands}; {allowed}", "wrong-state")


def _message(batch_id: str) -> str:
    return f"follow it at /api/batch/{batch_id}/events or /api/batch/{batch_id}/status"


def _accepted(batch_id: str, data: dict[str, Any]) -> Response:
    return _json(202, data, {"Location": f"/api/batch/{batch_id}/status"})


def _json(status: int, data: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), status, headers, "application/json")
