"""The formats of inputs other than climate series: attributes, gauges, sea level, water, warming.

A reader judges a file whole and gives the rows of its tables. The columns are described in `docs/ingest.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np

from aiops.db.blocks import ATTRIBUTES
from aiops.db.cells import CELL_WORDS
from aiops.db.inputs import Basin, Gauge, GaugeMaximum, SeaLevelRise, Warming, WaterUse
from aiops.errors import FileRefused
from aiops.grid import FRAME, N_CELLS, grid_id_of
from aiops.ingest.input_table import SCENARIO, YEAR, Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aiops.ingest.input_table import Facts, Row

_LATITUDE = Column("latitude", Kind.NUMBER, FRAME.south, FRAME.north, "degrees north", aliases=("lat",))
_LONGITUDE = Column("longitude", Kind.NUMBER, FRAME.west, FRAME.east, "degrees east", aliases=("lon",))
_BOUNDS = {
    "elevation_m": (-100, 3000, "m"),
    "slope": (0, 90, "degrees"),
    "coast_distance_m": (0, 500_000, "m"),
    "river_distance_m": (0, 500_000, "m"),
    "river_elevation_m": (-100, 3000, "m"),
    "forest_distance_m": (0, 500_000, "m"),
    "impervious_ratio": (0, 1, ""),
    "crest_m": (-100, 3000, "m"),
}
_HINTS = {"impervious_ratio": "per cent", "slope": "per cent or per mille"}

PLACE_COLUMNS = (
    Column("grid_id", Kind.WHOLE, 1, N_CELLS, needed=False),
    Column(_LATITUDE.name, Kind.NUMBER, FRAME.south, FRAME.north, "degrees north", False, aliases=("lat",)),
    Column(_LONGITUDE.name, Kind.NUMBER, FRAME.west, FRAME.east, "degrees east", False, aliases=("lon",)),
)
ATTRIBUTE_COLUMNS = (
    *PLACE_COLUMNS,
    *(Column(name, Kind.NUMBER, *_BOUNDS[name], needed=False, hint=_HINTS.get(name, "")) for name in ATTRIBUTES),
    *(Column(name, Kind.TEXT, needed=False) for name in CELL_WORDS),
)
GAUGE_COLUMNS = (
    Column("gauge_id", Kind.TEXT),
    Column("name", Kind.TEXT, needed=False),
    Column("latitude", Kind.NUMBER, 30, 42, "degrees north", aliases=("lat",)),
    Column("longitude", Kind.NUMBER, 120, 136, "degrees east", aliases=("lon",)),
    Column("datum_offset_m", Kind.NUMBER, -20, 20, "m", needed=False, hint="cm"),
    YEAR,
    Column("level_m", Kind.NUMBER, -20, 20, "m", hint="cm"),
)
SEA_LEVEL_COLUMNS = (
    Column("gauge_id", Kind.TEXT),
    SCENARIO,
    YEAR,
    Column("rise_m", Kind.NUMBER, -2, 5, "m", hint="cm or mm"),
)
WATER_COLUMNS = (
    Column("basin_id", Kind.TEXT),
    Column("name", Kind.TEXT, needed=False),
    Column("mean_flow_million_m3", Kind.NUMBER, 1e-6, 1e6, "million m³ a year", needed=False, hint="m³ a year"),
    Column("scenario", Kind.SCENARIO, needed=False),
    Column("year", Kind.WHOLE, YEAR.minimum, YEAR.maximum, needed=False),
    Column("withdrawal_million_m3", Kind.NUMBER, 0, 1e6, "million m³ a year", needed=False, hint="m³ a year"),
)
WARMING_COLUMNS = (SCENARIO, YEAR, Column("warming_k", Kind.NUMBER, -3, 12, "K", hint="a temperature, not a change"))

LONGEST_GAP = 10
"""Years between two given years of a projection that are laid on a straight line: tables by decade are usual."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The usable part of a file, by table."""

    facts: Facts
    cells: tuple[Mapping[str, float | str | None], ...] = ()
    gauges: tuple[Gauge, ...] = ()
    maxima: tuple[GaugeMaximum, ...] = ()
    rise: tuple[SeaLevelRise, ...] = ()
    basins: tuple[Basin, ...] = ()
    uses: tuple[WaterUse, ...] = ()
    warming: tuple[Warming, ...] = ()
    years: tuple[int, ...] = ()
    """First and last year, where the format has years."""
    notes: tuple[str, ...] = ()
    """What was odd and kept nothing out."""


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
    placed = _with(facts, _placed(facts))
    rows = each_once(placed, ("grid_id",), given)
    if not rows:
        raise nothing_left(path, facts.refusals)
    return Inputs(facts, cells=tuple({name: row[name] for name in ("grid_id", *given)} for row in rows.values()))


def read_gauges(path: Path) -> Inputs:
    """Annual maxima of tide gauges, the gauges' own facts on every row.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, GAUGE_COLUMNS)
    first: dict[str, Row] = {}
    same: list[tuple[Row, int]] = []
    for row, line in _rows(facts):
        known = first.setdefault(_text(row, "gauge_id"), row)
        wrong = next((n for n in ("latitude", "longitude", "datum_offset_m") if row.get(n) != known.get(n)), None)
        if wrong is None:
            same.append((row, line))
        else:
            allowed = f"{known.get(wrong)}, as on the first row of gauge {row['gauge_id']}"
            facts.refusals.refuse_row(line, wrong, "not the gauge's", str(row.get(wrong)), allowed)
    rows = each_once(_with(facts, same), ("gauge_id", "year"), ("level_m",))
    if not rows:
        raise nothing_left(path, facts.refusals)
    used = {_text(row, "gauge_id") for row in rows.values()}
    names = {_text(row, "gauge_id"): row["name"] for row, _ in same if row.get("name") is not None}
    return Inputs(
        facts,
        gauges=tuple(
            Gauge(
                gauge_id,
                cast("str | None", names.get(gauge_id)),
                _number(row, "latitude"),
                _number(row, "longitude"),
                _number(row, "datum_offset_m") if row.get("datum_offset_m") is not None else 0.0,
            )
            for gauge_id, row in first.items()
            if gauge_id in used
        ),
        maxima=tuple(
            GaugeMaximum(_text(row, "gauge_id"), _year(row), _number(row, "level_m")) for row in rows.values()
        ),
        years=_span(rows.values()),
        notes=()
        if "datum_offset_m" in facts.columns
        else ("no column datum_offset_m: levels are taken as m above mean sea level (Incheon)",),
    )


def read_sea_level(path: Path) -> Inputs:
    """Sea level rise at gauges.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, SEA_LEVEL_COLUMNS)
    rows = each_once(facts, ("gauge_id", "scenario", "year"), ("rise_m",))
    if not rows:
        raise nothing_left(path, facts.refusals)
    filled, n_between = _between(rows.values(), ("gauge_id", "scenario"), "rise_m")
    return Inputs(
        facts,
        rise=tuple(SeaLevelRise(str(gauge), str(scenario), year, rise) for (gauge, scenario), year, rise in filled),
        years=_span(rows.values()),
        notes=_note_between(n_between),
    )


def read_water(path: Path) -> Inputs:
    """Flow of basins, and what is withdrawn in them: either, or both.

    Raises:
        FileRefused: no such file, neither flow nor use in it, or nothing of it can be used.
    """
    facts = read_facts(path, WATER_COLUMNS)
    has_flow = "mean_flow_million_m3" in facts.columns
    has_use = {"scenario", "year", "withdrawal_million_m3"} <= set(facts.columns)
    if not has_flow and not has_use:
        raise FileRefused(
            f"{path}: column mean_flow_million_m3 is missing, and scenario, year and withdrawal_million_m3; "
            "allowed: either, or both"
        )
    with_flow = [(row, line) for row, line in _rows(facts) if row.get("mean_flow_million_m3") is not None]
    with_use = [(row, line) for row, line in _rows(facts) if has_use and _complete_use(facts, row, line)]
    flows = _agreed(facts, with_flow, "basin_id", "mean_flow_million_m3")
    uses = each_once(_with(facts, with_use), ("basin_id", "scenario", "year"), ("withdrawal_million_m3",))
    if not flows and not uses:
        raise nothing_left(path, facts.refusals)
    return Inputs(
        facts,
        basins=tuple(
            Basin(_text(row, "basin_id"), cast("str | None", row.get("name")), _number(row, "mean_flow_million_m3"))
            for row in flows
        ),
        uses=tuple(
            WaterUse(_text(row, "basin_id"), _text(row, "scenario"), _year(row), _number(row, "withdrawal_million_m3"))
            for row in uses.values()
        ),
        years=_span(uses.values()),
    )


def read_warming(path: Path) -> Inputs:
    """Warming by scenario and year.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, WARMING_COLUMNS)
    rows = each_once(facts, ("scenario", "year"), ("warming_k",))
    if not rows:
        raise nothing_left(path, facts.refusals)
    filled, n_between = _between(rows.values(), ("scenario",), "warming_k")
    return Inputs(
        facts,
        warming=tuple(Warming(str(scenario), year, warming) for (scenario,), year, warming in filled),
        years=_span(rows.values()),
        notes=_note_between(n_between),
    )


def _placed(facts: Facts) -> Iterator[tuple[Row, int]]:
    """Rows with the cell that they are of; a row without one is refused."""
    for row, line in _rows(facts):
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
        else:
            yield {**row, "grid_id": cell}, line


def _complete_use(facts: Facts, row: Row, line: int) -> bool:
    """Whether a row has all that says how much was withdrawn when; with a part of it only it is refused."""
    names = ("scenario", "year", "withdrawal_million_m3")
    there = [row.get(name) is not None for name in names]
    if any(there) and not all(there):
        lacking = names[there.index(False)]
        facts.refusals.refuse_row(line, lacking, "missing", "", f"all of {', '.join(names)}, or none")
    return all(there)


def _agreed(facts: Facts, rows: Iterable[tuple[Row, int]], key: str, value: str) -> list[Row]:
    """A row for each key; a later one that says something else is refused."""
    first: dict[object, Row] = {}
    for row, line in rows:
        known = first.setdefault(row[key], row)
        if known[value] != row[value]:
            allowed = f"{known[value]}, as on the first row of {row[key]}"
            facts.refusals.refuse_value(line, value, "different values", str(row[value]), allowed)
    return list(first.values())


def _between(
    rows: Iterable[Row], key: Sequence[str], value: str
) -> tuple[list[tuple[tuple[object, ...], int, float]], int]:
    """Values of every year, on straight lines between given years at most ten apart; and how many were laid there."""
    given: dict[tuple[object, ...], dict[int, float]] = {}
    n_given = 0
    for row in rows:
        given.setdefault(tuple(row[name] for name in key), {})[_year(row)] = _number(row, value)
        n_given += 1
    found: list[tuple[tuple[object, ...], int, float]] = []
    for this, by_year in given.items():
        known = sorted(by_year)
        for year, following in zip(known, [*known[1:], known[-1] + 1], strict=True):
            last = following if following - year <= LONGEST_GAP else year + 1
            step = (by_year.get(following, by_year[year]) - by_year[year]) / (following - year)
            found.extend((this, one, by_year[year] + step * (one - year)) for one in range(year, last))
    return found, len(found) - n_given


def _note_between(n_between: int) -> tuple[str, ...]:
    if not n_between:
        return ()
    return (f"{n_between:,} values of years between given ones (at most {LONGEST_GAP} apart) lie on straight lines",)


def _with(facts: Facts, rows: Iterable[tuple[Row, int]]) -> Facts:
    """The same file with other rows."""
    pairs = list(rows)
    return replace(facts, rows=tuple(row for row, _ in pairs), lines=tuple(line for _, line in pairs))


def _rows(facts: Facts) -> Iterator[tuple[Row, int]]:
    return zip(facts.rows, facts.lines, strict=True)


def _span(rows: Iterable[Row]) -> tuple[int, ...]:
    years = [_year(row) for row in rows]
    return (min(years), max(years)) if years else ()


def _text(row: Row, name: str) -> str:
    return cast("str", row[name])


def _number(row: Row, name: str) -> float:
    return cast("float", row[name])


def _year(row: Row) -> int:
    return cast("int", row["year"])
