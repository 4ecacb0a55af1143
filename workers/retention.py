"""Keeps the queue's tables small: our history is in our own tables."""

from __future__ import annotations

from aiops.db.statements import statement
from aiops.settings import settings
from workers.service import Service

NOTIFICATION_DAYS = 30
"""Where to tell of a request's end is kept for so long after it."""
_JOBS_AT_ONCE = 20_000
"""As many as `prune_queue` takes; where it has taken so many, there may be more."""


class Retention(Service):
    """Deletes ended jobs, old logs, and the addresses of those who were told long ago; batches and results stay."""

    name = "retention"
    pause_seconds = 600.0

    async def round(self) -> None:
        """Prune once."""
        while await self._prune_queue() >= _JOBS_AT_ONCE:
            pass
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement("prune_notifications"), {"days": NOTIFICATION_DAYS})
        if cursor.rowcount:
            self.log.info("pruned", notifications=cursor.rowcount)

    async def _prune_queue(self) -> int:
        """How many jobs have gone."""
        keep = {"hours": settings().queue_retention_hours, "days": settings().log_retention_days}
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement("prune_queue"), keep)
            row = await cursor.fetchone()
        if row is None:
            return 0
        jobs, logs, workers = row
        if jobs or logs or workers:
            self.log.info("pruned", jobs=jobs, logs=logs, workers=workers)
        return int(jobs)
