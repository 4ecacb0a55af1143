"""Inputs other than climate series are loaded in one transaction, and what follows from them is computed anew."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aiops.climate import Series, calendar_days
from aiops.db.climate import Written, read_series, write_series
from aiops.db.datasets import register_dataset
from aiops.errors import FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.load import load_long_csv, load_place_csv
from aiops.ingest.load_inputs import (
    load_attributes,
    load_gauges,
    load_sea_level,
    load_tracks,
    load_warming,
    load_water,
)

JEJU = grid_id_of(33.51, 126.53)
TABLES = (
    "location_grid",
    "tide_gauge",
    "tide_gauge_maximum",
    "sea_level_rise",
    "basin",
    "water_use",
    "warming_level",
    "best_track",
    "best_track_year",
    "evapotranspiration_method",
    "dataset",
    "climate_data",
)


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def files(write):
    return {
        load_attributes: write("cells.csv", "grid_id,elevation_m,basin_id,crest_m", f"{JEJU},20,jeju,", "5,1,,4.5"),
        load_gauges: write(
            "gauges.csv",
            "gauge_id,name,latitude,longitude,datum_offset_m,year,level_m",
            *(f"jeju,제주,33.527,126.543,-1.6,{year},{3 + year % 7 / 10}" for year in range(1991, 2021)),
        ),
        load_sea_level: write(
            "rise.csv",
            "gauge_id,scenario,year,rise_m",
            "jeju,historical,2005,0",
            "jeju,ssp585,2050,.3",
            "jeju,ssp585,2060,.4",
        ),
        load_water: write(
            "water.csv",
            "basin_id,mean_flow_million_m3,scenario,year,withdrawal_million_m3",
            "jeju,800,historical,2010,200",
            "jeju,800,ssp585,2050,300",
        ),
        load_warming: write("warming.csv", "scenario,year,warming_k", "historical,2010,0.1", "ssp585,2050,1.5"),
        load_tracks: write("tracks.txt", *TRACKS),
    }


TRACKS = (
    "66666 1501  003 0001 1501 0 6             MEKKHALA              20150217",
    "15080100 002 5 330 1265 0950     085     70080 0080 90200 0200",
    "15080106 002 5 336 1266 0950     085     70080 0080 90200 0200",
    "15080112 002 5 342 1267 0960     080     70080 0080 90200 0200",
    "66666 1601  002 0001 1601 0 6             LATE                  20170217",
    "16123118 002 2 100 1405 1000     000",
    "17010100 002 2 100 1410 1002     000",
)


def stored(connection):
    return {
        table: connection.execute(f"SELECT xmin::text, ctid::text, t.* FROM {table} AS t ORDER BY ctid").fetchall()
        for table in TABLES
    }


def days_of_jeju(connection, write, first="1991-01-01", last="2016-01-01", scenario="historical"):
    days = np.arange(first, last, dtype="datetime64[D]")
    random = np.random.default_rng(3)
    season = -np.cos(2 * np.pi * np.arange(days.size) / 365.25)
    rows = zip(
        days.astype(str),
        (19 + 10 * season).round(1),
        (12 + 10 * season).round(1),
        random.gamma(0.3, 14, days.size).round(1),
        strict=True,
    )
    path = write(
        f"{scenario}.csv", "date,high,low,rain", *(f"{day},{high},{low},{rain}" for day, high, low, rain in rows)
    )
    return load_place_csv(connection, path, 33.51, 126.53, {"tasmax": "high", "tasmin": "low", "pr": "rain"}, scenario)


def one(connection, variable, scenario="historical", grid_id=JEJU):
    (series,) = read_series(connection, [variable], [grid_id], [scenario])
    return series


def test_each_file_fills_its_tables_and_a_second_load_changes_nothing(connection, write, files):
    days_of_jeju(connection, write)
    expected = {
        load_attributes: {"location_grid": 1},
        load_gauges: {"tide_gauge": 1, "tide_gauge_maximum": 30},
        load_sea_level: {"sea_level_rise": 12},
        load_water: {"basin": 1, "water_use": 2},
        load_warming: {"warming_level": 2},
        load_tracks: {"best_track": 5},
    }
    for load, path in files.items():
        report = load(connection, path)
        assert {name: written.inserted for name, written in report.tables.items()} == expected[load]
        assert report.rows_refused == 0
        connection.commit()
    before = stored(connection)
    connection.commit()
    for load, path in files.items():
        report = load(connection, path)
        assert {(written.inserted, written.updated) for written in report.tables.values()} == {(0, 0)}
        assert (report.series.inserted, report.series.updated) == (0, 0)
    connection.commit()
    assert stored(connection) == before


def test_tracks_bring_their_winds_to_cells_that_are_there_and_to_those_that_come_later(connection, write, files):
    days_of_jeju(connection, write)
    report = load_tracks(connection, files[load_tracks])
    assert report.indicators == ("max_site_wind", "s_tc")
    assert report.warnings == ("complete years: 2015, 2016",)
    wind = one(connection, "max_site_wind")
    assert (wind.first_year, wind.values.size) == (2015, 2)
    assert wind.values[0] > 30
    assert wind.values[1] == 0
    later = load_long_csv(
        connection, write("later.csv", "variable,scenario,date,grid_id,value", f"wsdi,historical,2001,{JEJU + 1},3")
    )
    assert {"max_site_wind", "s_tc"} == set(later.indicators)
    assert one(connection, "max_site_wind", grid_id=JEJU + 1).values[0] == pytest.approx(wind.values[0], rel=0.2)
    tracks = connection.execute("SELECT DISTINCT dataset_id FROM climate_data WHERE variable = 's_tc'").fetchall()
    assert tracks == [(report.dataset_id,)], "the winds name the tracks, not the file that brought the cell"


def test_winds_that_a_file_brings_itself_are_not_computed_over(connection, write, files):
    load_tracks(connection, files[load_tracks])
    path = write("own.csv", "variable,scenario,date,grid_id,value", f"max_site_wind,historical,2015,{JEJU},12.5")
    report = load_long_csv(connection, path)
    assert report.indicators == ("s_tc",)
    days_of_jeju(connection, write)
    assert one(connection, "max_site_wind").values.tolist() == [12.5]


ORDERS = ("cells water days", "days water cells", "water days cells", "days cells water")


@pytest.mark.parametrize("order", ORDERS)
def test_water_stress_is_the_same_in_whatever_order_its_inputs_come(connection, write, files, order):
    loads = {
        "cells": lambda: load_attributes(connection, files[load_attributes]),
        "water": lambda: load_water(connection, files[load_water]),
        "days": lambda: days_of_jeju(connection, write),
    }
    reports = [loads[name]() for name in order.split()]
    assert "wsi" in reports[-1].indicators
    wsi = one(connection, "wsi")
    assert (wsi.first_year, wsi.values.size) == (1991, 25)
    # Evaporation bends it upwards: the mean ratio is above the ratio of the means.
    assert 0.397 < np.mean(wsi.values) < 1
    assert 1 / np.mean(1 / wsi.values.astype(float)) == pytest.approx(200 / (800 * 0.63), rel=1e-5)


def test_more_use_is_more_stress_and_a_scenario_has_its_own(connection, write, files):
    days_of_jeju(connection, write)
    days_of_jeju(connection, write, "2016-01-01", "2020-01-01", "ssp585")
    load_attributes(connection, files[load_attributes])
    load_water(connection, files[load_water])
    before = one(connection, "wsi"), one(connection, "wsi", "ssp585")
    assert before[1].first_year == 2016
    report = load_water(
        connection, write("more.csv", "basin_id,scenario,year,withdrawal_million_m3", "jeju,historical,2010,400")
    )
    assert report.series == Written(0, 2, 0)
    np.testing.assert_allclose(one(connection, "wsi").values, 2 * before[0].values, rtol=1e-6)
    # The scenario's use rises from the history's last to its own of 2050: more, but not twice as much.
    assert (one(connection, "wsi", "ssp585").values > before[1].values * 1.5).all()


def test_days_bring_rain_evapotranspiration_and_drought_and_say_by_which_method(connection, write):
    report = days_of_jeju(connection, write)
    assert {"pr_month", "pet_month", "spei12", "spei12_min", "spei12_dry_share"} <= set(report.indicators)
    assert "potential evapotranspiration by hargreaves in 1 cells" in report.warnings
    method = connection.execute("SELECT grid_id, method, dataset_id FROM evapotranspiration_method").fetchall()
    assert method == [(JEJU, "hargreaves", report.dataset_id)]
    driest = one(connection, "spei12_min")
    assert (driest.first_year, driest.values.size) == (1991, 25)
    assert -3.5 <= np.nanmin(driest.values) < -1


def test_a_scenario_with_less_weather_changes_the_method_of_the_whole_cell(connection, write):
    random = np.random.default_rng(1)
    days = calendar_days(2001, 3)
    mean = 12 - 12 * np.cos(2 * np.pi * np.arange(days.size) / 365.25)
    more = {
        "tasmax": mean + 5,
        "tasmin": mean - 5,
        "hurs": 0 * mean + 60,
        "sfcWind": 0 * mean + 2,
        "rsds": 0 * mean + 150,
    }
    rows = zip(days.astype(str), *(values.round(2) for values in more.values()), strict=True)
    all_weather = write("all.csv", ",".join(["date", *more]), *(",".join(map(str, row)) for row in rows))
    load_place_csv(connection, all_weather, 33.51, 126.53, {name: name for name in more})
    alone = one(connection, "pet_month").values
    future = write(
        "future.csv",
        "date,a,b",
        *(f"{d + 1096},{h:.1f},{h - 9 - random.random():.1f}" for d, h in zip(days[:730], mean, strict=False)),
    )
    load_place_csv(connection, future, 33.51, 126.53, {"tasmax": "a", "tasmin": "b"}, "ssp245")
    assert connection.execute("SELECT method FROM evapotranspiration_method").fetchall() == [("hargreaves",)]
    assert (one(connection, "pet_month").values != alone).all()


def test_evapotranspiration_that_was_given_is_not_computed_over(connection, write):
    months = np.arange("1991-01", "2016-01", dtype="datetime64[M]")
    path = write(
        "pet.csv",
        "variable,scenario,date,grid_id,value",
        *(f"pet_month,historical,{month},{JEJU},77" for month in months),
    )
    load_long_csv(connection, path)
    report = days_of_jeju(connection, write)
    assert connection.execute("SELECT method FROM evapotranspiration_method").fetchall() == [("given",)]
    assert set(one(connection, "pet_month").values.tolist()) == {77}
    assert "pet_month" not in report.indicators
    assert "spei12_min" in report.indicators


def test_months_that_a_file_brings_stand_and_its_days_give_the_others(connection, write):
    months = np.arange("2001-01", "2002-01", dtype="datetime64[M]")
    days = np.arange("2001-01-01", "2003-01-01", dtype="datetime64[D]")
    rows = [f"pr_month,historical,{month},{JEJU},100" for month in months]
    rows += [f"pr,historical,{day},{JEJU},2" for day in days]
    path = write("both.csv", "variable,scenario,date,grid_id,value", *rows)
    report = load_long_csv(connection, path)
    assert "pr_month" in report.indicators
    rain = one(connection, "pr_month").values
    assert (rain[:12].tolist(), rain[12:].sum()) == ([100] * 12, 730)
    before = stored(connection)
    again = load_long_csv(connection, path)
    assert (again.series_inserted, again.series_updated, "pr_month" in again.indicators) == (0, 0, False)
    assert stored(connection) == before


def test_monthly_series_bring_drought_too(connection, write):
    months = np.arange("1991-01", "2021-01", dtype="datetime64[M]")
    random = np.random.default_rng(5)
    rows = [f"pr_month,historical,{month},{JEJU},{random.gamma(2, 50):.1f}" for month in months]
    rows += [
        f"tas_month,historical,{month},{JEJU},{15 + 10 * np.sin(n * np.pi / 6):.2f}" for n, month in enumerate(months)
    ]
    report = load_long_csv(connection, write("months.csv", "variable,scenario,date,grid_id,value", *rows))
    assert set(report.indicators) == {"pet_month", "spei12", "spei12_min", "spei12_dry_share"}
    assert connection.execute("SELECT method FROM evapotranspiration_method").fetchall() == [("thornthwaite",)]


def months_of_jeju(write, first="1991-01", last="2021-01", names=("pr_month", "tasmax_month", "tasmin_month")):
    """A long CSV of monthly rain and temperatures, as national grids have them."""
    months = np.arange(first, last, dtype="datetime64[M]")
    random = np.random.default_rng(5)
    season = -np.cos(2 * np.pi * np.arange(months.size) / 12)
    values = {
        "pr_month": random.gamma(2, 50, months.size),
        "tasmax_month": 19 + 10 * season,
        "tasmin_month": 12 + 10 * season,
        "tas_month": 16 + 10 * season,
        "pet_month": 80 + 50 * season,
        "spei12_min": np.full(months.size, -2.5),
    }
    return write(
        f"{names[0]}.csv",
        "variable,scenario,date,grid_id,value",
        *(
            f"{name},historical,{str(month)[:4] if name == 'spei12_min' else month},{JEJU},{value:.2f}"
            for name in names
            for month, value in zip(months, values[name], strict=True)
            if name != "spei12_min" or str(month).endswith("-01")
        ),
    )


def heat_of_jeju(connection, write, columns, first="1991-01-01", last="2006-01-01"):
    days = np.arange(first, last, dtype="datetime64[D]")
    high = 20 - 10 * np.cos(2 * np.pi * np.arange(days.size) / 365.25)
    path = write("heat.csv", "date,high,low", *(f"{d},{h:.1f},{h - 8:.1f}" for d, h in zip(days, high, strict=True)))
    return load_place_csv(connection, path, 33.51, 126.53, columns)


def all_series(connection):
    """Values by variable, scenario and cell; what was computed and what was loaded."""
    names = [row[0] for row in connection.execute("SELECT DISTINCT variable FROM climate_data")]
    found = read_series(connection, names, [JEJU], ["historical", "ssp585"])
    return {(one.variable, one.scenario): (one.first_year, one.values.tobytes()) for one in found}


def in_both_orders(connection, loads):
    """What stands at the end of either order, which is rolled back."""
    for order in (loads, loads[::-1]):
        with connection.transaction(force_rollback=True):
            for load in order:
                load()
            yield all_series(connection)


@pytest.mark.parametrize("columns", [{"tasmax": "high"}, {"tasmax": "high", "tasmin": "low"}])
def test_days_and_months_of_weather_give_the_same_in_whatever_order_they_come(connection, write, columns):
    loads = (
        lambda: load_long_csv(connection, months_of_jeju(write)),
        lambda: heat_of_jeju(connection, write, columns),
    )
    first, second = in_both_orders(connection, loads)
    assert first == second
    assert np.frombuffer(first["pet_month", "historical"][1], np.float32).size == 360
    assert not np.isnan(np.frombuffer(first["spei12_min", "historical"][1], np.float32)[1:]).any()


def test_a_drought_index_does_not_outlive_the_evapotranspiration_that_it_was_made_of(connection, write):
    """Of the means Thornthwaite makes 60 years; of the extremes Hargreaves 56, which are enough to go before it."""

    def means():
        load_long_csv(connection, months_of_jeju(write, "1961-01", names=("pr_month", "tas_month")))

    def extremes():
        load_long_csv(connection, months_of_jeju(write, "1965-01", names=("tasmax_month", "tasmin_month")))

    first, second = in_both_orders(connection, (means, extremes))
    assert first == second
    values = {name: np.frombuffer(first[name, "historical"][1], np.float32) for name in ("pet_month", "spei12")}
    assert {name: int(np.flatnonzero(~np.isnan(row))[0]) for name, row in values.items()} == {
        "pet_month": 4 * 12,
        "spei12": 4 * 12 + 11,
    }


def test_what_follows_from_nothing_any_more_is_deleted_and_the_report_says_so(connection, write):
    """Evapotranspiration that a file gives for the history is not mixed with another: the scenario is left without."""

    def days():
        days_of_jeju(connection, write)
        days_of_jeju(connection, write, "2016-01-01", "2020-01-01", "ssp585")

    def evapotranspiration():
        reports.append(load_long_csv(connection, months_of_jeju(write, "1991-01", "2016-01", names=("pet_month",))))

    reports = []
    first, second = in_both_orders(connection, (days, evapotranspiration))
    assert first == second
    assert ("spei12", "historical") in first
    assert not {("pet_month", "ssp585"), ("spei12", "ssp585"), ("spei12_min", "ssp585")} & first.keys()
    assert ("pr_month", "ssp585") in first
    assert [any("4 computed series deleted" in note for note in one.warnings) for one in reports] == [True, False]


def test_a_drought_index_that_a_file_has_given_stays_and_is_computed_around(connection, write):
    def own():
        load_long_csv(connection, months_of_jeju(write, "1985-01", "1995-01", names=("spei12_min",)))

    first, second = in_both_orders(connection, (own, lambda: days_of_jeju(connection, write)))
    assert first == second
    year, values = first["spei12_min", "historical"]
    lowest = np.frombuffer(values, np.float32)
    assert (year, lowest.size, set(lowest[:10].tolist())) == (1985, 31, {-2.5})
    assert not np.isnan(lowest).any()


def test_a_refused_file_leaves_nothing_and_the_connection_usable(connection, write):
    bad = write("bad.csv", "something,else", "1,2")
    for load in (load_attributes, load_gauges, load_sea_level, load_water, load_warming, load_tracks):
        with pytest.raises(FileRefused):
            load(connection, bad)
    assert connection.execute("SELECT count(*) FROM dataset").fetchone() == (0,)


def test_nobody_sees_a_load_before_it_is_committed(connection, connect, files):
    other = connect(autocommit=True)
    with connection.transaction():
        load_gauges(connection, files[load_gauges])
        assert other.execute("SELECT count(*) FROM tide_gauge_maximum").fetchone() == (0,)
    connection.commit()
    assert other.execute("SELECT count(*) FROM tide_gauge_maximum").fetchone() == (30,)


def test_the_same_file_of_global_and_of_korean_warming_are_two_data_sets(connection, files):
    reports = [load_warming(connection, files[load_warming], regional=regional) for regional in (False, True)]
    assert reports[0].dataset_id != reports[1].dataset_id
    assert connection.execute("SELECT count(*) FROM warming_level WHERE regional").fetchone() == (2,)


def test_a_report_is_json_and_lines_for_people(connection, write, files):
    report = load_sea_level(connection, files[load_sea_level])
    as_json = json.loads(json.dumps(report.as_dict()))
    assert as_json["tables"] == {"sea_level_rise": {"inserted": 12, "updated": 0, "unchanged": 0}}
    lines = list(report.lines())
    assert lines[0].startswith(f"{files[load_sea_level]}: 3 of 3 rows used (data set {report.dataset_id}, ")
    assert lines[1] == "  sea_level_rise: 12 new, 0 changed, 0 as they were"
    assert lines[2] == "  note: 9 values of years between given ones (at most 10 apart) lie on straight lines"
    days_of_jeju(connection, write)
    computed = list(load_tracks(connection, files[load_tracks]).lines())
    assert "  computed: max_site_wind s_tc: 2 series new, 0 changed, 0 as they were" in computed


def test_real_tracks_replace_the_winds_of_a_synthetic_sample(connection, files, write):
    dataset = register_dataset(
        connection, name="s", source="test", file_sha256=None, first_year=None, last_year=None, synthetic=True
    )
    write_series(connection, [Series("max_site_wind", "historical", JEJU, 1991, np.full(30, 5, np.float32))], dataset)
    report = load_tracks(connection, files[load_tracks])
    wind = one(connection, "max_site_wind")
    assert wind.first_year == 2015
    assert wind.values[0] > 30
    note = "real data replaced those of a generator (SYNTHETIC) in 1 series: 30 years of these are gone"
    assert note in report.warnings
    # A sample that comes after the tracks gives way to them when the cell is loaded.
    connection.execute("DELETE FROM climate_data")
    write_series(connection, [Series("s_tc", "historical", JEJU, 1991, np.full(30, 5, np.float32))], dataset)
    days_of_jeju(connection, write, "2014-01-01", "2016-01-01")
    assert one(connection, "s_tc").first_year == 2015


@pytest.mark.oracle
def test_the_real_tracks_load_and_reach_the_south(connection, shared_data, write):
    days_of_jeju(connection, write)
    report = load_tracks(connection, shared_data / "jma_best_track_2015_2020.txt.gz")
    assert report.tables["best_track"] == Written(6154, 0, 0)
    wind = one(connection, "max_site_wind")
    assert (wind.first_year, wind.values.size) == (2015, 6)
    assert 25 < wind.values.max() < 60
