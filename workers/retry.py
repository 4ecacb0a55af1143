"""When a job is tried again: with growing pauses, so long as trying again can help."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg.errors
from procrastinate.retry import BaseRetryStrategy, RetryDecision

from aiops.db.transient import is_transient
from aiops.errors import BadInput, DeliveryRefused

if TYPE_CHECKING:
    from procrastinate.jobs import Job


class GivenUp(Exception):
    """Something has failed as often as it may; what it was raised from is the last of its failures."""


# What was asked is wrong, and stays wrong.
HOPELESS = (
    GivenUp,
    BadInput,
    DeliveryRefused,
    psycopg.errors.DataError,
    psycopg.errors.UniqueViolation,
    psycopg.errors.NoDataFound,
)

_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 60.0
_LONGEST_PAUSE_FOR_SERVER_SECONDS = 10.0
PATIENCE = 500
"""Runs of a job that the server's and the network's failures may cost: more than an hour of them."""


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
        return _after(min(self.longest_pause_seconds, _FIRST_PAUSE_SECONDS * 4 ** min(job.attempts, 10)))


def is_hopeless(exception: BaseException | None) -> bool:
    """Whether a failure comes from what was asked, so that the same again would fail again."""
    while exception is not None:
        if isinstance(exception, HOPELESS):
            return True
        exception = exception.__cause__
    return False


class OnlyTransient(BackOff):
    """As `BackOff`, for what may pass by itself; anything else is final at once."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """See `BackOff`."""
        return super().get_retry_decision(exception=exception, job=job) if is_transient(exception) else None


class Patient(BackOff):
    """As `BackOff` for the job's own failures; those of the server or the network are waited out for much longer."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        """See `BackOff`."""
        if is_hopeless(exception) or not is_transient(exception) or job.attempts + 1 >= PATIENCE:
            return super().get_retry_decision(exception=exception, job=job)
        return _after(min(_LONGEST_PAUSE_FOR_SERVER_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(job.attempts, 10)))


def _after(seconds: float) -> RetryDecision:
    # Jitter: what failed together should not come back together.
    pause = timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311
    return RetryDecision(retry_at=datetime.now(UTC) + pause)
