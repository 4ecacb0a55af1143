"""Being woken when a batch moves, instead of asking again and again."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg

from aiops.db.connect import connect
from aiops.errors import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from aiops.db.connect import Connection


class Alarm:
    """Pauses that end early when `aiops_progress` tells of a batch; without a session that listens, in their time."""

    def __init__(self, batch_id: UUID | None, listening: Connection | None) -> None:
        self._batch_id = "" if batch_id is None else str(batch_id)
        self._listening = listening

    def pause(self, seconds: float) -> None:
        """Wait for the batch (or, if it is about none, for any) to move, at most so long."""
        if self._listening is None:
            time.sleep(seconds)
            return
        try:
            for told in self._listening.notifies(timeout=seconds):
                if self._batch_id in told.payload:
                    return
        except psycopg.OperationalError:  # that session is gone; what follows the batch asks anyway
            self._listening = None


@contextmanager
def alarm(batch_id: UUID | None) -> Iterator[Alarm]:
    """Listen for a batch, or all of them (None); without a session that listens (a pooler), by the clock."""
    try:
        listening = connect("watch", direct=True, autocommit=True)
    except DatabaseUnavailable:
        yield Alarm(batch_id, None)
        return
    with listening:
        try:
            listening.execute("LISTEN aiops_progress")
        except psycopg.Error:
            yield Alarm(batch_id, None)
        else:
            yield Alarm(batch_id, listening)
