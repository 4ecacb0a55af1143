"""Migrations: SQL files applied in the order of their names, each in a transaction of its own, with books kept.

The books (`schema_migrations`) hold every applied file with its hash. Files come from sources: ours, and those that
are handed in (the queue's). Two starts at once give one schema: the second waits for the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from aiops import __version__
from aiops.db.statements import sql_directory, statement
from aiops.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import LiteralString

    from psycopg.errors import Diagnostic

    from aiops.db.connect import Connection


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    source: str
    name: str
    sql: LiteralString
    frozen: bool
    """Whether a changed hash of an applied file is refused. Ours are frozen; a library may touch up an old file."""

    @property
    def sha256(self) -> str:
        """Hash of the text, hexadecimal."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What a run did."""

    applied: tuple[str, ...]
    """Files applied by this run, as source/name."""
    total: int
    """Files that the schema consists of."""
    notes: tuple[str, ...] = ()
    """What could not be done on the way, and what to do about it."""


def read_migrations(source: str, directory: Path, *, frozen: bool) -> tuple[Migration, ...]:
    """The `.sql` files of a folder as a source, in the order of their names."""
    return tuple(
        Migration(source, path.name, path.read_text(encoding="utf-8"), frozen)
        for path in sorted(directory.glob("*.sql"))
    )


def own_migrations() -> tuple[Migration, ...]:
    """This project's own files."""
    return read_migrations("aiops", sql_directory() / "migrations", frozen=True)


def pending(connection: Connection, migrations: Sequence[Migration]) -> tuple[Migration, ...]:
    """The files that this database lacks.

    Raises:
        SchemaError: the database holds files that this version does not know, or an applied file has changed.
    """
    books = read_books(connection)
    known = {(m.source, m.name) for m in migrations}
    sources = {m.source for m in migrations}
    strangers = sorted(
        f"{source}/{name}" for source, name in books if source in sources and (source, name) not in known
    )
    if strangers:
        raise SchemaError(
            f"the database is newer than this program (aiops {__version__}): it has {strangers[-1]}, which this "
            "version does not know; upgrade the program"
        )
    for m in migrations:
        applied_hash = books.get((m.source, m.name))
        if m.frozen and applied_hash is not None and applied_hash != m.sha256:
            raise SchemaError(
                f"migration {m.source}/{m.name} has changed since it was applied "
                f"(applied {applied_hash[:12]}, now {m.sha256[:12]}); applied files are never edited: "
                "put the change in a new file"
            )
    return tuple(m for m in migrations if (m.source, m.name) not in books)


def migrate(
    connection: Connection, migrations: Sequence[Migration], afterwards: LiteralString | None = None
) -> MigrationReport:
    """Apply what is missing.

    Args:
        connection: in autocommit mode, not through a transaction pooler (a session lock is held).
        migrations: all files of all sources, in the order in which they are to be applied.
        afterwards: a statement that is run then, under the same lock, even if nothing was missing; what it has to say
            (NOTICE) comes back as notes.

    Raises:
        SchemaError: see `pending`; or a file failed (it is named, and nothing of it was kept).
    """
    if not connection.autocommit:
        raise ValueError("migrate() needs a connection in autocommit mode: each file is a transaction of its own")
    applied = []
    notes: list[str] = []
    connection.execute(statement("lock_schema"))
    try:
        connection.execute(statement("create_schema_migrations"))
        for m in pending(connection, migrations):
            _apply(connection, m)
            applied.append(f"{m.source}/{m.name}")
        if afterwards is not None:
            notes = _run_for_notes(connection, afterwards)
    finally:
        if not connection.closed:
            connection.execute(statement("unlock_schema"))
    return MigrationReport(tuple(applied), len(migrations), tuple(notes))


def _run_for_notes(connection: Connection, query: LiteralString) -> list[str]:
    notes: list[str] = []

    def note(notice: Diagnostic) -> None:
        notes.append(". ".join(part for part in (notice.message_primary, notice.message_hint) if part))

    connection.add_notice_handler(note)
    try:
        connection.execute(query)
    finally:
        connection.remove_notice_handler(note)
    return notes


def _apply(connection: Connection, m: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(m.sql)
            connection.execute(statement("book_migration"), (m.source, m.name, m.sha256, __version__))
    except psycopg.Error as error:
        raise SchemaError(f"migration {m.source}/{m.name} failed: {' '.join(str(error).split())}") from error


def read_books(connection: Connection) -> dict[tuple[str, str], str]:
    """What was applied to this database: (source, name) → hash. Empty for a database that is not ours yet."""
    row = connection.execute(statement("schema_migrations_exist")).fetchone()
    if row is None or not row[0]:
        return {}
    rows = connection.execute(statement("list_schema_migrations")).fetchall()
    return {(source, name): sha256 for source, name, sha256 in rows}
