"""Keeps the queue's tables small: our history is in our own tables."""

from __future__ import annotations

from aiops.db.statements import statement
from aiops.settings import settings
from workers.service import Service


class Retention(Service):
    """Deletes ended jobs and old logs; batches and results stay."""

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
