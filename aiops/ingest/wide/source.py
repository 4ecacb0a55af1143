"""What another database has in wide tables, and where its cells lie."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from aiops.db.connect import connection_arguments
from aiops.db.statements import statement
from aiops.errors import BadInput, DatabaseUnavailable
from aiops.grid import grid_ids_of
from aiops.ingest.texts import find_scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

CELLS = "location_grid"
"""The table that says where cells lie: grid_id, longitude, latitude."""
TIMES = ("year", "observation_date", "date")
"""Columns that say when."""
NO_TIME = -(2**31)
"""Stands for a row without a time."""
_AT_ONCE = 20_000
_DATE = "({column}::date - DATE '1970-01-01')"
_VALUES = "string_agg(float8send(coalesce({column}, 'NaN')), ''::bytea ORDER BY moment)"
_SOME_CELLS = "WHERE grid_id IN ({cells})"
_COLUMN = "{column}::float8 AS {column}"


@dataclass(frozen=True, slots=True)
class WideTable:
    """A table with a row a cell and time."""

    schema: str
    name: str
    time: str
    """One of TIMES."""
    scenarios: dict[str, str]
    """By column: the scenario."""

    @property
    def word(self) -> str:
        """What it is a table of."""
        return self.name.casefold().removesuffix("_data")

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}"


class WideRow(NamedTuple):
    """All that a table has of one cell."""

    cell: int | None
    """By the source's own number."""
    n_rows: int
    moments: NDArray[np.int32]
    """(rows,): year, or days since 1970, ascending; NO_TIME where there is none."""
    values: list[NDArray[np.float64]]
    """(rows,) by scenario, NaN where missing."""


@dataclass(frozen=True, slots=True)
class SourceCells:
    """The source's cells and those of the frame in which they lie."""

    numbers: NDArray[np.int64]
    """(cells,), ascending: the source's own."""
    grid_ids: NDArray[np.int32]
    """(cells,): 0 outside the frame, −1 where another cell of the source lies in the same."""
    doubled: list[str] = field(default_factory=list)
    """The first of the latter, in words."""

    def find(self, number: int | None) -> int | None:
        """The cell of the frame (0, −1 as above); None for one of which nothing is known."""
        if number is None:
            return None
        place = int(np.searchsorted(self.numbers, number))
        known = place < self.numbers.size and self.numbers[place] == number
        return int(self.grid_ids[place]) if known else None


@contextmanager
def open_source(conninfo: str) -> Iterator[Connection]:
    """A connection that only reads, all of it as of one moment.

    Raises:
        BadInput: that is no connection string.
        DatabaseUnavailable: there is no server, or it refuses us. No message repeats a password.
    """
    try:
        conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        # Its message repeats what was given, password and all.
        raise BadInput(
            "--from: this is no connection string; allowed: postgresql://user:password@host:port/name"
        ) from None
    try:
        connection = psycopg.connect(conninfo, **connection_arguments("ingest wide"))
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"--from: cannot connect: {' '.join(str(error).split())}") from error
    with connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        # Of a moment with a time zone the day is asked for, and the climate's days are Korea's, whatever the server
        # takes for its own. LOCAL: all is read in this one transaction, and a pooler keeps nothing of it.
        connection.execute("SET LOCAL TIME ZONE 'Asia/Seoul'")
        yield connection


def name_of(connection: Connection) -> str:
    """Where a connection leads, without user and password."""
    info = connection.info
    return f"{info.host}:{info.port}/{info.dbname}"


def wide_tables(connection: Connection) -> tuple[list[WideTable], list[tuple[str, str]]]:
    """The wide tables of a database, and those tables with a grid_id and a time that are none, with the reason."""
    found: list[WideTable] = []
    skipped: list[tuple[str, str]] = []
    for schema, name, columns in connection.execute(statement("wide_tables")).fetchall():
        time = next((column for column in TIMES if column in columns), None)
        if time is None:
            continue
        scenarios = {column: scenario for column in columns if (scenario := find_scenario(column)) is not None}
        doubled = sorted({one for one in scenarios.values() if list(scenarios.values()).count(one) > 1})
        if not scenarios:
            skipped.append((f"{schema}.{name}", "no column is a scenario; allowed: ssp1, ssp2, ssp3, ssp5, historical"))
        elif doubled:
            skipped.append((f"{schema}.{name}", f"several columns are {' and '.join(doubled)}"))
        else:
            found.append(WideTable(schema, name, time, scenarios))
    return found, skipped


def source_cells(connection: Connection, schema: str) -> SourceCells:
    """Where the cells of a schema lie, by coordinates: the cell of the frame whose centre is nearest.

    Memory: some 30 bytes a cell.

    Raises:
        BadInput: the schema has no table `location_grid` with grid_id, longitude and latitude.
    """
    query = sql.SQL(statement("wide_cells")).format(table=sql.Identifier(schema, CELLS))
    parts: list[NDArray[np.float64]] = []
    numbers: list[NDArray[np.int64]] = []
    try:
        with connection.transaction(), connection.cursor("wide_cells", binary=True) as cursor:
            cursor.execute(query)
            while rows := cursor.fetchmany(_AT_ONCE):
                numbers.append(np.array([row[0] for row in rows], dtype=np.int64))
                parts.append(np.array([row[1:] for row in rows], dtype=np.float64))
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise BadInput(
            f"{schema}.{CELLS}: {error.diag.message_primary}; "
            f"allowed: a table {CELLS} with grid_id, longitude and latitude, which says where the cells lie"
        ) from error
    if not numbers:
        raise BadInput(f"{schema}.{CELLS}: has no row; allowed: a row a cell")
    number, place = np.concatenate(numbers), np.concatenate(parts)
    grid_ids = grid_ids_of(place[:, 1], place[:, 0])
    return _each_once(number, grid_ids)


def wide_rows(
    connection: Connection, table: WideTable, at_once: int, *, some_cells: bool = False
) -> Iterator[Sequence[WideRow]]:
    """All of a table, cell by cell in the order of their numbers.

    Args:
        connection: from `open_source`.
        table: which.
        at_once: bytes that may be fetched together; the first fetch is one cell.
        some_cells: only some 20 cells, whichever come first.
    """
    columns = [sql.Identifier(name) for name in table.scenarios]
    moment = sql.SQL(_DATE).format(column=sql.Identifier(table.time)) if table.time != "year" else sql.SQL("year::int")
    name = sql.Identifier(table.schema, table.name)
    cells = sql.SQL(statement("wide_some_cells")).format(table=name)
    query = sql.SQL(statement("wide_series")).format(
        table=name,
        moment=moment,
        only=sql.SQL(_SOME_CELLS).format(cells=cells) if some_cells else sql.SQL(""),
        columns=sql.SQL(", ").join(sql.SQL(_COLUMN).format(column=one) for one in columns),
        values=sql.SQL(", ").join(sql.SQL(_VALUES).format(column=one) for one in columns),
    )
    with connection.transaction(), connection.cursor("wide_series", binary=True) as cursor:
        cursor.execute(query)
        wanted = 1
        while rows := cursor.fetchmany(wanted):
            yield [
                WideRow(
                    cell,
                    n_rows,
                    np.frombuffer(moments, ">i4").astype(np.int32),
                    [np.frombuffer(one, ">f8").astype(np.float64) for one in values],
                )
                for cell, n_rows, moments, *values in rows
            ]
            widest = max(sum(len(part) for part in row[2:]) for row in rows)
            wanted = max(1, min(1024, at_once // max(widest, 1)))


def _each_once(numbers: NDArray[np.int64], grid_ids: NDArray[np.int32]) -> SourceCells:
    """Mark cells that share one of the frame: which of them it is, nobody can say."""
    ids, counts = np.unique(grid_ids, return_counts=True)
    shared = ids[(counts > 1) & (ids > 0)]
    words = []
    for grid_id in shared[:5].tolist():
        of_source = " and ".join(str(one) for one in numbers[grid_ids == grid_id][:3].tolist())
        words.append(f"cells {of_source} both lie in cell {grid_id} of the frame")
    marked = np.where(np.isin(grid_ids, shared), -1, grid_ids).astype(np.int32)
    return SourceCells(numbers, marked, words)
