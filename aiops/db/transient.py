"""Which failures come from the server's or the network's state, not from what was asked: trying again can help."""

from __future__ import annotations

import psycopg
from psycopg import errors

# psycopg sorts by the class of the SQLSTATE: OperationalError holds lost connections (08), a full disk and too many
# connections (53), lock timeouts (55), shutdowns and cancelled queries (57), failures of the system (58), deadlocks and
# serialization failures (40), and what has no SQLSTATE since no server was reached.
_PASSING = (psycopg.OperationalError, psycopg.InterfaceError, errors.IdleInTransactionSessionTimeout)
# Limits of the program (54: a statement too complex, too many arguments) stay what they are.
_LASTING = (
    errors.ProgramLimitExceeded,
    errors.StatementTooComplex,
    errors.TooManyColumns,
    errors.TooManyArguments,
)


def is_transient(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised from, is the server's or the network's, and may pass."""
    while error is not None:
        if isinstance(error, _PASSING) and not isinstance(error, _LASTING):
            return True
        error = error.__cause__
    return False
