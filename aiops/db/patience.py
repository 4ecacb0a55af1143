"""Connections that do not wait for ever for a server that says nothing.

The kernel's safeguards (keepalives, TCP_USER_TIMEOUT) notice a peer that has vanished. They do not notice one whose
packets are acknowledged and whose answer never comes: a proxy, a pooler or a NAT with a dead road behind it, a stopped
server. libpq has no time limit of its own for an answer, so it is set here: by psycopg's `wait`, through which every
exchange with the server goes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakSet

import psycopg
from psycopg.rows import TupleRow

if TYPE_CHECKING:
    from collections.abc import Generator

    from psycopg.abc import PQGen
    from psycopg.waiting import Ready, Wait

SILENT_SECONDS = 28.0
"""A server that has sent nothing for so long in the midst of an exchange is taken to be out of reach. Longer than any
lock is waited for (20 s), so that a wait which the server knows of ends with the server's own reason."""

_Value = TypeVar("_Value")


class ServerSilent(psycopg.OperationalError):
    """The server has not answered in time; the connection is closed."""


_living: WeakSet[PatientConnection] = WeakSet()


def living_sessions() -> list[int]:
    """The server's process numbers of this process's synchronous connections, in whatever state they are."""
    return [one.info.backend_pid for one in list(_living) if not one.closed]


class PatientConnection(psycopg.Connection[TupleRow]):
    """Waits for an answer for so long, and not longer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _living.add(self)

    def wait(self, gen: PQGen[_Value], *args: Any, **kwargs: Any) -> _Value:
        """As psycopg's, with a limit."""
        try:
            return super().wait(_limited(gen), *args, **kwargs)
        except ServerSilent:
            self.pgconn.finish()  # no goodbye: nobody would hear it
            raise


class PatientAsyncConnection(psycopg.AsyncConnection[TupleRow]):
    """Waits for an answer for so long, and not longer."""

    async def wait(self, gen: PQGen[_Value], *args: Any, **kwargs: Any) -> _Value:
        """As psycopg's, with a limit."""
        try:
            return await super().wait(_limited(gen), *args, **kwargs)
        except ServerSilent:
            self.pgconn.finish()
            raise


def _limited(exchange: PQGen[_Value]) -> Generator[Wait, Ready | int, _Value]:
    """Pass an exchange on to whoever waits for the socket, until the socket has been silent for too long.

    psycopg's waiting functions resume the exchange with `Ready.NONE` several times a second while nothing happens.
    """
    heard_at = time.monotonic()
    try:
        wanted = next(exchange)
        while True:
            ready = yield wanted
            if ready:
                heard_at = time.monotonic()
            elif time.monotonic() - heard_at > SILENT_SECONDS:
                raise ServerSilent(f"the server has not answered for {SILENT_SECONDS:.0f} s")
            wanted = exchange.send(ready)
    except StopIteration as end:
        value: _Value = end.value
        return value
