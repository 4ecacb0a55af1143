"""What stands at a place: terms are understood however they are spelt, the nearest building is found by the index."""

from __future__ import annotations

from unicodedata import normalize

import numpy as np
import psycopg
import pytest
from psycopg import errors

from aiops.db.buildings import STRUCTURES, USES, Building, canonical_terms, write_buildings
from aiops.db.cells import write_cells
from aiops.db.climate import Written
from aiops.db.datasets import register_dataset
from aiops.db.inputs import District, write_districts
from aiops.db.results import fetch_population_data
from aiops.errors import BadInput
from aiops.grid import grid_id_of

EARTH_M = 6_371_000
PLACE = (37.5665, 126.978)


@pytest.fixture
def dataset_id(connection):
    return register_dataset(
        connection, name="t", source="test", file_sha256=None, first_year=None, last_year=None, synthetic=True
    )


# --- terms --------------------------------------------------------------------------------------------------


def meaning(connection, field, term):
    query = {"structure": "SELECT canonical_structure(%s)", "use": "SELECT canonical_use(%s)"}[field]
    return connection.execute(query, [term]).fetchone()[0]


@pytest.mark.parametrize(("field", "names"), [("structure", STRUCTURES), ("use", USES)])
def test_canonical_names_mean_themselves_and_every_one_of_them_has_terms(connection, field, names):
    assert [meaning(connection, field, name) for name in names] == list(names)
    known = connection.execute("SELECT DISTINCT meaning FROM building_term WHERE field = %s", [field]).fetchall()
    assert {name for (name,) in known} == set(names)


REGISTER_STRUCTURES = {
    "reinforced_concrete": "철근콘크리트구조 철근콘크리트 콘크리트구조 프리케스트콘크리트구조 라멘조 기타콘크리트구조",
    "steel_reinforced_concrete": "철골철근콘크리트구조 철골콘크리트구조 철골철근콘크리트합성구조",
    "steel": "일반철골구조 경량철골구조 강파이프구조 철파이프조 공업화박판강구조(PEB) 트러스구조 스틸하우스조",
    "masonry": "조적구조 벽돌구조 벽돌 블록구조 블럭구조 석구조 시멘트블럭조 연와조 흙벽돌조 기타조적구조",
    "wood": "목구조 목조 일반목구조 통나무구조 트러스목구조",
    "sandwich_panel": "조립식판넬 조립식판넬조 조립식패널구조 샌드위치패널 샌드위치판넬조",
    "other": "컨테이너조 막구조 기타구조",
}
REGISTER_USES = {
    "office": "업무시설 사무소 오피스텔",
    "retail": "제1종근린생활시설 제2종근린생활시설 근린생활시설 판매시설 판매및영업시설 상가",
    "factory": "공장 지식산업센터",
    "warehouse": "창고시설 창고 물류센터",
    "hotel": "숙박시설 관광숙박시설 호텔",
    "hospital": "의료시설 종합병원",
    "power": "발전시설 발전소",
    "residential": "단독주택 공동주택 아파트 연립주택 다세대주택 다가구주택 기숙사",
    "school": "교육연구시설 교육연구및복지시설 학교 초등학교",
    "other": "문화및집회시설 종교시설 운수시설 노유자시설 수련시설 운동시설 위락시설 위험물저장및처리시설 "
    "자동차관련시설 동물및식물관련시설 자원순환관련시설 교정및군사시설 방송통신시설 묘지관련시설 관광휴게시설 장례시설 "
    "야영장시설",
}


@pytest.mark.parametrize(("field", "terms"), [("structure", REGISTER_STRUCTURES), ("use", REGISTER_USES)])
def test_the_terms_of_the_building_register_are_understood(connection, field, terms):
    wanted = {term: name for name, words in terms.items() for term in words.split()}
    assert canonical_terms(connection, field, list(wanted)) == wanted


@pytest.mark.parametrize(
    ("field", "name", "spellings"),
    [
        (
            "structure",
            "reinforced_concrete",
            ["Reinforced Concrete", "REINFORCED-CONCRETE structure", "rc조", " R.C. "],
        ),
        (
            "structure",
            "reinforced_concrete",
            ["철근 콘크리트 구조", "철근콘크리트조", "(철근)콘크리트구조", "철근콘크리트구조(벽식)"],
        ),
        ("structure", "reinforced_concrete", [normalize("NFD", "철근콘크리트구조"), "ＲＣ"]),
        ("structure", "masonry", ["Brick", "brick building", "벽돌 구조물", "벽돌조"]),
        ("use", "residential", ["공동주택(아파트)", "공동 주택 （아파트）", "Apartments", "HOUSE"]),
        ("use", "office", ["업무", "업무 시설", "업무시설물", "Office Building", "office_building"]),
        ("use", "retail", ["제1종 근린생활시설", "제 1종 근린생활시설", "제1,2종 근린생활시설"]),
        (
            "use",
            "other",
            ["동·식물관련시설", "동ㆍ식물 관련 시설", "동・식물관련시설", "동.식물관련시설", "동식물관련시설"],
        ),
    ],
)
def test_spelling_does_not_matter(connection, field, name, spellings):
    assert [meaning(connection, field, spelling) for spelling in spellings] == [name] * len(spellings)


@pytest.mark.parametrize(
    "term", [None, "", " ", "구조", "시설", "()", "마법진", "철근", "office; DROP TABLE", "x" * 10_000]
)
def test_what_is_not_known_is_null(connection, term):
    assert (meaning(connection, "structure", term), meaning(connection, "use", term)) == (None, None)


def test_a_structure_is_no_use_and_a_use_no_structure(connection):
    assert meaning(connection, "use", "벽돌구조") is None
    assert meaning(connection, "structure", "공장") is None
    assert canonical_terms(connection, "use", ["벽돌구조", "공장", "공장"]) == {"공장": "factory"}


def test_a_row_is_all_that_another_term_takes(connection):
    assert meaning(connection, "use", "데이터 센터 (IDC)") == "other"
    assert meaning(connection, "use", "스마트팜") is None
    connection.execute("INSERT INTO building_term (field, term, meaning) VALUES ('use', '스마트 팜', 'other')")
    assert meaning(connection, "use", "스마트팜 시설") == "other"
    with pytest.raises(errors.UniqueViolation), connection.transaction():
        connection.execute("INSERT INTO building_term (field, term, meaning) VALUES ('use', '스마트팜시설', 'factory')")
    with pytest.raises(errors.CheckViolation), connection.transaction():
        connection.execute("INSERT INTO building_term (field, term, meaning) VALUES ('use', '성', 'castle')")


# --- buildings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("latitude", 32.99),
        ("latitude", "NaN"),
        ("longitude", 132.01),
        ("building_id", ""),
        ("building_id", "x" * 101),
        ("floor_area_m2", 0),
        ("floor_area_m2", "NaN"),
        ("floor_area_m2", "Infinity"),
        ("built_year", 1799),
        ("built_year", 2999),
        ("structure", "brick"),
        ("use", "castle"),
        ("floors", 0),
        ("floors", 201),
        ("basement_floors", -1),
        ("basement_floors", 21),
    ],
)
def test_what_no_building_can_be_is_kept_out(connection, column, value):
    row = {"building_id": "a", "latitude": 37, "longitude": 127, column: value}
    columns, places = ", ".join(row), ", ".join(["%s"] * len(row))
    with pytest.raises(errors.CheckViolation, match=column), connection.transaction():
        connection.execute(f"INSERT INTO api_buildings ({columns}) VALUES ({places})", list(row.values()))


def test_only_the_place_of_a_building_has_to_be_known(connection):
    connection.execute("INSERT INTO api_buildings (building_id, latitude, longitude) VALUES ('a', 33, 132)")
    connection.execute(
        "INSERT INTO api_buildings VALUES ('b', 'n', 39, 124.5, 0.5, extract(year FROM now()) + 1, 'wood', 200, 20,"
        " 'power', true, false, true)"
    )
    assert connection.execute("SELECT count(*) FROM api_buildings").fetchone() == (2,)


def near(connection, latitude, longitude, within_m):
    row = connection.execute(
        "SELECT building_id FROM building_near(%s, %s, %s)", [latitude, longitude, within_m]
    ).fetchone()
    return row and row[0]


def put(connection, **places):
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO api_buildings (building_id, latitude, longitude) VALUES (%s, %s, %s)",
            [(name, *place) for name, place in places.items()],
        )


def test_distances_are_those_of_a_sphere(connection):
    cases = {
        (37, 127, 37, 127): 0,
        (37, 127, 38, 127): np.pi * EARTH_M / 180,
        (0, 10, 0, 11): np.pi * EARTH_M / 180,
        (60, 10, 60, 190): np.pi * EARTH_M / 3,
        (12.3, 45.6, -12.3, -134.4): np.pi * EARTH_M,
    }
    for places, distance in cases.items():
        (found,) = connection.execute("SELECT great_circle_m(%s, %s, %s, %s)", places).fetchone()
        assert found == pytest.approx(distance, abs=1)
    assert connection.execute("SELECT great_circle_m(1, 2, 3, NULL)").fetchone() == (None,)


def test_the_nearest_building_within_the_limit_is_given_whole(connection):
    north, east = 100 / 111_194.93, 100 / (111_194.93 * np.cos(np.radians(PLACE[0])))
    put(
        connection,
        far=(PLACE[0] + 3 * north, PLACE[1]),
        # In degrees the one in the north is nearer, in metres the one in the east.
        north=(PLACE[0] + 1.05 * north, PLACE[1]),
        east=(PLACE[0], PLACE[1] + 1.02 * east),
    )
    assert near(connection, *PLACE, 1000) == "east"
    assert near(connection, *PLACE, 102.1) == "east"
    assert near(connection, *PLACE, 101.9) is None
    connection.execute("UPDATE api_buildings SET use = 'power', floors = 3 WHERE building_id = 'east'")
    row = connection.execute("SELECT (b).* FROM building_near(%s, %s, 200) AS b", PLACE).fetchone()
    assert row == ("east", None, *PLACE[:1], PLACE[1] + 1.02 * east, *[None] * 3, 3, None, "power", *[None] * 4)


def test_of_equally_near_buildings_the_first_by_its_id_is_taken(connection):
    put(connection, b=PLACE, a=PLACE, B=PLACE, c=PLACE)
    assert near(connection, *PLACE, 0) == "B"
    connection.execute("DELETE FROM api_buildings WHERE building_id = 'B'")
    assert near(connection, *PLACE, 10) == "a"


def test_without_a_place_or_a_limit_there_is_no_building(connection):
    put(connection, a=PLACE)
    for latitude, longitude, within_m in [(None, 127, 10), (37, None, 10), (37.5665, 126.978, None), (*PLACE, -1)]:
        assert near(connection, latitude, longitude, within_m) is None
    assert near(connection, *PLACE, float("inf")) == "a"
    assert near(connection, 33, 124.5, 1e12) == "a"


@pytest.fixture
def fifty_thousand(connection):
    """Latitudes and longitudes, by position the buildings 1, 2, …"""
    random = np.random.default_rng(12)
    places = np.round(np.column_stack([random.uniform(33, 39, 50_000), random.uniform(124.5, 132, 50_000)]), 6)
    places[:20_000] = np.round(random.normal(PLACE, [0.05, 0.06], (20_000, 2)), 6)
    connection.execute(
        "INSERT INTO api_buildings (building_id, latitude, longitude)"
        " SELECT place, latitude, longitude"
        " FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS given (latitude, longitude, place)",
        [places[:, 0].tolist(), places[:, 1].tolist()],
    )
    connection.execute("ANALYZE api_buildings")
    return places


def test_among_fifty_thousand_the_same_one_is_found_as_by_measuring_them_all(connection, fifty_thousand):
    random = np.random.default_rng(5)
    asked = np.column_stack([random.uniform(33, 39, 60), random.uniform(124.5, 132, 60)])
    asked[:30] = random.normal(PLACE, 0.1, (30, 2))
    latitude, longitude = np.radians(fifty_thousand).T
    found = 0
    for number, (north, east) in enumerate(asked.tolist()):
        within_m = [50, 300, 2_000, 20_000, 700_000][number % 5]
        # The law of cosines in a form that is exact for small angles, by vectors: not the formula of the function.
        here, there = (
            np.stack([np.cos(a) * np.cos(b), np.cos(a) * np.sin(b), np.sin(a)])
            for a, b in [(np.radians([north]), np.radians([east])), (latitude, longitude)]
        )
        distance = 2 * EARTH_M * np.arcsin(np.linalg.norm(there - here, axis=0) / 2)
        nearest = int(np.argmin(distance))
        expected = str(nearest + 1) if distance[nearest] <= within_m else None
        assert near(connection, north, east, within_m) == expected
        found += expected is not None
    assert 20 < found < 60


def plan(connection, query):
    return "\n".join(line for (line,) in connection.execute(f"EXPLAIN (COSTS OFF) {query}").fetchall())


def test_the_index_finds_the_nearest_building_of_one_place_and_of_many(connection, fifty_thousand):
    of_many = (
        "SELECT * FROM (VALUES (37.5, 127.0), (35.1, 129.0)) AS site (north, east)"
        " LEFT JOIN LATERAL building_near(site.north, site.east, 100) AS building ON true"
    )
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute(
        "PREPARE one_place (float8, float8, float8) AS SELECT * FROM building_near($1, $2, $3)",
    )
    of_one = "SELECT * FROM building_near(37.5665, 126.978, 100)"
    for query in (of_one, of_many, "EXECUTE one_place (37.5665, 126.978, 100)"):
        text = plan(connection, query)
        assert "Scan on api_buildings_place_idx" in text or "using api_buildings_place_idx" in text
        assert "Seq Scan on api_buildings" not in text


# --- writing buildings --------------------------------------------------------------------------------------


def test_buildings_are_written_once_and_what_is_not_given_stays(connection, dataset_id):
    full = Building("a", "본사", *PLACE, 1200.5, 1998, "steel", 12, 2, "office", True, False, False)
    place = Building("b", None, 35.1, 129.0)
    assert write_buildings(connection, [[(full, 2)], [(place, 3)]], dataset_id) == (Written(2, 0, 0), [])
    assert connection.execute("SELECT * FROM api_buildings ORDER BY 1").fetchall() == [
        (*full, dataset_id),
        (*place, dataset_id),
    ]
    again = [[(Building("a", None, *PLACE), 1), (place, 2)]]
    assert write_buildings(connection, again, dataset_id) == (Written(0, 0, 2), [])
    more = [[(place._replace(floors=3), 1)]]
    assert write_buildings(connection, more, dataset_id + 1) == (Written(0, 1, 0), [])
    stored = connection.execute("SELECT floors, dataset_id FROM api_buildings ORDER BY building_id").fetchall()
    assert stored == [(12, dataset_id), (3, dataset_id + 1)]


def test_rows_that_contradict_each_other_are_not_written_even_blocks_apart(connection, dataset_id):
    a, b, c = (Building(name, None, *PLACE, floors=3) for name in "abc")
    blocks = [[(a, 2), (b, 3), (c, 4)], [(a, 5), (b._replace(floors=None), 6)], [(b, 7), (a, 8)]]
    written, doubled = write_buildings(connection, blocks, dataset_id)
    assert written == Written(2, 0, 0)
    assert doubled == [(3, "b", True), (5, "a", False), (6, "b", True), (7, "b", False), (8, "a", False)]
    assert connection.execute("SELECT array_agg(building_id) FROM api_buildings").fetchone() == (["a", "c"],)


def test_a_building_that_cannot_be_leaves_nothing_behind(connection, dataset_id):
    bad = [[(Building("a", None, *PLACE), 2)], [(Building("b", None, 50, 127), 3)]]
    with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
        write_buildings(connection, bad, dataset_id)
    assert connection.execute("SELECT count(*) FROM api_buildings").fetchone() == (0,)
    assert write_buildings(connection, [], dataset_id) == (Written(0, 0, 0), [])


# --- population ---------------------------------------------------------------------------------------------


def test_population_is_that_of_the_district_of_the_cell(connection, dataset_id):
    write_cells(connection, [{"grid_id": grid_id_of(*PLACE), "admin_code": "11140"}], dataset_id)
    assert fetch_population_data(connection, *PLACE) is None
    districts = [District("11140", "Jung-gu", "중구", 121_314, 2023), District("26350", None, None, 0, None)]
    assert write_districts(connection, districts, dataset_id) == Written(2, 0, 0)
    assert fetch_population_data(connection, PLACE[0] + 0.002, PLACE[1]) == {
        "admin_code": "11140",
        "name": "Jung-gu",
        "name_ko": "중구",
        "population": 121_314,
        "population_year": 2023,
    }
    assert fetch_population_data(connection, 35.16, 129.16) is None
    rows = connection.execute("SELECT * FROM population_of(%s)", [grid_id_of(*PLACE)]).fetchall()
    assert rows == [("11140", "Jung-gu", "중구", 121_314, 2023, dataset_id)]


@pytest.mark.parametrize(("latitude", "longitude"), [(32.9, 127), (37, 133), (float("nan"), 127)])
def test_population_of_a_place_outside_the_frame_is_refused_by_name(connection, latitude, longitude):
    with pytest.raises(BadInput, match=r"tude: .* lies outside the frame"):
        fetch_population_data(connection, latitude, longitude)


def test_a_district_keeps_its_names_and_the_year_of_an_unchanged_population(connection, dataset_id):
    write_districts(connection, [District("a", "A", "가", 10, 2020)], dataset_id)

    def stored():
        return connection.execute("SELECT name, name_ko, population, population_year FROM location_admin").fetchone()

    assert write_districts(connection, [District("a", None, None, 10, None)], dataset_id) == Written(0, 0, 1)
    assert write_districts(connection, [District("a", None, "나", 10, 2021)], dataset_id) == Written(0, 1, 0)
    assert stored() == ("A", "나", 10, 2021)
    assert write_districts(connection, [District("a", None, None, 11, None)], dataset_id) == Written(0, 1, 0)
    assert stored() == ("A", "나", 11, None), "a year of another population says nothing of this one"
    with pytest.raises(errors.CheckViolation), connection.transaction():
        write_districts(connection, [District("a", None, None, -1, None)], dataset_id)
