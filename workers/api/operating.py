"""For operators: alive, ready, metrics, overview."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

from fastapi import APIRouter
from prometheus_client.exposition import choose_encoder
from starlette.requests import Request  # noqa: TC002  FastAPI reads the annotations
from starlette.responses import Response

from aiops.errors import DatabaseUnavailable
from workers.api.context import context_of
from workers.api.describe import answers, refusals
from workers.health.check import Check, failed, ok
from workers.health.checks import check_database, check_schema, unavailable
from workers.health.reading import reading

router = APIRouter(default_response_class=Response)


@router.get(
    "/healthz",
    tags=["operating"],
    summary="Whether this process answers",
    responses={200: answers(200, "Alive", "It does.")[200], **refusals(429)},
)
async def healthz() -> Response:
    """It never asks the database: a restart of this process does not mend a server that is away."""
    return Response('{"live": true}', media_type="application/json")


@router.get(
    "/readyz",
    tags=["operating"],
    summary="Whether requests can be taken",
    responses={
        200: answers(200, "Ready", "They can.")[200],
        503: answers(503, "Ready", "They cannot: the database is away, or not of this version.")[503]
        | {"content": answers(200, "Ready", "")[200]["content"]},
        **refusals(429),
    },
)
async def readyz(request: Request) -> Response:
    """Database and schema; `events` tells whether event streams are told at once, and does not count."""
    context = context_of(request)
    found = [*await asyncio.to_thread(context.checks.get)]
    failing = [one.name for one in found if not one.is_ok]
    found.append(_events(context.hub.listening))
    data = {"ready": not failing, "failing": failing, "checks": [asdict(one) for one in found]}
    text = json.dumps(data, ensure_ascii=False)
    return Response(text, 503 if failing else 200, media_type="application/json")


@router.get(
    "/metrics",
    tags=["operating"],
    summary="For Prometheus",
    responses={
        200: {"description": "Text.", "content": {"text/plain": {"schema": {"type": "string"}}}},
        **refusals(401, 421, 429),
    },
)
async def metrics(request: Request) -> Response:
    """Of this process: requests, durations, streams."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(context_of(request).metrics.registry), headers={"Content-Type": content_type})


@router.get(
    "/api/overview",
    tags=["operating"],
    summary="What runs, waits and ran; workers, schedule, data",
    responses=answers(200, "Overview", "As `aiops status --json`; null for what this account may not see."),
)
async def overview(request: Request) -> Response:
    """A second old at most."""
    return Response(await asyncio.to_thread(context_of(request).overview.text), media_type="application/json")


def check_all() -> tuple[Check, ...]:
    """Whether the database can be worked with; ten seconds at most."""
    try:
        with reading() as connection:
            return check_database(connection), check_schema(connection)
    except DatabaseUnavailable as error:
        return (unavailable(error),)


def _events(listening: bool) -> Check:
    if listening:
        return ok("events", "the session that hears of changes listens")
    return failed("events", "nobody listens: changes are seen by looking, every few seconds")
