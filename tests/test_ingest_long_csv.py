"""The long CSV: one value a row."""

from __future__ import annotations

import gzip
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.errors import FileRefused
from aiops.grid import grid_id_of
from aiops.ingest.asos import parse_asos
from aiops.ingest.long_csv import parse_long_csv
from aiops.ingest.place_csv import parse_place_csv
from aiops.ingest.report import EXAMPLES

HEADER = "variable,scenario,date,latitude,longitude,value"
SEOUL = grid_id_of(37.57, 126.97)


@pytest.fixture
def parsed(tmp_path):
    def parse(*rows, header=HEADER):
        path = tmp_path / "long.csv"
        path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
        return parse_long_csv(path)

    return parse


def refused(parsed_file):
    """(line, field, allowed) of every example."""
    return sorted(
        (refusal.line, refusal.field, refusal.allowed)
        for group in parsed_file.refusals.groups()
        for refusal in group.examples
    )


def as_text(series):
    return {(s.variable, s.scenario, s.grid_id): (s.first_year, s.values.tobytes()) for s in series}


# --- what becomes of the rows ---


def test_yearly_values_become_one_series_with_missing_years_missing(parsed):
    (series,) = parsed(
        "wsdi,SSP245,2024-01-01,37.57,126.97,7",
        "WSDI,ssp2,2021,37.5712,126.9658,3.5",
        "wsdi,ssp245,2022,37.57,126.97,0",
    ).series
    assert (series.variable, series.scenario, series.grid_id, series.first_year) == ("wsdi", "ssp245", SEOUL, 2021)
    assert series.values.dtype == np.float32
    np.testing.assert_array_equal(series.values, [3.5, 0, np.nan, 7])


def test_monthly_values_begin_with_january(parsed):
    (series,) = parsed(
        "spei12,historical,2020-03,37.57,126.97,-1", "spei12,historical,2021-02-01,37.57,126.97,2"
    ).series
    assert (series.first_year, series.values.size) == (2020, 24)
    assert np.flatnonzero(~np.isnan(series.values)).tolist() == [2, 13]


def test_daily_values_lie_on_true_days_29_february_included(parsed):
    (series,) = parsed(
        "RN,historical,2020-02-29,37.57,126.97,5",
        "pr,historical,2020-03-01,37.57,126.97,6",
        "pr,hist,20211231,37.57,126.97,7",
    ).series
    assert (series.first_year, series.values.size) == (2020, 366 + 365)
    assert series.values[[59, 60, 730]].tolist() == [5, 6, 7]


def test_a_negative_zero_is_stored_as_zero(parsed):
    (series,) = parsed("tnn,historical,2020,37.57,126.97,-0.0").series
    assert series.values.tobytes() == np.float32(0).tobytes()


def test_a_cell_may_be_named_by_its_number(parsed):
    (series,) = parsed(f"wsdi,ssp245,2021,{SEOUL},3", header="variable,scenario,date,grid_id,value").series
    assert series.grid_id == SEOUL


def test_columns_may_stand_in_any_order_and_case_and_others_are_passed_over_by_name(parsed):
    file = parsed("x,3,126.97,37.57,2021,ssp245,wsdi", header="Note,VALUE,lon,Lat,Date,Scenario,Variable")
    assert [s.values.tolist() for s in file.series] == [[3]]
    assert file.warnings == ("columns passed over: Note",)


def test_the_file_says_what_it_brought(parsed):
    file = parsed(
        "wsdi,ssp245,2021,37.57,126.97,3",
        "rx1day,historical,1999,35.84,127.12,80.5",
        "rx1day,ssp245,2100,35.84,127.12,90",
    )
    assert file.variables == ("wsdi", "rx1day")
    assert file.scenarios == ("historical", "ssp245")
    assert file.grid_ids.tolist() == sorted([SEOUL, grid_id_of(35.84, 127.12)])
    assert (str(file.first_day), str(file.last_day)) == ("1999-01-01", "2100-01-01")
    assert len(list(file.series)) == 3
    assert len(list(file.series)) == 3, "the series can be gone through again"


# --- what is refused ---

GOOD = "wsdi,ssp245,2021,37.57,126.97,3"


@pytest.mark.parametrize(
    ("row", "field", "allowed"),
    [
        ("heat,ssp245,2022,37.57,126.97,3", "variable", "tas tasmax"),
        (",ssp245,2022,37.57,126.97,3", "variable", "tas tasmax"),
        ("wsdi,rcp85,2022,37.57,126.97,3", "scenario", "historical ssp126 ssp245 ssp370 ssp585"),
        ("wsdi,ssp245,2022,32.99,126.97,3", "latitude", "33.00 to 39.00 degrees north"),
        ("wsdi,ssp245,2022,39.001,126.97,3", "latitude", "33.00 to 39.00"),
        ("wsdi,ssp245,2022,nan,126.97,3", "latitude", "33.00 to 39.00"),
        ("wsdi,ssp245,2022,37.57,132.01,3", "longitude", "124.50 to 132.00 degrees east"),
        ("wsdi,ssp245,2022,126.97,37.57,3", "latitude", "33.00 to 39.00"),
        ("wsdi,ssp245,2022,37.57,east,3", "longitude", "124.50 to 132.00"),
        ("wsdi,ssp245,someday,37.57,126.97,3", "date", "YYYY or YYYY-01-01, years 1850 to 2300"),
        ("wsdi,ssp245,2022-02-30,37.57,126.97,3", "date", "YYYY or YYYY-01-01"),
        ("wsdi,ssp245,20222,37.57,126.97,3", "date", "YYYY or YYYY-01-01"),
        ("wsdi,ssp245,2022-07-01,37.57,126.97,3", "date", "YYYY or YYYY-01-01: wsdi is yearly"),
        ("RN,ssp245,2022-07,37.57,126.97,3", "date", "YYYY-MM-DD: pr is daily"),
        ("spei12,ssp245,2022,37.57,126.97,1", "date", "YYYY-MM or YYYY-MM-01: spei12 is monthly"),
        ("wsdi,ssp245,2022,37.57,126.97,many", "value", "0 to 366 days"),
        ("wsdi,ssp245,2022,37.57,126.97,", "value", "0 to 366 days"),
        ("wsdi,ssp245,2022,37.57,126.97,NaN", "value", "0 to 366 days"),
        ("wsdi,ssp245,2022,37.57,126.97,inf", "value", "0 to 366 days"),
        ("wsdi,ssp245,2022,37.57,126.97,-1", "value", "wsdi 0 to 366 days"),
        ("wsdi,ssp245,2022,37.57,126.97,367", "value", "wsdi 0 to 366 days"),
        ("pr,ssp245,2022-01-01,37.57,126.97,-0.1", "value", "pr 0 to 2000 mm"),
        ("tas,ssp245,2022-01-01,37.57,126.97,293.15", "value", "tas -60 to 60 °C (Kelvin? subtract 273.15)"),
        ("tas,ssp245,2022-01-01,37.57,126.97,-999", "value", "(a code for missing? leave the field empty)"),
        ("hurs,ssp245,2022-01-01,37.57,126.97,104", "value", "hurs 0 to 100 %"),
        ("psl,ssp245,2022-01-01,37.57,126.97,101325", "value", "(Pa? divide by 100)"),
        ("wsdi,ssp245,2022,37.57,126.97", "row", "6 fields, as in the header"),
    ],
)
def test_a_row_that_cannot_be_used_is_left_out_by_line_field_and_what_is_allowed(parsed, row, field, allowed):
    file = parsed(GOOD, row, "wsdi,ssp245,2023,37.57,126.97,4")
    ((line, name, words),) = refused(file)
    assert (line, name) == (3, field)
    assert allowed in words
    (series,) = file.series
    assert series.values[[0, 2]].tolist() == [3, 4]
    assert (file.refusals.rows_read, file.refusals.rows_refused) == (3, 1)


@pytest.mark.parametrize("number", ["0", "451352", "-1", "1.0", "", "1e3", "9999999999999999999999"])
def test_a_cell_number_outside_the_frame_is_refused(parsed, number):
    header = "variable,scenario,date,grid_id,value"
    file = parsed("wsdi,ssp245,2021,451351,3", f"wsdi,ssp245,2021,{number},3", header=header)
    assert refused(file) == [(3, "grid_id", "1 to 451351")]


def test_a_cell_number_that_is_not_the_cell_of_the_coordinates_is_refused(parsed):
    file = parsed(
        f"wsdi,ssp245,2021,37.57,126.97,{SEOUL},3", f"wsdi,ssp245,2022,37.57,126.97,{SEOUL + 1},3",
        header="variable,scenario,date,latitude,longitude,grid_id,value",
    )  # fmt: skip
    assert refused(file) == [(3, "grid_id", "the cell that holds 37.57, 126.97")]


def test_a_unit_that_is_not_the_variables_is_refused(parsed):
    rows = [f"tas,ssp245,2021-01-0{day},37.57,126.97,{unit},3" for day, unit in enumerate(["°C", "degC", "K", ""], 1)]
    file = parsed(*rows, header="variable,scenario,date,latitude,longitude,unit,value")
    assert refused(file) == [(4, "unit", "°C, in which tas is stored")]


def test_the_same_row_again_is_refused_once_and_the_first_kept(parsed):
    file = parsed(GOOD, "WSDI,SSP2,2021-01-01,37.571,126.971,3.0", "wsdi,ssp245,2022,37.57,126.97,5")
    (series,) = file.series
    assert series.values.tolist() == [3, 5]
    (group,) = file.refusals.groups()
    assert (group.reason, group.count, group.examples[0].line) == ("the same row again", 1, 3)


def test_rows_that_contradict_each_other_are_all_refused(parsed):
    file = parsed(GOOD, "wsdi,ssp245,2021,37.57,126.97,4", GOOD, "wsdi,ssp245,2022,37.57,126.97,5")
    (series,) = file.series
    assert (series.first_year, series.values.tolist()) == (2022, [5])
    (group,) = file.refusals.groups()
    assert (group.reason, [refusal.line for refusal in group.examples]) == (
        "different values for the same date",
        [2, 3, 4],
    )


def test_only_the_first_examples_of_a_reason_are_kept_but_all_are_counted(parsed):
    file = parsed(GOOD, *["wsdi,ssp245,never,37.57,126.97,3"] * 100)
    (group,) = file.refusals.groups()
    assert group.count == 100
    assert [refusal.line for refusal in group.examples] == list(range(3, 3 + EXAMPLES))


def test_a_file_of_which_nothing_can_be_used_is_refused_with_the_first_reason(parsed, tmp_path):
    with pytest.raises(FileRefused) as caught:
        parsed("wsdi,ssp245,2021,27.57,126.97,3", "wsdi,ssp245,2022,27.57,126.97,3")
    assert str(caught.value) == (
        f"{tmp_path}/long.csv: none of 2 rows can be used; "
        "line 2: latitude: '27.57'; allowed: 33.00 to 39.00 degrees north"
    )


def test_a_file_without_rows_is_refused(parsed):
    with pytest.raises(FileRefused, match="has no rows below the header"):
        parsed()


@pytest.mark.parametrize(
    ("header", "missing"),
    [
        ("scenario,date,latitude,longitude,value", "column variable is missing"),
        ("variable,date,latitude,longitude,value", "column scenario is missing"),
        ("variable,scenario,latitude,longitude,value", "column date is missing"),
        ("variable,scenario,date,latitude,longitude", "column value is missing"),
        ("variable,scenario,date,latitude,value", "column grid_id is missing, and latitude with longitude"),
    ],
)
def test_a_file_without_a_needed_column_is_refused_by_its_name(parsed, header, missing):
    with pytest.raises(FileRefused, match=missing):
        parsed("1,2,3,4,5", header=header)


def test_a_column_that_seems_to_be_in_another_unit_is_loaded_with_a_warning(parsed):
    days = np.arange("2021-01-01", "2022-01-01", dtype="M8[D]")
    rows = [f"pr,ssp245,{day},37.57,126.97,{0.0001 * (i % 3)}" for i, day in enumerate(days)]
    file = parsed(*rows)
    (warning,) = file.warnings
    assert warning.startswith("pr: the largest of 365 values is 0.0002 mm; it looks like kg m⁻² s⁻¹")


# --- any input ---

VARIABLES = [
    ("wsdi", "{y}"),
    ("rx1day", "{y}-01-01"),
    ("spei12", "{y}-02"),
    ("pr", "{y}-12-31"),
    ("tasmin", "{y}/2/28"),
]
a_row = st.builds(
    lambda variable, scenario, year, cell, value: (
        f"{variable[0]},{scenario},{variable[1].format(y=year)},{33 + cell / 100:.2f},127,{value}"
    ),
    st.sampled_from(VARIABLES),
    st.sampled_from(["historical", "ssp245", "SSP585", "rcp45"]),
    st.integers(2000, 2004),
    st.integers(0, 3),
    st.sampled_from(["0", "1", "2.5", "-1", "x", ""]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(a_row, max_size=40), seed=st.integers(0, 1000))
def test_the_order_of_the_rows_changes_nothing_but_line_numbers(parsed, rows, seed):
    shuffled = random.Random(seed).sample(rows, len(rows))
    try:
        one = parsed(*rows)
    except FileRefused:
        with pytest.raises(FileRefused):
            parsed(*shuffled)
        return
    other = parsed(*shuffled)
    assert as_text(one.series) == as_text(other.series)
    counts = [{(g.field, g.reason): g.count for g in file.refusals.groups()} for file in (one, other)]
    assert counts[0] == counts[1]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(a_row, max_size=40))
def test_every_row_is_either_used_or_refused(parsed, rows):
    try:
        file = parsed(*rows)
    except FileRefused:
        return
    used = sum(int((~np.isnan(series.values)).sum()) for series in file.series)
    assert file.refusals.rows_read == len(rows)
    assert used + file.refusals.rows_refused == len(rows)


STARTS = [b"", HEADER.encode() + b"\n", b"\xef\xbb\xbf" + HEADER.encode(), b"\x1f\x8b\x08\x00"]
a_cell = st.one_of(
    st.sampled_from(
        ["wsdi", "ssp245", "2021", "37.57", "126.97", "3", '"', "\n", "\r", ",", "''", "NaN", "-inf", "1e999"]
    ),
    st.text(max_size=8),
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.lists(a_cell, max_size=8), max_size=8))
def test_garbage_text_is_refused_or_read_but_never_a_crash(tmp_path, cells):
    text = "\n".join([HEADER, *(",".join(row) for row in cells)])
    outcome_of(tmp_path, text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from(STARTS), rest=st.binary(max_size=200))
def test_garbage_bytes_are_refused_or_read_but_never_a_crash(tmp_path, start, rest):
    outcome_of(tmp_path, start + rest)
    outcome_of(tmp_path, gzip.compress(start + rest))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), cut=st.integers(0, 10_000))
def test_a_damaged_good_file_is_refused_or_read_but_never_a_crash(tmp_path, place, flip, cut):
    rows = (f"wsdi,ssp245,{year},37.57,126.97,{year % 9}" for year in range(2000, 2100))
    content = bytearray(gzip.compress("\n".join([HEADER, *rows]).encode()))
    content[place % len(content)] ^= flip
    outcome_of(tmp_path, bytes(content[: cut % len(content) + 1]))


def outcome_of(folder, content):
    path = folder / "garbage.csv"
    path.write_bytes(content)
    for read in (
        parse_long_csv,
        lambda path: parse_place_csv(path, 37.57, 126.97, {"tasmax": "value", "date": "date"}),
        lambda path: parse_asos(path, path),
    ):
        refusal = None
        try:
            series = list(read(path).series)
        except FileRefused as error:
            refusal, series = str(error), []
        assert refusal is None or len(refusal.splitlines()) == 1
        assert not any(np.isinf(one.values).any() for one in series)
