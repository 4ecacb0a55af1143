"""Turns `NOTIFY aiops_trigger, …` into batches. One daemon of many listens at a time.

The one that holds the advisory lock on a session of its own is the listener; when it dies its session ends and another
takes over. That its session is not only open but delivers is tested by a notification to itself.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.types.json import Jsonb

from aiops.db.statements import statement
from aiops.db.transient import is_transient
from aiops.errors import BadInput, in_one_line
from aiops.settings import settings
from workers.ear import hear, listening_session
from workers.service import Service

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

JOBS = ("probability", "hazard", "assessment", "indicators")
_REMEMBERED = 100
"""Payloads that were refused and need not be logged again; beyond so many, the flood is told of, not its drops."""


class Listener(Service):
    """Competes for the lock; listens for as long as it holds it."""

    name = "listener"
    pause_seconds = 3.0

    def __init__(self, pool: AsyncConnectionPool) -> None:
        super().__init__(pool)
        self._refused: set[int] = set()
        self._flood = 0
        self._last_batch: str | None = None

    async def round(self) -> None:
        """One session: try for the lock until it is ours, then listen, until the session ends."""
        async with listening_session("listener") as connection:
            while not await self._has_lock(connection):  # noqa: ASYNC110 (the event is in the database)
                await asyncio.sleep(self.pause_seconds)
            channel = settings().notify_channel

            async def answered(seconds: float) -> None:
                await connection.execute(statement("note_round_trip"), {"channel": channel, "seconds": seconds})

            async for heard in hear(connection, [channel], answered):
                if not heard:
                    self.log.info("listening", channel=channel)
                await self._act_on([payload for _, payload in heard])

    async def _has_lock(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        cursor = await connection.execute(statement("try_listener_lock"))
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def _act_on(self, payloads: list[str]) -> None:
        """What cannot be done now does not keep the others from being done, and is tried once more after them."""
        put_off: list[str] = []
        for payload in payloads:
            try:
                await self._act(payload)
            except psycopg.Error as error:
                if not is_transient(error):
                    raise
                self.log.warning("NOTIFY is put off", payload=payload[:80], reason=in_one_line(error))
                put_off.append(payload)
        for payload in put_off:
            await self._act(payload)

    async def _act(self, payload: str) -> None:
        try:
            job_type, params = parse_payload(payload)
        except BadInput as error:
            self._refuse(payload, str(error))
            return
        try:
            async with self.pool.connection() as connection:
                cursor = await connection.execute(
                    statement("start_batch"), {"job_type": job_type, "input_params": Jsonb(params)}
                )
                row = await cursor.fetchone()
        except (psycopg.DataError, psycopg.errors.UniqueViolation) as error:
            more = f"; {error.diag.message_detail}" if error.diag.message_detail else ""
            self._refuse(payload, f"{error.diag.message_primary}{more}")
            return
        batch_id = str(row[0]) if row else None
        if batch_id != self._last_batch:  # asked again while it runs, it is the same batch
            self._last_batch = batch_id
            self.log.info("asked by NOTIFY", job_type=job_type, batch_id=batch_id)

    def _refuse(self, payload: str, reason: str) -> None:
        digest = hash(payload)
        if digest in self._refused:
            return
        if len(self._refused) < _REMEMBERED:
            self._refused.add(digest)
            self.log.warning("NOTIFY ignored", payload=payload[:80], reason=reason)
            return
        self._flood += 1
        if self._flood & (self._flood - 1) == 0:
            self.log.warning("a flood of NOTIFY is ignored", times=self._flood, payload=payload[:80], reason=reason)


def parse_payload(payload: str) -> tuple[str, dict[str, Any]]:
    """The job and its parameters that a payload asks for: a job's name, or a JSON object with `job` and parameters.

    Raises:
        BadInput: it asks for nothing that there is.
    """
    text = payload.strip()
    if text in JOBS:
        return text, {}
    allowed = f"allowed: {', '.join(JOBS)}, or a JSON object with job and parameters"
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"NOTIFY payload: unknown; {allowed}") from None
    if not isinstance(asked, dict) or asked.get("job") not in JOBS:
        raise BadInput(f"NOTIFY payload: no known job; {allowed}")
    params = {key: value for key, value in asked.items() if key != "job"}
    return asked["job"], params
