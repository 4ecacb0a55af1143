"""Results: of a place, of the map."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request  # noqa: TC002  FastAPI reads the annotations
from starlette.responses import Response

from aiops.grid import grid_id_of
from workers.api.context import context_of
from workers.api.describe import answers
from workers.api.parameters import (  # noqa: TC001
    Latitude,
    Longitude,
    OneScenario,
    RiskTypes,
    TargetYear,
)
from workers.api.problems import Problem

router = APIRouter(default_response_class=Response)

Measure = Annotated[Literal["hazard", "aal"], Query(description="Hazard score of 0 to 100, or average annual loss")]
RiskType = Annotated[str, Query(min_length=1, max_length=100, examples=["extreme_heat"])]


@router.get(
    "/api/results",
    tags=["results"],
    summary="What is known of a place",
    responses=answers(200, "Results", "P(H) and Hazard of its cell, and the risk that speaks for the place.", 400, 422),
)
async def results(
    latitude: Latitude,
    longitude: Longitude,
    request: Request,
    risk_types: RiskTypes = None,
    scenario: OneScenario = None,
    target_year: TargetYear = None,
) -> Response:
    """Nothing is computed for it: what no batch has written is not there."""
    database = context_of(request).database
    canonical = None
    if risk_types:
        canonical = [row[0] for row in await database.tuples("api_risk_types", risk_types=risk_types)]
    found = await database.text(
        "api_place_results",
        latitude=latitude,
        longitude=longitude,
        grid_id=grid_id_of(latitude, longitude),
        risk_types=canonical,
        scenario=scenario,
        target_year=None if target_year is None else min(target_year // 10 * 10, 2090),
    )
    return Response(found, media_type="application/json")


@router.get(
    "/api/map",
    tags=["results"],
    summary="One measure of one risk in all cells",
    responses={
        200: {
            "description": "Packed for drawing, compressed with gzip; docs/http.md tells the form.",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "As the caller has it (If-None-Match)."},
        **{key: one for key, one in answers(200, "State", "", 400, 404, 422).items() if key != 200},
    },
)
async def cells(risk_type: RiskType, request: Request, measure: Measure = "hazard") -> Response:
    """All scenarios and decades at once: a reader can go through them without asking again."""
    context = context_of(request)
    (canonical,) = [row[0] for row in await context.database.tuples("api_risk_types", risk_types=[risk_type])]
    layer = await asyncio.to_thread(context.layers.get, measure, canonical)
    if layer is None:
        raise Problem(404, f"no cell has a result of {canonical} yet; start a yearly batch", "no-results")
    headers = {"ETag": layer.tag, "Cache-Control": "private, max-age=30", "Vary": "Accept-Encoding"}
    if request.headers.get("if-none-match") == layer.tag:
        return Response(status_code=304, headers=headers)
    return Response(
        layer.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type="application/octet-stream"
    )
