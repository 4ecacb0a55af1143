"""Rows for a binary COPY whose values may be missing: NaN in, NULL out. Beside `aiops.db.copy_rows`.

A column without anything missing is a matrix of bytes as there; only one with gaps is put together row by row.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aiops.db.copy_rows import HEADER, TRAILER, Fields, float_arrays, floats

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NULL = struct.pack("!i", -1)
_JSONB_VERSION = b"\x01"
_FLOAT8_OID = 701
_TEXT_OID = 25


def nullable_floats(values: NDArray[np.floating]) -> Fields:
    """A float8 column from (rows,); NaN becomes NULL."""
    gaps = np.isnan(values)
    if not gaps.any():
        return floats(values)
    whole = floats(values).fixed
    if whole is None:
        raise AssertionError("numbers are of one length")
    return Fields(None, [_NULL if gap else row.tobytes() for row, gap in zip(whole, gaps.tolist(), strict=True)])


def nullable_float_arrays(values: NDArray[np.floating]) -> Fields:
    """A float8[] column from (rows, elements); an element that is NaN becomes NULL."""
    gaps = np.isnan(values)
    if not gaps.any():
        return float_arrays(values)
    n_rows, n_elements = values.shape
    element = np.dtype([("length", ">i4"), ("value", ">f8")])
    elements = np.empty((n_rows, n_elements), dtype=element)
    elements["length"] = np.where(gaps, -1, 8)
    elements["value"] = values
    kept = np.ones((n_rows, n_elements, element.itemsize), dtype=np.bool_)
    kept[gaps, 4:] = False
    body = elements.view(np.uint8).reshape(kept.shape)[kept].tobytes()
    ends = np.cumsum(kept.sum(axis=(1, 2)))
    starts = np.concatenate([[0], ends[:-1]])
    return Fields(
        None,
        [
            # length; dimensions, has-null flag, element type; length and lower bound of the one dimension
            struct.pack("!iiiiii", 20 + end - start, 1, 1, _FLOAT8_OID, n_elements, 1) + body[start:end]
            for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        ],
    )


def documents(values: Sequence[str | None]) -> Fields:
    """A jsonb column from JSON texts; None is NULL."""
    return Fields(None, [_NULL if value is None else _document(value) for value in values])


def text_arrays(values: Sequence[Sequence[str] | None]) -> Fields:
    """A text[] column; None is NULL."""
    return Fields(None, [_NULL if value is None else _text_array(tuple(value)) for value in values])


def nulls(rows: int) -> Fields:
    """A column of any type without a value in any row."""
    return Fields(np.broadcast_to(np.frombuffer(_NULL, dtype=np.uint8), (rows, len(_NULL))))


def one_buffer(buffers: Sequence[bytes]) -> bytes:
    """The rows of several inputs of a COPY as one input."""
    return HEADER + b"".join(buffer[len(HEADER) : -len(TRAILER)] for buffer in buffers) + TRAILER


@lru_cache(maxsize=4096)
def _document(text: str) -> bytes:
    data = _JSONB_VERSION + text.encode()
    return struct.pack("!i", len(data)) + data


@lru_cache(maxsize=4096)
def _text_array(texts: tuple[str, ...]) -> bytes:
    if not texts:
        return struct.pack("!iiii", 12, 0, 0, _TEXT_OID)
    parts = [text.encode() for text in texts]
    body = b"".join(struct.pack("!i", len(part)) + part for part in parts)
    return struct.pack("!iiiiii", 20 + len(body), 1, 0, _TEXT_OID, len(parts), 1) + body
