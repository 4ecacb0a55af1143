"""CSV and GeoJSON."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aiops.grid import FRAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiops.export.rows import Rows, Selection

_HALF: Final = 0.5 / FRAME.per_degree


def write_csv(file: Path, selection: Selection, blocks: Iterable[Rows]) -> int:
    """Comma-separated, UTF-8, names in the first line; returns how many rows.

    Missing is empty. Numbers have all the digits it takes to read them back as they are; arrays are JSON, booleans
    `true` and `false`, times ISO 8601 with their offset.
    """
    n = 0
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow([column.name for column in selection.columns])
        for rows in blocks:
            out.writerows([_field(value) for value in row] for row in rows)
            n += len(rows)
    return n


def write_geojson(file: Path, selection: Selection, blocks: Iterable[Rows]) -> int:
    """A FeatureCollection (RFC 7946), a feature a row; returns how many.

    Cells are squares, places are points, both WGS 84; everything else is a property, null where missing.
    """
    names = [column.name for column in selection.columns]
    n = 0
    with file.open("w", encoding="utf-8") as stream:
        stream.write('{"type": "FeatureCollection", "features": [')
        for rows in blocks:
            for row in rows:
                properties = {name: plain(value) for name, value in zip(names, row, strict=True)}
                feature = {
                    "type": "Feature",
                    "geometry": _geometry(properties, square=selection.of_cells),
                    "properties": properties,
                }
                stream.write("\n" if n == 0 else ",\n")
                json.dump(feature, stream, ensure_ascii=False, allow_nan=False)
                n += 1
        stream.write("\n]}\n")
    return n


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    return value


def _field(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return json.dumps(value)
    return plain(value)


def _geometry(properties: dict[str, Any], *, square: bool) -> dict[str, Any]:
    latitude, longitude = properties["latitude"], properties["longitude"]
    if not square:
        return {"type": "Point", "coordinates": [longitude, latitude]}
    south, north = round(latitude - _HALF, 3), round(latitude + _HALF, 3)
    west, east = round(longitude - _HALF, 3), round(longitude + _HALF, 3)
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}
