"""Inputs other than climate series go into their tables once, and stay as they are when they come again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from aiops.db.cells import cells_with_climate, read_land, write_cells
from aiops.db.climate import Written
from aiops.db.datasets import register_dataset
from aiops.db.inputs import (
    Basin,
    Fix,
    Gauge,
    GaugeMaximum,
    SeaLevelRise,
    Warming,
    WaterUse,
    read_basins,
    read_evapotranspiration_methods,
    read_tracks,
    read_water_use,
    write_basins,
    write_evapotranspiration_methods,
    write_gauge_maxima,
    write_gauges,
    write_sea_level_rise,
    write_tracks,
    write_warming,
    write_water_use,
)


def new_dataset(connection, name, *, synthetic=False):
    return register_dataset(
        connection, name=name, source="test", file_sha256=None, first_year=None, last_year=None, synthetic=synthetic
    )


@pytest.fixture
def dataset(connection):
    return new_dataset(connection, "d")


def fix(storm, time, wind=50.0, **other):
    values = {
        "storm": storm,
        "name": "NAME",
        "time": time,
        "grade": 5,
        "latitude": 30.0,
        "longitude": 128.0,
        "pressure_hpa": 970.0,
        "wind_kt": wind,
        "direction_50": 0,
        "longest_50_nm": None,
        "shortest_50_nm": None,
        "direction_30": 2,
        "longest_30_nm": 200.0,
        "shortest_30_nm": 150.0,
    }
    return Fix(**{**values, **other})


def hour(n, year=2015):
    return datetime(year, 8, 1, tzinfo=UTC) + timedelta(hours=n)


CASES = {
    "tide_gauge": (write_gauges, [Gauge("a", "A", 37.0, 126.0, -4.6), Gauge("b", None, 35.0, 129.0)]),
    "tide_gauge_maximum": (write_gauge_maxima, [GaugeMaximum("a", 2001, 9.5), GaugeMaximum("a", 2002, 9.7)]),
    "sea_level_rise": (write_sea_level_rise, [SeaLevelRise("a", "ssp245", 2050, 0.3)]),
    "basin": (write_basins, [Basin("han", "Han", 18_000.0), Basin("geum", None, 6_000.0)]),
    "water_use": (write_water_use, [WaterUse("han", "historical", 2010, 4_000.0)]),
    "warming_level": (write_warming, [Warming("ssp585", 2050, 1.5), Warming("ssp585", 2051, 1.6)]),
}


@pytest.mark.parametrize("table", CASES)
def test_rows_are_new_once_and_then_as_they_were(connection, dataset, table):
    write, rows = CASES[table]
    assert write(connection, rows, dataset) == Written(len(rows), 0, 0)
    connection.commit()
    stored = connection.execute(f"SELECT xmin::text, * FROM {table}").fetchall()
    other = new_dataset(connection, "the same rows of another file")
    assert write(connection, rows, other) == Written(0, 0, len(rows))
    assert connection.execute(f"SELECT xmin::text, * FROM {table}").fetchall() == stored
    assert write(connection, [], other) == Written(0, 0, 0)


def test_a_changed_row_names_the_data_set_that_changed_it(connection, dataset):
    write_gauge_maxima(connection, [GaugeMaximum("a", 2001, 9.5), GaugeMaximum("a", 2002, 9.7)], dataset)
    later = new_dataset(connection, "later")
    rows = [GaugeMaximum("a", 2001, 9.5), GaugeMaximum("a", 2002, 9.8), GaugeMaximum("a", 2003, 9.0)]
    assert write_gauge_maxima(connection, rows, later) == Written(1, 1, 1)
    found = connection.execute("SELECT year, level_m, dataset_id FROM tide_gauge_maximum ORDER BY year").fetchall()
    assert found == [(2001, 9.5, dataset), (2002, 9.8, later), (2003, 9.0, later)]


def test_a_gauge_and_a_basin_keep_their_name_when_a_file_has_none(connection, dataset):
    write_gauges(connection, [Gauge("a", "Incheon", 37.0, 126.0)], dataset)
    assert write_gauges(connection, [Gauge("a", None, 37.0, 126.0)], dataset) == Written(0, 0, 1)
    write_basins(connection, [Basin("han", "Han", 18_000.0)], dataset)
    assert write_basins(connection, [Basin("han", None, 18_500.0)], dataset) == Written(0, 1, 0)
    assert connection.execute("SELECT name, mean_flow_million_m3 FROM basin").fetchall() == [("Han", 18_500.0)]


def test_korean_and_global_warming_stand_beside_each_other(connection, dataset):
    rows = [Warming("ssp585", 2050, 1.5)]
    assert write_warming(connection, rows, dataset).inserted == 1
    assert write_warming(connection, rows, dataset, regional=True).inserted == 1


def test_flow_and_use_are_read_as_they_were_written(connection, dataset):
    write_basins(connection, CASES["basin"][1], dataset)
    write_water_use(connection, CASES["water_use"][1], dataset)
    assert read_basins(connection) == {"han": 18_000.0, "geum": 6_000.0}
    assert read_water_use(connection) == CASES["water_use"][1]


def test_tracks_are_read_as_they_were_written_whatever_the_session_calls_the_time(connection, dataset):
    fixes = [fix("1502", hour(0)), fix("1502", hour(6), None), fix("1501", hour(3))]
    assert write_tracks(connection, fixes, [2015], dataset) == Written(3, 0, 0)
    connection.execute("SET LOCAL timezone = 'Asia/Seoul'")
    found, years = read_tracks(connection)
    assert found == [fixes[2], fixes[0], fixes[1]]
    assert years == {2015: dataset}
    assert [one.time.astimezone(UTC).hour for one in found] == [3, 0, 6]
    in_seoul = [one._replace(time=one.time.astimezone(timezone(timedelta(hours=9)))) for one in fixes]
    assert write_tracks(connection, in_seoul, [2015], dataset) == Written(0, 0, 3)


def test_a_file_of_tracks_speaks_for_its_time(connection, dataset):
    write_tracks(connection, [fix("1501", hour(0)), fix("1501", hour(6)), fix("1501", hour(12))], [2015], dataset)
    write_tracks(connection, [fix("1601", hour(0, 2016))], [2016], dataset)
    later = new_dataset(connection, "reanalysed")
    written = write_tracks(connection, [fix("1501", hour(0)), fix("1501", hour(12), 60.0)], [2015], later)
    assert written == Written(0, 2, 1), "one changed, one gone"
    found, years = read_tracks(connection)
    assert [(one.storm, one.time, one.wind_kt) for one in found] == [
        ("1501", hour(0), 50.0),
        ("1501", hour(12), 60.0),
        ("1601", hour(0, 2016), 50.0),
    ]
    assert years == {2015: later, 2016: dataset}


def test_generated_storms_are_not_read_and_take_nothing_from_observed_ones(connection, dataset):
    write_tracks(connection, [fix("1501", hour(0))], [2015], dataset)
    generated = new_dataset(connection, "sample", synthetic=True)
    write_tracks(connection, [fix("s1", hour(-6)), fix("s1", hour(6))], [2014, 2015], generated)
    found, years = read_tracks(connection)
    assert [one.storm for one in found] == ["1501"]
    assert years == {2015: dataset}


def test_a_year_without_storms_is_known_too(connection, dataset):
    assert write_tracks(connection, [], [2010], dataset) == Written(0, 0, 0)
    assert read_tracks(connection) == ([], {2010: dataset})


def test_cells_keep_what_a_file_does_not_say(connection, dataset):
    write_cells(connection, [{"grid_id": 5, "elevation_m": 12.5, "basin_id": "han"}], dataset)
    assert write_cells(connection, [{"grid_id": 5, "crest_m": 3.0}, {"grid_id": 6, "slope": 1}], dataset) == Written(
        1, 1, 0
    )
    connection.commit()
    stored = connection.execute("SELECT xmin::text, * FROM location_grid ORDER BY grid_id").fetchall()
    again = [{"grid_id": 5, "elevation_m": 12.5, "crest_m": 3.0, "basin_id": None}]
    assert write_cells(connection, again, new_dataset(connection, "again")) == Written(0, 0, 1)
    assert connection.execute("SELECT xmin::text, * FROM location_grid ORDER BY grid_id").fetchall() == stored
    assert read_land(connection, [5, 6, 7]) == {5: (12.5, "han"), 6: (None, None)}


def test_cells_with_climate_can_be_asked_for_by_basin(connection, dataset):
    write_cells(connection, [{"grid_id": n, "basin_id": b} for n, b in ((1, "han"), (2, "geum"), (3, "han"))], dataset)
    connection.execute("UPDATE location_grid SET has_climate = grid_id < 3")
    assert cells_with_climate(connection) == [1, 2]
    assert cells_with_climate(connection, ["han"]) == [1]


def test_how_evapotranspiration_was_made_is_remembered(connection, dataset):
    write_evapotranspiration_methods(connection, {1: "hargreaves", 2: "given"}, dataset)
    write_evapotranspiration_methods(connection, {1: "penman_monteith"}, dataset)
    assert read_evapotranspiration_methods(connection, [1, 2, 3]) == {1: "penman_monteith", 2: "given"}


def test_every_input_table_and_its_columns_with_a_unit_are_explained(connection):
    tables = [*CASES, "best_track", "best_track_year", "evapotranspiration_method"]
    unexplained = connection.execute(
        "SELECT relname, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        "WHERE relname = ANY (%s) AND (attnum > 0 AND attname ~ '_(m|k|m3|kt)$' OR attnum = -1) "
        "AND col_description(attrelid, attnum) IS NULL AND obj_description(attrelid, 'pg_class') IS NULL",
        [tables],
    ).fetchall()
    assert unexplained == []
