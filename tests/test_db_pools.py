"""Pools that outlive an absence of the server: who waits for a connection gets one as soon as it is back."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from daemons import wait_for
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from aiops.db import connect
from aiops.db.connect import keep_connecting_async, open_pool
from aiops.db.embedded.ports import free_port
from aiops.settings import settings

PATIENCE = 0.4
"""After so many seconds without a server, a pool gives up."""
SOON = 3.0
"""The pauses between its attempts are shorter, and this machine may be busy."""


class Address:
    """Where the server is: nowhere at first."""

    def __init__(self, database):
        self._somewhere = database
        self._now = make_conninfo(database, port=free_port())
        self.times_asked = 0

    def __call__(self):
        self.times_asked += 1
        return self._now

    def is_back(self):
        self._now = self._somewhere


@pytest.fixture
def address(database, monkeypatch):
    """The server's, which the pools do not find yet."""
    monkeypatch.setattr(connect, "POOL_TIMES", {"timeout": 20, "reconnect_timeout": PATIENCE})
    one = Address(database)
    monkeypatch.setattr(connect, "conninfo", one)
    return one


def test_who_waits_while_the_server_is_away_for_long_is_served_when_it_is_back(address):
    pool = open_pool("waiting", max_size=1)
    with ThreadPoolExecutor(1) as client:
        try:
            waiting = client.submit(pool.getconn, 20)
            # Given up and begun anew, more than once.
            wait_for(lambda: address.times_asked >= 6, 15)
            assert not waiting.done()
            address.is_back()
            back = time.monotonic()
            connection = waiting.result(20)
            assert time.monotonic() - back < SOON
            assert connection.execute("SELECT 1").fetchone() == (1,)
            pool.putconn(connection)
        finally:
            pool.close(1)


def test_so_is_a_task(address):
    async def wait():
        async def where():
            return address()

        pool = AsyncConnectionPool(
            where, min_size=1, max_size=1, open=False, reconnect_failed=keep_connecting_async, **connect.POOL_TIMES
        )
        await pool.open()
        try:
            waiting = asyncio.ensure_future(pool.getconn(timeout=20))
            await asyncio.to_thread(wait_for, lambda: address.times_asked >= 6, 15)
            assert not waiting.done()
            address.is_back()
            back = time.monotonic()
            connection = await waiting
            assert time.monotonic() - back < SOON
            await pool.putconn(connection)
        finally:
            await pool.close(1)

    asyncio.run(asyncio.wait_for(wait(), 30))


def test_sessions_of_pools_wait_for_no_lock_and_no_client_for_long(database, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()
    limits = "SELECT current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout')"
    with open_pool("test") as pool, pool.connection() as connection:
        assert connection.execute(limits).fetchone() == ("20s", "20s")
        assert connection.execute("SHOW client_connection_check_interval").fetchone() == ("5s",)
    # Behind a pooler somebody else may have the session next, who waits as he likes.
    monkeypatch.setenv("DATABASE_DIRECT_URL", database)
    settings.cache_clear()
    with open_pool("test") as pool, pool.connection() as connection:
        assert connection.execute(limits).fetchone() == ("0", "0")
