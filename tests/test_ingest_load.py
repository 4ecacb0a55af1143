"""A file is written in one transaction, or not at all."""

from __future__ import annotations

import json

import numpy as np
import pytest

from aiops.climate import Series, calendar_days
from aiops.db.climate import read_series, write_series
from aiops.db.datasets import register_dataset
from aiops.db.reports import has_synthetic_data
from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest import derived
from aiops.ingest.derived import COMPUTED
from aiops.ingest.load import load_asos, load_long_csv, load_place_csv
from aiops.ingest.origin import FOLLOWS_FROM
from aiops.ingest.storms import STORM_INDICATORS

SEOUL = grid_id_of(37.57, 126.97)
COUNT = "SELECT count(*) FROM climate_data"
ROWS = "SELECT xmin::text, ctid::text, * FROM climate_data ORDER BY variable, grid_id, scenario"


@pytest.fixture
def write(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    return write


@pytest.fixture
def long_csv(write):
    return write(
        "long.csv",
        "variable,scenario,date,latitude,longitude,value",
        *(f"wsdi,ssp245,{year},37.57,126.97,{year % 7}" for year in range(2021, 2031)),
        "wsdi,ssp245,2031,37.57,126.97,999",
        "heat,ssp245,2021,37.57,126.97,1",
    )


def place_days(write, first, last, name="place.csv", rain=lambda day: day.item().day / 2):
    days = np.arange(first, last, dtype="datetime64[D]")
    return write(name, "date,rain", *(f"{day},{rain(day)}" for day in days))


def test_a_long_csv_is_stored_and_reported(connection, long_csv):
    report = load_long_csv(connection, long_csv)
    (series,) = read_series(connection, ["wsdi"], [SEOUL], ["ssp245"])
    assert (series.first_year, series.values.tolist()) == (2021, [year % 7 for year in range(2021, 2031)])
    assert (report.rows_read, report.rows_accepted, report.rows_refused) == (12, 10, 2)
    assert {(group.field, group.reason, group.count) for group in report.refused} == {
        ("variable", "not known", 1),
        ("value", "implausible", 1),
    }
    assert (report.kind, report.variables, report.indicators, report.cells) == ("csv", ("wsdi",), (), 1)
    assert (report.first_date, report.last_date, report.scenarios) == ("2021-01-01", "2030-01-01", ("ssp245",))
    assert (report.series_inserted, report.series_updated, report.series_unchanged) == (1, 0, 0)


def test_the_load_is_recorded_as_a_data_set_that_its_series_name(connection, long_csv):
    report = load_long_csv(connection, long_csv)
    row = connection.execute(
        "SELECT name, file_sha256, first_year, last_year, synthetic, "
        "(SELECT array_agg(DISTINCT dataset_id) FROM climate_data) FROM dataset WHERE dataset_id = %s",
        [report.dataset_id],
    ).fetchone()
    assert row == ("long.csv", report.sha256, 2021, 2030, False, [report.dataset_id])


def of_generator(connection, **first_value):
    """A generator's yearly or daily series of the place, 1991 to 2000."""
    dataset = register_dataset(
        connection, name="sample", source="test", file_sha256=None, first_year=1991, last_year=2000, synthetic=True
    )
    days = calendar_days(1991, 10).size
    sizes = {name: days if name in {"tasmax", "hursmin", "sfcWind", "pr"} else 10 for name in first_value}
    write_series(
        connection,
        [
            Series(name, "historical", SEOUL, 1991, np.full(sizes[name], value, np.float32))
            for name, value in first_value.items()
        ],
        dataset,
    )


def origins(connection):
    """By variable whether its series is a generator's, and its first year and number of values."""
    return {
        name: (synthetic, first_year, size)
        for name, synthetic, first_year, size in connection.execute(
            "SELECT variable, synthetic, c.first_year, length(values) / 4 FROM climate_data AS c"
            " JOIN dataset USING (dataset_id)"
        )
    }


def hot_days(write, first="1995-01-01", last="1996-01-01"):
    days = np.arange(first, last, dtype="datetime64[D]")
    return write("hot.csv", "date,high", *(f"{day},{20 + day.item().month}" for day in days))


def test_real_days_replace_a_generators_and_what_follows_from_them_is_real(connection, write):
    of_generator(connection, tasmax=25, tx33=40, txx=35)
    report = load_place_csv(connection, hot_days(write), 37.57, 126.97, {"tasmax": "high"})
    found = origins(connection)
    assert {name: found[name] for name in ("tasmax", "tx33", "txx", "wsdi")} == {
        "tasmax": (False, 1995, 365),
        "tx33": (False, 1995, 1),
        "txx": (False, 1995, 1),
        "wsdi": (False, 1995, 1),
    }
    assert not has_synthetic_data(connection, [SEOUL])
    note = "real data replaced those of a generator (SYNTHETIC) in 3 series: 30 years of these are gone"
    assert note in report.warnings
    assert f"  note: {note}" in list(report.lines())
    again = load_place_csv(connection, hot_days(write), 37.57, 126.97, {"tasmax": "high"})
    assert (again.series_inserted, again.series_updated) == (0, 0)
    assert not any("generator" in warning for warning in again.warnings)


def test_what_follows_from_a_generators_series_too_is_of_a_synthetic_data_set(connection, write):
    of_generator(connection, hursmin=20, sfcWind=3, pr=0, wsdi=4)
    load_place_csv(connection, hot_days(write), 37.57, 126.97, {"tasmax": "high"})
    found = origins(connection)
    assert has_synthetic_data(connection, [SEOUL])
    # Fire weather has a generator's wind, rain and humidity in it; heat has none.
    assert {name for name, (synthetic, *_) in found.items() if synthetic} >= {"fwi95", "fwi21", "rx1day", "pr_month"}
    assert not any(found[name][0] for name in ("tasmax", "tx33", "txx", "wsdi", "tx90p_days"))
    assert found["wsdi"] == (False, 1995, 1)


def test_all_that_is_computed_from_series_says_from_which():
    assert set(FOLLOWS_FROM) == COMPUTED - set(STORM_INDICATORS)


def test_a_second_load_of_the_same_file_changes_nothing(connection, write, long_csv):
    daily = place_days(write, "2001-01-01", "2004-01-01")
    loads = (
        lambda: load_long_csv(connection, long_csv),
        lambda: load_place_csv(connection, daily, 37.57, 126.97, {"pr": "rain"}),
    )
    first = [one() for one in loads]
    connection.commit()
    rows, sets = (connection.execute(query).fetchall() for query in (ROWS, "SELECT xmin::text, * FROM dataset"))
    connection.commit()
    second = [one() for one in loads]
    connection.commit()
    assert connection.execute(ROWS).fetchall() == rows
    assert connection.execute("SELECT xmin::text, * FROM dataset").fetchall() == sets
    for before, after in zip(first, second, strict=True):
        assert (after.series_inserted, after.series_updated) == (0, 0)
        assert after.series_unchanged == before.series_inserted
        assert after.dataset_id == before.dataset_id


def test_nobody_sees_a_load_before_it_is_committed(connection, connect, long_csv):
    other = connect(autocommit=True)
    with connection.transaction():
        load_long_csv(connection, long_csv)
        assert connection.execute(COUNT).fetchone() == (1,)
        assert other.execute(COUNT).fetchone() == (0,)
    connection.commit()
    assert other.execute(COUNT).fetchone() == (1,)


def test_a_load_on_its_own_is_committed_at_its_end_and_not_before(connect, write, monkeypatch):
    loading, other = connect(autocommit=True), connect(autocommit=True)
    seen = []
    compute = derived.yearly_indicators

    def watched(daily):
        seen.append(
            other.execute("SELECT (SELECT count(*) FROM climate_data), (SELECT count(*) FROM dataset)").fetchone()
        )
        return compute(daily)

    monkeypatch.setattr(derived, "yearly_indicators", watched)
    load_place_csv(loading, place_days(write, "2001-01-01", "2002-01-01"), 37.57, 126.97, {"pr": "rain"})
    assert seen == [(0, 0)]
    assert other.execute(COUNT).fetchone() == (8,)


def test_a_load_that_fails_on_the_way_leaves_nothing(connect, write, monkeypatch):
    class Interrupted(Exception):
        pass

    def fail(daily):
        raise Interrupted

    monkeypatch.setattr(derived, "yearly_indicators", fail)
    loading, other = connect(autocommit=True), connect(autocommit=True)
    with pytest.raises(Interrupted):
        load_place_csv(loading, place_days(write, "2001-01-01", "2002-01-01"), 37.57, 126.97, {"pr": "rain"})
    assert other.execute("SELECT (SELECT count(*) FROM climate_data), (SELECT count(*) FROM dataset)").fetchone() == (
        0,
        0,
    )


def test_a_refused_file_leaves_nothing_and_the_connection_usable(connection, write, long_csv):
    bad = write("bad.csv", "variable,scenario,date,latitude,longitude,value", "wsdi,ssp245,2021,7.57,126.97,1")
    with pytest.raises(FileRefused, match="none of 1 rows can be used; line 2: latitude"):
        load_long_csv(connection, bad)
    with pytest.raises(FileRefused, match="no such file"):
        load_asos(connection, bad, bad.with_name("none.csv"))
    with pytest.raises(BadInput, match=r"longitude: 12\.0 lies outside the frame"):
        load_place_csv(connection, long_csv, 37.57, 12.0, {"pr": "value"})
    assert connection.execute(
        "SELECT (SELECT count(*) FROM climate_data), (SELECT count(*) FROM dataset)"
    ).fetchone() == (0, 0)


def test_daily_series_bring_their_yearly_indicators(connection, write):
    report = load_place_csv(connection, place_days(write, "2001-01-01", "2004-01-01"), 37.57, 126.97, {"RN": "rain"})
    assert report.variables == ("pr",)
    assert set(report.indicators) == {"rx1day", "rx5day", "rain80", "sdii", "cdd", "prcptot", "pr_month"}
    (wettest,) = read_series(connection, ["rx1day"], [SEOUL], ["historical"])
    assert (wettest.first_year, wettest.values.tolist()) == (2001, [15.5, 15.5, 15.5])
    assert report.series_inserted == 8


def test_indicators_are_of_what_is_stored_so_that_two_files_make_one_year(connection, write):
    for name, first, last in (("a.csv", "2001-01-01", "2001-07-01"), ("b.csv", "2001-07-01", "2002-01-01")):
        report = load_place_csv(connection, place_days(write, first, last, name), 37.57, 126.97, {"pr": "rain"})
    (total,) = read_series(connection, ["prcptot"], [SEOUL], ["historical"])
    days = calendar_days(2001, 1)
    by_hand = sum(day.item().day / 2 for day in days if day.item().day >= 2)
    assert total.values.tolist() == [by_hand]
    assert (report.series_updated, report.series_inserted) == (2, 6)


def test_later_history_moves_the_baseline_of_a_stored_scenario(connection, write):
    def heat(day):
        return round(20 - 12 * np.cos(2 * np.pi * day.item().timetuple().tm_yday / 365), 1)

    future = place_days(write, "2021-01-01", "2023-01-01", "future.csv", lambda day: heat(day) + 3)
    history = place_days(write, "1991-01-01", "2021-01-01", "history.csv", heat)
    load_place_csv(connection, future, 37.57, 126.97, {"tasmax": "rain"}, "ssp585")
    (alone,) = read_series(connection, ["tx90p_days"], [SEOUL], ["ssp585"])
    report = load_place_csv(connection, history, 37.57, 126.97, {"tasmax": "rain"})
    (measured,) = read_series(connection, ["tx90p_days"], [SEOUL], ["ssp585"])
    assert max(alone.values) < 100
    assert min(measured.values) > 300
    assert report.scenarios == ("historical",)


def test_a_scenario_is_measured_against_the_history_that_is_stored(connection, write):
    history = place_days(write, "1991-01-01", "2015-01-01", "history.csv", lambda day: 10 + day.item().day / 100)
    future = place_days(write, "2015-01-01", "2017-01-01", "future.csv", lambda day: 20 + day.item().day / 100)
    load_place_csv(connection, history, 37.57, 126.97, {"tasmax": "rain"})
    load_place_csv(connection, future, 37.57, 126.97, {"tasmax": "rain"}, "ssp585")
    (warm,) = read_series(connection, ["wsdi"], [SEOUL], ["ssp585"])
    assert (warm.first_year, warm.values.tolist()) == (2015, [365, 365])


def test_cells_are_worked_through_in_parts(connection, write, monkeypatch):
    monkeypatch.setattr(derived, "CELLS_AT_ONCE", 2)
    days = calendar_days(2001, 1)
    path = write(
        "cells.csv",
        "variable,scenario,date,grid_id,value",
        *(f"pr,historical,{day},{cell},{cell}" for cell in range(1, 6) for day in days),
    )
    report = load_long_csv(connection, path)
    stored = read_series(connection, ["rx1day"], range(1, 6), ["historical"])
    assert [(one.grid_id, one.values.tolist()) for one in stored] == [(cell, [cell]) for cell in range(1, 6)]
    assert report.series_inserted == 5 * 8


def test_what_the_view_climate_long_shows_can_be_loaded_again(connection, tmp_path, long_csv):
    load_long_csv(connection, long_csv)
    path = tmp_path / "export.csv"
    with connection.cursor().copy("COPY (SELECT * FROM climate_long) TO STDOUT (FORMAT csv, HEADER)") as copy:
        path.write_bytes(b"".join(copy))
    report = load_long_csv(connection, path)
    assert (report.rows_read, report.rows_refused, report.series_unchanged) == (10, 0, 1)


def test_a_report_is_json_and_lines_for_people(connection, long_csv):
    report = load_long_csv(connection, long_csv)
    as_json = json.loads(json.dumps(report.as_dict()))
    assert as_json["refused"][1]["examples"] == [
        {"line": 13, "field": "variable", "given": "heat", "allowed": as_json["refused"][1]["examples"][0]["allowed"]}
    ]
    lines = list(report.lines())
    assert lines[0] == f"{long_csv}: 10 of 12 rows used, 1 cells, 2021-01-01 to 2030-01-01, ssp245"
    assert "  refused: 1 × row, value: implausible" in lines
    assert "    line 12: value: '999'; allowed: wsdi 0 to 366 days" in lines
    assert all("\n" not in line for line in lines)


@pytest.mark.oracle
def test_the_real_stations_load_and_a_second_load_changes_nothing(connection, shared_data):
    files = shared_data / "asos_daily_31_stations_2011_2019.csv.gz", shared_data / "asos_stations.csv"
    report = load_asos(connection, *files)
    connection.commit()
    assert (report.cells, report.rows_accepted, report.rows_refused) == (31, 101_894, 1)
    assert len(report.indicators) == 19
    rows = connection.execute(ROWS).fetchall()
    again = load_asos(connection, *files)
    assert (again.series_inserted, again.series_updated) == (0, 0)
    assert again.series_unchanged == report.series_inserted == len(rows)
    assert connection.execute(ROWS).fetchall() == rows
