"""The connection of a command: the schema is brought up to date first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiops.db.connect import connect
from workers.schema import apply_schema, pending_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection


@contextmanager
def database() -> Iterator[Connection]:
    """A connection in autocommit mode to a database that has this version's schema."""
    with connect("command", autocommit=True) as connection:
        if pending_migrations(connection):
            with connect("migrate", direct=True, autocommit=True) as direct:
                apply_schema(direct)
        yield connection
