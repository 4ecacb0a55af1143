"""Hearing notifications: sessions that prove again and again that they hear."""

from __future__ import annotations

import asyncio
import time
import uuid
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from psycopg import sql

from aiops.db.connect import connection_arguments, conninfo
from aiops.db.patience import PatientAsyncConnection
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

PROBE_SECONDS = 5.0
"""Between two tests of a session; one whose test is not answered within as long is given up."""
_MOST_AT_ONCE = 20_000
"""Different notifications that are gathered before they are acted on."""


@asynccontextmanager
async def listening_session(application: str) -> AsyncIterator[PatientAsyncConnection]:
    """A session for listening, past any connection pooler. The server ends it if its client falls silent."""
    # Resolved in a thread: it may have to start the embedded server.
    where = await asyncio.to_thread(conninfo, direct=True)
    connection = await PatientAsyncConnection.connect(where, autocommit=True, **connection_arguments(application))
    async with connection:
        await connection.execute(statement("guard_session"))
        await connection.execute(statement("guard_listening_session"))
        yield connection


async def hear(
    connection: PatientAsyncConnection,
    channels: Sequence[str],
    answered: Callable[[float], Awaitable[None]] | None = None,
) -> AsyncIterator[list[tuple[str, str]]]:
    """Listen; yield what is heard in bunches: all that has come by then, each text once.

    A session may be open and deliver nothing: its network dead, a pooler in between. So every few seconds the session
    sends itself a notification, on a channel that nobody else knows.

    Args:
        connection: a listening session.
        channels: what to listen to.
        answered: told of each test that was answered, with the seconds that it took.

    Yields:
        First an empty list, when the session listens; then lists of (channel, payload).

    Raises:
        ConnectionError: the session does not deliver.
    """
    own = (f"aiops_probe_{uuid.uuid4().hex}", "")
    for channel in (*channels, own[0]):
        await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
    yield []
    sent_at: float | None = None
    due_at = time.monotonic()
    while True:
        if sent_at is None and time.monotonic() >= due_at:
            sent_at = time.monotonic()
            await connection.execute(statement("notify"), {"channel": own[0], "payload": own[1]})
        until = due_at if sent_at is None else sent_at + PROBE_SECONDS
        heard = await _gather(connection, max(0.0, until - time.monotonic()))
        if own in heard and sent_at is not None:
            if answered is not None:
                await answered(time.monotonic() - sent_at)
            sent_at, due_at = None, time.monotonic() + PROBE_SECONDS
        if sent_at is not None and time.monotonic() - sent_at > PROBE_SECONDS:
            raise ConnectionError("the listening session does not deliver")
        heard.pop(own, None)
        if heard:
            yield list(heard)


async def _gather(connection: PatientAsyncConnection, seconds: float) -> dict[tuple[str, str], None]:
    """Wait for the first notification, then take all that have come: a flood of equal ones is one."""
    heard: dict[tuple[str, str], None] = {}
    while len(heard) < _MOST_AT_ONCE:
        before = time.monotonic()
        nothing_came = True
        async for told in connection.notifies(timeout=seconds, stop_after=1):
            heard[told.channel, told.payload] = None
            nothing_came = False
        if nothing_came:
            break
        seconds = 0.0
        if time.monotonic() - before > PROBE_SECONDS:
            break
    return heard
