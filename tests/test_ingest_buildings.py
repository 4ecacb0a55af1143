"""Buildings are taken from a file of any size: what can be used, and what is said of the rest."""

from __future__ import annotations

import gzip
import json
import re
import resource
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiops.db.climate import Written
from aiops.errors import AiopsError, FileRefused
from aiops.ingest.buildings import BUILDING_COLUMNS, UNKNOWN_TERMS
from aiops.ingest.input_columns import Column, Kind, judge_column
from aiops.ingest.load_buildings import load_buildings

REFERENCE = (Path(__file__).parent.parent / "docs" / "ingest.md").read_text(encoding="utf-8")
SRC = "steel_reinforced_concrete"
NEXT_YEAR = datetime.now(UTC).year + 1


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="buildings.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes("\n".join([*lines, ""]).encode(encoding))
        return path

    return write


def refused(report):
    return {(group.what, group.field, group.reason): [str(one) for one in group.examples] for group in report.refused}


def stored(connection, columns="*"):
    return connection.execute(f"SELECT {columns} FROM api_buildings ORDER BY building_id").fetchall()


# --- what is understood -------------------------------------------------------------------------------------


def test_a_building_is_loaded_with_all_that_its_row_says(connection, write):
    path = write(
        "building_id,latitude,longitude,name,floor_area_m2,built_year,structure,floors,basement_floors,use,"
        "water_tank,pilotis,in_flood_zone",
        "a,37.5665,126.9780,본사,12500.5,1998,SRC,14,3,office,yes,no,0",
        "b,35.1587,129.1604,,,,,,,,,,",
    )
    report = load_buildings(connection, path)
    assert (report.kind, report.rows_read, report.refused, report.warnings) == ("buildings", 2, (), ())
    assert report.tables == {"api_buildings": Written(2, 0, 0)}
    assert stored(connection) == [
        ("a", "본사", 37.5665, 126.978, 12500.5, 1998, SRC, 14, 3, "office", True, False, False, report.dataset_id),
        ("b", None, 35.1587, 129.1604, *[None] * 9, report.dataset_id),
    ]
    dataset = connection.execute("SELECT name, parameters, synthetic, first_year FROM dataset").fetchall()
    assert dataset == [("buildings.csv", {"format": "buildings"}, False, None)]


REGISTERS = {
    "its files": (
        "관리_건축물대장_PK,대지_위치,건물_명,연면적(㎡),구조_코드,구조_코드_명,주_용도_코드_명,지상_층_수,지하_층_수,사용승인_일,lat,lon"
    ),
    "its downloads": (
        "관리건축물대장PK,대지위치,건물명,연면적(㎡),구조코드,구조코드명,주용도코드명,지상층수,지하층수,사용승인일,위도,경도"
    ),
    "its open interface": (
        "mgmBldrgstPk,platPlc,bldNm,totArea,strctCd,strctCdNm,mainPurpsCdNm,grndFlrCnt,ugrndFlrCnt,useAprDay,"
        "latitude,longitude"
    ),
}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp949"])
@pytest.mark.parametrize("header", REGISTERS.values(), ids=REGISTERS)
def test_the_columns_and_terms_of_the_building_register_are_understood(connection, write, header, encoding):
    path = write(
        header,
        "11140-10046,서울특별시 중구 1번지,시청,2072.36,21,철근콘크리트구조,업무시설,6,1,19981203,37.5665,126.9780",
        "11140-10047,서울특별시 중구 2번지,,85,11,벽돌구조,제2종 근린생활시설,1,0,,37.5666,126.9781",
        encoding=encoding,
    )
    report = load_buildings(connection, path)
    assert report.encoding == encoding[:5]
    assert stored(
        connection, "building_id, name, floor_area_m2, built_year, structure, floors, basement_floors, use"
    ) == [
        ("11140-10046", "시청", 2072.36, 1998, "reinforced_concrete", 6, 1, "office"),
        ("11140-10047", None, 85.0, None, "masonry", 1, 0, "retail"),
    ]
    (note,) = report.warnings
    assert re.fullmatch("columns passed over: (대지_?위치, 구조_?코드|platPlc, strctCd)", note)


def judged(kind, *texts, low=1800, high=2026):
    return judge_column(Column("x", kind, low, high), texts)


@pytest.mark.parametrize(
    "text",
    [
        *("1998", " 1998 ", "1998.0", "19981203", "199812", "19980000", "1998-12-03", "1998.12.3", "1998/12"),
        *("1998. 12. 3.", "1998-12-03 00:00:00", "1998-12-03T00:00:00Z"),
    ],
)
def test_a_year_is_read_from_a_date_however_it_is_written(text):
    assert judged(Kind.YEAR, text) == ([1998], [None])


@pytest.mark.parametrize(
    "text", ["98", "19981303", "19981232", "1998-13-01", "1998-1203", "12/03/1998", "1998년", "1e3"]
)
def test_what_is_no_year_and_no_date_is_said_to_be_neither(text):
    assert judged(Kind.YEAR, text) == ([None], ["neither a year nor a date"])


def test_a_missing_year_is_missing_and_one_beyond_the_bounds_implausible():
    texts = ("", "NaN", "1799", "00000000", "1800", "2026", "20270101")
    assert judged(Kind.YEAR, *texts) == (
        [None, None, None, None, 1800, 2026, None],
        ["missing", "missing", "implausible", "implausible", None, None, "implausible"],
    )


def test_yes_and_no_are_understood_in_both_languages():
    yes, no = ("yes", "Y", "TRUE", "1", "1.0", "예", "유", "있음"), ("no", "n", "False", "0", "아니오", "무", "없음")
    assert judged(Kind.FLAG, *yes, *no, "", "null", "maybe", "2") == (
        [True] * len(yes) + [False] * len(no) + [None] * 4,
        [None] * (len(yes) + len(no)) + ["missing"] * 2 + ["neither yes nor no"] * 2,
    )


# --- what is refused ----------------------------------------------------------------------------------------


def test_what_cannot_be_of_a_building_is_left_out_by_line_and_field_and_the_rest_used(connection, write):
    path = write(
        "관리건축물대장PK,위도,경도,연면적(㎡),사용승인일,구조코드명,지상층수,지하층수,주용도코드명,pilotis",
        f"a,37.5,127,0,{NEXT_YEAR + 1}0101,괴상한구조,0,21,성,둘",
        "b,37.5,127,1e9,어제,벽돌구조,2.5,-1,업무시설,무",
    )
    report = load_buildings(connection, path)
    assert (report.rows_refused, report.values_refused) == (0, 11)
    assert stored(connection, "floor_area_m2, built_year, structure, floors, basement_floors, use, pilotis") == [
        (None,) * 7,
        (None, None, "masonry", None, None, "office", False),
    ]
    structures = "reinforced_concrete steel_reinforced_concrete steel masonry wood sandwich_panel other"
    uses = "office retail factory warehouse hotel hospital power residential school other"
    year = f"a year, 1800 to {NEXT_YEAR}, or a date in it"
    assert refused(report) == {
        ("value", "연면적(㎡)", "implausible"): [
            "line 2: 연면적(㎡): '0'; allowed: 0.01 to 1e+07 m² (none?)",
            "line 3: 연면적(㎡): '1e9'; allowed: 0.01 to 1e+07 m² (none?)",
        ],
        ("value", "사용승인일", "implausible"): [f"line 2: 사용승인일: '{NEXT_YEAR + 1}0101'; allowed: {year}"],
        ("value", "사용승인일", "neither a year nor a date"): [f"line 3: 사용승인일: '어제'; allowed: {year}"],
        ("value", "구조코드명", "not known: 괴상한구조"): [
            f"line 2: 구조코드명: '괴상한구조'; allowed: {structures}, or a term of the table building_term"
        ],
        ("value", "지상층수", "implausible"): ["line 2: 지상층수: '0'; allowed: a whole number, 1 to 200"],
        ("value", "지상층수", "not a whole number"): ["line 3: 지상층수: '2.5'; allowed: a whole number, 1 to 200"],
        ("value", "지하층수", "implausible"): [
            "line 2: 지하층수: '21'; allowed: a whole number, 0 to 20",
            "line 3: 지하층수: '-1'; allowed: a whole number, 0 to 20",
        ],
        ("value", "주용도코드명", "not known: 성"): [
            f"line 2: 주용도코드명: '성'; allowed: {uses}, or a term of the table building_term"
        ],
        ("value", "pilotis", "neither yes nor no"): ["line 2: pilotis: '둘'; allowed: yes or no"],
    }


def test_a_row_without_a_key_or_a_place_in_degrees_is_refused(connection, write):
    path = write(
        "building_id,latitude,longitude,floors",
        ",37.5,127,1",
        "b,,127,1",
        "c,127,37.5,1",
        "d,37.5,201234.5,1",
        "e,37.5,127,1",
        "f,37.5,127",
        f"{'긴' * 101},37.5,127,1",
    )
    report = load_buildings(connection, path)
    assert stored(connection, "building_id") == [("e",)]
    assert (report.rows_read, report.rows_refused) == (7, 6)
    assert {example for examples in refused(report).values() for example in examples} == {
        "line 2: building_id: ''; allowed: a text of at most 100 letters",
        f"line 8: building_id: '{'긴' * 60}…'; allowed: a text of at most 100 letters",
        "line 3: latitude: ''; allowed: 33 to 39 degrees north",
        "line 4: latitude: '127'; allowed: 33 to 39 degrees north (the other coordinate, or projected ones?)",
        "line 5: longitude: '201234.5'; allowed: 124.5 to 132 degrees east (the other coordinate, or projected ones?)",
        "line 7: row: 'f,37.5,127'; allowed: 4 fields, as in the header",
    }


def test_of_rows_of_the_same_building_one_is_used_or_when_they_differ_none(connection, write):
    path = write(
        "building_id,latitude,longitude,structure",
        "a,37.5,127,벽돌구조",
        "b,37.5,127,steel",
        "a,37.5,127,Brick",  # the same thing in other words
        "b,37.5,127,wood",
        "b,37.5,127,steel",
        "c,37.5,127,wood",
    )
    report = load_buildings(connection, path)
    assert stored(connection, "building_id, structure") == [("a", "masonry"), ("c", "wood")]
    assert report.tables == {"api_buildings": Written(2, 0, 0)}
    assert refused(report) == {
        ("row", "building_id", "different values for the same key"): [
            "line 3: building_id: 'b'; allowed: one row for each building",
            "line 5: building_id: 'b'; allowed: one row for each building",
        ],
        ("row", "building_id", "the same row again"): [
            "line 4: building_id: 'a'; allowed: one row for each building",
            "line 6: building_id: 'b'; allowed: one row for each building",
        ],
    }
    assert next(report.lines()).startswith(f"{path}: 2 of 6 rows used")


def test_each_of_the_first_unknown_terms_is_counted_and_the_others_together(connection, write):
    rows = [f"{n},37.5,127,term {n % 20}" for n in range(3_000)]
    report = load_buildings(connection, write("building_id,latitude,longitude,use", *rows))
    counts = {group.reason: group.count for group in report.refused}
    assert len(counts) == UNKNOWN_TERMS + 1
    assert counts["not known: term 0"] == 150
    assert counts["not known, like others before"] == 1_500
    assert report.tables["api_buildings"].inserted == 3_000


def test_a_word_for_missing_is_no_unknown_term(connection, write):
    report = load_buildings(connection, write("building_id,latitude,longitude,use,structure", "a,37.5,127,NaN,null"))
    assert (report.refused, stored(connection, "use, structure")) == ((), [(None, None)])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("building_id,latitude,floors", "a,37.5,1"), "column longitude or lon or 경도 is missing; the file"),
        (("관리건축물대장PK,대지위치,구조코드명", "a,서울,벽돌구조"), "column latitude or lat or 위도 is missing"),
        (("building_id,latitude,longitude,name", "a,37.5,127,가"), "has no column that describes a building; allowed"),
        (("building_id,latitude,longitude,use", "a,7.5,127,공장"), "none of 1 rows can be used; line 2: latitude"),
        (("building_id,latitude,longitude,use", "a,37,127,공장", "a,37,127,창고"), "none of 2 rows can be used"),
        (("building_id,latitude,longitude,use",), "has no rows below the header"),
        (("building_id,latitude,longitude,use", "a,37,127,공장", 'b,37,127,"'), r"line 3: broken CSV"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_leaves_nothing_behind(connection, write, lines, message):
    path = write(*lines)
    with pytest.raises(FileRefused, match=f"^{re.escape(str(path))}.*{message}"):
        load_buildings(connection, path)
    assert stored(connection) == []
    assert connection.execute("SELECT count(*) FROM dataset").fetchone() == (0,)


# --- loading again ------------------------------------------------------------------------------------------


def test_loading_the_same_rows_again_changes_nothing(connection, write):
    lines = ("building_id,latitude,longitude,floors,use", "a,37.5,127,3,공장", "b,37.6,127,,")
    load_buildings(connection, write(*lines))
    connection.commit()
    before = stored(connection, "xmin::text, ctid::text, *")
    other_file = write(lines[0], lines[2], lines[1].replace("공장", "factory"), name="other.csv")
    for path in (write(*lines), other_file):
        assert load_buildings(connection, path).tables == {"api_buildings": Written(0, 0, 2)}
        connection.commit()
    assert stored(connection, "xmin::text, ctid::text, *") == before


def test_a_later_load_wins_where_it_says_something(connection, write):
    load_buildings(connection, write("building_id,latitude,longitude,floors,use", "a,37.5,127,3,공장"))
    report = load_buildings(
        connection, write("building_id,latitude,longitude,floors,use", "a,37.6,127,,창고", name="b")
    )
    assert report.tables == {"api_buildings": Written(0, 1, 0)}
    assert stored(connection, "latitude, floors, use, dataset_id") == [(37.6, 3, "warehouse", report.dataset_id)]


def test_nobody_sees_a_load_before_it_is_committed(connection, connect, write):
    other = connect(autocommit=True)
    path = write("building_id,latitude,longitude,floors", *(f"{n},37.5,127,3" for n in range(2_500)))
    with connection.transaction():
        load_buildings(connection, path)
        load_buildings(connection, path)  # twice in one transaction
        assert other.execute("SELECT count(*) FROM api_buildings").fetchone() == (0,)
    connection.commit()
    assert other.execute("SELECT count(*) FROM api_buildings").fetchone() == (2_500,)


def test_many_buildings_load_in_memory_that_does_not_grow_with_them(connection, tmp_path):
    n = 40_000
    path = tmp_path / "many.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        file.write(
            "관리건축물대장PK,건물명,위도,경도,연면적(㎡),사용승인일,구조코드명,지상층수,지하층수,주용도코드명\n"
        )
        file.writelines(
            f"11680-{row},건물 {row},{33 + row % 5999 / 1000},{125 + row % 6997 / 1000},{row % 900 + 0.5},"
            f"{1950 + row % 70}0615,일반철골구조,{row % 30 + 1},{row % 5},제1종근린생활시설\n"
            for row in range(n)
        )
    load_buildings(connection, _first_rows(path, 2_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = load_buildings(connection, path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert report.tables["api_buildings"] == Written(n - 2_000, 0, 2_000)
    assert grown < 20_000, "KB; the rows as Python objects would be 60 MB"


def _first_rows(path, n):
    some = path.with_name("some.csv")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        some.write_text("".join(line for line, _ in zip(file, range(n + 1), strict=False)), encoding="utf-8")
    return some


# --- as the reference says ----------------------------------------------------------------------------------


def test_every_column_stands_in_the_reference_and_its_example_can_be_loaded(connection, write):
    section = REFERENCE.split("\n`aiops ingest buildings ")[1].split("\n## ")[0]
    assert [column.name for column in BUILDING_COLUMNS if f"`{column.name}`" not in section] == []
    report = load_buildings(connection, write(*section.split("```")[1].strip().splitlines()))
    assert (report.refused, report.warnings) == ((), ())
    assert stored(connection, "built_year, structure, use, pilotis") == [
        (1998, "reinforced_concrete", "office", False),
        (1987, "masonry", "retail", None),
    ]


def test_the_terms_of_the_reference_mean_what_it_says(connection):
    section = REFERENCE.split("\n`aiops ingest buildings ")[1].split("\n## ")[0]
    for field in ("structure", "use"):
        table = section.split(f"\n| {field} | among others |\n|---|---|\n")[1].split("\n\n")[0]
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", table, re.MULTILINE)
        names = connection.execute("SELECT DISTINCT meaning FROM building_term WHERE field = %s", [field]).fetchall()
        assert {name for name, _ in rows} == {name for (name,) in names}
        for name, words in rows:
            for word in re.split("[,;] ", words.removesuffix(", …")):
                found = connection.execute(f"SELECT canonical_{field}(%s)", [word]).fetchone()
                assert (word, found) == (word, (name,))


def test_a_report_is_json(connection, write):
    report = load_buildings(connection, write("building_id,latitude,longitude,use", "a,37.5,127,성"))
    as_json = json.loads(json.dumps(report.as_dict()))
    assert as_json["tables"] == {"api_buildings": {"inserted": 1, "updated": 0, "unchanged": 0}}
    assert as_json["refused"][0]["reason"] == "not known: 성"


# --- anything -----------------------------------------------------------------------------------------------

HEADER = "building_id,latitude,longitude,floor_area_m2,built_year,structure,floors,use,pilotis"
FIELDS = st.one_of(
    st.sampled_from(
        ["", "a", "37.5", "127", "1998", "19981203", "공장", "steel", "yes", "nan", "inf", "1e400", "-1", "1_0"]
    ),
    st.text(alphabet=st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=8),
)


@given(rows=st.lists(st.lists(FIELDS, min_size=9, max_size=9), max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_stands_in_a_file_every_row_is_used_or_refused_by_name(connection, rows, tmp_path):
    path = tmp_path / "fuzz.csv"
    quoted = [",".join('"' + field.replace('"', '""') + '"' for field in row) for row in rows]
    good = '"good","37.5","127","100","1998","벽돌조","1","공장","예"'
    path.write_text("\n".join([HEADER, good, *quoted, ""]), encoding="utf-8", newline="")
    message = None
    with connection.transaction(force_rollback=True):
        try:
            report = load_buildings(connection, path)
        except AiopsError as error:
            message = str(error)
    if message is not None:
        assert message.startswith(str(path))
        return
    assert report.rows_read == len(rows) + 1
    assert report.rows_read - report.rows_refused == report.tables["api_buildings"].inserted > 0
