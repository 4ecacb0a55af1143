"""What is known about cells: their surroundings, and the names of places in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.db.blocks import ATTRIBUTES
from aiops.db.climate import Written
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiops.db.connect import Connection

CELL_WORDS = ("basin_id", "admin_code", "name", "name_ko")
"""Columns of `location_grid` that are text."""
_COLUMNS = ("grid_id", *ATTRIBUTES, *CELL_WORDS)


def write_cells(connection: Connection, cells: Iterable[Mapping[str, float | str | None]], dataset_id: int) -> Written:
    """Write the surroundings and names of cells; what is not given, or None, stays as it is.

    Args:
        connection: the caller's; the rows are part of its transaction.
        cells: mappings with `grid_id`, each once, and any of ATTRIBUTES and CELL_WORDS.
        dataset_id: from `register_dataset`.
    """
    rows = list(cells)
    columns: dict[str, list[float | str | None]] = {name: [row.get(name) for row in rows] for name in _COLUMNS}
    # Of single precision, as the columns are: the server refuses to round what is too small for that to zero.
    columns |= {name: [None if x is None else float(np.float32(x)) for x in columns[name]] for name in ATTRIBUTES}
    counts = connection.execute(statement("upsert_cells"), {**columns, "dataset_id": dataset_id}).fetchone()
    if counts is None:
        raise AssertionError("a count gave no row")
    inserted, updated = counts
    return Written(inserted, updated, len(rows) - inserted - updated)


def read_land(connection: Connection, grid_ids: Sequence[int]) -> dict[int, tuple[float | None, str | None]]:
    """Elevation (m) and basin of the cells that something is known about; None where that is not."""
    rows = connection.execute(statement("read_land"), {"grid_ids": list(grid_ids)}).fetchall()
    return {grid_id: (elevation, basin_id) for grid_id, elevation, basin_id in rows}


def cells_with_climate(connection: Connection, basins: Sequence[str] | None = None) -> list[int]:
    """Cells that have climate data, ascending; of some basins, or all."""
    rows = connection.execute(
        statement("cells_with_climate"), {"basins": None if basins is None else list(basins)}
    ).fetchall()
    return [row[0] for row in rows]


def write_names(connection: Connection, names: Mapping[int, str]) -> None:
    """Name the places of cells (Korean), where they have no name yet.

    Args:
        connection: the caller's; the rows are part of its transaction.
        names: by grid_id.
    """
    with connection.cursor() as cursor:
        cursor.executemany(
            statement("name_cell"), [{"grid_id": grid_id, "name_ko": name} for grid_id, name in names.items()]
        )
