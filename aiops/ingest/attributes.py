"""Attributes of cells: what a place is surrounded by, its basin, its names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.blocks import ATTRIBUTES
from aiops.db.cells import CELL_WORDS
from aiops.errors import FileRefused
from aiops.grid import FRAME, N_CELLS, grid_id_of
from aiops.ingest.input_rows import Inputs, numbered_rows, with_rows
from aiops.ingest.input_table import Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aiops.ingest.input_table import Facts, Row

# Nothing in Korea lies far below the sea; lower bounds would take −99 and the like, codes for missing, for heights.
_LOWEST_M = -20
_BOUNDS = {
    "elevation_m": (_LOWEST_M, 3000, "m"),
    "slope": (0, 90, "degrees"),
    "coast_distance_m": (0, 500_000, "m"),
    "river_distance_m": (0, 500_000, "m"),
    "river_elevation_m": (_LOWEST_M, 3000, "m"),
    "forest_distance_m": (0, 500_000, "m"),
    "impervious_ratio": (0, 1, ""),
    "crest_m": (_LOWEST_M, 3000, "m"),
}
_HINTS = {"impervious_ratio": "per cent", "slope": "per cent or per mille"}

PLACE_COLUMNS = (
    Column("grid_id", Kind.WHOLE, 1, N_CELLS, needed=False),
    Column("latitude", Kind.NUMBER, FRAME.south, FRAME.north, "degrees north", False, aliases=("lat",)),
    Column("longitude", Kind.NUMBER, FRAME.west, FRAME.east, "degrees east", False, aliases=("lon",)),
)
ATTRIBUTE_COLUMNS = (
    *PLACE_COLUMNS,
    *(Column(name, Kind.NUMBER, *_BOUNDS[name], needed=False, hint=_HINTS.get(name, "")) for name in ATTRIBUTES),
    *(Column(name, Kind.TEXT, needed=False) for name in CELL_WORDS),
)


def read_attributes(path: Path) -> Inputs:
    """Attributes of cells.

    Raises:
        FileRefused: no such file, no place or no attribute in it, or nothing of it can be used.
    """
    facts = read_facts(path, ATTRIBUTE_COLUMNS)
    if "grid_id" not in facts.columns and not {"latitude", "longitude"} <= set(facts.columns):
        raise FileRefused(f"{path}: column grid_id is missing, and latitude with longitude; allowed: either")
    given = [name for name in (*ATTRIBUTES, *CELL_WORDS) if name in facts.columns]
    if not given:
        allowed = " ".join((*ATTRIBUTES, *CELL_WORDS))
        raise FileRefused(f"{path}: has no column with an attribute; allowed: {allowed}")
    placed = with_rows(facts, _placed(facts))
    rows = each_once(placed, ("grid_id",), given)
    if not rows:
        raise nothing_left(path, facts.refusals)
    return Inputs(facts, cells=tuple({name: row[name] for name in ("grid_id", *given)} for row in rows.values()))


def _placed(facts: Facts) -> Iterator[tuple[Row, int]]:
    """Rows with the cell that they are of; a row without one is refused."""
    for row, line in numbered_rows(facts):
        number, latitude, longitude = (row.get(name) for name in ("grid_id", "latitude", "longitude"))
        by_place = None
        if latitude is not None and longitude is not None:
            by_place = grid_id_of(float(latitude), float(longitude))
        cell = by_place if number is None else number
        if cell is None:
            allowed = "a cell of the grid, or a place within its frame"
            facts.refusals.refuse_row(line, "grid_id", "no place", "", allowed)
        elif by_place is not None and cell != by_place:
            allowed = f"{by_place}, the cell that holds {latitude}, {longitude}"
            facts.refusals.refuse_row(line, "grid_id", "not the cell of the coordinates", str(number), allowed)
        elif all(row.get(name) is None for name in (*ATTRIBUTES, *CELL_WORDS)):
            facts.refusals.refuse_row(line, "row", "no value in any column", str(cell), "at least one value")
        else:
            yield {**row, "grid_id": cell}, line
