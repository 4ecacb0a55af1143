"""ESRI ASCII grids: one step, or a stack of them, from north to south."""

from __future__ import annotations

import numpy as np
import pytest
from gridded import some_days, write_asc

from aiops.db.climate import read_series
from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.grids.load import load_grids
from aiops.ingest.grids.options import grid_options


@pytest.fixture
def loading(connect):
    return connect(autocommit=True)


@pytest.fixture
def load(loading):
    def load(*paths, **options):
        return load_grids(loading, paths, grid_options("asc", **options))

    return load


def refuse(*paths, **options):
    """A load that is refused before the database is asked for anything."""
    load_grids(None, paths, grid_options("asc", **options))


TA = {"variable": "tas", "scenario": "historical"}


def at(loading, latitude, longitude, variable="tas", scenario="historical"):
    (one,) = read_series(loading, [variable], [grid_id_of(latitude, longitude)], [scenario])
    return one


def test_a_stack_of_grids_is_consecutive_days_and_its_first_row_is_the_northernmost(load, loading, tmp_path):
    days = some_days(4)
    days[2, 0, 0] = -9999
    (report,) = load(write_asc(tmp_path / "ta.asc", days), date="2020-02-28", **TA)
    expected = days.astype("f4")
    north_west, south_east = at(loading, 35.02, 127.00), at(loading, 35.00, 127.03)
    assert north_west.first_year == 2020
    np.testing.assert_array_equal(south_east.values[58:62], expected[:, 2, 3])
    np.testing.assert_array_equal(north_west.values[58:60], expected[:2, 0, 0])
    assert np.isnan(north_west.values[60])
    assert (report.steps, report.cells, report.first_date, report.last_date) == (4, 12, "2020-02-28", "2020-03-02")
    assert report.conversions == ("°C taken as °C",)


def test_centres_gz_and_upper_case_keys_are_understood(load, loading, tmp_path):
    days = some_days(1)
    header = {"xllcorner": None, "yllcorner": None, "ncols": None, "XLLCENTER": 127.0, "YLLCENTER": 35.0, "NCOLS": 4}
    load(write_asc(tmp_path / "ta.asc.gz", days, header=header), date="20210101", **TA)
    assert at(loading, 35.01, 127.02).values[0] == days[0, 1, 2]


def test_names_say_variable_scenario_and_date(load, loading, tmp_path):
    days = some_days(2)
    for day in (0, 1):
        write_asc(tmp_path / f"AR6_SSP126_5ENSMN_skorea_TAMAX_gridraw_daily_2021010{day + 1}.asc", days[day : day + 1])
    (report,) = load(tmp_path)
    assert (report.variable, report.scenario, report.cadence, len(report.files)) == ("tasmax", "ssp126", "daily", 2)
    np.testing.assert_array_equal(at(loading, 35.02, 127.0, "tasmax", "ssp126").values[:2], days[:, 0, 0])


def test_a_year_in_the_name_is_that_whole_year_and_units_may_be_said(load, loading, tmp_path):
    days = some_days(365, low=260, high=300)
    path = write_asc(tmp_path / "MKPRISM_TA_gridraw_daily_2021.asc", days)
    (report,) = load(path, units="K")
    kelvin = np.array([float(f"{x:g}") for x in days[:, 1, 1]])
    np.testing.assert_array_equal(at(loading, 35.01, 127.01).values, (kelvin - 273.15).astype("f4"))
    assert report.scenario == "historical"
    short = write_asc(tmp_path / "MKPRISM_TA_gridraw_daily_2020.asc", days)
    with pytest.raises(FileRefused, match=r"2020\.asc: holds 365 steps; allowed: 366 daily ones for 2020"):
        refuse(short)


def test_monthly_and_yearly_steps_follow_the_date(load, loading, tmp_path):
    days = some_days(3)
    load(write_asc(tmp_path / "a.asc", days), date="2021-02", variable="tas_month", scenario="historical")
    np.testing.assert_array_equal(at(loading, 35.02, 127.0, "tas_month").values[1:4], days[:, 0, 0])
    load(write_asc(tmp_path / "b.asc", days), date="2021", variable="txx", scenario="historical")
    assert at(loading, 35.02, 127.0, "txx").first_year == 2021


def test_rows_that_wrap_over_lines_are_rows_all_the_same(load, loading, tmp_path):
    path = write_asc(tmp_path / "a.asc", some_days(1))
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[:6] + " ".join(lines[6:]).split(" ")))
    (report,) = load(path, date="2021-01-01", **TA)
    assert report.cells == 12


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"nrows": None}, "nrows is missing in the header"),
        ({"ncols": "4.5"}, "ncols: 4.5; allowed: a whole number"),
        ({"ncols": 5}, "holds 12 numbers below its header; allowed: 3 rows × 5 columns = 15, or a whole multiple"),
        ({"cellsize": 0}, "cellsize: 0; allowed: degrees"),
        ({"cellsize": "x"}, "line 5: cellsize: 'x'; allowed: a number"),
        ({"xllcorner": 953000}, "longitude: 953000; allowed: degrees"),
        ({"yllcenter": 35}, "yllcorner and yllcenter: 2 of them"),
        ({"projection": "LCC"}, "line 7: 'projection LCC'; allowed: ncols nrows"),
        (
            {"xllcorner": 10},
            "the grid covers 35.00 to 35.02 °N, 10.00 to 10.03 °E; allowed: a grid that reaches into the",
        ),
    ],
)
def test_a_header_that_cannot_be_is_refused_by_its_key(tmp_path, header, message):
    path = write_asc(tmp_path / "a.asc", some_days(1), header=header)
    with pytest.raises(FileRefused) as refused:
        refuse(path, date="2021-01-01", **TA)
    said = str(refused.value)
    assert said.startswith(f"{path}")
    assert message in said
    assert "\n" not in said


def test_what_is_no_number_is_refused_by_its_line(tmp_path):
    path = write_asc(tmp_path / "a.asc", some_days(1))
    lines = path.read_text().splitlines()
    words = lines[7].split()
    lines[7] = " ".join([words[0], "1,5", *words[2:]])
    path.write_text("\n".join(lines))
    with pytest.raises(FileRefused, match=r"a\.asc, line 8: '1,5'; allowed: numbers apart by spaces"):
        refuse(path, date="2021-01-01", **TA)


def test_a_gzip_stream_that_is_cut_off_is_refused(tmp_path):
    path = write_asc(tmp_path / "a.asc.gz", some_days(40))
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(FileRefused, match=r"a\.asc\.gz: the gzip data are cut off or damaged"):
        refuse(path, date="2021-01-01", **TA)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "the name has no date; allowed: --date"),
        ({"date": "2021-13"}, "--date: '2021-13'; allowed: YYYY, YYYY-MM or YYYY-MM-DD"),
        ({"date": "2021-02-30"}, "--date: '2021-02-30'"),
        ({"date": "1021-02-03"}, "1021-02-03; allowed: years 1850 to 2300"),
        ({"date": "2021-01-01", "variable": "txx"}, "is too fine for yearly steps; allowed: YYYY"),
        ({"date": "2021-01-01", "units": "mm"}, "units 'mm' cannot become °C; allowed for tas: degC K"),
    ],
)
def test_dates_and_units_that_cannot_be_are_refused(tmp_path, options, message):
    path = write_asc(tmp_path / "a.asc", some_days(1))
    with pytest.raises(BadInput) as refused:
        refuse(path, **(TA | options))
    assert message in str(refused.value)


def test_one_date_is_not_for_several_files(tmp_path):
    for name in "ab":
        write_asc(tmp_path / f"{name}.asc", some_days(1))
    with pytest.raises(FileRefused, match="--date: 2021-01-01 for 2 files"):
        refuse(tmp_path, date="2021-01-01", **TA)
