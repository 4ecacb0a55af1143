"""Stored storms become winds at cells."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.errors import FileRefused
from aiops.grid import grid_id_of, latitude_of, longitude_of
from aiops.indices.cyclone import exposure_by_year, read_best_track, wind_by_year
from aiops.ingest.storms import StormYears, fixes_of, tracks_of
from aiops.ingest.tracks import read_track_file

JEJU, DAEGU = grid_id_of(33.51, 126.53), grid_id_of(35.88, 128.62)

HEADER = "66666 {number:4}  {fixes:03d} 0001 {number:4} 0 6 {name:>20}              20150217"
FIX = "{time} 002 5 330 1265 0950     085     70080 0080 90200 0200"


def storm(number, name, times, fix=FIX):
    return [HEADER.format(number=number, name=name, fixes=len(times)), *(fix.format(time=time) for time in times)]


SUMMER = [f"1508{day:02d}{hour:02d}" for day in (1, 2) for hour in (0, 6, 12, 18)]


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="bst.txt"):
        path = tmp_path / name
        path.write_text("\n".join([*lines, ""]), encoding="ascii")
        return path

    return write


def named(storms, cells=(JEJU, DAEGU)):
    return {(one.variable, one.grid_id): one for one in storms.series(cells)}


def test_storms_have_their_number_and_name_and_one_without_a_number_the_time_it_began(write):
    path = write(*storm("1501", "MEKKHALA", SUMMER[:2]), *storm("", "", SUMMER[4:6]))
    file = read_track_file(path)
    assert [(one.storm, one.name) for one in file.fixes] == [("1501", "MEKKHALA")] * 2 + [
        ("2015-08-02T00:00Z", None)
    ] * 2
    first = file.fixes[0]
    assert first.time.isoformat() == "2015-08-01T00:00:00+00:00"
    assert (first.latitude, first.longitude, first.pressure_hpa, first.wind_kt) == (33.0, 126.5, 950, 85)
    assert (first.direction_50, first.longest_50_nm, first.direction_30, first.shortest_30_nm) == (7, 80, 9, 200)
    assert file.complete_years == ()


def test_a_file_is_complete_up_to_its_last_whole_year(write):
    path = write(*storm("1501", "A", SUMMER[:2]), *storm("1601", "B", ["16080100", "16123118", "17010100"]))
    assert read_track_file(path).complete_years == (2015, 2016)


@pytest.mark.parametrize(
    ("fix", "message"),
    [
        ("{time} 002 0 330 1265 0950     085     00000 0000 00000 0000", r"line 2: grade: 0; allowed: 1 to 9"),
        (
            "{time} 002 5 330 1265 0000     085     00000 0000 00000 0000",
            r"line 2: pressure: 0; allowed: 850 to 1060 hPa",
        ),
        ("{time} 002 5 330 1265 0950     985     00000 0000 00000 0000", r"line 2: wind: 985; allowed: 0 to 200 knots"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_its_line(write, fix, message):
    with pytest.raises(FileRefused, match=message):
        read_track_file(write(*storm("1501", "A", SUMMER[:2], fix)))


def test_a_storm_that_stands_there_twice_is_refused(write):
    with pytest.raises(FileRefused, match="line 4: storm 1501 stands on line 1 already; allowed: once"):
        read_track_file(write(*storm("1501", "A", SUMMER[:2]), *storm("1501", "A", SUMMER[4:6])))


def test_a_file_of_another_kind_is_refused(write, tmp_path):
    with pytest.raises(FileRefused, match="line 1: not a best track file"):
        read_track_file(write("gauge_id,year", "1,2"))
    with pytest.raises(FileRefused, match="cannot be read"):
        read_track_file(tmp_path / "none.txt")


def test_years_between_files_are_unknown_and_years_without_a_storm_are_calm(write):
    file = read_track_file(write(*storm("1501", "A", SUMMER), *storm("1502", "B", ["15123118", "16010100"])))
    assert file.complete_years == (2015,)
    found = named(StormYears(tracks_of(file.fixes), (2014, 2015, 2017), 1))
    wind = found["max_site_wind", JEJU]
    assert (wind.scenario, wind.first_year, wind.values.size) == ("historical", 2014, 4)
    assert wind.values[0] == 0
    assert wind.values[1] > 30
    assert np.isnan(wind.values[2])
    assert wind.values[3] == 0
    assert found["s_tc", JEJU].values[1] > found["s_tc", DAEGU].values[1]


def test_fixes_make_the_tracks_that_they_were_made_of(write):
    path = write(*storm("1502", "B", SUMMER[:3]), *storm("1501", "A", SUMMER[2:]))
    tracks = read_best_track(path)
    again = tracks_of(list(fixes_of(tracks, [("1502", "B"), ("1501", "A")])))
    for name in (
        "storm",
        "time",
        "grade",
        "latitude",
        "longitude",
        "pressure",
        "wind",
        "direction_50",
        "longest_50",
        "shortest_50",
        "direction_30",
        "longest_30",
        "shortest_30",
    ):
        np.testing.assert_array_equal(getattr(again, name), getattr(tracks, name))


@pytest.mark.oracle
def test_the_winds_of_the_real_tracks_are_those_of_the_file(shared_data):
    path = shared_data / "jma_best_track_2015_2020.txt.gz"
    file = read_track_file(path)
    assert file.complete_years == (2015, 2016, 2017, 2018, 2019, 2020)
    assert len(file.fixes) == 6154
    found = named(StormYears(tracks_of(file.fixes), file.complete_years, 1))
    tracks = read_best_track(path)
    place = latitude_of([JEJU, DAEGU]), longitude_of([JEJU, DAEGU])
    for name, compute in (("max_site_wind", wind_by_year), ("s_tc", exposure_by_year)):
        years, values = compute(tracks, *place)
        assert years.tolist() == list(file.complete_years)
        for cell, column in zip((JEJU, DAEGU), values.T, strict=True):
            np.testing.assert_array_equal(found[name, cell].values, column.astype(np.float32))
    assert found["max_site_wind", JEJU].values.max() > found["max_site_wind", DAEGU].values.max()
