"""Packed series: big-endian float32, as `pack_series` and `unpack_series` have it in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

PACKED = np.dtype(">f4")


def pack(values: ArrayLike) -> bytes:
    """Values to bytes; missing is NaN and keeps its place."""
    return np.asarray(values, dtype=PACKED).tobytes()


def unpack(packed: bytes) -> NDArray[np.float32]:
    """Bytes to values, (n,)."""
    return np.frombuffer(packed, dtype=PACKED).astype(np.float32)
