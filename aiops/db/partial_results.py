"""Results of some projections only: the others stay as they were."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import LiteralString

    from numpy.typing import NDArray

    from aiops.db.connect import Connection
    from aiops.db.results import HazardColumns, ProbabilityColumns

    P = TypeVar("P", bound=ProbabilityColumns)
    H = TypeVar("H", bound=HazardColumns)

_PER_BIN = {"edges": "bin_edges", "probabilities": "probabilities", "damage_rates": "damage_rates"}
_PER_PROJECTION = ("aal", "aal_low", "aal_high", "estimator", "n_years", "status")


def keep_other_projections(
    connection: Connection,
    grid_ids: NDArray[np.int32],
    result: P,
    wanted: NDArray[np.bool_],
    hashes: Sequence[bytes],
) -> tuple[P, list[bytes]]:
    """P(H) in which the projections that are not wanted are those that are stored, or absent where none are.

    Args:
        connection: in the transaction that will write the result.
        grid_ids: (cells,), of the result.
        result: a frozen dataclass of P(H).
        wanted: (33,).
        hashes: of each cell's inputs now.

    Returns:
        The result; and the hash of each cell's inputs, which stays that of the row of which anything is kept: as long
        as some of a row is old, the row is.
    """
    kept = list(hashes)
    arrays = {name: np.array(getattr(result, name)) for name in (*_PER_BIN, *_PER_PROJECTION)}
    _blank(arrays, ~wanted)
    stored = _stored(connection, statement("stored_probability"), grid_ids, result.risk_type)
    n_bins = result.probabilities.shape[2]
    for cell, grid_id in enumerate(grid_ids.tolist()):
        row = stored.get(grid_id)
        if row is None or row["n_bins"] != n_bins or row["damage_set"] != result.damage_set:
            continue
        for name, column in _PER_BIN.items():
            target = arrays[name][cell]
            target[~wanted] = np.broadcast_to(np.reshape(row[column], (-1, target.shape[1])), target.shape)[~wanted]
        for name in _PER_PROJECTION:
            arrays[name][cell, ~wanted] = np.asarray(row[name])[~wanted]
        if np.asarray(row["status"])[~wanted].any():
            kept[cell] = row["input_hash"]
    changed: P = replace(result, **arrays)  # type: ignore[type-var]
    return changed, kept


def keep_other_scores(
    connection: Connection,
    grid_ids: NDArray[np.int32],
    result: H,
    wanted: NDArray[np.bool_],
    hashes: Sequence[bytes],
) -> tuple[H, list[bytes]]:
    """Hazard scores, as `keep_other_projections`."""
    kept = list(hashes)
    arrays = {name: np.array(getattr(result, name)) for name in ("score", "coverage", "status")}
    _blank(arrays, ~wanted)
    stored = _stored(connection, statement("stored_hazard"), grid_ids, result.risk_type)
    for cell, grid_id in enumerate(grid_ids.tolist()):
        if grid_id in stored:
            for name, values in arrays.items():
                values[cell, ~wanted] = np.asarray(stored[grid_id][name])[~wanted]
            if np.asarray(stored[grid_id]["status"])[~wanted].any():
                kept[cell] = stored[grid_id]["input_hash"]
    changed: H = replace(result, **arrays)  # type: ignore[type-var]
    return changed, kept


def _blank(arrays: Mapping[str, NDArray[Any]], where: NDArray[np.bool_]) -> None:
    for values in arrays.values():
        values[:, where] = np.nan if np.issubdtype(values.dtype, np.floating) else 0


def _stored(
    connection: Connection, query: LiteralString, grid_ids: NDArray[np.int32], risk_type: str
) -> dict[int, dict[str, Any]]:
    cursor = connection.execute(query, {"grid_ids": grid_ids.tolist(), "risk_type": risk_type})
    names = [column.name for column in cursor.description or ()]
    return {row[0]: dict(zip(names, row, strict=True)) for row in cursor}
