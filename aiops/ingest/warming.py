"""Warming of the globe, or of Korea, by scenario and year."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.db.inputs import Warming
from aiops.ingest.input_rows import Inputs, between_given_years, note_between, span_of
from aiops.ingest.input_table import SCENARIO, YEAR, Column, Kind, each_once, read_facts
from aiops.ingest.parsed import nothing_left

if TYPE_CHECKING:
    from pathlib import Path


WARMING_COLUMNS = (SCENARIO, YEAR, Column("warming_k", Kind.NUMBER, -3, 12, "K", hint="a temperature, not a change"))


def read_warming(path: Path) -> Inputs:
    """Warming by scenario and year.

    Raises:
        FileRefused: no such file, a column missing, or nothing of it can be used.
    """
    facts = read_facts(path, WARMING_COLUMNS)
    rows = each_once(facts, ("scenario", "year"), ("warming_k",))
    if not rows:
        raise nothing_left(path, facts.refusals)
    filled, n_between = between_given_years(rows.values(), ("scenario",), "warming_k")
    return Inputs(
        facts,
        warming=tuple(Warming(str(scenario), year, warming) for (scenario,), year, warming in filled),
        years=span_of(rows.values()),
        notes=note_between(n_between),
    )
