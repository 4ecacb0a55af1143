"""The sea at tide gauges: the highest water of each year, and the rise of its mean level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.inputs import Gauge, GaugeMaximum, SeaLevelRise
from aiops.ingest.input_rows import (
    Inputs,
    between_given_years,
    note_between,
    number_of,
    numbered_rows,
    span_of,
    text_of,
    with_rows,
    year_of,
)
from aiops.ingest.input_table import SCENARIO, YEAR, Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from pathlib import Path

    from aiops.ingest.input_table import Row


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


def read_gauges(path: Path) -> Inputs:
    """Annual maxima of tide gauges, the gauges' own facts on every row.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, GAUGE_COLUMNS)
    first: dict[str, Row] = {}
    same: list[tuple[Row, int]] = []
    for row, line in numbered_rows(facts):
        known = first.setdefault(text_of(row, "gauge_id"), row)
        wrong = next((n for n in ("latitude", "longitude", "datum_offset_m") if row.get(n) != known.get(n)), None)
        if wrong is None:
            same.append((row, line))
        else:
            allowed = f"{known.get(wrong)}, as on the first row of gauge {row['gauge_id']}"
            facts.refusals.refuse_row(line, wrong, "not the gauge's", str(row.get(wrong)), allowed)
    rows = each_once(with_rows(facts, same), ("gauge_id", "year"), ("level_m",))
    if not rows:
        raise nothing_left(path, facts.refusals)
    used = {text_of(row, "gauge_id") for row in rows.values()}
    names = {text_of(row, "gauge_id"): text_of(row, "name") for row, _ in reversed(same) if row.get("name")}
    return Inputs(
        facts,
        gauges=tuple(
            Gauge(
                gauge_id,
                names.get(gauge_id),
                number_of(row, "latitude"),
                number_of(row, "longitude"),
                number_of(row, "datum_offset_m") if row.get("datum_offset_m") is not None else 0.0,
            )
            for gauge_id, row in first.items()
            if gauge_id in used
        ),
        maxima=tuple(
            GaugeMaximum(text_of(row, "gauge_id"), year_of(row), number_of(row, "level_m")) for row in rows.values()
        ),
        years=span_of(rows.values()),
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
    filled, n_between = between_given_years(rows.values(), ("gauge_id", "scenario"), "rise_m")
    return Inputs(
        facts,
        rise=tuple(SeaLevelRise(str(gauge), str(scenario), year, rise) for (gauge, scenario), year, rise in filled),
        years=span_of(rows.values()),
        notes=note_between(n_between),
    )
