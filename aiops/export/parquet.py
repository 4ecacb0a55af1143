"""Parquet, by pyarrow (the extra `parquet`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiops.errors import BadInput
from aiops.export.texts import plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from aiops.export.rows import Rows, Selection

_ROWS_IN_GROUP: Final = 50_000


def write_parquet(file: Path, selection: Selection, blocks: Iterable[Rows], synthetic: Collection[int]) -> int:
    """Columns with types, units and meanings (in the fields' metadata), compressed by zstd; returns how many rows.

    Missing is null. Arrays are lists, times are UTC, `input_hash` and `batch_id` are texts. The schema's metadata say
    (`synthetic_data`) whether any of it rests on synthetic climate data: of cells that are `synthetic`.

    Raises:
        BadInput: pyarrow is not installed.
    """
    try:
        import pyarrow as pa  # noqa: PLC0415  the extra `parquet`
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError:
        raise BadInput("export: Parquet needs the extra `parquet`; install it: pip install 'aiops[parquet]'") from None
    types = {
        "float": pa.float64(),
        "int": pa.int32(),
        "text": pa.string(),
        "bool": pa.bool_(),
        "floats": pa.list_(pa.float64()),
        "bytes": pa.string(),
        "uuid": pa.string(),
        "time": pa.timestamp("us", tz="UTC"),
    }
    schema = pa.schema(
        [
            pa.field(column.name, types[column.kind], metadata={"unit": column.unit, "meaning": column.meaning})
            for column in selection.columns
        ],
        metadata={"synthetic_data": "true" if synthetic else "false"},
    )
    n = 0
    with pq.ParquetWriter(file, schema, compression="zstd") as out:
        waiting: Rows = []
        for rows in blocks:
            n += len(rows)
            waiting += rows
            if len(waiting) >= _ROWS_IN_GROUP:
                out.write_table(_table(pa, schema, selection, waiting))
                waiting = []
        if waiting:
            out.write_table(_table(pa, schema, selection, waiting))
    return n


def _table(pa: Any, schema: Any, selection: Selection, rows: Rows) -> Any:
    columns = zip(*rows, strict=True)
    arrays = [
        pa.array([plain(value) for value in values] if column.kind in {"bytes", "uuid"} else values, type=field.type)
        for column, field, values in zip(selection.columns, schema, columns, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
