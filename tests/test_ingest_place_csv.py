"""The daily CSV of one place, with a mapping of its columns."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.errors import BadInput, FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.place_csv import parse_columns, parse_place, parse_place_csv

JEONJU = (35.84092, 127.11718)


@pytest.fixture
def parsed(tmp_path):
    def parse(text, columns="tasmax=tmax,pr=rain", place=JEONJU, scenario="historical"):
        path = tmp_path / "place.csv"
        path.write_text(text, encoding="utf-8")
        return parse_place_csv(path, *place, parse_columns(columns), scenario)

    return parse


def refused(file):
    return [(r.line, r.field, r.given, g.reason) for g in file.refusals.groups() for r in g.examples]


@pytest.mark.parametrize(
    "text",
    [
        "date,tmax,rain\n2020-02-29,10,1.5\n2020-03-01,11,0\n",
        "tm,tmax,rain\n20200229,10,1.5\n20200301,11,0\n",
        "rain,tmax,Time\n1.5,10,2020/2/29\n0,11,2020/3/1\n",
        "일시,tmax,rain\n2020-02-29,10,1.5\n2020-03-01,11,0\n",
        "year,month,day,tmax,rain,cloud\n2020,2,29,10,1.5,\n2020,03,01,11,0,3\n",
    ],
)
def test_the_date_stands_in_one_column_or_in_three(parsed, text):
    series = {one.variable: one for one in parsed(text).series}
    assert series.keys() == {"tasmax", "pr"}
    assert {(s.scenario, s.grid_id, s.first_year, s.values.size) for s in series.values()} == {
        ("historical", grid_id_of(*JEONJU), 2020, 366)
    }
    assert series["pr"].values[59:61].tolist() == [1.5, 0]
    assert series["tasmax"].values[59:61].tolist() == [10, 11]


def test_the_mapping_may_name_the_date_column(parsed):
    (series,) = parsed("when,date,rain\n2020-01-02,x,3\n", "date=when,RN=rain").series
    assert (series.variable, series.values[1]) == ("pr", 3)


def test_the_days_may_be_of_a_scenario(parsed):
    file = parsed("date,tmax,rain\n2050-01-01,1,2\n", scenario="SSP5-8.5")
    assert {series.scenario for series in file.series} == {"ssp585"}


def test_an_empty_field_is_missing_and_never_no_rain(parsed):
    series = {one.variable: one.values for one in parsed("date,tmax,rain\n2020-01-01,5,\n2020-01-02,,2\n").series}
    np.testing.assert_array_equal(series["pr"][:3], [np.nan, 2, np.nan])
    np.testing.assert_array_equal(series["tasmax"][:3], [5, np.nan, np.nan])


def test_days_that_do_not_exist_and_values_that_cannot_be_are_refused_by_line(parsed):
    file = parsed("year,month,day,tmax,rain\n2021,2,29,1,0\n2021,2,28,1,-3\n2021,13,1,1,0\n2021,3,1,283,0\n")
    assert sorted(refused(file)) == [
        (2, "year", "2021-2-29", "not a day of the calendar"),
        (3, "rain", "-3", "implausible"),
        (4, "year", "2021-13-1", "not a day of the calendar"),
        (5, "tmax", "283", "implausible"),
    ]


def test_columns_mapped_the_wrong_way_round_are_noticed(parsed):
    with pytest.raises(
        FileRefused, match=r"none of 1 rows can be used; line 2: lo: '9 > 1'; allowed: at most hi of the day"
    ):
        parsed("date,hi,lo\n2020-01-01,1,9\n", "tasmin=lo,tasmax=hi")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("heat=tmax", "columns: 'heat' is not known; allowed: tas tasmax"),
        ("wsdi=tmax", "columns: wsdi is yearly; allowed: tas tasmax"),
        ("tasmax=tmax,TAMAX=rain", "columns: tasmax stands twice"),
        ("tasmax=tmax,pr=tmax", "columns: 'tmax' is mapped twice"),
        ("date=date", "columns: no variable is mapped"),
        ("tasmax=warmth", "column warmth is missing; the file has: date, tmax, rain"),
        ("date=day,pr=rain", "column day is missing; the file has: date, tmax, rain"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_by_name(parsed, columns, message):
    with pytest.raises(BadInput) as caught:
        parsed("date,tmax,rain\n2020-01-01,1,2\n", columns)
    assert message in str(caught.value)


def test_a_file_without_a_date_is_refused(parsed):
    with pytest.raises(FileRefused, match="column date is missing; allowed: date or tm or time"):
        parsed("year,month,tmax,rain\n2020,1,1,2\n")


def test_an_unknown_scenario_and_a_place_outside_the_frame_are_refused(parsed):
    with pytest.raises(BadInput, match="scenario: 'rcp85' is not known; allowed: historical ssp126"):
        parsed("date,tmax,rain\n", scenario="rcp85")
    with pytest.raises(BadInput, match=r"latitude: 51\.5 lies outside the frame"):
        parsed("date,tmax,rain\n", place=(51.5, 127.0))


def test_a_file_without_any_value_is_refused(parsed):
    with pytest.raises(
        FileRefused, match="none of 1 rows can be used; line 2: row: '2020-01-01'; allowed: at least one value"
    ):
        parsed("date,tmax,rain\n2020-01-01,,\n")


def test_a_place_is_two_numbers_within_the_frame():
    assert parse_place(" 35.84092, 127.11718") == JEONJU
    for text in ("35.84", "35.84,127.1,3", "north,east", ""):
        with pytest.raises(BadInput, match=r"place: .*; allowed: LAT,LON"):
            parse_place(text)
    with pytest.raises(BadInput, match=r"longitude: 27\.1 lies outside the frame"):
        parse_place("35.84,27.1")


def test_a_mapping_is_pairs_with_commas_between():
    assert parse_columns(" tasmax = tmax, pr=rain fall ") == {"tasmax": "tmax", "pr": "rain fall"}
    for text in ("tasmax", "tasmax=", "=tmax", "", "a=b,,c=d"):
        with pytest.raises(BadInput, match=r"columns: .*; allowed: VARIABLE=COLUMN"):
            parse_columns(text)
    with pytest.raises(BadInput, match="columns: pr stands twice"):
        parse_columns("pr=a,pr=b")


@pytest.mark.oracle
def test_jeonjus_22_years_are_read_by_mapping(shared_data):
    columns = parse_columns("tas=tavg,tasmax=tmax,tasmin=tmin,hurs=humid,sfcWind=wind,sund=sunshine,pr=rainfall")
    file = parse_place_csv(shared_data / "jeonju146_daily_2001_2022.csv.gz", *JEONJU, columns)
    assert (file.refusals.rows_read, file.refusals.rows_refused) == (8035, 0)
    assert (str(file.first_day), str(file.last_day)) == ("2001-01-01", "2022-12-31")
    assert {series.values.size for series in file.series} == {8035}
