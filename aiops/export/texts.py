"""CSV and GeoJSON."""

from __future__ import annotations

import csv
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from aiops.grid import FRAME

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from aiops.export.rows import Rows, Selection

_HALF: Final = 0.5 / FRAME.per_degree
SYNTHETIC: Final = "synthetic"
"""The last column of a CSV: whether the climate data behind the row are."""


def write_csv(file: Path, selection: Selection, blocks: Iterable[Rows], synthetic: Collection[int]) -> int:
    """Comma-separated, UTF-8, names in the first line; returns how many rows.

    Missing is empty. Numbers have all the digits it takes to read them back as they are; arrays are JSON, booleans
    `true` and `false`, times ISO 8601 with their offset.

    Args:
        file: where to.
        selection: what is written.
        blocks: its rows.
        synthetic: cells with synthetic climate data, whose rows say so.
    """
    n = 0
    names = [column.name for column in selection.columns]
    at = names.index("grid_id")
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream)
        out.writerow([*names, SYNTHETIC])
        for rows in blocks:
            out.writerows([*map(_field, row), _field(row[at] in synthetic)] for row in rows)
            n += len(rows)
    return n


def write_geojson(file: Path, selection: Selection, blocks: Iterable[Rows], synthetic: Collection[int]) -> int:
    """A FeatureCollection (RFC 7946), a feature a row; returns how many.

    Cells are squares, places are points, both WGS 84; everything else is a property, null where missing. The
    collection's member `synthetic_data` says whether any of it rests on synthetic climate data.
    """
    names = [column.name for column in selection.columns]
    n = 0
    with file.open("w", encoding="utf-8") as stream:
        said = _field(bool(synthetic))
        stream.write(f'{{"type": "FeatureCollection", "synthetic_data": {said}, "features": [')
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
