"""The OpenAPI document: how an endpoint says what it takes and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from aiops import __version__
from workers.api.problems import MEDIA_TYPE, TITLES
from workers.api.shapes import SCHEMAS

if TYPE_CHECKING:
    from fastapi import FastAPI

_ALWAYS: Final = (401, 429, 503)
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
    good: dict[str, Any] = {"description": about, "content": {media_type: {"schema": _reference(shape)}}}
    bad: dict[int | str, Any] = {
        one: {"description": TITLES[one], "content": {MEDIA_TYPE: {"schema": _reference("Problem")}}}
        for one in sorted({*problems, *_ALWAYS})
    }
    return {status: good, **bad}


def body(shape: str, examples: dict[str, Any], *, required: bool = True) -> dict[str, Any]:
    """That an endpoint takes a JSON object."""
    content = {"application/json": {"schema": _reference(shape), "examples": examples}}
    return {"requestBody": {"required": required, "content": content}}


def document(app: FastAPI, *, with_key: bool) -> dict[str, Any]:
    """The whole document."""
    made = get_openapi(title="aiops", version=__version__, description=_ABOUT.strip(), routes=app.routes)
    made.setdefault("components", {})["schemas"] = SCHEMAS
    if with_key:
        made["components"]["securitySchemes"] = {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "bearer": {"type": "http", "scheme": "bearer"},
        }
        made["security"] = [{"key": []}, {"bearer": []}]
        for path in ("/healthz", "/readyz"):
            made["paths"][path]["get"]["security"] = []
    return made


def _reference(shape: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{shape}"}
