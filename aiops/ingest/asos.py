"""The daily format of Korea's synoptic stations (ASOS), as the Korea Meteorological Administration has it.

A row a station and day. `sumRn` is empty on a day without rain, so an empty field is 0 mm, in a row in which
anything was measured at all; every other empty field, and every day without a row, is missing. `sumGsr` is
MJ/m² a day, stored as W/m². `avgPs` is the pressure reduced to sea level. `mi10MaxRn` has no use here.

Source: KMA, Surface (ASOS, daily) data service, field list.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import FileRefused
from aiops.ingest.daily_table import DailyColumn, DailyTable
from aiops.ingest.parsed import ParsedFile, nothing_left
from aiops.ingest.reading import find_column, need_column, open_table
from aiops.ingest.report import Refusals
from aiops.ingest.stations import one_station_a_cell, read_stations
from aiops.ingest.texts import UNKNOWN, Codes
from aiops.ingest.variables import variable_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aiops.ingest.daily_values import DailyValues
    from aiops.ingest.reading import Table
    from aiops.ingest.stations import StationList

MJ_PER_DAY = 0.0864
"""MJ/m² a day in one W/m²: 86,400 s × 10⁻⁶."""

ASOS_COLUMNS = (
    DailyColumn("avgTa", variable_of("tas")),
    DailyColumn("maxTa", variable_of("tasmax")),
    DailyColumn("minTa", variable_of("tasmin")),
    DailyColumn("sumRn", variable_of("pr"), empty=0.0),
    DailyColumn("hr1MaxRn", variable_of("prhmax")),
    DailyColumn("avgRhm", variable_of("hurs")),
    DailyColumn("minRhm", variable_of("hursmin")),
    DailyColumn("avgWs", variable_of("sfcWind")),
    DailyColumn("maxWs", variable_of("sfcWindmax")),
    DailyColumn("maxInsWs", variable_of("wsgsmax")),
    DailyColumn("sumGsr", variable_of("rsds"), factor=1.0 / MJ_PER_DAY),
    DailyColumn("sumSsHr", variable_of("sund")),
    DailyColumn("avgPa", variable_of("ps")),
    DailyColumn("avgPs", variable_of("psl")),
    DailyColumn("avgTd", variable_of("tdps")),
    DailyColumn("ddMes", variable_of("snd")),
)
"""What is read of the format."""
_RARE = frozenset({"avgPa"})
"""Columns that many files of the format leave out: not worth a note."""


def parse_asos(path: Path, stations_path: Path) -> ParsedFile:
    """Read and judge a file of ASOS days whole, as history.

    Args:
        path: the days.
        stations_path: CSV with station_id, name, latitude, longitude.

    Raises:
        FileRefused: one of the files is not what it should be, no row can be used, or two of the stations
            that have data lie in one grid cell.
    """
    listed = read_stations(stations_path)
    refusals = Refusals()
    with open_table(path, refusals) as table:
        columns = _columns_of(table)
        values = _read_days(table, columns, listed)
        sha256, encoding = table.sha256, table.encoding
    if not values.variables_present():
        raise nothing_left(path, refusals)
    present = [listed.stations[place] for place in values.places_present]
    one_station_a_cell(present, path)
    absent = [known.column for known in ASOS_COLUMNS if known not in columns and known.column not in _RARE]
    grid_ids = [station.grid_id for station in listed.stations]
    return ParsedFile(
        kind="asos",
        path=path,
        sha256=sha256,
        encoding=encoding,
        parameters={"stations_sha256": listed.sha256},
        series=tuple(values.series(grid_ids, "historical")),
        variables=tuple(variable.name for variable in values.variables_present()),
        scenarios=("historical",),
        grid_ids=np.unique([station.grid_id for station in present]),
        names={station.grid_id: station.name for station in present if station.name},
        first_day=values.days.min(),
        last_day=values.days.max(),
        refusals=refusals,
        warnings=(
            *([f"columns not in the file: {', '.join(absent)}"] if absent else []),
            *values.suspicions(),
        ),
    )


def _columns_of(table: Table) -> list[DailyColumn]:
    """The columns of the format that the file has, under its own spelling.

    Raises:
        FileRefused: it has none.
    """
    found = [(known, find_column(table, known.column)) for known in ASOS_COLUMNS]
    columns = [replace(known, column=name) for known, name in found if name is not None]
    if not columns:
        allowed = " ".join(known.column for known in ASOS_COLUMNS)
        raise FileRefused(f"{table.path}: has no column of the ASOS format beside stnId and tm; allowed: {allowed}")
    return columns


def _read_days(table: Table, columns: Sequence[DailyColumn], listed: StationList) -> DailyValues:
    """The usable rows; their places are places in the list of stations."""
    station_column, date_column = need_column(table, "stnId"), need_column(table, "tm")
    place_of = {station.number: place for place, station in enumerate(listed.stations)}
    places = Codes(lambda number: place_of.get(number.strip(), UNKNOWN))
    days = DailyTable(columns, table.refusals)
    for block in table.blocks((station_column, date_column, *(column.column for column in columns))):
        numbers = block.columns[station_column]
        at = places.of(numbers)
        for row in np.flatnonzero(at == UNKNOWN).tolist():
            allowed = f"a station_id of {listed.path.name}"
            table.refusals.refuse_row(
                block.lines[row], station_column, "not in the list of stations", numbers[row], allowed
            )
        days.add(block, block.columns[date_column], at, date_column)
    return days.finish()
