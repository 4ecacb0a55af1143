"""Following: the status of a batch, its events, its log, its sites; lists of batches."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import psycopg.errors
from fastapi import APIRouter, Header
from starlette.requests import Request  # noqa: TC002  FastAPI reads the annotations
from starlette.responses import Response

from workers.api.context import context_of
from workers.api.describe import answers
from workers.api.parameters import BatchId, Cursor, JobTypes, Limit, Since, Statuses, WithResults  # noqa: TC001
from workers.api.problems import bad_parameters, unknown_batch
from workers.api.streams import open_stream, refuse_too_many

if TYPE_CHECKING:
    from workers.api.database import Database

    Row = dict[str, Any]

router = APIRouter(default_response_class=Response)

MOST_CHUNKS = 100


@router.get(
    "/api/batch/{batch_id}/status",
    tags=["batches"],
    summary="Where a batch stands, and its answer",
    responses=answers(200, "Status", "The batch.", 404, 422),
)
async def status(batch_id: BatchId, request: Request, results: WithResults = True) -> Response:
    """`results` is filled when it has completed, `error_message` when it has failed."""
    found = await context_of(request).database.text("api_batch_status", batch_id=batch_id, with_results=results)
    if found is None:
        raise unknown_batch(batch_id)
    return Response(found, media_type="application/json")


@router.get(
    "/api/batch/{batch_id}/events",
    tags=["batches"],
    summary="A batch's progress as server-sent events",
    responses={
        **answers(200, "State", "Each event's data is one State, as JSON.", 404, 422, media_type="text/event-stream"),
        204: {"description": "It has ended, and the caller has seen that (Last-Event-ID)."},
    },
)
async def events(
    batch_id: BatchId,
    request: Request,
    last_event_id: Annotated[str | None, Header(max_length=100, description="as an EventSource sends it")] = None,
) -> Response:
    """The state at once, then each change; the stream ends after `completed`, `failed` or `cancelled`."""
    context = context_of(request)
    refuse_too_many(context.hub, context.most_streams)
    return await open_stream(context.hub, str(batch_id), last_event_id)


@router.get(
    "/api/batch/{batch_id}/log",
    tags=["batches"],
    summary="What a batch did: steps, chunks, failures",
    responses=answers(200, "Log", "The log.", 404, 422),
)
async def log(batch_id: BatchId, request: Request) -> Response:
    """`chunks` and `in_trouble` are null for an account that may not see how work is done."""
    database = context_of(request).database
    if not await database.tuples("api_batch_states", batch_ids=[batch_id]):
        raise unknown_batch(batch_id)
    return _json({"batch_id": str(batch_id), **await read_log(database, batch_id)})


async def read_log(database: Database, batch_id: UUID) -> Row:
    """`steps`, and `chunks` and `in_trouble`, None where this account may not see them."""
    steps = asyncio.ensure_future(database.rows("batch_logs", batch_id=batch_id))
    try:
        chunks = await database.rows("chunk_states", batch_id=batch_id)
        trouble = await database.rows("chunks_in_trouble", batch_id=batch_id, most=MOST_CHUNKS)
    except psycopg.errors.InsufficientPrivilege:
        return {"steps": await steps, "chunks": None, "in_trouble": None}
    finally:
        await asyncio.wait([steps])
    return {"steps": await steps, "chunks": chunks, "in_trouble": trouble}


@router.get(
    "/api/batch/{batch_id}/sites",
    tags=["results"],
    summary="A portfolio, site by site",
    responses=answers(200, "Sites", "A row a site, in the order they were given.", 404, 422),
)
async def sites(batch_id: BatchId, request: Request) -> Response:
    """Empty for a batch that is no portfolio."""
    found = await context_of(request).database.text("api_portfolio_results", batch_id=batch_id)
    if found is None:
        raise unknown_batch(batch_id)
    return Response(found, media_type="application/json")


@router.get(
    "/api/batches",
    tags=["batches"],
    summary="Batches and requests, the latest first",
    responses=answers(200, "Page", "A page.", 422),
)
async def batches(
    request: Request,
    status: Statuses = None,
    job_type: JobTypes = None,
    since: Since = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """`next` is the cursor of the page that follows."""
    rows, following = await read_page(
        context_of(request).database, status=status, job_type=job_type, since=since, limit=limit, cursor=cursor
    )
    return _json({"batches": rows, "next": following})


async def read_page(
    database: Database,
    *,
    status: list[Any] | None,
    job_type: list[Any] | None,
    since: datetime | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[Row], str | None]:
    """A page of batches, and the cursor of the next one."""
    before, before_id = (None, None) if cursor is None else _place_of(cursor)
    rows = await database.rows(
        "api_list_batches", status=status, job_type=job_type, since=since, before=before, before_id=before_id,
        most=limit + 1,
    )  # fmt: skip
    page = rows[:limit]
    return page, _cursor_after(page[-1]) if len(rows) > limit else None


def _cursor_after(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['created_at'].isoformat()} {row['batch_id']}".encode()).decode()


def _place_of(cursor: str) -> tuple[datetime, UUID]:
    try:
        moment, _, batch_id = base64.urlsafe_b64decode(cursor).decode("ascii").partition(" ")
        at, number = datetime.fromisoformat(moment), UUID(batch_id)
    except (ValueError, binascii.Error):
        at, number = None, None
    if at is None or number is None or at.tzinfo is None:
        raise bad_parameters({"cursor": f"{cursor[:80]!r} is none of ours; allowed: `next` of the page before"})
    return at, number


def _json(data: Row) -> Response:
    text = json.dumps(data, ensure_ascii=False, default=_plain)
    return Response(text, media_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else float(value)
