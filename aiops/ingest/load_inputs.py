"""Inputs other than climate series, from a file to their tables: judged whole, then written in one transaction.

What follows from them and from the stored climate series (winds, water stress) is computed anew in that transaction.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiops.db.cells import cells_with_climate, write_cells
from aiops.db.datasets import register_dataset
from aiops.db.inputs import (
    write_basins,
    write_districts,
    write_gauge_maxima,
    write_gauges,
    write_sea_level_rise,
    write_tracks,
    write_warming,
    write_water_use,
)
from aiops.ingest.attributes import read_attributes
from aiops.ingest.basins import read_water
from aiops.ingest.derived import Derived, Deriver
from aiops.ingest.input_report import InputReport
from aiops.ingest.population import read_population
from aiops.ingest.sea import read_gauges, read_sea_level
from aiops.ingest.tracks import read_track_file
from aiops.ingest.warming import read_warming

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aiops.db.climate import Written
    from aiops.db.connect import Connection
    from aiops.ingest.input_rows import Inputs

_SOURCES = {
    "attributes": "CSV of attributes of grid cells",
    "tracks": "RSMC Tokyo (Japan Meteorological Agency), best tracks of tropical cyclones",
    "gauges": "CSV of annual maxima of tide gauges",
    "sea-level": "CSV of sea level rise at tide gauges",
    "water": "CSV of river flow and water use by basin",
    "warming": "CSV of warming by scenario and year",
    "population": "CSV of population by administrative district",
    "buildings": "CSV of buildings",
}


def load_attributes(connection: Connection, path: Path) -> InputReport:
    """Load attributes of cells, and the water stress of those whose basin the file names.

    Args:
        connection: the caller's; the load is one transaction (a savepoint within one that is open).
        path: CSV, see `docs/ingest.md`.

    Raises:
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    inputs = read_attributes(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "attributes", inputs)
        tables = {"location_grid": write_cells(connection, inputs.cells, dataset_id)}
        derived = Derived()
        in_basins = {cell["grid_id"] for cell in inputs.cells if cell.get("basin_id") is not None}
        if in_basins:
            touched = [cell for cell in cells_with_climate(connection) if cell in in_basins]
            derived = Deriver(connection, dataset_id).water(touched)
    return report_inputs("attributes", inputs, dataset_id, tables, derived, started)


def load_gauges(connection: Connection, path: Path) -> InputReport:
    """Load tide gauges and the highest water of each year. Arguments and errors as `load_attributes`."""
    started = time.monotonic()
    inputs = read_gauges(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "gauges", inputs)
        tables = {
            "tide_gauge": write_gauges(connection, inputs.gauges, dataset_id),
            "tide_gauge_maximum": write_gauge_maxima(connection, inputs.maxima, dataset_id),
        }
    return report_inputs("gauges", inputs, dataset_id, tables, Derived(), started)


def load_sea_level(connection: Connection, path: Path) -> InputReport:
    """Load the rise of the sea at tide gauges. Arguments and errors as `load_attributes`."""
    started = time.monotonic()
    inputs = read_sea_level(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "sea-level", inputs)
        tables = {"sea_level_rise": write_sea_level_rise(connection, inputs.rise, dataset_id)}
    return report_inputs("sea-level", inputs, dataset_id, tables, Derived(), started)


def load_water(connection: Connection, path: Path) -> InputReport:
    """Load flow of and use in river basins, and the water stress of their cells. Arguments as `load_attributes`."""
    started = time.monotonic()
    inputs = read_water(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "water", inputs)
        tables = {}
        if inputs.basins:
            tables["basin"] = write_basins(connection, inputs.basins, dataset_id)
        if inputs.uses:
            tables["water_use"] = write_water_use(connection, inputs.uses, dataset_id)
        basins = sorted({*(one.basin_id for one in inputs.basins), *(one.basin_id for one in inputs.uses)})
        derived = Deriver(connection, dataset_id).water(cells_with_climate(connection, basins))
    return report_inputs("water", inputs, dataset_id, tables, derived, started)


def load_warming(connection: Connection, path: Path, *, regional: bool = False) -> InputReport:
    """Load warming by scenario and year.

    Args:
        connection: as for `load_attributes`.
        path: CSV, see `docs/ingest.md`.
        regional: the warming is Korea's own, not the globe's.

    Raises:
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    inputs = read_warming(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "warming", inputs, {"regional": regional})
        tables = {"warming_level": write_warming(connection, inputs.warming, dataset_id, regional=regional)}
    return report_inputs("warming", inputs, dataset_id, tables, Derived(), started)


def load_population(connection: Connection, path: Path) -> InputReport:
    """Load the population of administrative districts. Arguments and errors as `load_attributes`."""
    started = time.monotonic()
    inputs = read_population(path)
    with connection.transaction():
        dataset_id = register_inputs(connection, "population", inputs)
        tables = {"location_admin": write_districts(connection, inputs.districts, dataset_id)}
    return report_inputs("population", inputs, dataset_id, tables, Derived(), started)


def load_tracks(connection: Connection, path: Path) -> InputReport:
    """Load best tracks, and the yearly winds and exposure of all cells that have climate data.

    Cells that get climate data later get theirs then. Arguments and errors as `load_attributes`.
    """
    started = time.monotonic()
    file = read_track_file(path)
    with connection.transaction():
        dataset_id = register_dataset(
            connection,
            name=file.path.name,
            source=_SOURCES["tracks"],
            file_sha256=file.sha256,
            first_year=min(file.complete_years, default=None),
            last_year=max(file.complete_years, default=None),
            synthetic=False,
        )
        tables = {"best_track": write_tracks(connection, file.fixes, file.complete_years, dataset_id)}
        derived = Deriver(connection, dataset_id).storms(cells_with_climate(connection))
    years = ", ".join(str(year) for year in file.complete_years) or "none"
    return InputReport(
        kind="tracks",
        file=str(path),
        sha256=file.sha256,
        encoding="ascii",
        dataset_id=dataset_id,
        rows_read=len(file.fixes),
        rows_refused=0,
        values_refused=0,
        refused=(),
        warnings=(f"complete years: {years}", *derived.overruled.notes()),
        tables=tables,
        indicators=tuple(sorted(derived.variables)),
        series=derived.total(),
        seconds=time.monotonic() - started,
    )


def register_inputs(
    connection: Connection, kind: str, inputs: Inputs, parameters: Mapping[str, object] | None = None
) -> int:
    """The number of the data set that a file is."""
    return register_dataset(
        connection,
        name=inputs.facts.path.name,
        source=_SOURCES[kind],
        file_sha256=inputs.facts.sha256,
        first_year=min(inputs.years, default=None),
        last_year=max(inputs.years, default=None),
        synthetic=False,
        parameters={"format": kind, **(parameters or {})},
    )


def report_inputs(
    kind: str, inputs: Inputs, dataset_id: int, tables: Mapping[str, Written], derived: Derived, started: float
) -> InputReport:
    """What a load did; `started` by the monotonic clock."""
    refusals = inputs.facts.refusals
    return InputReport(
        kind=kind,
        file=str(inputs.facts.path),
        sha256=inputs.facts.sha256,
        encoding=inputs.facts.encoding,
        dataset_id=dataset_id,
        rows_read=refusals.rows_read,
        rows_refused=refusals.rows_refused,
        values_refused=refusals.values_refused,
        refused=refusals.groups(),
        warnings=(*inputs.facts.notes, *inputs.notes, *derived.overruled.notes()),
        tables=tables,
        indicators=tuple(sorted(derived.variables)),
        series=derived.total(),
        seconds=time.monotonic() - started,
    )
