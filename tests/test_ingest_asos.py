"""The daily format of the synoptic stations (ASOS)."""

from __future__ import annotations

import csv
import gzip

import numpy as np
import pytest

from aiops.errors import FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.asos import parse_asos

HEADER = (
    "stnId,stnNm,tm,avgTa,minTa,maxTa,sumRn,hr1MaxRn,mi10MaxRn,maxInsWs,maxWs,avgWs,minRhm,avgRhm,"
    "avgTd,avgPs,sumSsHr,sumGsr,ddMes"
)
DAY = "115,울릉도,2011-01-01,0.8,-1.1,2.1,28.0,6.5,,29.4,19.0,11.1,65.0,82.5,-1.9,1013.2,0.3,8.64,48.4"
RAIN_AND_SUN = "stnId,tm,sumRn,sumSsHr"
STATIONS = "station_id,name,latitude,longitude\n115,울릉도,37.48129,130.89863\n143,대구,35.87797,128.65296\n"
ULLEUNGDO = grid_id_of(37.48129, 130.89863)


@pytest.fixture
def parsed(tmp_path):
    def parse(*rows, header=HEADER, stations=STATIONS):
        path = tmp_path / "asos.csv"
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        (tmp_path / "stations.csv").write_text(stations, encoding="utf-8")
        return parse_asos(path, tmp_path / "stations.csv")

    return parse


def values_of(file, grid_id=ULLEUNGDO):
    return {series.variable: series.values for series in file.series if series.grid_id == grid_id}


def refused(file):
    return [(r.line, r.field, g.what, g.reason) for g in file.refusals.groups() for r in g.examples]


def row(station="143", day="2011-01-01", **fields):
    names = HEADER.split(",")
    return ",".join([station, "대구", day, *(str(fields.get(name, "")) for name in names[3:])])


def test_each_column_becomes_the_variable_and_unit_of_the_catalogue(parsed):
    first = {name: float(values[0]) for name, values in values_of(parsed(DAY)).items()}
    assert first == pytest.approx(
        {
            "tas": 0.8,
            "tasmin": -1.1,
            "tasmax": 2.1,
            "pr": 28.0,
            "prhmax": 6.5,
            "wsgsmax": 29.4,
            "sfcWindmax": 19.0,
            "sfcWind": 11.1,
            "hursmin": 65.0,
            "hurs": 82.5,
            "tdps": -1.9,
            "psl": 1013.2,
            "sund": 0.3,
            "rsds": 100.0,
            "snd": 48.4,
        }
    )


def test_days_lie_on_whole_years_of_history_and_days_without_a_row_are_missing(parsed):
    file = parsed(row(day="2012-02-29", avgTa=3), row(day="2013-12-31", avgTa=4))
    (tas,) = [series for series in file.series if series.variable == "tas"]
    assert (tas.scenario, tas.first_year, tas.values.size) == ("historical", 2012, 366 + 365)
    assert np.flatnonzero(~np.isnan(tas.values)).tolist() == [59, 730]


def test_empty_rain_is_no_rain_on_a_day_that_was_measured_and_missing_on_a_day_that_was_not(parsed):
    file = parsed(row(day="2011-01-01", avgTa=3), row(day="2011-01-03", avgTa=3, sumRn=5), row(day="2011-01-04"))
    rain = values_of(file, grid_id_of(35.87797, 128.65296))["pr"]
    np.testing.assert_array_equal(rain[:5], [0, np.nan, 5, np.nan, np.nan])
    assert refused(file) == [(4, "row", "row", "no value in any column used")]


def test_empty_rain_is_no_rain_in_a_file_that_has_rain_alone(parsed):
    file = parsed("143,2011-01-01,", "143,2011-01-02,3", header="stnId,tm,sumRn")
    assert values_of(file, grid_id_of(35.87797, 128.65296))["pr"][:2].tolist() == [0, 3]


def test_rain_alone_makes_a_row_that_was_measured(parsed):
    file = parsed(
        "143,2011-01-01,12.5,", "143,2011-01-02,,5.0", "143,2011-01-03,,", "143,2011-01-04,0.5,", header=RAIN_AND_SUN
    )
    values = values_of(file, grid_id_of(35.87797, 128.65296))
    np.testing.assert_array_equal(values["pr"][:5], [12.5, 0, np.nan, 0.5, np.nan])
    np.testing.assert_array_equal(values["sund"][:5], [np.nan, 5, np.nan, np.nan, np.nan])
    assert refused(file) == [(4, "row", "row", "no value in any column used")]


def test_a_negative_zero_is_stored_as_zero(parsed):
    assert values_of(parsed(row(station="115", avgTa="-0.0")))["tas"][:1].tobytes() == np.float32(0).tobytes()


def test_any_other_empty_field_is_missing(parsed):
    values = values_of(parsed(DAY, row(station="115", day="2011-01-02", avgTa=1)))
    assert values["snd"][0] == pytest.approx(48.4)
    assert all(np.isnan(values[name][1]) for name in values if name not in {"tas", "pr"})


def test_a_value_that_cannot_be_is_left_out_and_the_rest_of_its_row_used(parsed):
    file = parsed(row(avgTa=300.2, maxTa="warm", minTa=-1, avgRhm=-9))
    assert set(values_of(file, grid_id_of(35.87797, 128.65296))) == {"tasmin", "pr"}
    assert sorted(refused(file)) == [
        (2, "avgRhm", "value", "implausible"),
        (2, "avgTa", "value", "implausible"),
        (2, "maxTa", "value", "not a number"),
    ]
    assert (file.refusals.rows_refused, file.refusals.values_refused) == (0, 3)


def test_radiation_out_of_range_is_reported_as_it_stands_in_the_file(parsed):
    (group,) = parsed(row(avgTa=1, sumGsr=250)).refusals.groups()
    assert str(group.examples[0]) == "line 2: sumGsr: '250'; allowed: rsds 0 to 500 W/m², × 0.0864 in the file"


def test_a_minimum_above_the_maximum_is_left_out_with_it(parsed):
    file = parsed(row(minTa=5, maxTa=3), row(day="2011-01-02", minTa=1, maxTa=3))
    values = values_of(file, grid_id_of(35.87797, 128.65296))
    assert np.isnan([values["tasmin"][0], values["tasmax"][0]]).all()
    assert refused(file) == [(2, "minTa", "value", "tasmin above tasmax")]


@pytest.mark.parametrize("day", ["2011-02-29", "2011-1", "2011", "", "yesterday"])
def test_a_row_without_a_day_of_the_calendar_is_refused(parsed, day):
    file = parsed(DAY, row(day=day, avgTa=1))
    assert refused(file) == [(3, "tm", "row", "not a day of the calendar")]


def test_a_station_that_is_not_in_the_list_is_refused_by_number(parsed):
    file = parsed(DAY, row(station="999", avgTa=1))
    (group,) = file.refusals.groups()
    assert str(group.examples[0]) == "line 3: stnId: '999'; allowed: a station_id of stations.csv"


def test_the_same_day_again_is_refused_and_days_that_contradict_each_other_both(parsed):
    file = parsed(DAY, DAY, row(avgTa=1), row(avgTa=2), row(day="2011-01-02", avgTa=3))
    assert sorted(refused(file)) == [
        (3, "date", "row", "the same row again"),
        (4, "date", "row", "different values for the same day"),
        (5, "date", "row", "different values for the same day"),
    ]
    tas = values_of(file, grid_id_of(35.87797, 128.65296))["tas"]
    assert np.isnan(tas[0])
    assert tas[1] == 3


def test_the_order_of_the_rows_changes_nothing(parsed):
    rows = [DAY, row(avgTa=1, sumRn=2), row(day="2011-06-30", avgTa=2), row(station="115", day="2012-12-31", maxTa=9)]
    one = {(s.variable, s.grid_id): (s.first_year, s.values.tobytes()) for s in parsed(*rows).series}
    assert one == {(s.variable, s.grid_id): (s.first_year, s.values.tobytes()) for s in parsed(*rows[::-1]).series}


def test_two_stations_in_one_cell_are_refused_by_name_if_both_have_data(parsed):
    stations = "station_id,name,latitude,longitude\n115,A,37.4813,130.8986\n116,B,37.4839,130.9\n"
    with pytest.raises(FileRefused, match=r"stnId: stations 115 A and 116 B lie in one cell \(grid_id \d+\)"):
        parsed(DAY, row(station="116", avgTa=1), stations=stations)
    assert parsed(DAY, stations=stations).grid_ids.tolist() == [ULLEUNGDO]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("143,대구,95.87,128.65", "line 3: latitude: 95.87 lies outside the frame; allowed: 33.00 to 39.00 degrees"),
        ("143,대구,35.87,28.65", "line 3: longitude: 28.65 lies outside the frame; allowed: 124.50 to 132.00 degrees"),
        ("143,대구,south,128.65", "line 3: latitude: nan lies outside the frame"),
        ("115,대구,35.87,128.65", "line 3: station_id: '115' stands twice; allowed: each station once"),
        (",대구,35.87,128.65", "line 3: station_id: is empty"),
        ("143,대구,35.87", "line 3: row: '143,대구,35.87'; allowed: 4 fields, as in the header"),
    ],
)
def test_a_broken_list_of_stations_is_refused_by_line_and_field(parsed, line, message):
    with pytest.raises(FileRefused) as caught:
        parsed(DAY, stations=STATIONS.splitlines()[0] + "\n115,울릉도,37.48,130.9\n" + line + "\n")
    assert message in str(caught.value)
    assert "stations.csv" in str(caught.value)


def test_a_list_without_stations_or_columns_is_refused(parsed):
    with pytest.raises(FileRefused, match="at least one station"):
        parsed(DAY, stations="station_id,name,latitude,longitude\n")
    with pytest.raises(FileRefused, match="column longitude is missing; the file has: station_id, name, latitude"):
        parsed(DAY, stations="station_id,name,latitude\n")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("stnNm,tm,avgTa", "column stnId is missing"),
        ("stnId,stnNm,avgTa", "column tm is missing"),
        ("stnId,stnNm,tm", "has no column of the ASOS format beside stnId and tm; allowed: avgTa maxTa"),
    ],
)
def test_a_file_without_the_columns_of_the_format_is_refused(parsed, header, message):
    with pytest.raises(FileRefused, match=message):
        parsed("1,2,3", header=header)


def test_columns_that_are_not_there_are_noted(parsed):
    (note,) = parsed("143,2011-01-01,3,4", header="stnId,tm,avgTa,sumRn").warnings
    assert note.startswith("columns not in the file: maxTa, minTa, hr1MaxRn")


def test_a_file_of_which_nothing_can_be_used_is_refused(parsed):
    with pytest.raises(FileRefused, match=r"none of 1 rows can be used; line 2: stnId: '9'; allowed: a station_id"):
        parsed(row(station="9", avgTa=1))
    with pytest.raises(FileRefused, match="has no rows below the header"):
        parsed()


# --- the real file ---


@pytest.fixture(scope="module")
def observed(shared_data):
    with gzip.open(shared_data / "asos_daily_31_stations_2011_2019.csv.gz", "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.oracle
def test_the_real_file_is_31_cells_whose_days_are_the_files_own(shared_data, observed):
    file = parse_asos(shared_data / "asos_daily_31_stations_2011_2019.csv.gz", shared_data / "asos_stations.csv")
    assert file.grid_ids.size == 31
    assert (file.refusals.rows_read, file.refusals.rows_refused, file.refusals.values_refused) == (101_895, 1, 0)
    assert (str(file.first_day), str(file.last_day)) == ("2011-01-01", "2019-12-31")
    rain = {series.grid_id: series.values for series in file.series if series.variable == "pr"}
    assert sum(float(values[~np.isnan(values)].sum(dtype=np.float64)) for values in rain.values()) == pytest.approx(
        sum(float(day["sumRn"] or 0) for day in observed), rel=1e-6
    )
    warmest = max(float(day["maxTa"]) for day in observed if day["maxTa"])
    assert max(float(np.nanmax(s.values)) for s in file.series if s.variable == "tasmax") == pytest.approx(warmest)
