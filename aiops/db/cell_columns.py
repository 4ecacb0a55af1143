"""Stored P(H) and Hazard scores of many cells, column by column: for many sites at once.

The server sends each array as the bytes it keeps it in, and numpy reads them all in one go; a list of Python numbers
per array, as for one cell (`aiops.db.requests.read_cell_results`), takes three times as long.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.db.requests import MalformedResultError
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

_N = len(PROJECTIONS)
_FLOAT8: tuple[np.dtype[Any], int] = (np.dtype(">f8"), 701)
_INT2: tuple[np.dtype[Any], int] = (np.dtype(">i2"), 21)
"""Type of an element and its number in the database."""
_HEAD = struct.Struct("!iiiii")
"""How an array of one dimension begins: dimensions, has-null flag, type; length, lower bound."""


@dataclass(frozen=True, slots=True)
class CellColumns:
    """Results of some cells and one risk, all of the same bins; NaN missing, status 0 absent."""

    risk_type: str
    damage_set: str
    row_of: Mapping[int, int]
    """By cell: its place in the arrays."""
    is_default: NDArray[np.bool_]
    """(cells,)."""
    aal_reason: Sequence[str | None]
    """(cells,): why P(H) is missing."""
    score_reason: Sequence[str | None]
    """(cells,): why the Hazard score is missing."""
    aal: NDArray[np.float64]
    """(cells, 33)."""
    aal_low: NDArray[np.float64]
    """(cells, 33)."""
    aal_high: NDArray[np.float64]
    """(cells, 33)."""
    aal_status: NDArray[np.int16]
    """(cells, 33)."""
    probabilities: NDArray[np.float64]
    """(cells, 33, bins)."""
    damage_rates: NDArray[np.float64]
    """(cells, 33, bins)."""
    score: NDArray[np.float64]
    """(cells, 33), 0 to 100."""
    score_status: NDArray[np.int16]
    """(cells, 33)."""


@dataclass(frozen=True, slots=True)
class StoredCells:
    """What is stored of some cells."""

    columns: Sequence[CellColumns]
    """In general one a risk; more where cells of one risk have different bins."""
    malformed: Mapping[tuple[int, str], MalformedResultError]
    """By cell and risk: what cannot be read."""


def read_cell_columns(connection: Connection, grid_ids: Sequence[int], risk_types: Sequence[str]) -> StoredCells:
    """Stored results of cells and risks."""
    groups: defaultdict[tuple[Any, ...], list[tuple[Any, ...]]] = defaultdict(list)
    malformed: dict[tuple[int, str], MalformedResultError] = {}
    with connection.cursor(binary=True) as cursor:
        cursor.execute(statement("read_cell_columns"), {"grid_ids": list(grid_ids), "risk_types": list(risk_types)})
        for row in cursor:
            risk_type, damage_set, n_bins, grid_id, *_ = row
            rates_alike = row[12].startswith(_head(n_bins, _FLOAT8))
            problem = _problem(row, _arrays(n_bins, rates_alike))
            if problem is None:
                groups[risk_type, damage_set, n_bins, rates_alike].append(row)
            else:
                malformed[grid_id, risk_type] = MalformedResultError(grid_id, risk_type, problem)
    return StoredCells([_columns(rows, *key[2:]) for key, rows in groups.items()], malformed)


@dataclass(frozen=True, slots=True)
class _Array:
    """One array of a row as it must come."""

    name: str
    place: int
    """In the row."""
    size: int
    head: bytes
    length: int
    """Bytes."""


@cache
def _arrays(n_bins: int, rates_alike: bool) -> tuple[_Array, ...]:
    of_bins = _N * n_bins
    expected = (
        ("aal", _N, _FLOAT8),
        ("aal_low", _N, _FLOAT8),
        ("aal_high", _N, _FLOAT8),
        ("status of P(H)", _N, _INT2),
        ("probabilities", of_bins, _FLOAT8),
        ("damage_rates", n_bins if rates_alike else of_bins, _FLOAT8),
        ("score", _N, _FLOAT8),
        ("status of the score", _N, _INT2),
    )
    return tuple(
        _Array(name, 7 + place, size, _head(size, kind), _HEAD.size + size * (4 + kind[0].itemsize))
        for place, (name, size, kind) in enumerate(expected)
    )


def _problem(row: tuple[Any, ...], arrays: Sequence[_Array]) -> str | None:
    """What is wrong with a row's arrays; None: nothing."""
    for one in arrays:
        sent: bytes = row[one.place]
        if len(sent) != one.length or not sent.startswith(one.head):
            return f"{one.name} is not of {one.size} numbers"
    return None


def _columns(rows: Sequence[tuple[Any, ...]], n_bins: int, rates_alike: bool) -> CellColumns:
    n = len(rows)
    risk_types, damage_sets, _, grid_ids, is_default, aal_reason, score_reason, *sent = zip(*rows, strict=True)
    aal, low, high, aal_status, p, rates, score, score_status = sent
    all_rates = _floats(rates, n_bins if rates_alike else _N * n_bins).reshape(n, -1, n_bins)
    return CellColumns(
        risk_type=risk_types[0],
        damage_set=damage_sets[0],
        row_of={grid_id: place for place, grid_id in enumerate(grid_ids)},
        is_default=np.array(is_default, dtype=np.bool_),
        aal_reason=aal_reason,
        score_reason=score_reason,
        aal=_floats(aal, _N),
        aal_low=_floats(low, _N),
        aal_high=_floats(high, _N),
        aal_status=_values(aal_status, _N, _INT2).astype(np.int16),
        probabilities=_floats(p, _N * n_bins).reshape(n, _N, n_bins),
        damage_rates=np.broadcast_to(all_rates, (n, _N, n_bins)),
        score=_floats(score, _N),
        score_status=_values(score_status, _N, _INT2).astype(np.int16),
    )


def _floats(sent: Sequence[bytes], size: int) -> NDArray[np.float64]:
    return _values(sent, size, _FLOAT8).astype(np.float64)


def _values(sent: Sequence[bytes], size: int, kind: tuple[np.dtype[Any], int]) -> NDArray[Any]:
    """(rows, size), of arrays as the server sends them: an element is its length, then its value."""
    element = np.dtype([("length", ">i4"), ("value", kind[0])])
    row = np.dtype([("head", f"V{_HEAD.size}"), ("elements", element, (size,))])
    return np.frombuffer(b"".join(sent), dtype=row)["elements"]["value"]


def _head(size: int, kind: tuple[np.dtype[Any], int]) -> bytes:
    return _HEAD.pack(1, 0, kind[1], size, 1)
