"""When a job is tried again: with growing pauses, so long as trying again can help."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import psycopg
import psycopg.errors
import psycopg_pool
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from aiops.errors import BadInput, DeliveryRefused

if TYPE_CHECKING:
    from procrastinate.jobs import Job

# What was asked is wrong, and stays wrong.
HOPELESS = (
    BadInput,
    DeliveryRefused,
    psycopg.errors.DataError,
    psycopg.errors.UniqueViolation,
    psycopg.errors.NoDataFound,
)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0


# The server, the network or another transaction was in the way; the same again may well go through.
TRANSIENT = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.TransactionRollback,
    psycopg_pool.PoolTimeout,
)


class BackOff(BaseRetryStrategy):
    """Up to `attempts` runs in all, with pauses of about 1, 4, 16, 64 … seconds, up to the longest (60)."""

    def __init__(self, attempts: int, longest_pause_seconds: float = _LONGEST_PAUSE_SECONDS) -> None:
        self.attempts = attempts
        self.longest_pause_seconds = longest_pause_seconds

    def is_last(self, earlier_attempts: int) -> bool:
        """Whether the run that follows so many earlier ones is the last."""
        return earlier_attempts + 1 >= self.attempts

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """The pause before the next run; None to give up."""
        if is_hopeless(exception) or self.is_last(job.attempts):
            return None
        pause = min(self.longest_pause_seconds, _FIRST_PAUSE_SECONDS * 4**job.attempts)
        # Jitter: what failed together should not come back together.
        return RetryDecision(retry_in={"seconds": round(pause * random.uniform(0.75, 1.25), 1)})  # noqa: S311


def is_hopeless(exception: BaseException | None) -> bool:
    """Whether a failure comes from what was asked, so that the same again would fail again."""
    while exception is not None:
        if isinstance(exception, HOPELESS):
            return True
        exception = exception.__cause__
    return False


def is_transient(exception: BaseException | None) -> bool:
    """Whether a failure may pass by itself."""
    return isinstance(exception, TRANSIENT)


class OnlyTransient(BackOff):
    """As `BackOff`, for what may pass by itself; anything else is final at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """See `BackOff`."""
        return super().get_retry_decision(exception=exception, job=job) if is_transient(exception) else None
