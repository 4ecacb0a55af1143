"""Rows for a binary COPY, made by numpy: no Python object per value.

PostgreSQL's binary COPY format: a header, then per row a field count and per field a length and the value in network
order (PostgreSQL documentation, COPY, "Binary Format"; the layout of arrays is that of `array_send`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
TRAILER = struct.pack("!h", -1)
_NULL = struct.pack("!i", -1)

_FLOAT8_OID = 701
_INT2_OID = 21


@dataclass(frozen=True, slots=True)
class Fields:
    """One column of n rows: a matrix of bytes when all fields are of one length, else a list."""

    fixed: NDArray[np.uint8] | None
    """(rows, bytes per field)."""
    varying: list[bytes] | None = None


def integers(values: NDArray[np.integer], width: int = 4) -> Fields:
    """An int2, int4 or int8 column (width 2, 4, 8) from (rows,)."""
    return _scalars(values.astype(f">i{width}"))


def floats(values: NDArray[np.floating]) -> Fields:
    """A float8 column from (rows,); NaN stays NaN."""
    return _scalars(values.astype(">f8"))


def booleans(values: NDArray[np.bool_]) -> Fields:
    """A boolean column from (rows,)."""
    return _scalars(values.astype("u1"))


def float_arrays(values: NDArray[np.floating]) -> Fields:
    """A float8[] column from (rows, elements); NaN stays NaN."""
    return _arrays(values.astype(">f8"), _FLOAT8_OID)


def integer_arrays(values: NDArray[np.integer]) -> Fields:
    """An int2[] column from (rows, elements)."""
    return _arrays(values.astype(">i2"), _INT2_OID)


def constant(value: str | bytes | None, rows: int) -> Fields:
    """A text or bytea column with the same value in all rows."""
    field = np.frombuffer(_field(value), dtype=np.uint8)
    return Fields(np.broadcast_to(field, (rows, field.size)))


def texts(values: Sequence[str | bytes | None]) -> Fields:
    """A text or bytea column, a value per row."""
    if len(set(values)) == 1:
        return constant(values[0], len(values))
    fields = [_field(value) for value in values]
    if len({len(field) for field in fields}) == 1:
        return Fields(np.frombuffer(b"".join(fields), dtype=np.uint8).reshape(len(fields), -1))
    return Fields(None, fields)


def copy_buffer(columns: Sequence[Fields], rows: int) -> bytes:
    """The whole input of a `COPY … FROM STDIN (FORMAT BINARY)`."""
    parts: list[NDArray[np.uint8] | list[bytes]] = []
    count = np.frombuffer(struct.pack("!h", len(columns)), dtype=np.uint8)
    run = [np.broadcast_to(count, (rows, 2))]
    for column in columns:
        if column.fixed is not None:
            run.append(column.fixed)
            continue
        parts += [np.hstack(run)] if run else []
        parts.append(column.varying or [])
        run = []
    parts += [np.hstack(run)] if run else []
    if len(parts) == 1 and isinstance(parts[0], np.ndarray):
        return HEADER + parts[0].tobytes() + TRAILER
    by_row = zip(*(_rows_of(part) for part in parts), strict=True)
    return HEADER + b"".join(b"".join(fields) for fields in by_row) + TRAILER


def as_one(buffers: Sequence[bytes]) -> Iterator[bytes | memoryview]:
    """The rows of several inputs of a COPY as the parts of one input, without a copy of them."""
    yield HEADER
    for buffer in buffers:
        yield memoryview(buffer)[len(HEADER) : -len(TRAILER)]
    yield TRAILER


def _rows_of(part: NDArray[np.uint8] | list[bytes]) -> list[bytes]:
    if isinstance(part, list):
        return part
    whole, width = part.tobytes(), part.shape[1]
    return [whole[start : start + width] for start in range(0, len(whole), width)]


def _field(value: str | bytes | None) -> bytes:
    if value is None:
        return _NULL
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("!i", len(data)) + data


def _scalars(values: NDArray[np.generic]) -> Fields:
    field = np.dtype([("length", ">i4"), ("value", values.dtype)])
    rows = np.empty(values.shape[0], dtype=field)
    rows["length"] = values.dtype.itemsize
    rows["value"] = values
    return Fields(rows.view(np.uint8).reshape(values.shape[0], field.itemsize))


def _arrays(values: NDArray[np.generic], element_oid: int) -> Fields:
    n_rows, n_elements = values.shape
    element = np.dtype([("length", ">i4"), ("value", values.dtype)])
    body = n_elements * element.itemsize
    # dimensions, has-null flag, element type, then per dimension its length and lower bound
    head = struct.pack("!iiiiii", 20 + body, 1, 0, element_oid, n_elements, 1)
    rows = np.empty(n_rows, dtype=np.dtype([("head", "V24"), ("elements", element, (n_elements,))]))
    rows["head"] = np.void(head)
    rows["elements"]["length"] = values.dtype.itemsize
    rows["elements"]["value"] = values
    return Fields(rows.view(np.uint8).reshape(n_rows, 24 + body))
