"""The whole schema: the queue's migrations first, then ours, in one set of books."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from procrastinate.schema import SchemaManager

from aiops.db.migrate import (
    Migration,
    MigrationReport,
    migrate,
    own_migrations,
    pending,
    read_books,
    read_migrations,
)
from aiops.db.statements import statement
from aiops.errors import SchemaError

if TYPE_CHECKING:
    from aiops.db.connect import Connection

QUEUE_SOURCE = "procrastinate"


def all_migrations() -> tuple[Migration, ...]:
    """Every file that the schema is made of."""
    queue = read_migrations(QUEUE_SOURCE, Path(SchemaManager.get_migrations_path()), frozen=False)
    return (*queue, *own_migrations())


def apply_schema(connection: Connection) -> MigrationReport:
    """Bring a database to the schema of this version, and give the roles their rights.

    The rights are given each time: the roles may have been made since, by somebody who was allowed to.

    Args:
        connection: in autocommit mode, not through a transaction pooler.

    Raises:
        SchemaError: the database is newer, an applied file has changed, a file fails, or the database has queue
            tables that somebody else made.
    """
    books = read_books(connection)
    row = connection.execute(statement("queue_exists")).fetchone()
    if row is not None and row[0] and not any(source == QUEUE_SOURCE for source, _ in books):
        raise SchemaError(
            "this database holds procrastinate tables that were not made by aiops; "
            "use a database of its own, or drop them"
        )
    return migrate(connection, all_migrations(), afterwards=statement("grant_rights"))


def pending_migrations(connection: Connection) -> tuple[Migration, ...]:
    """The files that a database lacks; refuses a database that is newer than this program (SchemaError)."""
    return pending(connection, all_migrations())


def check_schema(connection: Connection) -> None:
    """Refuse to work on a database whose schema is not this version's.

    Raises:
        SchemaError: files are missing (names the first), or the database is newer.
    """
    missing = pending_migrations(connection)
    if missing:
        raise SchemaError(
            f"the database lacks {len(missing)} migrations, first {missing[0].source}/{missing[0].name}; "
            "run: aiops db migrate"
        )
