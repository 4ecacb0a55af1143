"""Risks of places as NetCDF: one observation a row, in CF's discrete sampling geometry `point`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.export.netcdf import FILL, describe, flag_attributes, open_netcdf
from aiops.export.texts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiops.db.connect import Connection
    from aiops.export.rows import Rows, Selection

_CHUNK: Final = 4096
_STATUS: Final = {"ok": 1, "short_record": 2, "insufficient_data": 3, "not_applicable": 4, "failed": 5}


def write_points(file: Path, connection: Connection, selection: Selection, blocks: Iterable[Rows]) -> int:
    """All columns of the rows; returns how many. Missing is `_FillValue`, of texts the empty text.

    Raises:
        BadInput: there is no result, or the extra `netcdf` is not installed.
    """
    n = 0
    with open_netcdf(file) as out:
        describe(out, connection, selection, "Physical climate risk of places in Korea")
        out.attrs["featureType"] = "point"
        out.dimensions["obs"] = None
        for column in selection.columns:
            _declare(out, column)
        for rows in blocks:
            out.resize_dimension("obs", n + len(rows))
            for column, values in zip(selection.columns, zip(*rows, strict=True), strict=True):
                out.variables[column.name][n : n + len(rows)] = _array(column, values)
            n += len(rows)
    return n


def _declare(out: Any, column: Any) -> None:
    import h5py  # noqa: PLC0415  comes with h5netcdf

    options: dict[str, Any] = {"chunks": (_CHUNK,)}
    if column.name in {"status", "is_default"}:
        options |= {"dtype": np.int8, "fillvalue": np.int8(-1), "compression": "gzip"}
    elif column.kind == "float":
        options |= {"dtype": np.float64, "fillvalue": FILL, "compression": "gzip"}
    elif column.kind == "int":
        options |= {"dtype": np.int32, "fillvalue": np.int32(-1), "compression": "gzip"}
    else:
        options |= {"dtype": h5py.string_dtype()}
    made = out.create_variable(column.name, ("obs",), **options)
    made.attrs["long_name"] = column.meaning
    if column.unit:
        made.attrs["units"] = column.unit
    if column.name in {"latitude", "longitude"}:
        made.attrs["standard_name"] = column.name
    else:
        made.attrs["coordinates"] = "latitude longitude"
    if column.name in {"status", "is_default"}:
        made.attrs.update(flag_attributes(column.name))


def _array(column: Any, values: Any) -> Any:
    if column.name == "status":
        return np.array([_STATUS.get(value, -1) for value in values], dtype=np.int8)
    if column.name == "is_default":
        return np.array([-1 if value is None else int(value) for value in values], dtype=np.int8)
    if column.kind == "float":
        return np.array([FILL if value is None else value for value in values], dtype=np.float64)
    if column.kind == "int":
        return np.array([-1 if value is None else value for value in values], dtype=np.int32)
    return np.array(["" if value is None else str(plain(value)) for value in values], dtype=object)
