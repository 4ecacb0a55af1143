"""Connections: where to, and with which safeguards against networks that go silent."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from aiops.db.embedded import embedded_conninfo
from aiops.db.patience import PatientConnection
from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable, SettingsError
from aiops.settings import settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import LiteralString

Connection = psycopg.Connection[TupleRow]

# A peer that vanished without a word is noticed in under 40 seconds, on idle and on busy connections.
_SAFEGUARDS: Mapping[str, Any] = {
    "connect_timeout": 10,
    "keepalives": 1,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}

POOL_TIMES: Mapping[str, Any] = {
    # For a connection: longer than one attempt to connect takes, shorter than anybody should hang.
    "timeout": 25,
    # A pool doubles its pauses between attempts up to this, and then starts anew (`keep_connecting`): a server that is
    # back after a long absence is noticed within seconds.
    "reconnect_timeout": 5,
}


def conninfo(*, direct: bool = False) -> str:
    """The libpq connection string to use; starts the embedded server when no DATABASE_* is set.

    Args:
        direct: past a connection pooler (LISTEN and session locks need it).
    """
    configured = settings().direct_conninfo() if direct else settings().conninfo()
    return configured if configured is not None else embedded_conninfo()


def connection_arguments(application: str, *, durable: bool = True) -> dict[str, Any]:
    """Keyword arguments for every connection of this project.

    Args:
        application: shown in pg_stat_activity after `aiops`.
        durable: False: a commit does not wait for the disk, so that a crash of the server may take the last ones back.
    """
    arguments: dict[str, Any] = {**_SAFEGUARDS, "application_name": f"aiops {application} {os.getpid()}"}
    if settings().database_direct_url is not None:
        arguments["prepare_threshold"] = None  # a transaction pooler lies in between, and passes no options on
    elif not durable:
        arguments["options"] = "-c synchronous_commit=off"
    return arguments


def connect(
    application: str = "client", *, direct: bool = False, autocommit: bool = False, wait_seconds: float = 0
) -> Connection:
    """One connection.

    Args:
        application: shown in pg_stat_activity after `aiops`.
        direct: past a connection pooler.
        autocommit: as in psycopg.
        wait_seconds: go on trying for so long while there is no server.

    Raises:
        DatabaseUnavailable: there is no server there, or it refuses us; says which and why.
    """
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return psycopg.connect(conninfo(direct=direct), autocommit=autocommit, **connection_arguments(application))
        except psycopg.OperationalError as error:
            if time.monotonic() >= deadline:
                raise DatabaseUnavailable(f"cannot connect to the database: {_one_line(error)}") from error
            time.sleep(0.5)


def refuse_pooler(connection: Connection) -> None:
    """Refuse a connection that is meant to lead to the server itself and leads to a connection pooler.

    A pooler hands out keys of its own to cancel a query by: the process that they name is not the one that answers.

    Args:
        connection: made with `direct=True`.

    Raises:
        SettingsError: LISTEN, locks of a session and prepared statements would not work.
    """
    row = connection.execute("SELECT pg_backend_pid()").fetchone()
    if row is not None and row[0] != connection.info.backend_pid:
        name = "DATABASE_URL" if settings().database_direct_url is None else "DATABASE_DIRECT_URL"
        raise SettingsError(
            f"{name}: {connection.info.host}:{connection.info.port} is a connection pooler (such as PgBouncer), behind "
            "which nobody can LISTEN; allowed: a pooler in DATABASE_URL with the server's own address in "
            "DATABASE_DIRECT_URL"
        )


def keep_connecting(pool: ConnectionPool[Any]) -> None:
    """Have a pool that has given up begin anew (`reconnect_failed` of a pool).

    By itself it begins anew only when somebody new asks for a connection; who is waiting for one already waits on, in
    vain, until his time is up (psycopg's issues 370 and 438).
    """
    pool.check()


async def keep_connecting_async(pool: AsyncConnectionPool[Any]) -> None:
    """As `keep_connecting`."""
    await pool.check()


def open_pool(
    application: str, *, min_size: int = 1, max_size: int = 3, autocommit: bool = False
) -> ConnectionPool[Connection]:
    """A pool for a process that works for long; broken connections are replaced when they are taken out."""

    def check(connection: Connection) -> None:
        try:
            ConnectionPool.check_connection(connection)
        except psycopg.Error:
            # What broke one has most likely broken all; found out one by one, each would cost a longer pause.
            pool.drain()
            raise

    pool = ConnectionPool[Connection](
        conninfo,
        connection_class=PatientConnection,
        kwargs={**connection_arguments(application), "autocommit": autocommit},
        configure=_guard_both_ends,
        min_size=min_size,
        max_size=max_size,
        check=check,
        name=f"aiops {application}",
        open=True,
        reconnect_failed=keep_connecting,
        **POOL_TIMES,
    )
    return pool


def guards() -> tuple[LiteralString, ...]:
    """What the server is told of a session that works for long: how long to wait for its client, and it for others."""
    if settings().database_direct_url is not None:  # a pooler gives the session to others, too
        return (statement("guard_session"),)
    return statement("guard_session"), statement("guard_waits")


def _guard_both_ends(connection: psycopg.Connection[Any]) -> None:
    for guard in guards():
        connection.execute(guard)
    connection.commit()


def _one_line(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
