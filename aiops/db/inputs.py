"""What is needed beside climate series, into the tables of `0007_inputs.sql`; and population, of `0012_sites.sql`.

Every writer is part of the caller's transaction, takes rows that each stand for one row of its table and stand there
once, and leaves untouched what is there with the same values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from aiops.db.climate import Written
from aiops.db.statements import statement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from aiops.db.connect import Connection


class Gauge(NamedTuple):
    """A tide gauge."""

    gauge_id: str
    name: str | None
    latitude: float
    """Degrees north."""
    longitude: float
    """Degrees east."""
    datum_offset_m: float = 0.0
    """Height of the gauge's zero above mean sea level at Incheon, m."""


class GaugeMaximum(NamedTuple):
    """The highest still water level of a year."""

    gauge_id: str
    year: int
    level_m: float
    """Above the gauge's zero."""


class SeaLevelRise(NamedTuple):
    """Mean sea level at a gauge in a year."""

    gauge_id: str
    scenario: str
    year: int
    rise_m: float
    """Relative to 1995–2014."""


class Basin(NamedTuple):
    """A river basin that cells draw their water from."""

    basin_id: str
    name: str | None
    mean_flow_million_m3: float
    """Million m³ a year, mean of 1991–2020."""


class WaterUse(NamedTuple):
    """Water withdrawn in a basin in a year."""

    basin_id: str
    scenario: str
    year: int
    withdrawal_million_m3: float


class Warming(NamedTuple):
    """Mean warming in a year, of the globe, or of Korea where that is all that is known."""

    scenario: str
    year: int
    warming_k: float
    """K relative to 1991–2020."""


class District(NamedTuple):
    """An administrative district and how many people live there."""

    admin_code: str
    """As cells name it in `location_grid.admin_code`."""
    name: str | None
    name_ko: str | None
    population: int
    population_year: int | None
    """Of what year the population is."""


class Fix(NamedTuple):
    """Where a tropical cyclone was, and how strong; None where that was not analysed."""

    storm: str
    """International number such as 1501, or whatever tells one storm from the others."""
    name: str | None
    time: datetime
    """UTC, aware."""
    grade: int
    """2 tropical depression, 3 to 5 storm to typhoon, 6 extratropical, 7 entering the region, 9 storm or more."""
    latitude: float
    longitude: float
    pressure_hpa: float
    wind_kt: float | None
    """Maximum 10-minute wind."""
    direction_50: int
    """Side of the longest radius: 1 NE, 2 E … 8 N; 0 and 9 no side."""
    longest_50_nm: float | None
    shortest_50_nm: float | None
    direction_30: int
    longest_30_nm: float | None
    shortest_30_nm: float | None


def write_gauges(connection: Connection, gauges: Iterable[Gauge], dataset_id: int) -> Written:
    """Write tide gauges, by `gauge_id`; a name that is None leaves the stored one."""
    return _upsert(connection, "upsert_tide_gauges", Gauge._fields, list(gauges), dataset_id)


def write_gauge_maxima(connection: Connection, maxima: Iterable[GaugeMaximum], dataset_id: int) -> Written:
    """Write annual maxima, by gauge and year."""
    return _upsert(connection, "upsert_tide_gauge_maxima", GaugeMaximum._fields, list(maxima), dataset_id)


def write_sea_level_rise(connection: Connection, rise: Iterable[SeaLevelRise], dataset_id: int) -> Written:
    """Write sea level rise, by gauge, scenario and year."""
    return _upsert(connection, "upsert_sea_level_rise", SeaLevelRise._fields, list(rise), dataset_id)


def write_basins(connection: Connection, basins: Iterable[Basin], dataset_id: int) -> Written:
    """Write river basins, by `basin_id`; a name that is None leaves the stored one."""
    return _upsert(connection, "upsert_basins", Basin._fields, list(basins), dataset_id)


def write_water_use(connection: Connection, uses: Iterable[WaterUse], dataset_id: int) -> Written:
    """Write withdrawals, by basin, scenario and year."""
    return _upsert(connection, "upsert_water_use", WaterUse._fields, list(uses), dataset_id)


def write_warming(
    connection: Connection, warming: Iterable[Warming], dataset_id: int, *, regional: bool = False
) -> Written:
    """Write warming, by scenario and year.

    Args:
        connection: the caller's.
        warming: of the globe, or of Korea.
        dataset_id: from `register_dataset`.
        regional: it is Korea's own; read only while none of the globe is stored.
    """
    return _upsert(
        connection, "upsert_warming", Warming._fields, list(warming), dataset_id, more={"regional": regional}
    )


def write_districts(connection: Connection, districts: Iterable[District], dataset_id: int) -> Written:
    """Write population, by `admin_code`; a name that is None leaves the stored one."""
    return _upsert(connection, "upsert_districts", District._fields, list(districts), dataset_id)


def write_tracks(
    connection: Connection, fixes: Iterable[Fix], complete_years: Sequence[int], dataset_id: int
) -> Written:
    """Write the fixes of all storms of a span of time, and of which years they are all.

    Stored fixes between the first and the last of these that are not among them are superseded and go (they count as
    updated); but a generated data set takes nothing from an observed one, nor the other way.

    Args:
        connection: the caller's.
        fixes: by storm and time.
        complete_years: years (UTC) of which these are all storms; storms or not, they count.
        dataset_id: from `register_dataset`.
    """
    rows = list(fixes)
    connection.execute(
        statement("insert_track_years"), {"years": [int(year) for year in complete_years], "dataset_id": dataset_id}
    )
    if not rows:
        return Written(0, 0, 0)
    times = [fix.time for fix in rows]
    superseded = connection.execute(
        statement("delete_replaced_tracks"),
        {
            "first": min(times),
            "last": max(times),
            "storm": [fix.storm for fix in rows],
            "time": times,
            "dataset_id": dataset_id,
        },
    ).rowcount
    written = _upsert(connection, "upsert_tracks", Fix._fields, rows, dataset_id)
    return Written(written.inserted, written.updated + superseded, written.unchanged)


def read_tracks(connection: Connection) -> tuple[list[Fix], dict[int, int]]:
    """The fixes of all observed storms, storm after storm and each in time; and the years of which they are all.

    Generated storms (of a synthetic data set) are left out.

    Returns:
        The fixes, and by year (ascending) the latest data set that has all its storms.
    """
    fixes = [Fix(*row) for row in connection.execute(statement("read_tracks")).fetchall()]
    return fixes, dict(connection.execute(statement("read_track_years")).fetchall())


def read_basins(connection: Connection) -> dict[str, float]:
    """Mean flow of the basins, million m³ a year, by `basin_id`."""
    return dict(connection.execute(statement("read_basins")).fetchall())


def read_water_use(connection: Connection) -> list[WaterUse]:
    """All withdrawals, by basin, scenario and year."""
    return [WaterUse(*row) for row in connection.execute(statement("read_water_use")).fetchall()]


def read_evapotranspiration_methods(connection: Connection, grid_ids: Sequence[int]) -> dict[int, str]:
    """How the series `pet_month` of these cells was made, where it is there."""
    rows = connection.execute(statement("read_evapotranspiration_methods"), {"grid_ids": list(grid_ids)})
    return dict(rows.fetchall())


def write_evapotranspiration_methods(connection: Connection, methods: Mapping[int, str], dataset_id: int) -> None:
    """Record how the series `pet_month` of cells was made.

    Args:
        connection: the caller's.
        methods: by grid_id: penman_monteith, hargreaves, thornthwaite or given.
        dataset_id: from `register_dataset`.
    """
    connection.execute(
        statement("upsert_evapotranspiration_methods"),
        {"grid_id": list(methods), "method": list(methods.values()), "dataset_id": dataset_id},
    )


def _upsert(
    connection: Connection,
    query: str,
    fields: Sequence[str],
    rows: Sequence[tuple[object, ...]],
    dataset_id: int,
    *,
    more: Mapping[str, object] | None = None,
) -> Written:
    """One statement for all rows, column by column."""
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in fields]
    counts = connection.execute(
        statement(query), {**dict(zip(fields, columns, strict=True)), "dataset_id": dataset_id, **(more or {})}
    ).fetchone()
    if counts is None:
        raise AssertionError("a count gave no row")
    inserted, updated = counts
    return Written(inserted, updated, len(rows) - inserted - updated)
