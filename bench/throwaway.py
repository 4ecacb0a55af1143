"""Throw-away databases on which this project's own commands run, as a user runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, LiteralString

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from aiops.db.embedded import EmbeddedServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Database:
    """One database of its own."""

    conninfo: str

    def run(self, *arguments: str | Path) -> float:
        """One of our commands, to its end; the seconds it took.

        Raises:
            CalledProcessError: it failed; what it said stands on the terminal.
        """
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "workers.cli", *map(str, arguments)],
            env={**os.environ, "DATABASE_URL": self.conninfo, "LOG_LEVEL": "warning"},
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return time.monotonic() - started

    def rows(self, query: LiteralString, parameters: dict[str, object] | None = None) -> list[tuple]:
        """What a query answers."""
        with psycopg.connect(self.conninfo) as connection:
            return connection.execute(query, parameters).fetchall()


@contextmanager
def databases(*, durable: bool = False) -> Iterator[Databases]:
    """Of the server that DATABASE_URL names, or of one that is started for it in a temporary folder.

    Args:
        durable: that server waits for the disk, as one in use does.
    """
    configured = os.environ.get("DATABASE_URL")
    if configured:
        yield Databases(configured)
        return
    folder = Path(tempfile.mkdtemp(prefix="aiops-sanity-"))
    # The server may run under an account of its own, which has to pass through.
    folder.chmod(0o711)
    server = EmbeddedServer(folder / "server", durable=durable)
    try:
        yield Databases(server.start())
    finally:
        server.stop("immediate")
        for place in (server.home.folder, folder):
            shutil.rmtree(place, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases on one server."""

    conninfo: str

    @contextmanager
    def one(self, name: str) -> Iterator[Database]:
        """A migrated database that is dropped at the end."""
        unique = sql.Identifier(f"aiops_{name}_{os.getpid()}")
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(unique))
            try:
                database = Database(make_conninfo(self.conninfo, dbname=f"aiops_{name}_{os.getpid()}"))
                database.run("db", "migrate")
                yield database
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(unique))
