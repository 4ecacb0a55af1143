"""From a file to `climate_data`: judged whole, then written in one transaction with its indicators."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from aiops.db.cells import write_names
from aiops.db.climate import write_series
from aiops.db.datasets import register_dataset
from aiops.ingest.asos import parse_asos
from aiops.ingest.derived import COMPUTED, Brought, Deriver
from aiops.ingest.long_csv import parse_long_csv
from aiops.ingest.place_csv import parse_place_csv
from aiops.ingest.report import IngestReport

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np

    from aiops.db.connect import Connection
    from aiops.ingest.parsed import ParsedFile

_SOURCES = {
    "asos": "Korea Meteorological Administration, ASOS daily observations",
    "csv": "long CSV file",
    "place": "daily CSV file of one place",
}


def load_asos(connection: Connection, path: Path, stations: Path) -> IngestReport:
    """Load a file of ASOS days as history, and the yearly indicators of its cells.

    Args:
        connection: the caller's; the load is one transaction (a savepoint within one that is open).
        path: the days, CSV in the ASOS format.
        stations: CSV with station_id, name, latitude, longitude.

    Raises:
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    return _load(connection, parse_asos(path, stations), started)


def load_long_csv(connection: Connection, path: Path) -> IngestReport:
    """Load a long CSV, and the yearly indicators of the cells for which it brings daily series.

    Args:
        connection: as for `load_asos`.
        path: CSV with variable, scenario, date, value, and latitude with longitude or grid_id.

    Raises:
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    return _load(connection, parse_long_csv(path), started)


def load_place_csv(
    connection: Connection,
    path: Path,
    latitude: float,
    longitude: float,
    columns: Mapping[str, str],
    scenario: str = "historical",
) -> IngestReport:
    """Load the daily CSV of one place, and the yearly indicators of its cell.

    Args:
        connection: as for `load_asos`.
        path: the days.
        latitude: degrees north, within the frame.
        longitude: degrees east, within the frame.
        columns: variable (or `date`) → column of the file; `place_csv.parse_columns` reads it from text.
        scenario: which scenario the days are of.

    Raises:
        BadInput: the place, a variable or the scenario is none; nothing is written.
        FileRefused: a file that cannot be used; nothing is written.
    """
    started = time.monotonic()
    return _load(connection, parse_place_csv(path, latitude, longitude, columns, scenario), started)


def _load(connection: Connection, parsed: ParsedFile, started: float) -> IngestReport:
    with connection.transaction():
        dataset_id = register_dataset(
            connection,
            name=parsed.path.name,
            source=_SOURCES[parsed.kind],
            file_sha256=parsed.sha256,
            first_year=_year_of(parsed.first_day),
            last_year=_year_of(parsed.last_day),
            synthetic=False,
            parameters=parsed.parameters,
        )
        deriver = Deriver(connection, dataset_id)
        written = write_series(connection, parsed.series, dataset_id, overruled=deriver.derived.overruled)
        write_names(connection, parsed.names)
        derived = deriver.after(_brought(parsed), parsed.grid_ids.tolist())
    refusals, total = parsed.refusals, written + derived.total()
    return IngestReport(
        kind=parsed.kind,
        file=str(parsed.path),
        sha256=parsed.sha256,
        encoding=parsed.encoding,
        dataset_id=dataset_id,
        rows_read=refusals.rows_read,
        rows_accepted=refusals.rows_read - refusals.rows_refused,
        rows_refused=refusals.rows_refused,
        values_refused=refusals.values_refused,
        refused=refusals.groups(),
        warnings=(*parsed.warnings, *derived.notes()),
        variables=parsed.variables,
        indicators=tuple(sorted(derived.variables)),
        scenarios=parsed.scenarios,
        cells=int(parsed.grid_ids.size),
        first_date=str(parsed.first_day),
        last_date=str(parsed.last_day),
        series_inserted=total.inserted,
        series_updated=total.updated,
        series_unchanged=total.unchanged,
        seconds=time.monotonic() - started,
    )


def _brought(parsed: ParsedFile) -> Brought:
    computable = COMPUTED & set(parsed.variables)
    return Brought(
        variables=frozenset(parsed.variables),
        scenarios=frozenset(parsed.scenarios),
        keep=frozenset(
            (one.variable, one.scenario, one.grid_id)
            for one in (parsed.series if computable else ())
            if one.variable in computable
        ),
    )


def _year_of(day: np.datetime64) -> int:
    return int(day.astype("datetime64[Y]").astype(int)) + 1970
