"""Starts the yearly runs when they are due, and makes up for those that were due while no daemon ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg.errors

from aiops.db.statements import statement
from aiops.settings import settings
from workers.due_dates import YearlySchedule, schedules
from workers.service import Service

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool


class Schedule(Service):
    """Looks at the clock every few seconds; the ledger `scheduled_runs` makes each due run happen once."""

    name = "schedule"
    pause_seconds = 5.0

    def __init__(self, pool: AsyncConnectionPool) -> None:
        super().__init__(pool)
        self._waiting: set[tuple[str, datetime]] = set()
        self._defined: dict[str, datetime] = {}

    async def round(self) -> None:
        """Start what is due."""
        for one in schedules(settings()):
            await self._start_if_due(one)

    async def _start_if_due(self, one: YearlySchedule) -> None:
        async with self.pool.connection() as connection:
            cursor = await connection.execute(
                statement("define_schedule"), {"schedule": one.name, "definition": one.definition}
            )
            row = await cursor.fetchone()
        if row is None or row[0] is None:
            return
        if self._defined.setdefault(one.name, row[0]) != row[0]:
            self._defined[one.name] = row[0]
            # A run that was due before its schedule was defined is not started: two that take turns start none.
            self.log.warning("another daemon has another schedule", schedule=one.name, ours=one.definition)
        window = timedelta(days=settings().schedule_catch_up_days)
        due = one.to_make_up(datetime.now(UTC), row[0], window)
        if due is None:
            return
        try:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(statement("start_due_run"), {"schedule": one.name, "due_at": due})
                started = await cursor.fetchone()
        except psycopg.errors.UniqueViolation as active:
            if (one.name, due) not in self._waiting:
                self._waiting.add((one.name, due))
                self.log.info("due run waits", schedule=one.name, due_at=str(due), reason=active.diag.message_detail)
            return
        self._waiting.discard((one.name, due))
        if started is not None and started[0] is not None:
            self.log.info("due run started", schedule=one.name, due_at=str(due), batch_id=str(started[0]))
