"""The connection of a command: to a database that has this version's schema."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg.errors

from aiops.db.connect import connect
from aiops.db.statements import statement
from aiops.errors import SchemaError
from aiops.settings import settings
from workers.cli.output import errors
from workers.schema import apply_schema, pending_migrations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection


@contextmanager
def database(*, upgrade: bool = False) -> Iterator[Connection]:
    """A connection in autocommit mode to a database that has this version's schema.

    The embedded server is ours, and brought up to date. A database that the settings name is prepared if nothing
    is in it, and that is said; another is its owner's to back up and to migrate.

    Args:
        upgrade: bring any database up to date, as `aiops demo` does.

    Raises:
        SchemaError: migrations are missing, and not ours to apply; or the database is newer than this program.
    """
    with connect("command", autocommit=True) as connection:
        missing = len(pending_migrations(connection))
        if missing and (upgrade or settings().conninfo() is None):
            _migrate(missing)
        elif missing and not _holds_tables(connection):
            _migrate(missing)
            where = _where(connection)
            errors.print(f"prepared {where}, which was empty ({missing} migrations)", markup=False, soft_wrap=True)
        elif missing:
            _refuse_what_is_missing(connection)
        yield connection


def _migrate(missing: int) -> None:
    try:
        with connect("migrate", direct=True, autocommit=True) as direct:
            apply_schema(direct)
    except psycopg.errors.InsufficientPrivilege as error:
        raise SchemaError(
            f"the database lacks {missing} migrations, and this account may not apply them; its owner runs: "
            "aiops db migrate"
        ) from error


def _holds_tables(connection: Connection) -> bool:
    row = connection.execute(statement("holds_tables")).fetchone()
    return row is not None and bool(row[0])


def _refuse_what_is_missing(connection: Connection) -> None:
    """What somebody else is applying just now, such as a daemon that starts, is waited for."""
    with connect("migrate", direct=True, autocommit=True) as direct:
        direct.execute(statement("lock_schema"))
    missing = len(pending_migrations(connection))
    if missing:
        raise SchemaError(
            f"{missing} migrations are missing in {_where(connection)}; back it up, then run: aiops db migrate"
        )


def _where(connection: Connection) -> str:
    info = connection.info
    return f"the database {info.dbname} at {info.host}:{info.port}"
