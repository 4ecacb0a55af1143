"""The connection of a command: the schema is brought up to date first."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg.errors

from aiops.db.connect import connect
from aiops.errors import SchemaError
from workers.schema import apply_schema, pending_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection


def _migrate(missing: int) -> None:
    try:
        with connect("migrate", direct=True, autocommit=True) as direct:
            apply_schema(direct)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"the database lacks {missing} migrations, and this account may not apply them; its owner runs: "
            "aiops db migrate"
        ) from error


@contextmanager
def database() -> Iterator[Connection]:
    """A connection in autocommit mode to a database that has this version's schema."""
    with connect("command", autocommit=True) as connection:
        missing = pending_migrations(connection)
        if missing:
            _migrate(len(missing))
        yield connection
