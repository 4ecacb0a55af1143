"""The dashboard: pages that are whole without a script, and live with one."""

from __future__ import annotations

import asyncio
import json
import secrets
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import psycopg.errors
from fastapi import APIRouter, Query
from starlette.requests import Request  # noqa: TC002  FastAPI reads the annotations
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from aiops.errors import DatabaseUnavailable
from aiops.grid import grid_id_of
from workers.api.context import context_of
from workers.api.following import read_log, read_page
from workers.api.forms import form_of, question_of
from workers.api.guard import WRONG_KEY_COSTS
from workers.api.keys import COOKIE, SESSION_SECONDS
from workers.api.parameters import (  # noqa: TC001
    BatchId,
    Cursor,
    Latitude,
    Longitude,
    OneScenario,
    TargetYear,
)
from workers.api.problems import bad_parameters, unknown_batch
from workers.api.rendering import render
from workers.api.shown import hazard_table, overview_shown, top_of_scores

if TYPE_CHECKING:
    from starlette.types import Scope

    from workers.api.database import Database

    Row = dict[str, Any]

router = APIRouter(default_response_class=HTMLResponse)

_HERE: Final = Path(__file__).parent
AnyOf = Annotated[list[str] | None, Query(max_length=10)]

_A_PAGE: Final = 25
_MOST_PLACES: Final = 200
_MOST_SITES: Final = 500


class _StaticFiles(StaticFiles):
    """Ours: few, small, and asked for again after a new version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def static_files() -> StaticFiles:
    """Style and scripts."""
    return _StaticFiles(directory=_HERE / "static")


@router.get("/")
async def home(request: Request) -> Response:
    """What goes on, and a form to ask for a place."""
    return await _home(request)


@router.post("/ask")
async def ask(request: Request) -> Response:
    """The form, for a browser without a script."""
    given = form_of(await request.body())
    asked = question_of(given)
    try:
        batch_id = await context_of(request).database.change(
            "api_create_batch", job_type="ondemand_risk_calculation", input_params=json.dumps(asked)
        )
    except psycopg.errors.InvalidParameterValue as error:
        return await _home(request, error.diag.message_primary, given, error.diag.column_name)
    return RedirectResponse(f"/batch/{batch_id}", 303)


@router.get("/ask")
async def asked_for_anew(request: Request) -> Response:
    """What was refused, in the other language: the form anew."""
    return RedirectResponse(f"/?{request.url.query}", 303)


@router.post("/start")
async def start(request: Request) -> Response:
    """A yearly batch by its form."""
    family = form_of(await request.body()).get("family", "")
    if family not in ("probability", "hazard", "assessment"):
        raise bad_parameters({"family": f"{family[:80]!r} is not allowed; allowed: probability, hazard, assessment"})
    batch_id = await context_of(request).database.change("api_start_batch", job_type=family, input_params="{}")
    return RedirectResponse(f"/batch/{batch_id}", 303)


@router.get("/start")
async def start_anew(request: Request) -> Response:
    """What was refused, in the other language: the first page."""
    return RedirectResponse(f"/?{request.url.query}", 303)


@router.get("/batch/{batch_id}/{action}")
async def act_anew(batch_id: BatchId, action: Literal["cancel", "retry"], request: Request) -> Response:  # noqa: ARG001
    """The same of a batch's buttons: the batch."""
    return RedirectResponse(f"/batch/{batch_id}?{request.url.query}", 303)


@router.post("/batch/{batch_id}/{action}")
async def act(batch_id: BatchId, action: Literal["cancel", "retry"], request: Request) -> Response:
    """The buttons of a batch; what has ended in between is shown as it is."""
    database = context_of(request).database
    await database.change("cancel_batch" if action == "cancel" else "retry_batch", batch_id=batch_id)
    return RedirectResponse(f"/batch/{batch_id}", 303)


@router.get("/batches")
async def batches(request: Request, status: AnyOf = None, job_type: AnyOf = None, cursor: Cursor = None) -> Response:
    """Every batch and request, a page at a time; a filter that is left empty filters nothing."""
    status = [one for one in status or [] if one] or None
    job_type = [one for one in job_type or [] if one] or None
    rows, following = await read_page(
        context_of(request).database, status=status, job_type=job_type, since=None, limit=_A_PAGE, cursor=cursor
    )
    asked = [("status", one) for one in status or []] + [("job_type", one) for one in job_type or []]
    more = None if following is None else "/batches?" + urllib.parse.urlencode([*asked, ("cursor", following)])
    return render(
        request,
        "batches.html",
        batches=rows,
        more=more,
        status=status or [],
        job_type=job_type or [],
        first=cursor is None,
    )


@router.get("/batch/{batch_id}")
async def batch(batch_id: BatchId, request: Request, *, live: bool = False) -> Response:
    """One batch: how far it is, its chunks, its failures, its log; of a request the answer.

    Args:
        batch_id: of which.
        request: who asks.
        live: for what moves alone, which its own page asks for as often as once a second: not for the sites.
    """
    database = context_of(request).database
    found = await database.rows("read_batch", batch_id=batch_id)
    if not found:
        raise unknown_batch(batch_id)
    row = found[0]
    shown = {
        "batch": row, **await read_log(database, batch_id), "sites": [], "most_sites": _MOST_SITES,
        "synthetic": await _synthetic(database),
    }  # fmt: skip
    if row["job_type"] == "portfolio_risk_calculation" and not live:
        shown["sites"] = await database.rows("portfolio_results", batch_id=batch_id)
    return render(request, "batch.html", **shown)


@router.get("/place")
async def place(
    latitude: Latitude,
    longitude: Longitude,
    request: Request,
    scenario: OneScenario = None,
    target_year: TargetYear = None,
) -> Response:
    """The risk of a place, by the run that speaks for it."""
    database = context_of(request).database
    decade = None if target_year is None else min(target_year // 10 * 10, 2090)
    where = {"latitude": latitude, "longitude": longitude}
    found = await database.rows("speaking_run", **where, scenario=scenario, target_year=decade)
    run = found[0] if found else None
    names = {row["risk_type"]: row for row in await database.rows("list_risk_types")}
    grid_id = grid_id_of(latitude, longitude)
    which = {} if run is None else {"batch_id": run["batch_id"], "site_no": run["site_no"]}
    shown = (run or {}).get("scenario") or scenario or "ssp245"
    parts = await database.rows("api_run_risks", **which) if run else []
    cell = await database.rows("fetch_hazard_results", grid_id=grid_id, risk_types=None)
    return render(
        request,
        "place.html",
        where=where,
        run=run,
        parts_of=parts,
        top=top_of_scores(parts),
        names=names,
        table=await database.rows("api_projection_table", batch_id=run["batch_id"]) if run else [],
        cell=cell,
        cell_table=hazard_table(cell, list(names), shown),
        grid_id=grid_id,
        name=next(iter(await database.rows("list_places", grid_ids=[grid_id], most=1)), None),
        asked={"scenario": shown, "target_year": (run or {}).get("target_year") or decade or 2050},
        synthetic=await _synthetic(database),
    )


@router.get("/places")
async def places(request: Request) -> Response:
    """Places that have been asked for."""
    database = context_of(request).database
    rows = await database.rows("api_places", most=_MOST_PLACES)
    total = len(rows) if len(rows) < _MOST_PLACES else (await database.tuples("count_places"))[0][0]
    return render(request, "places.html", places=rows, total=total, synthetic=await _synthetic(database))


@router.get("/map")
async def show_map(
    request: Request,
    risk_type: Annotated[str, Query(max_length=60)] = "extreme_heat",
    measure: Literal["hazard", "aal"] = "hazard",
) -> Response:
    """Results of all cells, by risk, scenario and decade."""
    from aiops.ingest.sample.geography import COAST, ISLANDS  # noqa: PLC0415  a drawing of the coast

    database = context_of(request).database
    risks = await database.rows("list_risk_types")
    named = await database.rows("named_places", most=_MOST_PLACES)
    asked = await database.rows("api_places", most=_MOST_PLACES + 1)
    base = {
        "coast": [[[lat, lon] for lat, lon in line] for line in (COAST, *ISLANDS.values())],
        "names": [[one["latitude"], one["longitude"], one["name"] or one["name_ko"], one["name_ko"] or one["name"]]
                  for one in named],
        "asked": [[one["latitude"], one["longitude"], one["scenario"], one["target_year"]]
                  for one in asked[:_MOST_PLACES]],
    }  # fmt: skip
    latest = _MOST_PLACES if len(asked) > _MOST_PLACES else None
    return render(request, "map.html", risks=risks, chosen=risk_type, measure=measure, base=base, latest=latest)


# --- in and out ----------------------------------------------------------------------------------------------


@router.get("/login")
async def login(request: Request) -> Response:
    """Where a browser gives its key."""
    return render(request, "login.html", wrong=False)


@router.post("/login")
async def log_in(request: Request) -> Response:
    """A key for a cookie."""
    given = form_of(await request.body()).get("key", "")
    keys = context_of(request).keys
    if not keys.needed:
        return RedirectResponse("/", 303)
    if keys.find(given) is None:
        context_of(request).buckets.charge(request.state.client, WRONG_KEY_COSTS)
        await asyncio.sleep(0.2 + secrets.randbelow(200) / 1000)
        return render(request, "login.html", 401, wrong=True)
    response = RedirectResponse("/", 303)
    response.set_cookie(
        COOKIE, keys.session(), max_age=SESSION_SECONDS, httponly=True, samesite="strict",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return response


@router.post("/logout")
async def log_out(request: Request) -> Response:
    """Forget the cookie."""
    response = RedirectResponse("/login" if context_of(request).keys.needed else "/", 303)
    response.delete_cookie(COOKIE)
    return response


async def _synthetic(database: Database) -> bool:
    """Whether results may rest on synthetic data."""
    return bool((await database.tuples("any_synthetic_dataset"))[0][0])


async def _home(
    request: Request, error: str | None = None, given: dict[str, str] | None = None, wrong: str | None = None
) -> Response:
    try:
        found: Row | None = await asyncio.to_thread(context_of(request).overview.get)
    except DatabaseUnavailable:
        found = None
    given = given or {}
    year = given.get("target_year", "")
    decade = int(year) if year in {str(one) for one in range(2020, 2100, 10)} else 2050
    return render(
        request,
        "home.html",
        422 if error else 200,
        wrong=(wrong or "").rpartition(".")[2],
        error=error and error.removeprefix("input_params."),
        where={"latitude": given.get("latitude", "37.5665"), "longitude": given.get("longitude", "126.978")},
        asked={"scenario": given.get("scenario", "ssp245"), "target_year": decade},
        **overview_shown(found),
    )
