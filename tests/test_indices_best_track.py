from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aiops.errors import FileRefused
from aiops.indices.best_track import read_best_track

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "66666 1913  003 0017 1913 1 0             LINGLING              20191018        "
FIXES = [
    "19083100 002 2 062 1337 1006     000",
    "19090618 002 5 336 1252  965     070     20090 0070 30300 0160",
    "19090800 002 6 473 1305  984     000                                  #",
]


def write(path: Path, lines: list[str], ending: str = "\n") -> Path:
    path.write_text("".join(line.ljust(80) + ending for line in lines), encoding="ascii")
    return path


def test_the_columns_of_a_fix(tmp_path: Path) -> None:
    tracks = read_best_track(write(tmp_path / "bst.txt", [HEADER, *FIXES]))
    assert list(tracks.time.astype(str)) == ["2019-08-31T00:00", "2019-09-06T18:00", "2019-09-08T00:00"]
    assert list(tracks.grade) == [2, 5, 6]
    assert list(tracks.latitude) == pytest.approx([6.2, 33.6, 47.3])
    assert list(tracks.longitude) == pytest.approx([133.7, 125.2, 130.5])
    assert list(tracks.pressure) == [1006.0, 965.0, 984.0]
    np.testing.assert_array_equal(tracks.wind, [np.nan, 70.0, np.nan])
    assert (tracks.direction_50[1], tracks.longest_50[1], tracks.shortest_50[1]) == (2, 90.0, 70.0)
    assert (tracks.direction_30[1], tracks.longest_30[1], tracks.shortest_30[1]) == (3, 300.0, 160.0)
    for radius in (tracks.longest_50, tracks.shortest_50, tracks.longest_30, tracks.shortest_30):
        assert list(np.isnan(radius)) == [True, False, True]


def test_a_radius_of_zero_is_no_area(tmp_path: Path) -> None:
    fix = "15011312 002 3 086 1417 1002     035     00000 0000 80210 0150"
    tracks = read_best_track(write(tmp_path / "bst.txt", [HEADER.replace("003", "001"), fix]))
    assert np.isnan(tracks.longest_50[0])
    assert tracks.longest_30[0] == 210.0


def test_years_before_1951_are_of_this_century(tmp_path: Path) -> None:
    fixes = ["50083100 002 2 062 1337 1006", "51083100 002 2 062 1337 1006"]
    lines = [HEADER.replace("003", "001"), fixes[0], HEADER.replace("003", "001"), fixes[1]]
    tracks = read_best_track(write(tmp_path / "bst.txt", lines))
    assert list(tracks.time.astype("datetime64[Y]").astype(str)) == ["2050", "1951"]
    assert list(tracks.storm) == [0, 1]


def test_compressed_and_with_other_line_ends(tmp_path: Path) -> None:
    plain = write(tmp_path / "bst.txt", [HEADER, *FIXES], ending="\r\n")
    packed = tmp_path / "bst.txt.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    np.testing.assert_array_equal(read_best_track(plain).latitude, read_best_track(packed).latitude)


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], "no fixes"),
        (["date,latitude,longitude", "2019-08-31,6.2,133.7"], "line 1: not a best track file"),
        ([HEADER, *FIXES[:2]], "cut off, 1 fixes of the last storm are missing"),
        ([HEADER, *FIXES[:2], HEADER, *FIXES], "line 4: a new storm, but 1 fixes of the last are due"),
        ([HEADER, *FIXES, FIXES[2]], "line 5: more fixes than the storm's header announces"),
        ([HEADER, FIXES[0], FIXES[1].replace("336", "3x6"), FIXES[2]], "line 3: latitude '3x6' is no number"),
        ([HEADER, FIXES[0], FIXES[1].replace(" 336", "    "), FIXES[2]], "line 3: latitude is missing"),
        ([HEADER, FIXES[0], FIXES[1].replace(" 336", " 936"), FIXES[2]], "line 3: a position outside the globe"),
        ([HEADER, FIXES[0], "1909x618" + FIXES[1][8:], FIXES[2]], "line 3: '1909x618' is no time"),
        ([HEADER, FIXES[0], "19091318" + FIXES[1][8:], "19093218" + FIXES[2][8:]], "2019-09-32"),
        ([HEADER, FIXES[1], FIXES[0], FIXES[2]], "the fix of 2019-08-31T00:00 is not after the last"),
        ([HEADER.replace("003", "abc"), *FIXES], "line 1: 'abc' is no number of fixes"),
    ],
)
def test_what_is_no_best_track_is_refused_by_line(tmp_path: Path, lines: list[str], why: str) -> None:
    path = write(tmp_path / "bst.txt", lines)
    with pytest.raises(FileRefused) as refused:
        read_best_track(path)
    assert why in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_missing_and_a_broken_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="cannot be read"):
        read_best_track(tmp_path / "none.txt")
    broken = tmp_path / "bst.txt.gz"
    broken.write_bytes(gzip.compress("\n".join([HEADER, *FIXES]).encode())[:-20])
    with pytest.raises(FileRefused, match="cannot be read"):
        read_best_track(broken)
    foreign = tmp_path / "bst.txt"
    foreign.write_bytes("태풍".encode())
    with pytest.raises(FileRefused, match="cannot be read"):
        read_best_track(foreign)


@pytest.mark.oracle
def test_the_file_of_2015_to_2020_has_all_its_storms(shared_data: Path) -> None:
    tracks = read_best_track(shared_data / "jma_best_track_2015_2020.txt.gz")
    assert tracks.storm[-1] == 168
    assert tracks.time.size == 6154
    assert tracks.time.max() == np.datetime64("2021-07-31T06:00", "m")
