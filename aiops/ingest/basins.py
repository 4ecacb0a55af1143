"""River basins: the flow that they have, and the water that is withdrawn in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.inputs import Basin, WaterUse
from aiops.errors import FileRefused
from aiops.ingest.input_rows import (
    Inputs,
    number_of,
    numbered_rows,
    span_of,
    text_of,
    with_rows,
    year_of,
)
from aiops.ingest.input_table import YEAR, Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from aiops.ingest.input_table import Facts, Row


WATER_COLUMNS = (
    Column("basin_id", Kind.TEXT),
    Column("name", Kind.TEXT, needed=False),
    Column("mean_flow_million_m3", Kind.NUMBER, 1e-6, 1e6, "million m³ a year", needed=False, hint="m³ a year"),
    Column("scenario", Kind.SCENARIO, needed=False),
    Column("year", Kind.WHOLE, YEAR.minimum, YEAR.maximum, needed=False),
    Column("withdrawal_million_m3", Kind.NUMBER, 0, 1e6, "million m³ a year", needed=False, hint="m³ a year"),
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
    with_flow = [(row, line) for row, line in numbered_rows(facts) if row.get("mean_flow_million_m3") is not None]
    with_use = [(row, line) for row, line in numbered_rows(facts) if _has_use(facts, row, line)]
    names = {text_of(row, "basin_id"): text_of(row, "name") for row in reversed(facts.rows) if row.get("name")}
    flows = _agreed(facts, with_flow, "basin_id", "mean_flow_million_m3")
    uses = each_once(with_rows(facts, with_use), ("basin_id", "scenario", "year"), ("withdrawal_million_m3",))
    if not flows and not uses:
        raise nothing_left(path, facts.refusals)
    return Inputs(
        facts,
        basins=tuple(
            Basin(basin_id, names.get(basin_id), number_of(row, "mean_flow_million_m3"))
            for basin_id, row in flows.items()
        ),
        uses=tuple(
            WaterUse(
                text_of(row, "basin_id"),
                text_of(row, "scenario"),
                year_of(row),
                number_of(row, "withdrawal_million_m3"),
            )
            for row in uses.values()
        ),
        years=span_of(uses.values()),
    )


def _has_use(facts: Facts, row: Row, line: int) -> bool:
    """Whether a row says how much was withdrawn when; if it says a part of it, or nothing at all, that is noted."""
    names = [name for name in ("scenario", "year", "withdrawal_million_m3") if name in facts.columns]
    there = [row[name] is not None for name in names]
    has_flow = row.get("mean_flow_million_m3") is not None
    if not any(there) and not has_flow:
        allowed = "a flow, or a scenario, year and withdrawal"
        facts.refusals.refuse_row(line, "row", "no value in any column", text_of(row, "basin_id"), allowed)
    elif any(there) and not all(there):
        refuse = facts.refusals.refuse_value if has_flow else facts.refusals.refuse_row
        refuse(line, names[there.index(False)], "missing", "", f"all of {', '.join(names)}, or none")
    return len(there) == 3 and all(there)


def _agreed(facts: Facts, rows: Iterable[tuple[Row, int]], key: str, value: str) -> dict[str, Row]:
    """The first row for each key; what a later one says otherwise is refused."""
    first: dict[str, Row] = {}
    for row, line in rows:
        known = first.setdefault(text_of(row, key), row)
        if known[value] != row[value]:
            allowed = f"{known[value]}, as on the first row of {row[key]}"
            facts.refusals.refuse_value(line, value, "different values", str(row[value]), allowed)
    return first
