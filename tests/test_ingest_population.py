"""Population by district: what can be used of a file, and what is said of the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from aiops.db.climate import Written
from aiops.db.inputs import District
from aiops.errors import FileRefused
from aiops.ingest.load_inputs import load_population
from aiops.ingest.population import POPULATION_COLUMNS, read_population

REFERENCE = (Path(__file__).parent.parent / "docs" / "ingest.md").read_text(encoding="utf-8")


@pytest.fixture
def write(tmp_path):
    def write(*lines, name="population.csv"):
        path = tmp_path / name
        path.write_text("\n".join([*lines, ""]), encoding="utf-8")
        return path

    return write


def refused(inputs):
    return {
        (group.what, group.field, group.reason): [str(one) for one in group.examples]
        for group in inputs.facts.refusals.groups()
    }


def test_a_district_has_a_code_a_population_and_perhaps_names_and_a_year(write):
    inputs = read_population(
        write(
            "admin_code,name,name_ko,population,population_year",
            "11140,Jung-gu,중구,121314,2023",
            "0042,,,0,",
        )
    )
    assert inputs.districts == (
        District("11140", "Jung-gu", "중구", 121_314, 2023),
        District("0042", None, None, 0, None),
    )
    assert (inputs.years, inputs.notes, refused(inputs)) == ((2023, 2023), (), {})
    assert read_population(write("admin_code,population", "1,5")).districts == (District("1", None, None, 5, None),)


def test_korean_columns_are_understood(write):
    inputs = read_population(
        write("행정기관코드,행정기관명,기준연월,총인구수", "1114000000,서울특별시 중구,202312,121314")
    )
    assert inputs.districts == (District("1114000000", None, "서울특별시 중구", 121_314, 2023),)


def test_of_several_years_the_last_counts_wherever_it_stands(write):
    inputs = read_population(
        write("admin_code,year,population", "a,2021,3", "a,2023,1", "a,2022,2", "b,,7", "b,2020,8", "c,,9")
    )
    assert [(one.admin_code, one.population) for one in inputs.districts] == [("a", 1), ("b", 8), ("c", 9)]
    assert inputs.notes == ("3 rows of earlier years left aside: the last year of each district counts",)
    assert inputs.years == (2020, 2023)


def test_what_cannot_be_used_is_refused_by_line_and_field(write):
    inputs = read_population(
        write(
            "admin_code,population,population_year",
            ",5,2023",
            "a,-1,2023",
            "b,1.5,2023",
            "c,,2023",
            'd,"1,234",2023',
            "e,6,soon",
            "f,7,2023",
            "f,7,2023",
            "g,8,2023",
            "g,9,2023",
        )
    )
    assert inputs.districts == (District("e", None, None, 6, None), District("f", None, None, 7, 2023))
    assert {example for examples in refused(inputs).values() for example in examples} == {
        "line 2: admin_code: ''; allowed: a text of at most 100 letters",
        "line 3: population: '-1'; allowed: a whole number, 0 to 1e+08 people",
        "line 4: population: '1.5'; allowed: a whole number, 0 to 1e+08 people",
        "line 5: population: ''; allowed: a whole number, 0 to 1e+08 people",
        "line 6: population: '1,234'; allowed: a whole number, 0 to 1e+08 people",
        "line 7: population_year: 'soon'; allowed: a year, 1900 to 2300, or a date in it",
        "line 9: population_year: 'f 2023'; allowed: one row for each admin_code, population_year",
        "line 10: population_year: 'g 2023'; allowed: one row for each admin_code, population_year",
        "line 11: population_year: 'g 2023'; allowed: one row for each admin_code, population_year",
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("admin_code,people", "a,5"), "column population or 총인구수 .* is missing; the file has: admin_code, people"),
        (("admin_code,population", "a,none"), "none of 1 rows can be used; line 2: population: 'none'"),
        (("admin_code,population",), "has no rows below the header"),
    ],
)
def test_a_file_without_population_is_refused(connection, write, lines, message):
    with pytest.raises(FileRefused, match=message):
        load_population(connection, write(*lines))
    assert connection.execute("SELECT count(*) FROM dataset").fetchone() == (0,)


def stored(connection):
    return connection.execute("SELECT xmin::text, ctid::text, * FROM location_admin ORDER BY 3").fetchall()


def test_population_is_loaded_once_and_equal_rows_change_nothing(connection, write):
    lines = ("admin_code,name_ko,population,population_year", "a,가,5,2023", "b,나,6,2023")
    report = load_population(connection, write(*lines))
    connection.commit()
    assert (report.kind, report.tables) == ("population", {"location_admin": Written(2, 0, 0)})
    before = stored(connection)
    assert [row[2:] for row in before] == [
        ("a", None, "가", 5, 2023, report.dataset_id),
        ("b", None, "나", 6, 2023, report.dataset_id),
    ]
    for path in (write(*lines), write(lines[0], lines[2], lines[1], name="other.csv")):
        assert load_population(connection, path).tables == {"location_admin": Written(0, 0, 2)}
        connection.commit()
    assert stored(connection) == before
    later = load_population(connection, write(lines[0], "a,,7,2024", name="later.csv"))
    assert later.tables == {"location_admin": Written(0, 1, 0)}
    assert stored(connection)[0][2:] == ("a", None, "가", 7, 2024, later.dataset_id)
    datasets = connection.execute("SELECT name, first_year, last_year FROM dataset ORDER BY dataset_id").fetchall()
    assert datasets == [("population.csv", 2023, 2023), ("other.csv", 2023, 2023), ("later.csv", 2024, 2024)]


def test_a_report_is_json_and_lines_for_people(connection, write):
    path = write("admin_code,population,year,region", "a,5,2022,x", "a,6,2023,x")
    report = load_population(connection, path)
    assert json.loads(json.dumps(report.as_dict()))["tables"]["location_admin"]["inserted"] == 1
    first, *others = report.lines()
    assert first.startswith(f"{path}: 2 of 2 rows used (data set {report.dataset_id}, ")
    assert others == [
        "  location_admin: 1 new, 0 changed, 0 as they were",
        "  note: columns passed over: region",
        "  note: 1 rows of earlier years left aside: the last year of each district counts",
    ]


def test_every_column_stands_in_the_reference_and_its_example_can_be_read(write):
    section = REFERENCE.split("\n`aiops ingest population ")[1].split("\n## ")[0]
    named = [column.name for column in POPULATION_COLUMNS]
    aliases = [alias for column in POPULATION_COLUMNS for alias in column.aliases]
    assert [name for name in (*named, *aliases) if name not in section] == []
    inputs = read_population(write(*section.split("```")[1].strip().splitlines()))
    assert (len(inputs.districts), refused(inputs), inputs.facts.notes) == (2, {}, ())
