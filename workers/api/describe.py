"""The OpenAPI document: how an endpoint says what it takes and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from aiops import __version__
from workers.api.problems import MEDIA_TYPE, TITLES
from workers.api.shapes import SCHEMAS

if TYPE_CHECKING:
    from fastapi import FastAPI

_ALWAYS: Final = (401, 421, 429, 503)
_HEADERS: Final = {
    "X-Request-ID": {
        "description": "What the server's log has of this request; one that is sent along is kept.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Location": {
        "description": "Where the batch's status is.",
        "schema": {"type": "string", "format": "uri-reference"},
    },
    "Retry-After": {"description": "Seconds to wait before asking again.", "schema": {"type": "integer"}},
}
_ABOUT: Final = """
The physical climate risk of places in Korea. Whatever takes time is a *batch*: asked for with POST, followed by its
status or by server-sent events, cancelled and retried. Errors are problem details (RFC 9457). Parameters are judged by
the database, which names the field and what is allowed.
"""


def answers(
    status: int, shape: str, about: str, *problems: int, media_type: str = "application/json"
) -> dict[int | str, Any]:
    """What an endpoint answers: on success one of `SCHEMAS`, and the errors that it may end in.

    Args:
        status: of success.
        shape: its name.
        about: what success means.
        *problems: further statuses; a missing key, too many requests and an absent database are always among them.
        media_type: of the answer.
    """
    content = {media_type: {"schema": _reference(shape)}}
    good: dict[str, Any] = {"description": about, "headers": _headers(status), "content": content}
    return {status: good, **refusals(*problems, *_ALWAYS)}


def refusals(*statuses: int) -> dict[int | str, Any]:
    """The errors that an endpoint may end in, no others."""
    content = {MEDIA_TYPE: {"schema": _reference("Problem")}}
    return {
        one: {"description": TITLES[one], "headers": _headers(one), "content": content} for one in sorted(set(statuses))
    }


def body(shape: str, examples: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """That an endpoint takes a JSON object."""
    content = {"application/json": {"schema": _reference(shape), "examples": examples}}
    return {"requestBody": {"required": required, "content": content}}


def document(app: FastAPI, *, with_key: bool) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(title="aiops", version=__version__, description=_ABOUT.strip(), routes=app.routes)
    made.setdefault("components", {}).update(schemas=SCHEMAS, headers=_HEADERS)
    if with_key:
        made["components"]["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        made["security"] = [{"key": []}, {"bearer": []}]
        for path in ("/healthz", "/readyz"):
            made["paths"][path]["get"]["security"] = []
    return made


def _headers(status: int) -> dict[str, Any]:
    names = ["X-Request-ID"]
    names += ["Location"] if status == 202 else []
    names += ["Retry-After"] if status in (429, 503) else []
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _reference(shape: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape}"}
