"""The application: what is answered, by whom, and what lies around it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from aiops.settings import settings
from workers.api import asking, following, operating, pages, reading
from workers.api.context import Context
from workers.api.database import Database
from workers.api.describe import document
from workers.api.guard import Guard
from workers.api.hub import Hub
from workers.api.keys import keys_of_settings
from workers.api.layers import MapLayers
from workers.api.limits import TokenBuckets
from workers.api.metrics import Metrics
from workers.api.overview import Overview
from workers.api.problems import Problem, bad_parameters, unreadable
from workers.health.cached import Cached

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

_READY_SECONDS: Final = 1.0


def create_app() -> FastAPI:
    """The application, by the settings of this process.

    Raises:
        SettingsError: a setting cannot be used.
    """
    ours = settings()
    keys = keys_of_settings()
    database = Database(ours.api_connections)
    hub = Hub(database)
    context = Context(
        database, hub, keys, TokenBuckets(ours.api_rate_limit), Metrics(hub), Overview(), MapLayers(),
        Cached(operating.check_all, _READY_SECONDS), ours.api_streams,
    )  # fmt: skip
    origins, hosts = _listed(ours.api_cors_origins), [ours.api_host, *_listed(ours.api_allowed_hosts)]
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        lifespan=_lifespan,
        middleware=_middleware(context, origins, hosts, ours.api_body_limit_mb << 20),
        separate_input_output_schemas=False,
        redirect_slashes=False,
    )
    app.state.context = context
    for router in (asking.router, following.router, reading.router, operating.router):
        app.include_router(router)
    app.include_router(pages.router, include_in_schema=False)
    app.mount("/static", pages.static_files())
    app.add_exception_handler(RequestValidationError, _refuse_parameters)
    app.add_exception_handler(HTTPException, _refuse)
    _describe(app)
    return app


def _listed(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _middleware(context: Context, origins: list[str], hosts: list[str], most_bytes: int) -> list[Middleware]:
    guard = Middleware(
        Guard, keys=context.keys, buckets=context.buckets, metrics=context.metrics, most_bytes=most_bytes,
        origins=origins, hosts=hosts,
    )  # fmt: skip
    if not origins:
        return [guard]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "POST"],
        allow_headers=["X-API-Key", "Authorization", "X-Request-ID", "Last-Event-ID"],
        expose_headers=["X-Request-ID", "Retry-After", "Location"],
        max_age=600,
    )
    return [cors, guard]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    context: Context = app.state.context
    await context.database.open()
    context.hub.start()
    try:
        yield
    finally:
        await context.hub.stop()
        await context.database.close()


def _describe(app: FastAPI) -> None:
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(document(app, with_key=app.state.context.keys.needed))
        return made

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI documents it


async def _refuse_parameters(_request: Request, error: Exception) -> Any:
    """What FastAPI says of a parameter, in our words."""
    if not isinstance(error, RequestValidationError):
        raise error
    found: dict[str, str] = {}
    for one in error.errors():
        if one["type"] == "json_invalid":
            raise unreadable(one["msg"])
        name = ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0])
        given = "" if one["type"] == "missing" else f"{str(one.get('input'))[:80]!r} is not allowed; "
        found.setdefault(name, f"{given}{one['msg'][:1].lower()}{one['msg'][1:]}")
    raise bad_parameters(found)


async def _refuse(_request: Request, error: Exception) -> Any:
    """No such address, or not by this method."""
    if not isinstance(error, HTTPException):
        raise error
    detail = {404: "there is nothing at this address", 405: "this method is not for this address"}
    headers = dict(error.headers or {})
    raise Problem(error.status_code, detail.get(error.status_code, str(error.detail)), headers=headers)
