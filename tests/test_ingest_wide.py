"""Wide tables of another database on the same server."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import psycopg
import pytest
from daemons import environment, run
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.climate import SCENARIOS, Series
from aiops.db.climate import Written, read_series, write_series
from aiops.db.datasets import register_dataset
from aiops.db.indicators import given_series
from aiops.errors import BadInput, DatabaseUnavailable
from aiops.grid import grid_id_of
from aiops.ingest.wide import load as wide_load
from aiops.ingest.wide.load import load_wide
from aiops.ingest.wide.source import open_source, wide_rows, wide_tables

PLACES = {1: (126.97, 37.57), 2: (127.12, 35.84), 3: (129.03, 35.10)}
"""By the source's own number: longitude, latitude."""
GRID = {number: grid_id_of(latitude, longitude) for number, (longitude, latitude) in PLACES.items()}
CODE = " (a code for missing? leave the field empty)"
ROWS = "SELECT xmin::text, ctid::text, * FROM climate_data ORDER BY variable, grid_id, scenario"


@pytest.fixture
def source(server, connection):
    """The connection string of an empty second database, and a connection in autocommit mode to it."""
    name = f"{connection.info.dbname}_wide"
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        conninfo = make_conninfo(server.conninfo, dbname=name)
        with psycopg.connect(conninfo, autocommit=True) as own:
            own.execute("CREATE TABLE location_grid (grid_id serial PRIMARY KEY, longitude numeric, latitude numeric)")
            for number, place in PLACES.items():
                own.execute("INSERT INTO location_grid VALUES (%s, %s, %s)", (number, *place))
            yield conninfo, own
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def own(source):
    return source[1]


@pytest.fixture
def target(connect):
    return connect(autocommit=True)


YEARLY = "year integer, grid_id integer, ssp1 real, ssp2 real, ssp3 real, ssp5 real"
MONTHLY = "observation_date date, grid_id integer, ssp1 real, ssp2 real, ssp3 real, ssp5 real"


def yearly(own, name="wsdi_data", cells=PLACES, years=range(2021, 2101), value=lambda cell, year: cell + year % 50):
    own.execute(f"CREATE TABLE {name} ({YEARLY})")
    with own.cursor().copy(f"COPY {name} FROM STDIN") as copy:
        # In no order.
        for year in reversed(years):
            for cell in cells:
                copy.write_row((year, cell, *(value(cell, year) + place for place in range(4))))


def monthly(own, name, value=lambda month: month):
    own.execute(f"CREATE TABLE {name} ({MONTHLY})")
    for year in (2021, 2022):
        for month in range(1, 13):
            row = (f"{year}-{month:02}-01", 1, *([value(month)] * 4))
            own.execute(f"INSERT INTO {name} VALUES (%s, %s, %s, %s, %s, %s)", row)


def groups(table):
    return {(group.what, group.reason): (group.count, group.examples) for group in table.refused}


def test_a_yearly_table_is_mapped_by_coordinates_and_scenario(source, target):
    yearly(source[1])
    report = load_wide(target, source[0])
    (table,) = report.tables
    assert (table.table, table.variable, table.unit, table.cadence) == ("public.wsdi_data", "wsdi", "days", "yearly")
    assert table.scenarios == {"ssp1": "ssp126", "ssp2": "ssp245", "ssp3": "ssp370", "ssp5": "ssp585"}
    assert (table.rows_read, table.rows_refused, table.values_refused, table.cells) == (240, 0, 0, 3)
    assert (table.first_year, table.last_year, table.series) == (2021, 2100, Written(12, 0, 0))
    for number, grid_id in GRID.items():
        for place, scenario in enumerate(SCENARIOS[1:]):
            (series,) = read_series(target, ["wsdi"], [grid_id], [scenario])
            assert series.first_year == 2021
            assert series.values.tolist() == [number + year % 50 + place for year in range(2021, 2101)]
    row = target.execute("SELECT name, source, computed FROM dataset").fetchall()
    assert row == [("wsdi_data", f"table public.wsdi_data of the database {report.source}", [])]
    assert len(given_series(target, ["wsdi"], list(GRID.values()))) == 12
    assert report.next_command is None


def test_a_second_load_leaves_every_row_untouched(source, target):
    yearly(source[1])
    first = load_wide(target, source[0]).tables[0]
    rows = target.execute(ROWS).fetchall()
    second = load_wide(target, source[0]).tables[0]
    assert (second.series, second.dataset_id) == (Written(0, 0, 12), first.dataset_id)
    assert target.execute(ROWS).fetchall() == rows


def test_a_load_that_ended_on_the_way_is_finished_by_the_next(source, target, monkeypatch):
    monkeypatch.setattr(wide_load, "AT_ONCE", 1)  # every cell is a transaction of its own
    yearly(source[1])
    target.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the disk is full'; END $$"
    )
    target.execute(
        "CREATE TRIGGER poison BEFORE INSERT ON climate_data_wsdi FOR EACH ROW"
        f" WHEN (NEW.grid_id = {GRID[2]}) EXECUTE FUNCTION refuse()"
    )
    with pytest.raises(psycopg.errors.RaiseException, match="the disk is full"):
        load_wide(target, source[0])
    assert target.execute("SELECT count(*) FROM climate_data").fetchone() == (4,)
    target.execute("DROP TRIGGER poison ON climate_data_wsdi")
    assert load_wide(target, source[0]).tables[0].series == Written(8, 0, 4)


def test_monthly_tables_are_known_by_their_dates_and_named_after_the_daily_variables(source, target):
    monthly(source[1], "tamax_data")
    monthly(source[1], "rn_data", lambda month: 10 * month)
    monthly(source[1], "spei12_data", lambda month: month / 10)
    report = load_wide(target, source[0])
    assert {table.variable: table.cadence for table in report.tables} == dict.fromkeys(
        ("tasmax_month", "pr_month", "spei12"), "monthly"
    )
    (rain,) = read_series(target, ["pr_month"], [GRID[1]], ["ssp585"])
    assert (rain.first_year, rain.values.tolist()) == (2021, [10.0 * month for month in range(1, 13)] * 2)
    assert report.next_command == "aiops run indicators"
    assert any("taken as mm" in line for line in report.lines())


def test_daily_tables_keep_true_days(source, target):
    source[1].execute("CREATE TABLE ta_data (observation_date timestamp, grid_id bigint, ssp2 numeric)")
    source[1].execute(
        "INSERT INTO ta_data SELECT day, 1, extract(doy FROM day) / 10"
        " FROM generate_series(timestamp '2024-01-01', '2024-12-31', '1 day') AS day"
    )
    (table,) = load_wide(target, source[0]).tables
    assert (table.variable, table.cadence) == ("tas", "daily")
    (series,) = read_series(target, ["tas"], [GRID[1]], ["ssp245"])
    assert series.values.tolist() == np.float32(np.arange(1, 367) / 10).tolist()


def every(own, name, step, until="2023-12-01", cells=(1, 2, 3)):
    """A table with a row every so often."""
    own.execute(f"CREATE TABLE IF NOT EXISTS {name} ({MONTHLY})")
    for cell in cells:
        own.execute(
            f"INSERT INTO {name} SELECT day, %s, 11, 12, 13, 14"
            " FROM generate_series(timestamp '2021-01-01', %s, %s::interval) AS day",
            (cell, until, step),
        )


def test_a_cell_that_is_unlike_the_others_does_not_tell_how_often_a_table_has_a_row(source, target, own):
    own.execute(f"CREATE TABLE rn_data ({MONTHLY})")
    own.execute("INSERT INTO rn_data VALUES ('2021-01-01', 1, 11, 12, 13, 14)")
    every(own, "rn_data", "1 month", cells=(2, 3))
    own.execute(f"CREATE TABLE ta_data ({MONTHLY})")
    own.execute("INSERT INTO ta_data VALUES ('2021-01-31', 1, 11, 12, 13, 14)")
    every(own, "ta_data", "1 month")
    (rain, warmth) = load_wide(target, source[0]).tables
    assert (rain.variable, rain.cadence, rain.rows_refused) == ("pr_month", "monthly", 0)
    assert (warmth.variable, warmth.cadence) == ("tas_month", "monthly")
    assert groups(warmth) == {("row", "the same twice"): (1, ("observation_date 2021-01, grid_id 1",))}


def test_a_table_of_which_nobody_can_say_how_often_it_has_a_row_is_skipped_by_name(source, target, own):
    every(own, "rn_data", "1 month", cells=(1, 2))
    every(own, "rn_data", "1 day", cells=(3,))
    every(own, "ta_data", "7 days")
    every(own, "tamax_data", "1 month", until="2021-01-01")
    every(own, "tamin_data", "1 month", until="2021-01-01", cells=(1, 2))
    every(own, "tamin_data", "1 day", until="2021-01-02", cells=(3,))
    report = load_wide(target, source[0])
    assert report.tables == ()
    disagree = "its cells do not agree how often they have a row (of 3 that were looked at {}); allowed: days, months"
    single = "{} of the 3 cells that were looked at have more than one row: {} may be of days or of months; allowed: "
    said = dict(report.skipped)
    assert said["public.rn_data"].startswith(disagree.format("2 a row a month, 1 a row a day"))
    assert said["public.ta_data"].startswith(disagree.format("3 neither"))
    for name, several, variable in (("tamax", 0, "tasmax"), ("tamin", 1, "tasmin")):
        start = single.format(several, variable)
        assert said[f"public.{name}_data"] == f"{start}several rows a cell, or for months the name {variable}_month"


def test_single_rows_are_of_the_only_cadence_that_a_variable_has(source, target, own):
    every(own, "pr_month_data", "1 month", until="2021-01-01")
    every(own, "hursmin_data", "1 month", until="2021-01-01")
    report = load_wide(target, source[0])
    assert {table.variable: table.cadence for table in report.tables} == {"pr_month": "monthly", "hursmin": "daily"}


def test_some_twenty_cells_are_looked_at(source, target, own):
    own.execute("INSERT INTO location_grid SELECT n, 126 + n * 0.01, 36 FROM generate_series(4, 100) AS n")
    every(own, "rn_data", "1 month", cells=range(1, 101))
    with open_source(source[0]) as other:
        (table,) = wide_tables(other)[0]
        assert sum(len(rows) for rows in wide_rows(other, table, 1, some_cells=True)) == 20
    own.execute("CREATE TABLE held (LIKE rn_data)")
    # One odd cell of twenty is outvoted; three are not.
    for odd, loaded in ((1, True), (3, False)):
        own.execute("TRUNCATE held; INSERT INTO held SELECT * FROM rn_data WHERE grid_id <= 20; TRUNCATE rn_data")
        own.execute("INSERT INTO rn_data SELECT * FROM held WHERE grid_id > %s", (odd,))
        every(own, "rn_data", "1 day", until="2021-01-09", cells=range(1, odd + 1))
        report = load_wide(target, source[0], ["rn_data"], dry_run=True)
        assert bool(report.tables) == loaded


def test_moments_with_a_time_zone_are_days_of_korea(source, target, own):
    own.execute(sql.SQL("ALTER DATABASE {} SET timezone = 'UTC'").format(sql.Identifier(own.info.dbname)))
    tables = {"ta_data": "2021-01-01 2021-01-02 2021-01-03", "tamax_data": "2021-01-01 2021-02-01 2021-03-01"}
    for name, days in tables.items():
        own.execute(f"CREATE TABLE {name} (observation_date timestamptz, grid_id integer, ssp2 real)")
        for value, day in enumerate(days.split()):
            own.execute(f"INSERT INTO {name} VALUES (%s, 1, %s)", (f"{day} 00:00+09", value))
    # The change of the clocks for summer is part of the zone.
    own.execute("INSERT INTO ta_data VALUES ('1988-07-01 00:00+10', 1, 7)")
    report = load_wide(target, source[0])
    assert [(table.variable, table.rows_refused) for table in report.tables] == [("tas", 0), ("tasmax_month", 0)]
    (days,) = read_series(target, ["tas"], [GRID[1]], ["ssp245"])
    (months,) = read_series(target, ["tasmax_month"], [GRID[1]], ["ssp245"])
    values = dict(zip(np.arange(f"{days.first_year}-01-01", "2022-01-01", dtype="M8[D]"), days.values, strict=True))
    assert {str(day): value for day, value in values.items() if not np.isnan(value)} == {
        "1988-07-01": 7,
        "2021-01-01": 0,
        "2021-01-02": 1,
        "2021-01-03": 2,
    }
    assert (months.first_year, months.values[:3].tolist()) == (2021, [0, 1, 2])


def test_gaps_and_nulls_are_missing(source, target, own):
    yearly(own, years=range(2021, 2026))
    own.execute("DELETE FROM wsdi_data WHERE year = 2023")
    own.execute("UPDATE wsdi_data SET ssp1 = NULL, ssp2 = 'NaN' WHERE year = 2022")
    own.execute("UPDATE wsdi_data SET ssp5 = NULL")
    (table,) = load_wide(target, source[0]).tables
    assert (table.rows_refused, table.values_refused, table.series) == (0, 0, Written(9, 0, 0))
    for scenario, missing in (("ssp126", {1, 2}), ("ssp245", {1, 2}), ("ssp370", {2})):
        (series,) = read_series(target, ["wsdi"], [GRID[1]], [scenario])
        assert set(np.flatnonzero(np.isnan(series.values))) == missing
        assert series.values.size == 5


def test_what_cannot_be_used_is_left_out_counted_and_named(source, target, own):
    yearly(own, years=range(2021, 2031))
    own.execute("INSERT INTO location_grid VALUES (4, 110, 35), (5, 127.301, 36.5), (6, 127.299, 36.5), (7, NULL, 36)")
    insert = "INSERT INTO wsdi_data VALUES (%s, %s, 1, 1, 1, 1)"
    for cell in (4, 5, 6, 7, 99, None):
        own.execute(insert, (2021, cell))
    own.execute(insert, (2022, 1))  # contradicts
    own.execute("INSERT INTO wsdi_data SELECT * FROM wsdi_data WHERE year = 2023 AND grid_id = 1")
    own.execute(insert, (None, 2))
    own.execute(insert, (202, 2))
    own.execute("UPDATE wsdi_data SET ssp3 = 999 WHERE year = 2025 AND grid_id = 3")
    own.execute("UPDATE wsdi_data SET ssp3 = 'infinity' WHERE year = 2026 AND grid_id = 3")
    (table,) = load_wide(target, source[0]).tables
    shared = grid_id_of(36.5, 127.3)
    assert groups(table) == {
        ("row", "cell outside the frame"): (2, ("grid_id 4", "grid_id 7")),
        ("row", "two cells of the source in one of the frame"): (
            2,
            (f"cells 5 and 6 both lie in cell {shared} of the frame",) * 2,
        ),
        ("row", "grid_id not in location_grid"): (1, ("grid_id 99",)),
        ("row", "no grid_id"): (1, ("grid_id None",)),
        ("row", "two that contradict each other"): (2, ("year 2022, grid_id 1",)),
        ("row", "the same twice"): (1, ("year 2023, grid_id 1",)),
        ("row", "no year"): (1, ("grid_id 2",)),
        ("row", "year out of range"): (1, ("year 202, grid_id 2; allowed: 1850 to 2300",)),
        ("value", "implausible"): (
            2,
            tuple(
                f"year {year}, grid_id 3, ssp3: {value}; allowed: wsdi 0 to 366 days{hint}"
                for year, value, hint in ((2025, 999, ""), (2026, "inf", CODE))
            ),
        ),
    }
    assert (table.rows_read, table.rows_refused, table.values_refused) == (40, 11, 2)
    (series,) = read_series(target, ["wsdi"], [GRID[1]], ["ssp126"])
    assert np.flatnonzero(np.isnan(series.values)).tolist() == [1]
    (series,) = read_series(target, ["wsdi"], [GRID[3]], ["ssp370"])
    assert np.flatnonzero(np.isnan(series.values)).tolist() == [4, 5]


def test_a_dry_run_judges_and_writes_nothing(source, target, own):
    yearly(own)
    own.execute("UPDATE wsdi_data SET ssp1 = -1 WHERE year = 2050")
    report = load_wide(target, source[0], dry_run=True)
    (table,) = report.tables
    assert (table.series_found, table.values_refused, table.dataset_id) == (12, 3, None)
    counts = "SELECT (SELECT count(*) FROM climate_data), (SELECT count(*) FROM dataset)"
    assert target.execute(counts).fetchone() == (0, 0)
    assert "nothing was written" in next(iter(report.lines()))


def test_tables_that_are_no_variable_are_listed_and_only_those_named_are_loaded(source, target, own):
    yearly(own)
    yearly(own, "happiness_data")
    yearly(own, "tas_data")
    yearly(own, "csdi_data")
    own.execute("CREATE TABLE notes (grid_id integer, year integer, remark text)")
    own.execute(f"CREATE TABLE rn_data ({MONTHLY})")
    report = load_wide(target, source[0])
    assert [table.variable for table in report.tables] == ["csdi", "wsdi"]
    assert dict(report.skipped) == {
        "public.notes": "no column is a scenario; allowed: ssp1, ssp2, ssp3, ssp5, historical",
        "public.happiness_data": "'happiness' is no variable",
        "public.tas_data": "it has a row a year, and tas is daily",
        "public.rn_data": "it has no row",
    }
    report = load_wide(target, source[0], ["CSDI_data"], dry_run=True)
    assert ([table.variable for table in report.tables], report.skipped) == (["csdi"], ())
    with pytest.raises(BadInput, match=r"--table: 'heat' is no wide table there; allowed: .*public\.wsdi_data"):
        load_wide(target, source[0], ["heat"])


def test_two_tables_of_one_variable_are_refused_by_name(source, target, own):
    monthly(own, "tamax_data")
    monthly(own, "tasmax_month_data")
    with pytest.raises(BadInput, match=r"public\.tamax_data and public\.tasmax_month_data are both tasmax_month"):
        load_wide(target, source[0])


def test_a_database_without_places_is_refused(source, target, own):
    yearly(own)
    own.execute("TRUNCATE location_grid")
    with pytest.raises(BadInput, match=r"public\.location_grid: has no row"):
        load_wide(target, source[0])
    own.execute("DROP TABLE location_grid")
    with pytest.raises(BadInput, match=r"public\.location_grid: .* does not exist; allowed: a table location_grid"):
        load_wide(target, source[0])


def test_values_that_are_there_already_are_joined_with_the_new(source, target, own):
    yearly(own, cells=[1], years=range(2021, 2031))
    load_wide(target, source[0])
    own.execute("DELETE FROM wsdi_data")
    own.execute("INSERT INTO wsdi_data VALUES (2031, 1, 1, 2, 3, 5)")
    assert load_wide(target, source[0]).tables[0].series == Written(0, 4, 0)
    (series,) = read_series(target, ["wsdi"], [GRID[1]], ["ssp245"])
    assert (series.first_year, series.values.size, series.values[-1]) == (2021, 11, 2)


def test_real_tables_replace_what_a_generator_made(source, target, own):
    generator = register_dataset(
        target, name="sample", source="test", file_sha256=None, first_year=1991, last_year=2100, synthetic=True
    )
    with target.transaction():
        write_series(target, [Series("wsdi", "ssp245", GRID[1], 1991, np.ones(110, np.float32))], generator)
    yearly(own, cells=[1], years=range(2021, 2031))
    report = load_wide(target, source[0])
    assert report.tables[0].series == Written(3, 1, 0)
    (series,) = read_series(target, ["wsdi"], [GRID[1]], ["ssp245"])
    assert (series.first_year, series.values.size) == (2021, 10)
    note = "real data replaced those of a generator (SYNTHETIC) in 1 series: 110 years of these are gone"
    assert f"  note: {note}" in list(report.lines())


def test_memory_does_not_grow_with_the_table(source, target, own, monkeypatch):
    monkeypatch.setattr(wide_load, "AT_ONCE", 200_000)

    def peak(cells):
        own.execute("DROP TABLE IF EXISTS wsdi_data; TRUNCATE location_grid")
        own.execute(f"CREATE TABLE wsdi_data ({YEARLY})")
        own.execute(
            "INSERT INTO location_grid SELECT n, 126 + n %% 200 * 0.01, 35 + n / 200 * 0.01"
            " FROM generate_series(0, %s - 1) AS n",
            (cells,),
        )
        own.execute(
            "INSERT INTO wsdi_data SELECT year, grid_id, 1, 2, 3, 4"
            " FROM location_grid, generate_series(2021, 2100) AS year"
        )
        tracemalloc.start()
        try:
            (table,) = load_wide(target, source[0]).tables
            assert table.cells == cells
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(100)
    assert peak(2400) < 1.5 * peak(400)


# --- the command ----------------------------------------------------------------------------------------------


def test_the_command_loads_and_reports(source, database, own):
    yearly(own)
    said = run(database, "workers.cli", "ingest", "wide", "--from", source[0], "--json")
    report = json.loads(said)
    assert report["tables"][0]["series"] == {"inserted": 12, "updated": 0, "unchanged": 0}
    password = conninfo_to_dict(source[0])["password"]
    said = run(database, "workers.cli", "ingest", "wide", "--from", source[0], "--table", "wsdi_data", "--dry-run")
    assert "public.wsdi_data: wsdi, yearly, taken as days (ssp1 → ssp126, " in said
    assert password not in said


@pytest.mark.parametrize("broken", ["postgresql//reader:top-secret@x", "postgresql://reader:top-secret@127.0.0.1:1/x"])
def test_a_password_is_never_printed(broken, database, target):
    with pytest.raises((BadInput, DatabaseUnavailable), match=r"^--from: ") as refused:
        load_wide(target, broken)
    assert "top-secret" not in str(refused.value)
    done = subprocess.run(
        [sys.executable, "-m", "workers.cli", "ingest", "wide", "--from", broken, "--debug"],
        env=environment(database),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (1, 2)
    assert "--from: " in done.stderr
    assert "top-secret" not in done.stdout + done.stderr
