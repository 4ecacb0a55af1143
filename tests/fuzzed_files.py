"""Small files of every format that is read, and ways to spoil them."""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from aiops.ingest import load_inputs
from aiops.ingest.load import load_asos, load_long_csv, load_place_csv
from aiops.ingest.load_buildings import load_buildings

if TYPE_CHECKING:
    from collections.abc import Callable

STATIONS = "station_id,name,latitude,longitude\n108,서울,37.5714,126.9658\n112,인천,37.4777,126.6249\n"


@dataclass(frozen=True)
class Format:
    """One kind of file."""

    name: str
    header: tuple[str, ...]
    """Column names; none: lines of fixed columns."""
    rows: tuple[tuple[str, ...], ...]
    load: Callable[..., object]
    """Of a connection, a path and a folder; gives the report."""

    @property
    def file_name(self) -> str:
        return f"{self.name}.txt" if not self.header else f"{self.name}.csv"

    def contents(self) -> bytes:
        return written(self.header, self.rows).encode()


def written(header, rows, ending="\n"):
    """A table as text; lines of fixed columns where there is no header."""
    if not header:
        return "".join(f"{''.join(row)}{ending}" for row in rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=ending)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def days(first, count):
    start = date.fromisoformat(first)
    return [str(start + timedelta(days=n)) for n in range(count)]


def weather(n):
    return f"{20 + n % 7}.5", f"{25 + n % 9}.1", f"{15 + n % 5}.3", f"{(n % 4) * 3}.5"


def _asos(connection, path, folder):
    stations = folder / "stations.csv"
    stations.write_text(STATIONS, encoding="utf-8")
    return load_asos(connection, path, stations)


def _stations(connection, path, folder):
    asos = folder / "days.csv"
    asos.write_bytes(ASOS.contents())
    return load_asos(connection, asos, path)


def _place(connection, path, _folder):
    columns = {"tasmax": "tmax", "pr": "rain"}
    return load_place_csv(connection, path, 37.57, 126.98, columns)


def _of_path(load):
    return lambda connection, path, _folder: load(connection, path)


ASOS = Format(
    "asos",
    ("stnId", "tm", "avgTa", "maxTa", "minTa", "sumRn"),
    tuple(
        (number, day, *weather(n))
        for number in ("108", "112")
        for n, day in enumerate((*days("2020-02-25", 8), *days("2019-02-25", 6)))
    ),
    _asos,
)
BEST_TRACK = (
    "66666 1501  004 0001 1501 0 6             MEKKHALA              20150217",
    "15080100 002 5 330 1265 0950     085     70080 0080 90200 0200",
    "15080106 002 5 340 1275 0955     080     70080 0080 90200 0200",
    "15080112 002 4 350 1285 0965     070     00000 0000 90200 0200",
    "15080118 002 6 360 1295 0985             00000 0000 00000 0000",
)
FORMATS = (
    ASOS,
    Format(
        "stations",
        ("station_id", "name", "latitude", "longitude"),
        (("108", "서울", "37.5714", "126.9658"), ("112", "인천", "37.4777", "126.6249")),
        _stations,
    ),
    Format(
        "long",
        ("variable", "scenario", "date", "value", "latitude", "longitude"),
        (
            *(
                ("tasmax", "historical", day, f"{n}.5", "37.57", "126.98")
                for n, day in enumerate(days("2020-02-26", 5))
            ),
            *(("wsdi", "ssp245", str(year), f"{year % 9}", "37.57", "126.98") for year in range(2050, 2054)),
            *(("spei12", "ssp2", f"2050-{month:02}", "0.3", "37.58", "126.98") for month in range(1, 4)),
        ),
        _of_path(load_long_csv),
    ),
    Format(
        "place",
        ("date", "tmax", "rain"),
        tuple((day, f"{n}.5", f"{n % 3}") for n, day in enumerate(days("2020-02-20", 12))),
        _place,
    ),
    Format(
        "attributes",
        (
            "grid_id",
            "latitude",
            "longitude",
            "elevation_m",
            "slope",
            "impervious_ratio",
            "basin_id",
            "admin_code",
            "name",
        ),
        (
            ("", "37.57", "126.98", "38", "2.5", "0.6", "han", "11", "Jongno"),
            ("343000", "", "", "12", "", "0.1", "", "41", "어딘가"),
        ),
        _of_path(load_inputs.load_attributes),
    ),
    Format(
        "gauges",
        ("gauge_id", "name", "latitude", "longitude", "datum_offset_m", "year", "level_m"),
        tuple(("incheon", "인천", "37.45", "126.59", "-4.6", str(year), f"9.{year % 9}") for year in range(2000, 2006)),
        _of_path(load_inputs.load_gauges),
    ),
    Format(
        "rise",
        ("gauge_id", "scenario", "year", "rise_m"),
        tuple(("incheon", "ssp585", str(year), f"0.{year // 10 % 10}") for year in range(2020, 2101, 10)),
        _of_path(load_inputs.load_sea_level),
    ),
    Format(
        "water",
        ("basin_id", "name", "mean_flow_million_m3", "scenario", "year", "withdrawal_million_m3"),
        (
            ("han", "한강", "16000", "", "", ""),
            ("han", "", "", "historical", "2010", "5000"),
            ("nak", "", "9000", "", "", ""),
        ),
        _of_path(load_inputs.load_water),
    ),
    Format(
        "warming",
        ("scenario", "year", "warming_k"),
        tuple(("ssp245", str(year), f"0.{year % 10}") for year in range(2021, 2030)),
        _of_path(load_inputs.load_warming),
    ),
    Format(
        "population",
        ("admin_code", "name", "name_ko", "population", "population_year"),
        (("11", "Seoul", "서울특별시", "9386034", "2023"), ("26", "Busan", "부산광역시", "3293362", "2023-12-31")),
        _of_path(load_inputs.load_population),
    ),
    Format(
        "buildings",
        (
            "building_id",
            "name",
            "latitude",
            "longitude",
            "floor_area_m2",
            "built_year",
            "structure",
            "floors",
            "use",
            "pilotis",
        ),
        (
            ("b1", "탑", "37.5665", "126.978", "1200.5", "1998", "철근콘크리트구조", "12", "업무시설", "예"),
            ("b2", "", "37.5666", "126.979", "300", "2003-05-01", "wood", "2", "주택", "n"),
        ),
        _of_path(load_buildings),
    ),
    Format("tracks", (), tuple((line,) for line in BEST_TRACK), _of_path(load_inputs.load_tracks)),
)

# --- spoiling -------------------------------------------------------------------------------------------------

ODD_FIELDS = (
    "", " ", "NaN", "nan", "-nan", "NULL", "inf", "-Infinity", "1e400", "-1e308", "1e-400", "5e-324", "-9999", "999", "-0",  # noqa: E501
    "1,5", "1_000", "0x10", "１２", "٣", "−5", "\u00a05", "3.4028236e38", "16777217", "9" * 400, "1" * 20, "true", "예",
    "2019-02-29", "2020-02-29", "2021-02-29", "2020-02-30", "2020-13-01", "2020-00-00", "20200229", "20200230", "1582-10-10",  # noqa: E501
    "0000-00-00", "9999-12-31", "2300-12-31", "1850-01-01", "1849-12-31", "2020/02/29", "2020-2-9", "29.02.2020", "２０２０-01-01",  # noqa: E501
    "2020-01-01T00:00:00Z", "2020-01-01 12:00", "43831", "2020", "historical", "ssp999", "tasmax", "wsi", "a" * 300, "a\nb",  # noqa: E501
    'a"b', "a\tb", "\u202e", "\ufeff", "한", "ﬁ", "\u0130", "e\u0301", "\U0001f600", "'; DROP TABLE x; --", "=1+1", "\\N", "\\",  # noqa: E501
    "108", "37.57", "126.98", "343000", "451351", "451352", "0", "1", "-1", "33", "39", "132",
)  # fmt: skip
odd_fields = st.one_of(
    st.sampled_from(ODD_FIELDS),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20),
    st.floats().map(str),
    st.integers().map(str),
)
ENCODINGS = ("utf-8", "utf-8-sig", "cp949", "utf-16", "utf-16-le", "utf-32", "latin-1", "shift-jis", "cp037", "utf-7")


def _in_other_units(text, factor, offset):
    try:
        return repr(float(text) * factor + offset)
    except ValueError:
        return text


@st.composite
def damaged(draw, one):
    """A file of a format with one to five things wrong: its name and bytes."""
    header, rows = list(one.header), [list(row) for row in one.rows]
    for _ in range(draw(st.integers(0, 4))):
        _spoil_table(draw, header, rows)
    ending = draw(st.sampled_from(["\n", "\n", "\n", "\r\n", "\r", "\n\n"]))
    text = written(header, rows, ending)
    encoding = draw(st.sampled_from(("utf-8",) * 6 + ENCODINGS))
    contents = text.encode(encoding, errors="replace")
    for _ in range(draw(st.integers(0, 2))):
        contents = _spoil_bytes(draw, contents)
    name = one.file_name
    if draw(st.integers(0, 5)) == 0:
        name += ".gz"
        if draw(st.integers(0, 3)):
            contents = gzip.compress(contents, mtime=0)
            if draw(st.booleans()):
                contents = _spoil_bytes(draw, contents)
    return name, contents


def _spoil_table(draw, header, rows):  # noqa: C901, PLR0912
    """One thing wrong with the table, in place."""
    what = draw(st.sampled_from(_TABLE))
    if not rows or not rows[0]:
        return
    row = draw(st.integers(0, len(rows) - 1))
    column = draw(st.integers(0, max(0, len(rows[row]) - 1)))
    match what:
        case "fixed column" if not header and rows[row]:
            line = rows[row][0]
            at = draw(st.integers(0, len(line)))
            rows[row][0] = line[:at] + draw(st.one_of(odd_fields, st.sampled_from("0 9X"))) + line[at + 1 :]
        case "field" if rows[row]:
            rows[row][column] = draw(odd_fields)
        case "whole column":
            told = draw(odd_fields)
            for one in rows:
                if column < len(one):
                    one[column] = told
        case "units":
            factor, offset = draw(st.sampled_from([(1000, 0), (0.001, 0), (1, 273.15), (1.8, 32), (-1, 0), (1e30, 0)]))
            for one in rows:
                if column < len(one):
                    one[column] = _in_other_units(one[column], factor, offset)
        case "shuffled":
            rows[:] = draw(st.permutations(rows))
        case "row twice":
            rows.insert(draw(st.integers(0, len(rows))), list(rows[row]))
        case "contradiction" if rows[row]:
            other = list(rows[row])
            other[-1] = draw(odd_fields)
            rows.append(other)
        case "row gone":
            del rows[row]
        case "no rows":
            rows.clear()
        case "short row":
            del rows[row][column:]
        case "long row":
            rows[row].append(draw(odd_fields))
        case "column gone" if column < len(header):
            del header[column]
            for one in rows:
                del one[column : column + 1]
        case "column twice" if column < len(header):
            header.append(header[column])
            for one in rows:
                one.append(one[column] if column < len(one) else "")
        case "other name" if column < len(header):
            header[column] = draw(st.one_of(odd_fields, st.just(header[column].upper())))
        case _:
            pass


_TABLE = (
    "field", "field", "field", "field", "fixed column", "fixed column", "whole column", "units", "shuffled", "row twice",  # noqa: E501
    "contradiction", "row gone", "no rows", "short row", "long row", "column gone", "column twice", "other name",
)  # fmt: skip


def _spoil_bytes(draw, contents):  # noqa: PLR0911
    at = draw(st.integers(0, len(contents)))
    match draw(st.sampled_from(["cut", "cut", "flip", "flip", "insert", "NUL", "twice", "random", "front"])):
        case "cut":
            return contents[:at]
        case "front":
            return contents[at:]
        case "flip" if at < len(contents):
            return contents[:at] + bytes([draw(st.integers(0, 255))]) + contents[at + 1 :]
        case "insert":
            return contents[:at] + draw(st.binary(max_size=8)) + contents[at:]
        case "NUL":
            return contents[:at] + b"\0" + contents[at:]
        case "twice":
            return contents + contents
        case "random":
            return draw(st.binary(max_size=60))
        case _:
            return contents
