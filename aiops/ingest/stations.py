"""The list of stations: where they stand, and in which grid cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.reading import need_column, open_table
from aiops.ingest.texts import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Station:
    """A place that measures."""

    number: str
    """`station_id`, as the files of its days name it."""
    name: str
    """What people call it."""
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""

    @property
    def grid_id(self) -> int:
        """The cell that holds the station."""
        return grid_id_of(self.latitude, self.longitude)

    def __str__(self) -> str:
        return f"{self.number} {self.name}".rstrip()


@dataclass(frozen=True, slots=True)
class StationList:
    """The stations of one file."""

    path: Path
    sha256: str
    """Hash of the file's bytes."""
    stations: tuple[Station, ...]
    """In the order of the file."""


def read_stations(path: Path) -> StationList:
    """Read a CSV with the columns station_id, name, latitude, longitude (decimal degrees).

    A list is short and everything hangs on it: it is taken whole or not at all.

    Raises:
        FileRefused: not such a file, a station twice, a coordinate that is no number or outside the frame.
    """
    stations: dict[str, Station] = {}
    with open_table(path) as table:
        names = [need_column(table, name) for name in ("station_id", "name", "latitude", "longitude")]
        for block in table.blocks(names):
            numbers, titles, latitudes, longitudes = (block.columns[name] for name in names)
            latitude, longitude = numbers_of(latitudes)[0], numbers_of(longitudes)[0]
            for row, line in enumerate(block.lines):
                number = numbers[row].strip()
                if not number or number in stations:
                    what = f"{number!r} stands twice" if number else "is empty"
                    raise FileRefused(f"{path}, line {line}: station_id: {what}; allowed: each station once")
                station = Station(number, titles[row].strip(), float(latitude[row]), float(longitude[row]))
                try:
                    grid_id_of(station.latitude, station.longitude)
                except BadInput as error:
                    raise FileRefused(f"{path}, line {line}: {error}") from None
                stations[number] = station
        wrong_width = table.refusals.groups()
        if wrong_width:
            raise FileRefused(f"{path}: {wrong_width[0].examples[0]}")
        if not stations:
            raise FileRefused(f"{path}: has no rows below the header; allowed: at least one station")
        return StationList(path, table.sha256, tuple(stations.values()))


def one_station_a_cell(stations: Iterable[Station], path: Path) -> None:
    """Refuse stations that would write into each other's series.

    Raises:
        FileRefused: two of them lie in one cell.
    """
    by_cell: dict[int, Station] = {}
    for station in stations:
        other = by_cell.setdefault(station.grid_id, station)
        if other is not station:
            raise FileRefused(
                f"{path}: stnId: stations {other} and {station} lie in one cell (grid_id {station.grid_id}); "
                "allowed: one station a cell, load the other from a file without this one"
            )
