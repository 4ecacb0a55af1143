"""What reports read: the run that speaks for a place, a batch and its chunks, stored results risk by risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, LiteralString

import numpy as np
from psycopg.rows import dict_row

from aiops.climate import PROJECTIONS
from aiops.db.statements import statement
from aiops.grid import FRAME, grid_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

    Row = dict[str, Any]

_ROWS_AT_ONCE: Final = 2000
_HEAD: Final = 20
"""Bytes before the elements of an array of one dimension; each element is its length (4 bytes), then its value."""


@dataclass(frozen=True, slots=True)
class Area:
    """Cells within a box of degrees."""

    west: float = FRAME.west
    south: float = FRAME.south
    east: float = FRAME.east
    north: float = FRAME.north
    cells: Sequence[int] | None = None
    """Only these; None: all that have results."""

    @property
    def parameters(self) -> Row:
        """As the statements name them."""
        return {
            "first": grid_id_of(self.south, FRAME.west),
            "last": grid_id_of(self.north, FRAME.east),
            # A hair of tolerance: a cell's centre on the border of the box belongs to it.
            "west": self.west - 1e-9,
            "east": self.east + 1e-9,
            "cells": None if self.cells is None else list(self.cells),
        }


@dataclass(frozen=True, slots=True)
class StoredMeasure:
    """One measure of one risk in all cells of an area that have it."""

    grid_ids: NDArray[np.int32]
    """(cells,), ascending."""
    values: NDArray[np.float32]
    """(cells, 33): Hazard score of 0 to 100, or AAL as a fraction a year; NaN none."""
    status: NDArray[np.int8]
    """(cells, 33): a ResultStatus; 0 absent."""
    written: int
    """Cells of which the batch in question wrote the result."""
    unreadable: int
    """Rows that are not of the shape that every result has; they are left out."""


def read_speaking_run(
    connection: Connection, latitude: float, longitude: float, scenario: str | None, target_year: int | None
) -> Row | None:
    """The run that speaks for a place; of any scenario or decade, where None is asked for, the latest."""
    return _one(
        connection,
        statement("speaking_run"),
        {"latitude": latitude, "longitude": longitude, "scenario": scenario, "target_year": target_year},
    )


def read_risk_names(connection: Connection) -> list[Row]:
    """`risk_type`, `name`, `name_ko`, `loss_kind` of every risk type, in order."""
    return _all(connection, statement("list_risk_types"), {})


def read_place_name(connection: Connection, grid_id: int) -> Row | None:
    """`name` and `name_ko` of a cell, either of which may be None."""
    return _one(connection, statement("list_places"), {"grid_ids": [grid_id], "most": 1})


def read_named_places(connection: Connection, most: int = 200) -> list[Row]:
    """Cells that people have a name for, from the north."""
    return _all(connection, statement("named_places"), {"most": most})


def read_datasets(connection: Connection, grid_id: int) -> list[Row]:
    """The data sets that the results of a cell rest on, and what each is `used_for`; synthetic ones first."""
    return _all(connection, statement("datasets_of_cells"), {"grid_id": grid_id})


def has_synthetic_data(connection: Connection, grid_ids: Sequence[int]) -> bool:
    """Whether climate data of any of these cells are synthetic."""
    if not _scalar(connection, statement("any_synthetic_dataset"), {}):
        return False  # looking into every cell would take its time
    return bool(_scalar(connection, statement("has_synthetic_data"), {"grid_ids": list(grid_ids)}))


def synthetic_cells(connection: Connection, grid_ids: Sequence[int]) -> set[int]:
    """Those of these cells that have synthetic climate data."""
    if not grid_ids or not _scalar(connection, statement("any_synthetic_dataset"), {}):
        return set()
    rows = connection.execute(statement("cells_with_synthetic_data"), {"grid_ids": list(grid_ids)})
    return {row[0] for row in rows}


def read_batch(connection: Connection, batch_id: UUID | str) -> Row | None:
    """A batch's row with `items_per_second`; None for an unknown id."""
    return _one(connection, statement("report_batch"), {"batch_id": batch_id})


def read_chunk_states(connection: Connection, batch_id: UUID | str) -> list[Row]:
    """`state`, `chunks`, `cells`, `tries`: how many chunks of a batch are in which state."""
    return _all(connection, statement("report_chunks"), {"batch_id": batch_id})


def read_failed_chunks(connection: Connection, batch_id: UUID | str, most: int = 50) -> list[Row]:
    """The first failed chunks of a batch, with their errors."""
    return _all(connection, statement("report_failed_chunks"), {"batch_id": batch_id, "most": most})


def read_stamps(connection: Connection, batch_id: UUID | str) -> list[Row]:
    """`what`, `which`, `rows`: methods, damage sets and baselines of what a batch wrote and is still stored."""
    return _all(connection, statement("report_stamp"), {"batch_id": batch_id})


def read_result_cells(connection: Connection, risk_types: Sequence[str], area: Area) -> NDArray[np.int32]:
    """The cells of an area that have a stored result of any of some risks, ascending."""
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement("report_cells"), {"risk_types": list(risk_types), **area.parameters})
        return np.fromiter((row[0] for row in cursor), dtype=np.int32)


def read_measure(
    connection: Connection, measure: str, risk_type: str, batch_id: UUID | str, area: Area
) -> StoredMeasure:
    """Hazard scores or AAL of one risk, a projection a column.

    Args:
        connection: in autocommit mode or not: a cursor of the server is read within one transaction.
        measure: `hazard` or `probability`.
        risk_type: its name.
        batch_id: whose part in the results is counted.
        area: which cells.
    """
    query: LiteralString = statement("report_hazard") if measure == "hazard" else statement("report_probability")
    parameters = {"risk_type": risk_type, "batch_id": batch_id, **area.parameters}
    n = len(PROJECTIONS)
    lengths = (_HEAD + 12 * n, _HEAD + 6 * n)
    ids: list[NDArray[np.int32]] = []
    values: list[NDArray[np.float32]] = []
    status: list[NDArray[np.int8]] = []
    written = unreadable = 0
    with connection.transaction(), connection.cursor("report_measure", binary=True) as cursor:
        cursor.execute(query, parameters)
        while rows := cursor.fetchmany(_ROWS_AT_ONCE):
            good = [row for row in rows if (len(row[1]), len(row[2])) == lengths]
            unreadable += len(rows) - len(good)
            written += sum(row[3] is True for row in good)
            ids.append(np.array([row[0] for row in good], dtype=np.int32))
            values.append(_elements([row[1] for row in good], ">f8").astype(np.float32))
            status.append(_elements([row[2] for row in good], ">i2").astype(np.int8))
    empty = np.empty((0, n))
    return StoredMeasure(
        np.concatenate(ids) if ids else np.empty(0, np.int32),
        np.concatenate(values) if values else empty.astype(np.float32),
        np.concatenate(status) if status else empty.astype(np.int8),
        written,
        unreadable,
    )


def _elements(sent: Sequence[bytes], kind: str) -> NDArray[Any]:
    """(rows, 33), of arrays as the server sends them."""
    element = np.dtype([("length", ">i4"), ("value", kind)])
    row = np.dtype([("head", f"V{_HEAD}"), ("elements", element, (len(PROJECTIONS),))])
    return np.frombuffer(b"".join(sent), dtype=row)["elements"]["value"]


def _all(connection: Connection, query: LiteralString, parameters: Row) -> list[Row]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchall()


def _one(connection: Connection, query: LiteralString, parameters: Row) -> Row | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query, parameters).fetchone()


def _scalar(connection: Connection, query: LiteralString, parameters: Row) -> Any:
    row = connection.execute(query, parameters).fetchone()
    return None if row is None else row[0]
