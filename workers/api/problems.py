"""What goes wrong, as problem details (RFC 9457): one shape for every error."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg import errors
from psycopg_pool import PoolClosed, PoolTimeout, TooManyRequests

from aiops.db.transient import is_transient
from aiops.errors import BadInput, DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 2
"""What Retry-After says when the database is away."""

TITLES: Final = {
    400: "The request cannot be read",
    401: "A key is needed",
    403: "Not allowed",
    404: "Not found",
    405: "This method is not for this address",
    409: "It conflicts with what there is",
    413: "The request is too long",
    415: "The request is not JSON",
    421: "Not a name of this server",
    422: "A parameter cannot be used",
    429: "Too many requests",
    500: "A fault of the server",
    503: "Not available now",
}

_BATCH_ID = re.compile(r"batch_id ([0-9a-f-]{36})")
_ACTIVE: Final = "active-batch"


@dataclass(slots=True)
class Problem(Exception):
    """An answer that is no success."""

    status: int
    detail: str
    kind: str = "about:blank"
    """The last part of the problem's type; `about:blank`: the status says all."""
    errors: list[dict[str, str]] = field(default_factory=list)
    """`field` and `detail` of each parameter that cannot be used."""
    more: dict[str, Any] = field(default_factory=dict)
    """Members of this kind of problem alone."""
    headers: dict[str, str] = field(default_factory=dict)

    def body(self, instance: str, request_id: str) -> bytes:
        """The problem as JSON.

        Args:
            instance: the path that was asked for.
            request_id: what the log has of it.
        """
        data: dict[str, Any] = {
            "type": self.kind if self.kind == "about:blank" else f"urn:aiops:problem:{self.kind}",
            "title": TITLES.get(self.status, "The request failed"),
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "request_id": request_id,
            **({"errors": self.errors} if self.errors else {}),
            **self.more,
        }
        return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def unreadable(detail: str) -> Problem:
    """A body that is no JSON object, or not one of ours."""
    return Problem(400, detail, "unreadable-body")


def unknown_batch(batch_id: object) -> Problem:
    """There is no such batch."""
    return Problem(404, f"there is no batch {batch_id}", "unknown-batch", more={"batch_id": str(batch_id)})


def unavailable(detail: str) -> Problem:
    """Something that passes: the caller shall try again."""
    return Problem(503, detail, "unavailable", headers={"Retry-After": str(RETRY_SECONDS)})


def bad_parameters(found: Mapping[str, str]) -> Problem:
    """Parameters that cannot be used, by name."""
    said = "; ".join(f"{name}: {detail}" for name, detail in found.items())
    return Problem(
        422, said, "invalid-parameter", [{"field": name, "detail": detail} for name, detail in found.items()]
    )


def problem_of(error: Exception) -> Problem | None:
    """What an error of the database or of ours means to the caller; None: a fault of this program."""
    match error:
        case Problem():
            return error
        case BadInput():
            name, _, said = str(error).partition(": ")
            return bad_parameters({name: said}) if said else Problem(422, str(error), "invalid-parameter")
        case PoolTimeout() | PoolClosed() | TooManyRequests():
            return unavailable("the database cannot be reached, or every connection to it is taken")
        case DatabaseUnavailable():
            return unavailable("the database cannot be reached")
        case psycopg.Error():
            return _of_database(error)
    return None


def _of_database(error: psycopg.Error) -> Problem | None:  # noqa: PLR0911  a table of cases
    said = error.diag.message_primary or "the database refuses it"
    match error:
        case errors.InvalidParameterValue():
            return _refused_parameter(error, said)
        case errors.UniqueViolation():
            return _second_batch(error, said)
        case errors.NoDataFound():
            return Problem(404, said, "not-found")
        case errors.InsufficientPrivilege():
            return Problem(403, said, "not-allowed")
        case errors.ProgramLimitExceeded() | errors.StatementTooComplex():
            return unreadable("what is asked is nested too deeply, or too long")
        case (
            errors.UndefinedTable() | errors.UndefinedFunction() | errors.UndefinedColumn() | errors.InvalidSchemaName()
        ):
            return unavailable("the database's schema is not this version's; its owner runs: aiops db migrate")
        case psycopg.DataError():
            return unreadable(f"a value cannot be kept: {said if error.diag.message_primary else error}")
    if is_transient(error):
        return unavailable("the database cannot be reached or used at the moment")
    return None


def _refused_parameter(error: psycopg.Error, said: str) -> Problem:
    name = error.diag.column_name or "input_params"
    return bad_parameters({name: said.removeprefix(f"input_params.{name}: ").removeprefix(f"{name}: ")})


def _second_batch(error: psycopg.Error, said: str) -> Problem | None:
    found = _BATCH_ID.search(error.diag.message_detail or "")
    if found is None:
        return None
    detail = f"{said} ({error.diag.message_detail}); wait for it, or cancel it"
    return Problem(409, detail, _ACTIVE, more={"active_batch_id": found[1]})
