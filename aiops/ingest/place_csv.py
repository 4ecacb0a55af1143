"""The daily CSV of one place, with a mapping of its columns to variables.

The date stands in one column (`date`, `tm`, `time`, `일시`, `날짜`) or in three (`year`, `month`, `day`); a
mapping may name it (`date=…`). An empty field is missing: only a source that says so may mean no rain by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.daily_table import DailyColumn, DailyTable
from aiops.ingest.parsed import ParsedFile, nothing_left
from aiops.ingest.reading import find_column, need_column, open_table
from aiops.ingest.report import Refusals
from aiops.ingest.texts import scenario_of
from aiops.ingest.variables import names_allowed, variable_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aiops.ingest.reading import RowBlock, Table

_DATE = "date"
_DATE_COLUMNS = ("date", "tm", "time", "일시", "날짜")
_DATE_PARTS = ("year", "month", "day")


def parse_place(text: str) -> tuple[float, float]:
    """`LAT,LON` in decimal degrees.

    Raises:
        BadInput: not two numbers, or outside the frame.
    """
    parts = text.split(",")
    try:
        latitude, longitude = (float(part) for part in parts)
    except ValueError:
        raise BadInput(f"place: {text!r}; allowed: LAT,LON in decimal degrees, such as 35.84,127.12") from None
    grid_id_of(latitude, longitude)
    return latitude, longitude


def parse_columns(text: str) -> dict[str, str]:
    """`tasmax=tmax,pr=rainfall`: variable (or `date`) = column of the file.

    Raises:
        BadInput: not of this form, or a variable twice.
    """
    columns: dict[str, str] = {}
    for part in text.split(","):
        variable, sign, column = (piece.strip() for piece in part.partition("="))
        if not (variable and sign and column):
            raise BadInput(f"columns: {part!r}; allowed: VARIABLE=COLUMN, with commas between, such as pr=rainfall")
        if variable in columns:
            raise BadInput(f"columns: {variable} stands twice; allowed: each variable once")
        columns[variable] = column
    return columns


def parse_place_csv(
    path: Path, latitude: float, longitude: float, columns: Mapping[str, str], scenario: str = "historical"
) -> ParsedFile:
    """Read and judge the daily CSV of one place whole.

    Args:
        path: the file.
        latitude: degrees north, within the frame.
        longitude: degrees east, within the frame.
        columns: variable (name or alias, daily; or `date`) → column of the file.
        scenario: which scenario the days are of.

    Raises:
        BadInput: a place outside the frame, a variable that is not known or not daily, an unknown scenario.
        FileRefused: the file is no such file, lacks a column, or none of its rows can be used.
    """
    grid_id = grid_id_of(latitude, longitude)
    scenario = scenario_of(scenario)
    wanted = _wanted(columns)
    refusals = Refusals()
    with open_table(path, refusals) as table:
        mapped = [DailyColumn(need_column(table, theirs), variable_of(name)) for name, theirs in wanted.items()]
        date_columns = _date_columns(table, columns.get(_DATE))
        days = DailyTable(mapped, refusals)
        for block in table.blocks((*date_columns, *(column.column for column in mapped))):
            days.add(block, _dates(block, date_columns), np.zeros(len(block.lines), np.int64), date_columns[0])
        sha256, encoding = table.sha256, table.encoding
    values = days.finish()
    if not values.variables_present():
        raise nothing_left(path, refusals)
    return ParsedFile(
        kind="place",
        path=path,
        sha256=sha256,
        encoding=encoding,
        parameters={
            "latitude": latitude,
            "longitude": longitude,
            "scenario": scenario,
            "columns": {column.variable.name: column.column for column in mapped},
        },
        series=tuple(values.series([grid_id], scenario)),
        variables=tuple(variable.name for variable in values.variables_present()),
        scenarios=(scenario,),
        grid_ids=np.array([grid_id], dtype=np.int64),
        first_day=values.days.min(),
        last_day=values.days.max(),
        refusals=refusals,
        warnings=tuple(values.suspicions()),
    )


def _wanted(columns: Mapping[str, str]) -> dict[str, str]:
    """The mapping by the catalogue's names, without the date.

    Raises:
        BadInput: empty, a variable that is not known, not daily or named twice, a column mapped twice.
    """
    wanted: dict[str, str] = {}
    for word, theirs in columns.items():
        if word == _DATE:
            continue
        variable = variable_of(word, field="columns")
        if variable.cadence is not Cadence.DAILY:
            allowed = names_allowed(Cadence.DAILY)
            raise BadInput(f"columns: {variable.name} is {variable.cadence}; allowed: {allowed}")
        if variable.name in wanted:
            raise BadInput(f"columns: {variable.name} stands twice; allowed: each variable once")
        if theirs in wanted.values():
            raise BadInput(f"columns: {theirs!r} is mapped twice; allowed: one variable for a column")
        wanted[variable.name] = theirs
    if not wanted:
        raise BadInput(f"columns: no variable is mapped; allowed: {names_allowed(Cadence.DAILY)}")
    return wanted


def _date_columns(table: Table, named: str | None) -> tuple[str, ...]:
    """The column of the date, or the three of year, month and day.

    Raises:
        FileRefused: neither is there.
    """
    if named is not None:
        return (need_column(table, named),)
    parts = [find_column(table, name) for name in _DATE_PARTS]
    found = tuple(name for name in parts if name is not None)
    if len(found) == len(_DATE_PARTS):
        return found
    column = find_column(table, *_DATE_COLUMNS)
    if column is None:
        allowed = f"{' or '.join(_DATE_COLUMNS)}, or {', '.join(_DATE_PARTS)}, or a mapping date=COLUMN"
        raise FileRefused(f"{table.path}: column date is missing; allowed: {allowed}")
    return (column,)


def _dates(block: RowBlock, columns: Sequence[str]) -> Sequence[str]:
    if len(columns) == 1:
        return block.columns[columns[0]]
    parts = zip(*(block.columns[name] for name in columns), strict=True)
    return ["-".join(piece.strip() for piece in part) for part in parts]
