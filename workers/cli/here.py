"""A request answered by the command that asks, when no daemon is running: that is sooner done than a daemon started."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import structlog

from aiops.db.connect import connect
from aiops.db.statements import statement
from workers.ondemand import OnDemandRiskBatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from uuid import UUID


class Here:
    """The answer under way in a thread, in the words that a daemon of our own is looked after with."""

    def __init__(self, answer: Future[dict[str, Any]]) -> None:
        self._answer = answer

    def refuse_if_ended(self) -> None:
        """Raise what ended it, if that is an error."""
        if self._answer.done():
            self._answer.result()

    def last_lines(self) -> str:
        """What it is at."""
        return "it waits for the database"


@contextmanager
def answered_here(batch_id: UUID, latitude: float, longitude: float) -> Iterator[Here]:
    """Answer a request beside what this process does; at the end, also by Ctrl-C, it is waited for.

    Args:
        batch_id: the request.
        latitude: of its place.
        longitude: of its place.
    """
    # A command says what it has to say itself; what a daemon would log stands in batch_job_logs, too.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(OnDemandRiskBatch(batch_id).run, latitude, longitude)
        yield Here(answer)
    if answer.exception() is None:
        # Or it would wait for a daemon, and look as if nobody took jobs.
        with connect(autocommit=True) as connection:
            connection.execute(statement("forget_waiting_request"), {"batch_id": str(batch_id)})
