"""The database as the HTTP face sees it: a pool, and statements that answer with JSON."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from aiops.db.connect import POOL_TIMES, connection_arguments, conninfo, guards, keep_connecting_async
from aiops.db.patience import PatientAsyncConnection
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import LiteralString

    Row = dict[str, Any]

WAIT_SECONDS: Final = 3.0
"""For a connection: whoever asks over HTTP is told soon that there is none, and when to try again."""

_Answer = TypeVar("_Answer")


class Database:
    """Connections in autocommit mode: each request is one statement, and that is its transaction."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._pool: AsyncConnectionPool[PatientAsyncConnection] | None = None

    async def open(self) -> None:
        """Begin to connect; a server that is away is waited for in the background."""
        # In a thread: it may have to start the embedded server.
        where = await asyncio.to_thread(conninfo)
        self._pool = AsyncConnectionPool[PatientAsyncConnection](
            where,
            connection_class=PatientAsyncConnection,
            kwargs={**connection_arguments("api"), "autocommit": True},
            configure=_guard,
            min_size=2,
            max_size=self._most,
            name="aiops api",
            open=False,
            reconnect_failed=keep_connecting_async,
            **{**POOL_TIMES, "timeout": WAIT_SECONDS},
        )
        await self._pool.open(wait=False)

    async def close(self) -> None:
        """Give every connection back."""
        if self._pool is not None:
            await self._pool.close(timeout=2)

    async def text(self, name: LiteralString, **parameters: Any) -> str | None:
        """The one value that a reading statement answers with; None: no row, or NULL."""
        row = await self._read(lambda connection: _first(connection, name, parameters))
        return None if row is None else row[0]

    async def rows(self, name: LiteralString, **parameters: Any) -> list[Row]:
        """The rows that a reading statement answers with."""
        return await self._read(lambda connection: _rows(connection, name, parameters))

    async def tuples(self, name: LiteralString, **parameters: Any) -> list[tuple[Any, ...]]:
        """The same as tuples."""
        return await self._read(lambda connection: _tuples(connection, name, parameters))

    async def change(self, name: LiteralString, **parameters: Any) -> Any:
        """The one value that a statement answers with which changes something: carried out once, or not at all.

        Of a connection that has broken unnoticed one cannot tell afterwards whether it did; so it is tried beforehand.
        """
        pool = self._open_pool()
        async with pool.connection() as connection:
            try:
                await AsyncConnectionPool.check_connection(connection)
            except psycopg.OperationalError:
                await pool.drain()
                raise
            row = await _first(connection, name, parameters)
        return None if row is None else row[0]

    async def _read(self, ask: Callable[[PatientAsyncConnection], Awaitable[_Answer]]) -> _Answer:
        """Ask; once more on a new connection where the server has ended the first."""
        pool = self._open_pool()
        async with pool.connection() as connection:
            try:
                return await ask(connection)
            except psycopg.OperationalError:
                if not connection.closed:
                    raise  # the server answers, and this is its answer
        await pool.drain()
        async with pool.connection() as connection:
            return await ask(connection)

    def _open_pool(self) -> AsyncConnectionPool[PatientAsyncConnection]:
        if self._pool is None:
            raise AssertionError("the pool is used before it is opened")
        return self._pool


async def _first(connection: PatientAsyncConnection, name: LiteralString, parameters: Row) -> tuple[Any, ...] | None:
    cursor = await connection.execute(statement(name), parameters)
    return await cursor.fetchone()


async def _tuples(connection: PatientAsyncConnection, name: LiteralString, parameters: Row) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(statement(name), parameters)
    return await cursor.fetchall()


async def _rows(connection: PatientAsyncConnection, name: LiteralString, parameters: Row) -> list[Row]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(statement(name), parameters)
        return await cursor.fetchall()


async def _guard(connection: PatientAsyncConnection) -> None:
    for guard in guards():
        await connection.execute(guard)
