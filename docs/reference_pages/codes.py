"""Exit codes, the errors behind them, and the SQLSTATEs that the database refuses with."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

import psycopg.errors

import aiops.errors
from aiops.errors import AiopsError
from reference_pages.markdown import code, page, table
from workers.cli import boundary

if TYPE_CHECKING:
    from psycopg import Connection

_RAISED = re.compile(r"ERRCODE = '(\w+)'")
_STATES = {
    "invalid_parameter_value": (
        "InvalidParameterValue",
        "what was asked cannot be used: the message names the field, what was given and what is allowed",
    ),
    "unique_violation": ("UniqueViolation", "another batch of the kind is active; wait for it, or cancel it"),
    "no_data_found": ("NoDataFound", "there is no batch of that number"),
    "insufficient_privilege": ("InsufficientPrivilege", "the account may not do that, or the batch is another's"),
    "invalid_binary_representation": ("InvalidBinaryRepresentation", "a packed series has a length that none can have"),
    "object_not_in_prerequisite_state": (
        "ObjectNotInPrerequisiteState",
        "the attempt is not the request's latest any more: the daemon's own fence",
    ),
    "serialization_failure": ("SerializationFailure", "what was read has changed meanwhile; the daemon tries again"),
}


def codes_page(connection: Connection) -> str:
    """The page of codes.

    Raises:
        KeyError: a function of the database raises a condition that is not explained here.
    """
    bodies = connection.execute(
        "SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname !~ '^procrastinate'"
    ).fetchall()
    raised = sorted({name for (body,) in bodies for name in _RAISED.findall(body)})
    states = [(code(_sqlstate(_STATES[name][0])), code(name), _STATES[name][1]) for name in raised]
    rows = [line for line in inspect.cleandoc(boundary.__doc__ or "").splitlines() if line.startswith("|")]
    return page(
        "Codes",
        "aiops/errors.py, workers/cli/boundary.py and sql/migrations",
        "## Exit codes of `aiops`\n\n"
        "An error is one line on standard error: what was wrong, where, and what is allowed.\n\n" + "\n".join(rows),
        "## Errors\n\nFor programs that call Python: every error that is raised on purpose.\n\n"
        + table(
            ("error", "is a", "exit code", ""),
            [
                (code(one.__name__), code(one.__base__.__name__), str(one.exit_code), _sentence(one))
                for one in _errors()
            ],
        ),
        "## SQLSTATE\n\nWhat functions and triggers of the schema refuse with; constraints and rights have their usual "
        "codes.\n\n" + table(("SQLSTATE", "condition", "means"), states),
    )


def _errors() -> list[type[AiopsError]]:
    found = [one for one in vars(aiops.errors).values() if inspect.isclass(one) and issubclass(one, AiopsError)]
    return [one for one in found if one is not AiopsError]


def _sentence(error: type[AiopsError]) -> str:
    return inspect.getdoc(error) or ""


def _sqlstate(name: str) -> str:
    return str(getattr(psycopg.errors, name).sqlstate)
