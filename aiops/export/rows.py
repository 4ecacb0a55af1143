"""Rows of what is exported, a block at a time, all as of one moment."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from psycopg.rows import tuple_row

from aiops.db.reports import synthetic_cells
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.export.columns import TABLES
from aiops.grid import FRAME, grid_id_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops.db.connect import Connection
    from aiops.export.columns import Column

    Rows = list[tuple[Any, ...]]

_CELLS_AT_ONCE: Final = 25
"""At most so many × 9 risks × 33 projections rows at a time."""
_ROWS_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Selection:
    """What is exported; None: all of it."""

    what: str
    """`probability`, `hazard` or `risk`."""
    risk_types: Sequence[str] | None = None
    scenarios: Sequence[str] | None = None
    horizons: Sequence[str] | None = None
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north, degrees."""

    @property
    def columns(self) -> Sequence[Column]:
        """Of the rows."""
        return TABLES[self.what]

    @property
    def of_cells(self) -> bool:
        """Whether the rows are those of cells, not of places."""
        return self.what != "risk"

    @property
    def parameters(self) -> dict[str, Any]:
        """As the statements name them."""
        west, south, east, north = self.bbox or (FRAME.west, FRAME.south, FRAME.east, FRAME.north)
        return {
            "risk_types": None if self.risk_types is None else list(self.risk_types),
            "scenarios": None if self.scenarios is None else list(self.scenarios),
            "horizons": None if self.horizons is None else list(self.horizons),
            "hazard": self.what == "hazard",
            "first": grid_id_of(south, FRAME.west),
            "last": grid_id_of(north, FRAME.east),
            # A hair of tolerance: a cell's centre on the border of the box belongs to it.
            "west": west - 1e-9,
            "east": east + 1e-9,
            "south": south - 1e-9,
            "north": north + 1e-9,
        }


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One moment of the database for all that is read in the block.

    Args:
        connection: in autocommit mode.
    """
    with connection.transaction():
        connection.execute(statement("begin_snapshot"))
        yield


def cells_of(connection: Connection, selection: Selection) -> list[int]:
    """The cells that there is something of, ascending."""
    return [row[0] for row in connection.execute(statement("export_cells"), selection.parameters)]


def synthetic_cells_of(connection: Connection, selection: Selection) -> set[int]:
    """The cells of the rows whose climate data are synthetic; within `snapshot`."""
    if selection.of_cells:
        cells = cells_of(connection, selection)
    else:
        cells = [row[0] for row in connection.execute(statement("export_risk_cells"), selection.parameters)]
    return synthetic_cells(connection, cells)


def blocks(connection: Connection, selection: Selection) -> Iterator[Rows]:
    """The rows in the order of cells (or places), risks and projections; within `snapshot`.

    Raises:
        BadInput: there is none.
    """
    found = _blocks_of_cells(connection, selection) if selection.of_cells else _blocks_of_places(connection, selection)
    nothing = True
    for rows in found:
        if rows:
            nothing = False
            yield rows
    if nothing:
        raise BadInput(f"export: there are no {selection.what} results of what was asked for{_way(selection)}")


def _way(selection: Selection) -> str:
    return "; aiops run computes them" if selection.of_cells else "; aiops request or aiops portfolio computes them"


def _blocks_of_cells(connection: Connection, selection: Selection) -> Iterator[Rows]:
    cells = cells_of(connection, selection)
    query = statement("export_hazard") if selection.what == "hazard" else statement("export_probability")
    parameters = selection.parameters
    with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        for first in range(0, len(cells), _CELLS_AT_ONCE):
            cursor.execute(query, {**parameters, "grid_ids": cells[first : first + _CELLS_AT_ONCE]})
            _refuse_other_columns(cursor, selection)
            yield cursor.fetchall()


def _blocks_of_places(connection: Connection, selection: Selection) -> Iterator[Rows]:
    with connection.cursor("export", binary=True, row_factory=tuple_row) as cursor:
        cursor.execute(statement("export_risk"), selection.parameters)
        _refuse_other_columns(cursor, selection)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            yield rows


def _refuse_other_columns(cursor: Any, selection: Selection) -> None:
    names = [column.name for column in cursor.description or ()]
    expected = [column.name for column in selection.columns]
    if names != expected:
        raise AssertionError(f"the view's columns are {names}, expected {expected}")
