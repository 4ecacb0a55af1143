"""Stored best tracks become the yearly exposure of cells to tropical cyclones and their largest site wind."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS, Series
from aiops.db.inputs import Fix, read_tracks
from aiops.grid import latitude_of, longitude_of
from aiops.indices.best_track import Tracks
from aiops.indices.cyclone import exposure_by_year, wind_by_year

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

    Floats = NDArray[np.float64]

WIND, EXPOSURE = "max_site_wind", "s_tc"
STORM_INDICATORS = (WIND, EXPOSURE)


@dataclass(frozen=True, slots=True)
class StormYears:
    """All stored storms, and the years of which that is all there were."""

    tracks: Tracks
    years: tuple[int, ...]
    """(UTC), ascending; years between them of which nothing is known are missing, not without storms."""
    dataset_id: int
    """The latest of the data sets that they come from."""

    def series(self, grid_ids: Sequence[int]) -> Iterator[Series]:
        """`max_site_wind` and `s_tc` of cells, as history, from the first to the last known year."""
        cells = np.asarray(grid_ids, dtype=np.int32)
        place = latitude_of(cells), longitude_of(cells)
        with_fixes = self.tracks.time.astype("datetime64[Y]").astype(np.int64) + 1970
        for name, (of_file, values) in (
            (WIND, wind_by_year(self.tracks, *place)),
            (EXPOSURE, exposure_by_year(self.tracks, *place)),
        ):
            axis = np.arange(self.years[0], self.years[-1] + 1)
            laid = np.full((axis.size, cells.size), np.nan)
            known = np.isin(axis, self.years)
            within = known & np.isin(axis, of_file)
            # A known year beyond all fixes had no storm, as one between them.
            laid[known & ~np.isin(axis, with_fixes)] = 0.0
            laid[within] = values[np.isin(of_file, axis[within])]
            for grid_id, column in zip(cells.tolist(), laid.T, strict=True):
                if not np.isnan(column).all():
                    yield Series(name, SCENARIOS[0], grid_id, self.years[0], column.astype(np.float32))


def stored_storms(connection: Connection) -> StormYears | None:
    """The observed storms that are stored; None where there are none, or no year of which all are known."""
    fixes, years = read_tracks(connection)
    if not fixes or not years:
        return None
    return StormYears(tracks_of(fixes), tuple(sorted(years)), max(years.values()))


def fixes_of(tracks: Tracks, storms: Sequence[tuple[str, str | None]]) -> Iterator[Fix]:
    """Tracks as rows.

    Args:
        tracks: of a file.
        storms: number and name of each storm, in the order of the file.
    """

    def optional(values: Floats) -> list[float | None]:
        return [None if np.isnan(value) else float(value) for value in values]

    rows = zip(
        tracks.storm.tolist(),
        tracks.time.tolist(),
        tracks.grade.tolist(),
        tracks.latitude.tolist(),
        tracks.longitude.tolist(),
        tracks.pressure.tolist(),
        optional(tracks.wind),
        tracks.direction_50.tolist(),
        optional(tracks.longest_50),
        optional(tracks.shortest_50),
        tracks.direction_30.tolist(),
        optional(tracks.longest_30),
        optional(tracks.shortest_30),
        strict=True,
    )
    for storm, time, *rest in rows:
        number, name = storms[storm]
        yield Fix(number, name, time.replace(tzinfo=UTC), *rest)


def tracks_of(fixes: Sequence[Fix]) -> Tracks:
    """Rows, storm after storm and each in time, as tracks."""
    column = dict(zip(Fix._fields, zip(*fixes, strict=True), strict=True))
    storms = np.array(column["storm"])
    number = np.cumsum(np.concatenate(([False], storms[1:] != storms[:-1])))

    def floats(name: str) -> Floats:
        return np.array([np.nan if value is None else value for value in column[name]], dtype=np.float64)

    return Tracks(
        storm=number.astype(np.int64),
        time=np.array([time.astimezone(UTC).replace(tzinfo=None) for time in column["time"]], dtype="datetime64[m]"),
        grade=np.array(column["grade"], dtype=np.int64),
        latitude=floats("latitude"),
        longitude=floats("longitude"),
        pressure=floats("pressure_hpa"),
        wind=floats("wind_kt"),
        direction_50=np.array(column["direction_50"], dtype=np.int64),
        longest_50=floats("longest_50_nm"),
        shortest_50=floats("shortest_50_nm"),
        direction_30=np.array(column["direction_30"], dtype=np.int64),
        longest_30=floats("longest_30_nm"),
        shortest_30=floats("shortest_30_nm"),
    )
