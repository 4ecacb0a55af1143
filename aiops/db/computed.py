"""What has been computed, from which inputs: so that a yearly batch can leave out what has not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from aiops.db.connect import Connection


def input_hashes(
    connection: Connection, grid_ids: NDArray[np.int32], method_version: str, damage_set: str
) -> list[bytes]:
    """For each cell one hash of everything that its results follow from.

    Args:
        connection: in the transaction (REPEATABLE READ) in which the data themselves are read.
        grid_ids: (cells,), ascending.
        method_version: of the program.
        damage_set: that the results are made with.
    """
    rows = connection.execute(
        statement("input_hashes"),
        {"grid_ids": grid_ids.tolist(), "method_version": method_version, "damage_set": damage_set},
    )
    return [row[0] for row in rows]


def note_computed(
    connection: Connection,
    kind: str,
    grid_ids: NDArray[np.int32],
    hashes: Sequence[bytes],
    risk_types: Sequence[str],
) -> None:
    """Note that these risks of these cells stand, in the transaction that writes them.

    Args:
        connection: the caller's.
        kind: `probability` or `hazard`.
        grid_ids: (cells,).
        hashes: from `input_hashes`, one a cell.
        risk_types: what was computed, for all projections.
    """
    connection.execute(
        statement("note_computed"),
        {"kind": kind, "grid_ids": grid_ids.tolist(), "input_hashes": list(hashes), "risk_types": list(risk_types)},
    )
