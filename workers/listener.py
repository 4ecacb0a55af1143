"""Turns `NOTIFY aiops_trigger, …` into batches. One daemon of many listens at a time.

The one that holds the advisory lock on a session of its own is the listener; when it dies its session ends and another
takes over. That its session is not only open but delivers is tested by a notification to itself.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from aiops.db.connect import connection_arguments, conninfo
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.settings import settings
from workers.service import Service

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool

JOBS = ("probability", "hazard", "assessment")
PROBE = "aiops probe "
PROBE_SECONDS = 10.0
"""Between two tests of the session; a test that is not answered within as long ends it."""
_REMEMBERED = 1000
"""Payloads that were refused and need not be logged again."""


class Listener(Service):
    """Competes for the lock; listens for as long as it holds it."""

    name = "listener"
    pause_seconds = 3.0

    def __init__(self, pool: AsyncConnectionPool) -> None:
        super().__init__(pool)
        self._refused: set[str] = set()

    async def round(self) -> None:
        """One session: try for the lock until it is ours, then listen, until the session ends."""
        # Resolved in a thread: it may have to start the embedded server.
        where = await asyncio.to_thread(conninfo, direct=True)
        connection = await psycopg.AsyncConnection.connect(where, autocommit=True, **connection_arguments("listener"))
        async with connection:
            while not await self._has_lock(connection):  # noqa: ASYNC110 (the event is in the database)
                await asyncio.sleep(self.pause_seconds)
            channel = settings().notify_channel
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self.log.info("listening", channel=channel)
            await self._listen(connection, channel)

    async def _has_lock(self, connection: psycopg.AsyncConnection[Any]) -> bool:
        cursor = await connection.execute(statement("try_listener_lock"))
        row = await cursor.fetchone()
        return row is not None and bool(row[0])

    async def _listen(self, connection: psycopg.AsyncConnection[Any], channel: str) -> None:
        probe, sent_at, round_trip = "", 0.0, None
        while True:
            if not probe:
                probe, sent_at = PROBE + uuid.uuid4().hex, time.monotonic()
                await connection.execute(statement("notify"), {"channel": channel, "payload": probe})
            async for told in connection.notifies(timeout=PROBE_SECONDS, stop_after=1):
                if told.payload == probe:
                    probe, round_trip = "answered", time.monotonic() - sent_at
                elif not told.payload.startswith(PROBE):
                    await self._act(told.payload)
            if round_trip is not None:  # not within the loop, which has the session to itself
                trip = {"channel": channel, "seconds": round_trip}
                await connection.execute(statement("note_round_trip"), trip)
                round_trip = None
            if probe not in {"", "answered"} and time.monotonic() - sent_at > PROBE_SECONDS:
                raise ConnectionError("the listening session does not deliver")
            if time.monotonic() - sent_at > PROBE_SECONDS:
                probe = ""

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
        except (psycopg.errors.InvalidParameterValue, psycopg.errors.UniqueViolation) as error:
            more = f"; {error.diag.message_detail}" if error.diag.message_detail else ""
            self._refuse(payload, f"{error.diag.message_primary}{more}")
            return
        self.log.info("asked by NOTIFY", job_type=job_type, batch_id=str(row[0]) if row else None)

    def _refuse(self, payload: str, reason: str) -> None:
        if payload in self._refused:
            return
        if len(self._refused) < _REMEMBERED:
            self._refused.add(payload)
        self.log.warning("NOTIFY ignored", payload=payload[:80], reason=reason)


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
