"""What indicators are computed from and where they are noted: for the batch that computes them cell after cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aiops.db.connect import Connection


def cells_to_derive(connection: Connection, first: int, last: int) -> list[int]:
    """Cells of a range that have daily or monthly series, or lack the winds of known storms, ascending.

    Args:
        connection: the caller's.
        first: the first grid_id of the range.
        last: the last, itself in the range.
    """
    rows = connection.execute(statement("cells_to_derive"), {"first": first, "last": last})
    return [row[0] for row in rows]


def indicators_hashes(connection: Connection, grid_ids: Sequence[int], method_version: str) -> dict[int, bytes]:
    """By cell one hash of everything that its indicators follow from.

    Args:
        connection: in the transaction (REPEATABLE READ) in which the data themselves are read.
        grid_ids: the cells.
        method_version: of the program.
    """
    return dict(
        connection.execute(
            statement("indicators_hashes"), {"grid_ids": list(grid_ids), "method_version": method_version}
        ).fetchall()
    )


def hold_unchanged_cells(connection: Connection, hashes: Mapping[int, bytes], method_version: str) -> None:
    """Lock cells until the end of the transaction, if they are still as they were read.

    Args:
        connection: the caller's, in a transaction that has not read these cells.
        hashes: by cell, from `indicators_hashes`.
        method_version: of the program.

    Raises:
        psycopg.errors.SerializationFailure: one of them is not; names the first.
    """
    connection.execute(
        statement("hold_unchanged_cells"),
        {"grid_ids": list(hashes), "hashes": list(hashes.values()), "method_version": method_version},
    )


def given_series(
    connection: Connection, variables: Collection[str], grid_ids: Sequence[int], *, generated: bool = True
) -> set[tuple[str, str, int]]:
    """(variable, scenario, cell) of stored series that were given and not computed.

    Args:
        connection: the caller's.
        variables: which to look for.
        grid_ids: the cells.
        generated: also those that a generator gave.
    """
    rows = connection.execute(
        statement("given_series"),
        {"variables": sorted(variables), "grid_ids": list(grid_ids), "generated": generated},
    ).fetchall()
    return {(variable, scenario, grid_id) for variable, scenario, grid_id in rows}


def delete_computed_series(
    connection: Connection,
    variables: Collection[str],
    grid_ids: Sequence[int],
    keep: Collection[tuple[str, str, int]],
) -> int:
    """Delete stored series that were computed, and of which nothing comes out any more.

    Args:
        connection: the caller's.
        variables: which of them.
        grid_ids: the cells.
        keep: (variable, scenario, cell) of which something does come out.

    Returns:
        How many were deleted.
    """
    # As whoever writes series does: of two who change a cell the second waits.
    connection.execute(statement("hold_cells"), {"grid_ids": list(grid_ids)})
    kept = sorted(keep)
    return connection.execute(
        statement("delete_computed_series"),
        {
            "variables": sorted(variables),
            "grid_ids": list(grid_ids),
            "kept_variables": [variable for variable, _, _ in kept],
            "kept_scenarios": [scenario for _, scenario, _ in kept],
            "kept_cells": [grid_id for _, _, grid_id in kept],
        },
    ).rowcount


def synthetic_series(
    connection: Connection, variables: Collection[str], grid_ids: Sequence[int]
) -> set[tuple[str, str, int]]:
    """(variable, scenario, cell) of stored series that a generator made, or that follow from such.

    Arguments as for `given_series`.
    """
    rows = connection.execute(
        statement("synthetic_series"), {"variables": sorted(variables), "grid_ids": list(grid_ids)}
    ).fetchall()
    return {(variable, scenario, grid_id) for variable, scenario, grid_id in rows}


def synthetic_basins(connection: Connection) -> set[str]:
    """Basins whose flow, or any use of whose water, a generator made."""
    return {row[0] for row in connection.execute(statement("synthetic_basins"))}


def note_indicators(connection: Connection, grid_ids: Sequence[int], method_version: str) -> None:
    """Note that all indicators of these cells stand, at the end of the transaction that has written them."""
    connection.execute(statement("note_indicators"), {"grid_ids": list(grid_ids), "method_version": method_version})
