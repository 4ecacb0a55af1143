"""A look at the database that starts nothing, changes nothing and cannot hang."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import psycopg

from aiops.db.connect import connection_arguments
from aiops.db.embedded import configured_server
from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable
from aiops.settings import settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection

CONNECT_SECONDS = 3
"""For each address of the server."""
ANSWER_SECONDS = 5.0
"""For all that is read in one look."""


@contextmanager
def reading() -> Iterator[Connection]:
    """A transaction that only reads, on a connection of its own: what it shows is what a new client meets.

    Raises:
        DatabaseUnavailable: there is no server, it refuses us, or it does not answer in time.
    """
    arguments = {
        **connection_arguments("health"),
        "connect_timeout": CONNECT_SECONDS,
        "tcp_user_timeout": int(ANSWER_SECONDS * 1000),
    }
    with _cut() as cut:
        try:
            with psycopg.connect(_where(), **arguments) as connection:
                cut.after(ANSWER_SECONDS, connection)
                connection.execute(statement("begin_reading"), {"milliseconds": int(ANSWER_SECONDS * 1000)})
                yield connection
        except psycopg.Error as error:
            # Whichever clock was first, ours or the server's.
            late = cut.done or isinstance(error, psycopg.errors.QueryCanceled)
            said = f"no answer within {ANSWER_SECONDS:g} s" if late else " ".join(str(error).split())
            raise DatabaseUnavailable(f"cannot use the database: {said}") from error


def _where() -> str:
    # Not aiops.db.connect.conninfo, which would start the embedded server.
    configured = settings().conninfo()
    return configured if configured is not None else configured_server().conninfo


class _Cut:
    """Ends a connection from outside, when time is up: a network that swallows everything would hold it for ever."""

    def __init__(self) -> None:
        self.done = False
        self._socket: socket.socket | None = None
        self._timer: threading.Timer | None = None

    def after(self, seconds: float, connection: Connection) -> None:
        """Start the clock."""
        # A second handle of the same socket: the first may be closed, and its number in other use, by then.
        self._socket = socket.socket(fileno=os.dup(connection.fileno()))
        self._timer = threading.Timer(seconds, self._shut)
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
        if self._socket is not None:
            self._socket.close()

    def _shut(self) -> None:
        self.done = True
        if self._socket is not None:
            with suppress(OSError):  # it has ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


@contextmanager
def _cut() -> Iterator[_Cut]:
    cut = _Cut()
    try:
        yield cut
    finally:
        cut.stop()
