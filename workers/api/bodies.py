"""Bodies of requests: JSON objects within bounds, handed on as the text that came.

The database's own validator judges what stands in them. Here is refused only what it could not be given: what is no
JSON, no object, or nested beyond all reason.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NoReturn

from workers.api.problems import Problem, unreadable

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_LEVELS: Final = 16
"""Of objects and lists within each other; what can be asked has four."""
_JSON: Final = "application/json"


async def read_object(request: Request, *, or_nothing: bool = False) -> str:
    """The JSON object that a request brings, as its text.

    Args:
        request: whose length the middleware has bounded.
        or_nothing: no body at all counts as an empty object.

    Raises:
        Problem: 400 or 415; says what is wrong.
    """
    raw = await request.body()
    if or_nothing and not raw.strip():
        return "{}"
    kind = request.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
    if kind != _JSON and not (kind.startswith("application/") and kind.endswith("+json")):
        raise Problem(415, f"Content-Type: {kind[:80]!r} is not allowed; allowed: {_JSON}", "not-json")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise unreadable("the body is no text in UTF-8") from None
    refuse_unless_object(text)
    return text


def refuse_unless_object(text: str) -> None:
    """Refuse what is no JSON object.

    Raises:
        Problem: 400.
    """
    try:
        value = json.loads(text, parse_constant=_refuse_constant, parse_int=_short_number)
    except RecursionError:
        raise unreadable(f"the body is nested more than {MOST_LEVELS} levels deep") from None
    except ValueError as error:
        raise unreadable(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
        raise unreadable(f"the body is {kind}; allowed: a JSON object")
    if _levels(value) > MOST_LEVELS:
        raise unreadable(f"the body is nested more than {MOST_LEVELS} levels deep")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _short_number(digits: str) -> float:
    # Only the shape matters here. Python refuses to read whole numbers of thousands of digits as such.
    return float(digits)


def _levels(value: Any) -> int:
    deepest, open_ones = 0, [(value, 1)]
    while open_ones:
        one, level = open_ones.pop()
        deepest = max(deepest, level)
        if level > MOST_LEVELS:
            break
        inner = one.values() if isinstance(one, dict) else one
        open_ones.extend((child, level + 1) for child in inner if isinstance(child, dict | list))
    return deepest
