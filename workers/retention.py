"""Keeps the queue's tables small: our history is in our own tables."""

from __future__ import annotations

from aiops.db.statements import statement
from aiops.settings import settings
from workers.service import Service

NOTIFICATION_DAYS = 30
"""Where to tell of a request's end is kept for so long after it."""


class Retention(Service):
    """Deletes ended jobs, old logs, and the addresses of those who were told long ago; batches and results stay."""

    name = "retention"
    pause_seconds = 600.0

    async def round(self) -> None:
        """Prune once."""
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                statement("prune_queue"),
                {"hours": settings().queue_retention_hours, "days": settings().log_retention_days},
            )
            row = await cursor.fetchone()
        if row is not None and any(row):
            self.log.info("pruned", jobs=row[0], logs=row[1], workers=row[2])
        async with self.pool.connection() as connection:
            cursor = await connection.execute(statement("prune_notifications"), {"days": NOTIFICATION_DAYS})
        if cursor.rowcount:
            self.log.info("pruned", notifications=cursor.rowcount)
