"""The reference of file formats names what the readers know."""

from __future__ import annotations

from pathlib import Path

import pytest

from aiops.ingest.asos import ASOS_COLUMNS
from aiops.ingest.attributes import ATTRIBUTE_COLUMNS, read_attributes
from aiops.ingest.basins import WATER_COLUMNS, read_water
from aiops.ingest.derived import COMPUTED
from aiops.ingest.sea import GAUGE_COLUMNS, SEA_LEVEL_COLUMNS, read_gauges, read_sea_level
from aiops.ingest.tracks import read_track_file
from aiops.ingest.variables import VARIABLES
from aiops.ingest.warming import WARMING_COLUMNS, read_warming

TEXT = (Path(__file__).parent.parent / "docs" / "ingest.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("variable", VARIABLES, ids=lambda v: v.name)
def test_every_variable_stands_in_the_reference_with_its_unit_and_range(variable):
    plausible = f"{variable.minimum:g} to {variable.maximum:g}"
    assert f"| `{variable.name}` | {variable.unit} | {plausible} | {variable.description} |" in TEXT


def test_every_column_of_every_format_and_everything_computed_is_named():
    formats = (ATTRIBUTE_COLUMNS, GAUGE_COLUMNS, SEA_LEVEL_COLUMNS, WATER_COLUMNS, WARMING_COLUMNS)
    names = {column.name for columns in formats for column in columns}
    names |= {column.column for column in ASOS_COLUMNS} | COMPUTED
    assert {name for name in names if f"`{name}`" not in TEXT} == set()


@pytest.mark.parametrize(
    ("command", "read"),
    [
        ("attributes", read_attributes),
        ("gauges", read_gauges),
        ("sea-level", read_sea_level),
        ("water", read_water),
        ("warming", read_warming),
        ("tracks", read_track_file),
    ],
)
def test_every_example_can_be_read(command, read, tmp_path):
    section = TEXT.split(f"\n`aiops ingest {command} ")[1].split("\n## ")[0]
    lines = section.split("```")[1].strip().splitlines()
    if command == "tracks":
        lines[0] = lines[0].replace(" 032 ", " 001 ")  # the example shows one of the storm's 32 fixes
    path = tmp_path / "example"
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    found = read(path)
    if command != "tracks":
        assert found.facts.refusals.groups() == ()
        assert found.facts.notes == ()
