"""What is known about cells: their surroundings, and the names of places in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.blocks import ATTRIBUTES
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiops.db.connect import Connection

_COLUMNS = (*ATTRIBUTES, "name", "name_ko")


def write_cells(connection: Connection, cells: Iterable[Mapping[str, float | str | None]], dataset_id: int) -> int:
    """Write the surroundings and names of cells; what is not given stays as it is.

    Args:
        connection: the caller's; the rows are part of its transaction.
        cells: mappings with `grid_id` and any of the columns of `location_grid` (see `ATTRIBUTES`), `name`, `name_ko`.
        dataset_id: from `register_dataset`.

    Returns:
        The number of cells.
    """
    rows = [{**dict.fromkeys(_COLUMNS), **cell, "attributes_dataset": dataset_id} for cell in cells]
    with connection.cursor() as cursor:
        cursor.executemany(statement("upsert_cell"), rows)
    return len(rows)


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
