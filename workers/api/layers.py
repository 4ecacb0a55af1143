"""The map's layers: one measure of one risk in all cells, packed for a browser."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

import numpy as np
import psycopg

from aiops.climate import PROJECTIONS
from aiops.db.connect import connect
from aiops.db.reports import Area, read_measure
from aiops.errors import DatabaseUnavailable
from aiops.report.layers import Squares, layer_of, side_of

if TYPE_CHECKING:
    from aiops.db.reports import StoredMeasure

KEEP_SECONDS: Final = 30.0
_MOST_KEPT: Final = 18
_NOBODY: Final = UUID(int=0)
_STORED: Final = {"hazard": "hazard", "aal": "probability"}


@dataclass(frozen=True, slots=True)
class PackedLayer:
    """What `GET /api/map` sends."""

    packed: bytes
    """gzip of: the length of a JSON text (4 bytes, little-endian), the text, with as many blanks as make the
    whole divisible by 4; the squares' numbers (row × 1000 + column, 4 bytes each); then a byte for each projection and
    square:
    0 no result, 1 to 255 from `low` to `high`."""
    tag: str


class MapLayers:
    """Read from the database by one thread at a time, and kept for a moment: reading takes up to a second or two."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, PackedLayer | None]] = {}

    def get(self, measure: str, risk_type: str) -> PackedLayer | None:
        """A layer; None: no cell has such a result.

        Raises:
            DatabaseUnavailable: it cannot be read now.
        """
        key = (measure, risk_type)
        with self._lock:
            at, layer = self._kept.get(key, (-KEEP_SECONDS, None))
            if time.monotonic() - at < KEEP_SECONDS:
                return layer
            try:
                with connect("api map") as connection:
                    stored = read_measure(connection, _STORED[measure], risk_type, _NOBODY, Area())
            except psycopg.OperationalError as error:
                raise DatabaseUnavailable(str(error)) from error
            layer = _packed(stored, measure, risk_type)
            self._kept.pop(key, None)
            if len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = (time.monotonic(), layer)
            return layer


def _packed(stored: StoredMeasure, measure: str, risk_type: str) -> PackedLayer | None:
    if not stored.grid_ids.size:
        return None
    squares = Squares.of(stored.grid_ids, side_of(stored.grid_ids, 1))
    layer = layer_of(stored, measure, risk_type, squares, stored.grid_ids)
    head = json.dumps(
        {
            "risk_type": risk_type, "measure": measure, "low": layer.low, "high": layer.high,
            "n": int(squares.rows.size), "side": squares.side, "spread": squares.spread,
            "projections": [[one.scenario, one.horizon] for one in PROJECTIONS],
        }
    ).encode()  # fmt: skip
    head += b" " * (-(4 + len(head)) % 4)
    keys = (squares.rows * 1000 + squares.columns).astype("<u4")
    raw = struct.pack("<I", len(head)) + head + keys.tobytes() + np.ascontiguousarray(layer.codes).tobytes()
    packed = gzip.compress(raw, 5, mtime=0)
    return PackedLayer(packed, f'"{hashlib.sha256(packed).hexdigest()[:32]}"')
