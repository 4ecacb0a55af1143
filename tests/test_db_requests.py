"""Requests of one place in SQL: what may be asked, in which form it is kept, and what is asked of which building."""

from __future__ import annotations

import json

import psycopg
import pytest
from asking import NINE, SEOUL, ask, copied_database, question

from aiops.db import batches

SITE = '{"latitude": 37.5, "longitude": 127}'
NORMAL = {
    "latitude": 37.5665,
    "longitude": 126.978,
    "risk_types": NINE,
    "scenario": "ssp245",
    "target_year": 2050,
    "insurance_rate": 0,
}
PARAMS = "SELECT input_params, input_hash FROM batch_jobs WHERE batch_id = %s"
JOBS = "SELECT queue_name, task_name, args, lock FROM procrastinate_jobs ORDER BY id"
EVERYTHING = (
    "SELECT (SELECT count(*) FROM batch_jobs) + (SELECT count(*) FROM procrastinate_jobs)"
    " + (SELECT count(*) FROM request_notification) + (SELECT count(*) FROM batch_job_logs)"
)


@pytest.fixture(scope="module")
def asked_database(migrated_server, server):
    """One database for the module; its tests leave nothing in it."""
    with copied_database(migrated_server, server, "asked") as own, psycopg.connect(own) as connection:
        yield connection


@pytest.fixture
def connection(asked_database):
    """A connection whose transaction is rolled back when the test ends."""
    yield asked_database
    asked_database.rollback()


def insert(connection, params, job_type="ondemand_risk_calculation"):
    query = "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s::json) RETURNING batch_id"
    return connection.execute(query, (job_type, params)).fetchone()[0]


def params_of(connection, batch_id):
    return connection.execute(PARAMS, (batch_id,)).fetchone()[0]


def hash_of(connection, batch_id):
    return connection.execute(PARAMS, (batch_id,)).fetchone()[1]


def refused(connection, do, error=psycopg.errors.InvalidParameterValue):
    """The error of what is refused, of which nothing is left."""
    with pytest.raises(error) as failure, connection.transaction():
        do()
    assert connection.execute(EVERYTHING).fetchone() == (0,)
    return failure.value


# --- refused ------------------------------------------------------------------------------------------------


def at(**given):
    """Parameters that are right but for these."""
    return question(**given)


def building(**given):
    return question(building=given)


WRONG = [
    # the place
    ("{}", "latitude", "no value is not allowed; allowed: 33 to 39 degrees north"),
    ('{"longitude": 127}', "latitude", "no value"),
    ('{"latitude": 37}', "longitude", "no value is not allowed; allowed: 124.5 to 132 degrees east"),
    ('{"latitude": null, "longitude": 127}', "latitude", "no value"),
    ('{"latitude": 32.999, "longitude": 127}', "latitude", "32.999 is not allowed; allowed: a number, 33 to 39"),
    ('{"latitude": 39.001, "longitude": 127}', "latitude", "39.001"),
    ('{"latitude": 37, "longitude": 124.49}', "longitude", "124.49 is not allowed; allowed: a number, 124.5 to 132"),
    ('{"latitude": 37, "longitude": 132.01}', "longitude", "132.01"),
    ('{"latitude": -37, "longitude": 127}', "latitude", "-37"),
    ('{"latitude": 1e400, "longitude": 127}', "latitude", "10000"),
    ('{"latitude": 37, "longitude": -1e400}', "longitude", "-10000"),
    ('{"latitude": 1e-400, "longitude": 127}', "latitude", "0.0000"),
    ('{"latitude": "NaN", "longitude": 127}', "latitude", '"NaN" is not allowed'),
    ('{"latitude": "37", "longitude": 127}', "latitude", '"37" is not allowed; allowed: a number'),
    ('{"latitude": 37, "longitude": ["127"]}', "longitude", "a number"),
    ('{"latitude": true, "longitude": 127}', "latitude", "true is not allowed; allowed: a number"),
    # the question
    (at(risk_types=["heat"]), "risk_types", f"'heat' is not allowed; allowed: {', '.join(NINE)}"),
    (at(risk_types=["extreme_heat", "fire"]), "risk_types", "'fire'"),
    (at(risk_types=[]), "risk_types", "a list of at least one risk type's name"),
    (at(risk_types="extreme_heat"), "risk_types", "a list"),
    (at(risk_types=[1]), "risk_types", "a list"),
    (at(risk_types=[None]), "risk_types", "a list"),
    (at(risk_types={"extreme_heat": 1}), "risk_types", "a list"),
    (at(scenario="ssp999"), "scenario", '"ssp999" is not allowed; allowed: historical, ssp126, ssp245'),
    (at(scenario=["ssp245"]), "scenario", "allowed: historical"),
    (at(scenario=245), "scenario", "245"),
    (at(scenario="historical", target_year=2050), "target_year", "none with the scenario historical"),
    (at(target_year=2019), "target_year", "2019 is not allowed; allowed: a whole number, 2020 to 2100"),
    (at(target_year=2101), "target_year", "2101"),
    (at(target_year=2050.5), "target_year", "2050.5"),
    (at(target_year="2050"), "target_year", '"2050"'),
    (at(target_year="2050s"), "target_year", '"2050s"'),
    (at(insurance_rate=1.001), "insurance_rate", "1.001 is not allowed; allowed: a number, 0 to 1"),
    (at(insurance_rate=-0.001), "insurance_rate", "-0.001"),
    (at(insurance_rate="0.3"), "insurance_rate", '"0.3"'),
    (at(asset_value=-1), "asset_value", "-1 is not allowed; allowed: a number, 0 to 1"),
    (at(asset_value="1e9"), "asset_value", '"1e9"'),
    (SITE[:-1] + ', "asset_value": 1e400}', "asset_value", "10000"),
    (at(projections=1), "projections", "1 is not allowed; allowed: true or false"),
    (at(projections="true"), "projections", '"true"'),
    (at(force="yes"), "force", '"yes" is not allowed; allowed: true or false'),
    (at(steps=["hazard"]), "steps", '"hazard" is not allowed; allowed: aal, exposure, vulnerability'),
    (at(steps=[]), "steps", "a list of at least one of aal, exposure, vulnerability"),
    (at(steps="aal"), "steps", "a list"),
    (at(steps=[1]), "steps", "1 is not allowed"),
    (at(steps={"aal": True}), "steps", "a list"),
    # whom to tell
    (at(notify="http://a.kr"), "notify", "an object with webhook, email, or both"),
    (at(notify={}), "notify", "an object with neither"),
    (at(notify={"webhook": None}), "notify", "an object with neither"),
    (at(notify={"webhook": "ftp://a.kr"}), "notify.webhook", "does not start with http:// or https://"),
    (at(notify={"webhook": 1}), "notify.webhook", "a JSON number"),
    (at(notify={"email": "nobody"}), "notify.email", "a text that is not one address"),
    (at(notify={"sms": "1"}), "notify.sms", "this key is not allowed; allowed: webhook, email"),
    # the building
    (at(building=[]), "building", "[] is not allowed; allowed: an object"),
    (at(building="office"), "building", "an object"),
    (building(height=3), "building.height", "this field is not allowed; allowed: floor_area_m2, built_year"),
    (building(floors=0), "building.floors", "0 is not allowed; allowed: a whole number, 1 to 200"),
    (building(floors=2.5), "building.floors", "2.5"),
    (building(floors="5"), "building.floors", '"5"'),
    (building(floors=[5]), "building.floors", "a whole number"),
    (building(basement_floors=-1), "building.basement_floors", "0 to 20"),
    (building(floor_area_m2=0), "building.floor_area_m2", "0 is not allowed; allowed: a number, 1 to 10000000 m2"),
    (building(built_year=1799), "building.built_year", "1799 is not allowed; allowed: a whole number, 1800 to"),
    (building(built_year=3000), "building.built_year", "3000"),
    (building(age_years=-1), "building.age_years", "-1"),
    (building(built_year=2000, age_years=9), "building.age_years", "9 is not allowed; allowed: either built_year or"),
    (
        building(structure="cheese"),
        "building.structure",
        "'cheese' is not allowed; allowed: masonry, other, reinforced",
    ),
    (building(structure=1), "building.structure", "a text of 1 to 200 characters"),
    (building(use="x" * 201), "building.use", "a text of 1 to 200 characters"),
    (building(use="castle"), "building.use", "'castle' is not allowed; allowed: factory, hospital"),
    (building(water_tank="yes"), "building.water_tank", "true or false"),
    (building(in_flood_zone=1), "building.in_flood_zone", "true or false"),
    # keys
    (at(site="x"), "site", "this key is not allowed; allowed: latitude, longitude, risk_types, scenario"),
    (at(Latitude=37), "Latitude", "this key is not allowed"),
    (at(sites=[]), "sites", "this key is not allowed"),
    (SITE[:-1] + ', "longitude": 127}', "longitude", "the same key twice is not allowed; allowed: each key once"),
    (SITE[:-1] + ', "force": true, "force": false}', "force", "the same key twice"),
    (SITE[:-1] + ', "building": {"floors": 3, "floors": 4}}', "building.floors", "the same key twice"),
    (SITE[:-1] + ', "notify": {"email": "a@b.kr", "email": "a@c.kr"}}', "notify.email", "the same key twice"),
    # no object
    ("[]", "input_params", "a JSON array is not allowed; allowed: an object"),
    ('"37, 127"', "input_params", "a JSON string"),
    ("1", "input_params", "a JSON number"),
    ("true", "input_params", "a JSON boolean"),
    ("null", "input_params", "a JSON null"),
]


@pytest.mark.parametrize(
    ("params", "field", "says"), WRONG, ids=[f"{field}-{n}" for n, (_, field, _) in enumerate(WRONG)]
)
def test_what_cannot_be_is_refused_at_the_insert_by_the_fields_name_and_leaves_nothing(connection, params, field, says):
    error = refused(connection, lambda: insert(connection, params))
    assert error.diag.column_name == field
    name = "input_params" if field == "input_params" else f"input_params.{field}"
    assert error.diag.message_primary.startswith(f"{name}: ")
    assert says in error.diag.message_primary


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "nan", "037", "1e"])
def test_what_json_has_no_word_for_is_refused_with_the_place_it_stands_at(connection, value):
    params = f'{{"latitude": 37.5, "longitude": {value}}}'
    error = refused(connection, lambda: insert(connection, params), psycopg.errors.InvalidTextRepresentation)
    assert '"longitude": ' in error.diag.context


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_none_is_refused_from_python(connection, value):
    params = {"latitude": 37.5, "longitude": 127.0, "asset_value": value}
    create = batches.create_batch_job
    error = refused(connection, lambda: create(connection, "ondemand_risk_calculation", params), psycopg.DataError)
    assert '"asset_value": ' in str(error)


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ("request_risk('NaN', 127)", "latitude"),
        ("request_risk(37, 'NaN')", "longitude"),
        ("request_risk('Infinity', 127)", "latitude"),
        ("request_risk(37, '-Infinity')", "longitude"),
        ("request_risk(127, 37)", "latitude"),
        ("request_risk(NULL, 127)", "latitude"),
        ("request_risk(37, 127, '{heat}')", "risk_types"),
        ("request_risk(37, 127, '{}')", "risk_types"),
        ("request_risk(37, 127, ARRAY[NULL])", "risk_types"),
        ("request_risk(37, 127, scenario => 'rcp85')", "scenario"),
        ("request_risk(37, 127, target_year => 1999)", "target_year"),
        ("request_risk(37, 127, insurance_rate => 'NaN')", "insurance_rate"),
        ("request_risk(37, 127, insurance_rate => 2)", "insurance_rate"),
        ("request_risk(37, 127, asset_value => -5)", "asset_value"),
        ("request_risk(37, 127, asset_value => 'NaN')", "asset_value"),
        ("request_risk(37, 127, building => '[]')", "building"),
        ("request_risk(37, 127, building => '{\"floors\": 1e9}')", "building.floors"),
        ("request_risk(37, 127, steps => '{all}')", "steps"),
        ('request_risk(37, 127, notify => \'{"webhook": "a.kr"}\')', "notify.webhook"),
    ],
)
def test_the_function_refuses_what_the_insert_refuses(connection, call, field):
    error = refused(connection, lambda: connection.execute(f"SELECT {call}"))
    assert error.diag.column_name == field


@pytest.mark.parametrize(
    ("sites", "field", "says"),
    [
        (None, "sites", "null is not allowed; allowed: a list of 1 to 10000 sites"),
        ([], "sites", "a list of 0 is not allowed"),
        ("all", "sites", '"all" is not allowed; allowed: a list of 1 to 10000 sites'),
        ([1], "sites[0]", "1 is not allowed; allowed: an object"),
        ([{"latitude": 37, "longitude": 127}, {"latitude": 37}], "sites[1].longitude", "no value"),
        ([{"latitude": 37, "longitude": 127}, {"latitude": 3, "longitude": 127}], "sites[1].latitude", "3 is not"),
        (
            [{"latitude": 37, "longitude": 127, "owner": "x"}],
            "sites[0].owner",
            "this key is not allowed; allowed: site_id",
        ),
        ([{"latitude": 37, "longitude": 127, "site_id": 7}], "sites[0].site_id", "a text of 1 to 200 characters"),
        ([{"latitude": 37, "longitude": 127, "asset_value": -1}], "sites[0].asset_value", "-1"),
        ([{"latitude": 37, "longitude": 127, "insurance_rate": 1.5}], "sites[0].insurance_rate", "1.5"),
        ([{"latitude": 37, "longitude": 127, "building": {"floors": 0}}], "sites[0].building.floors", "0 is not"),
    ],
)
def test_the_sites_of_a_portfolio_are_refused_by_number_and_field(connection, sites, field, says):
    params = json.dumps({"sites": sites})
    error = refused(connection, lambda: insert(connection, params, "portfolio_risk_calculation"))
    assert error.diag.column_name == field
    assert says in error.diag.message_primary


def test_a_key_that_stands_twice_in_a_site_is_refused(connection):
    params = '{"sites": [{"latitude": 37, "longitude": 127}, {"latitude": 37, "longitude": 127, "latitude": 38}]}'
    error = refused(connection, lambda: insert(connection, params, "portfolio_risk_calculation"))
    assert error.diag.column_name == "sites[1].latitude"


def test_two_megabytes_of_sites_are_refused_by_the_fields_name_in_a_short_message(connection):
    sites = [{"site_id": "x" * 150, "latitude": 37.5, "longitude": 127.0}] * 11_000
    long_text = "x" * 2_100_000
    for params, job_type in (
        (json.dumps({"sites": sites}), "portfolio_risk_calculation"),
        (json.dumps({"sites": long_text}), "portfolio_risk_calculation"),
        (question(sites=sites), "ondemand_risk_calculation"),
        (question(sites=long_text), "ondemand_risk_calculation"),
    ):
        assert len(params) > 2_000_000
        error = refused(connection, lambda: insert(connection, params, job_type))  # noqa: B023 (called at once)
        assert error.diag.column_name == "sites"
        assert len(error.diag.message_primary) < 500


def test_a_message_stays_short_whatever_is_asked(connection):
    long_text = "x" * 2_100_000
    for params in (
        question(**{long_text: 1}),
        question(building={long_text: 1}),
        question(building={"use": long_text}),
        question(risk_types=[long_text]),
        question(scenario=long_text),
        question(notify={"webhook": "http://" + long_text}),
        question(notify={long_text: 1}),
        question(building="[" * 3_000),
    ):
        error = refused(connection, lambda: insert(connection, params))  # noqa: B023 (called at once)
        assert len(error.diag.message_primary) < 500
    nested = SITE[:-1] + ', "building": ' + "[" * 3_000 + "]" * 3_000 + "}"
    assert refused(connection, lambda: insert(connection, nested)).diag.column_name == "building"


def test_an_unknown_type_of_job_is_refused_and_the_allowed_ones_are_named(connection):
    error = refused(connection, lambda: insert(connection, SITE, "ondemand"))
    assert error.diag.column_name == "job_type"
    assert error.diag.message_primary == (
        "job_type: 'ondemand' is not allowed; allowed: assessment, hazard, indicators, ondemand_risk_calculation,"
        " portfolio_risk_calculation, probability, test"
    )


# --- one form -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ({}, {}),
        ({"risk_types": None, "scenario": None, "target_year": None, "building": None, "steps": None}, {}),
        ({"insurance_rate": None, "projections": None, "force": None, "notify": None}, {}),
        ({"force": False, "projections": False}, {}),
        ({"force": True, "projections": True}, {"force": True, "projections": True}),
        ({"risk_types": ["typhoon", "extreme_heat", "typhoon"]}, {"risk_types": ["extreme_heat", "typhoon"]}),
        ({"risk_types": ["high_temperature", "inland_flood"]}, {"risk_types": ["extreme_heat", "river_flood"]}),
        ({"risk_types": [" Extreme_Heat "]}, {"risk_types": ["extreme_heat"]}),
        ({"risk_types": NINE[::-1]}, {}),
        ({"scenario": "SSP585"}, {"scenario": "ssp585"}),
        ({"scenario": "historical"}, {"scenario": "historical", "target_year": None}),
        ({"target_year": 2020}, {"target_year": 2020}),
        ({"target_year": 2059}, {}),
        ({"target_year": 2061}, {"target_year": 2060}),
        ({"target_year": 2100}, {"target_year": 2090}),
        ({"insurance_rate": 1}, {"insurance_rate": 1}),
        ({"asset_value": 5e9}, {"asset_value": 5_000_000_000}),
        ({"asset_value": 0}, {"asset_value": 0}),
        ({"steps": ["vulnerability", "aal", "aal"]}, {"steps": ["aal", "vulnerability"]}),
        (
            {"building": {"structure": "철근콘크리트구조", "use": "Office", "floors": 5.0, "water_tank": None}},
            {"building": {"structure": "reinforced_concrete", "use": "office", "floors": 5}},
        ),
    ],
)
def test_a_request_is_kept_in_one_form(connection, given, normal):
    expected = {key: value for key, value in {**NORMAL, **normal}.items() if value is not None}
    assert params_of(connection, ask(connection, **given)) == expected


@pytest.mark.parametrize("alias", ["ssp2-4.5", "SSP2-4.5", "SSP245"])
def test_the_aliases_of_a_scenario_mean_it(connection, alias):
    assert params_of(connection, ask(connection, scenario=alias))["scenario"] == "ssp245"


def test_equal_requests_have_equal_hashes(connection):
    same = [
        {},
        {"risk_types": NINE[::-1], "target_year": 2055, "insurance_rate": 0.0},
        {"scenario": "SSP245", "projections": False, "building": None},
        {"force": True},
        {"notify": {"email": "a@b.kr"}},
        {"notify": {"webhook": "http://a.kr/x"}, "force": True},
    ]
    assert len({hash_of(connection, ask(connection, **params)) for params in same}) == 1
    spelled = [{"building": {"use": "업무시설"}}, {"building": {"use": "office", "floors": None}}]
    assert len({hash_of(connection, ask(connection, **params)) for params in spelled}) == 1


def test_requests_that_ask_something_else_have_other_hashes(connection):
    other = [
        {},
        {"risk_types": NINE[1:]},
        {"scenario": "ssp585"},
        {"scenario": "historical"},
        {"target_year": 2060},
        {"insurance_rate": 0.1},
        {"asset_value": 0},
        {"building": {"floors": 3}},
        {"building": {"floors": 4}},
        {"steps": ["aal"]},
        {"projections": True},
    ]
    hashes = [hash_of(connection, ask(connection, **params)) for params in other]
    hashes.append(hash_of(connection, ask(connection, (37.5666, 126.978))))
    assert len(set(hashes)) == len(other) + 1


# --- asking -------------------------------------------------------------------------------------------------


def test_an_insert_puts_one_job_on_the_queue_of_requests_locked_by_what_it_asks(connection):
    batch_id = ask(connection)
    expected = ("ondemand", "ondemand_risk", {"batch_id": str(batch_id)}, hash_of(connection, batch_id))
    assert connection.execute(JOBS).fetchall() == [expected]
    status = batches.get_batch_status(connection, batch_id)
    assert (status["status"], status["progress"]) == ("queued", 0)


def test_the_function_asks_what_the_insert_asks(connection):
    (plain,) = connection.execute("SELECT request_risk(37.5665, 126.9780)").fetchone()
    assert params_of(connection, plain) == NORMAL
    (by_name,) = connection.execute(
        "SELECT request_risk(37.5665, 126.9780, risk_types => '{extreme_heat,typhoon}', scenario => 'ssp245',"
        " target_year => 2050)"
    ).fetchone()
    assert params_of(connection, by_name) == {**NORMAL, "risk_types": ["extreme_heat", "typhoon"]}
    (full,) = connection.execute(
        "SELECT request_risk(37.5665, 126.9780, '{typhoon}', 'ssp126', 2099, 0.25, 1e10, '{\"floors\": 3}', '{aal}',"
        ' true, true, \'{"email": "a@b.kr"}\')'
    ).fetchone()
    assert params_of(connection, full) == {
        "latitude": 37.5665,
        "longitude": 126.978,
        "risk_types": ["typhoon"],
        "scenario": "ssp126",
        "target_year": 2090,
        "insurance_rate": 0.25,
        "asset_value": 10_000_000_000,
        "building": {"floors": 3},
        "steps": ["aal"],
        "projections": True,
        "force": True,
        "notify": ["email"],
    }
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (3,)


def test_python_asks_what_the_insert_asks(connection):
    latitude, longitude = SEOUL
    batch_id = batches.create_batch_job(
        connection, "ondemand_risk_calculation", {"latitude": latitude, "longitude": longitude}
    )
    assert params_of(connection, batch_id) == NORMAL


def test_a_rollback_takes_the_request_and_its_job_with_it(connection):
    with connection.transaction(force_rollback=True):
        ask(connection, notify={"webhook": "http://a.kr"})
    assert connection.execute(EVERYTHING).fetchone() == (0,)


def test_a_savepoint_takes_back_what_came_after_it(connection):
    kept = ask(connection)
    with connection.transaction(force_rollback=True):
        ask(connection, risk_types=["typhoon"], notify={"email": "a@b.kr"})
    assert connection.execute("SELECT batch_id FROM batch_jobs").fetchall() == [(kept,)]
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM request_notification").fetchone() == (0,)


def test_nothing_is_asked_by_a_row_that_on_conflict_drops(connection):
    batch_id = ask(connection)
    connection.execute(
        "INSERT INTO batch_jobs (batch_id, job_type, input_params)"
        " VALUES (%s, 'ondemand_risk_calculation', %s) ON CONFLICT DO NOTHING",
        (batch_id, question(notify={"email": "a@b.kr"})),
    )
    assert connection.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)
    assert connection.execute("SELECT count(*) FROM request_notification").fetchone() == (0,)


def test_many_requests_in_one_statement_are_one_each(connection):
    connection.execute(
        "INSERT INTO batch_jobs (job_type, input_params) SELECT 'ondemand_risk_calculation', json_build_object("
        "'latitude', 36 + n / 100.0, 'longitude', 127) FROM generate_series(1, 50) AS n"
    )
    counts = connection.execute("SELECT count(*), count(DISTINCT lock) FROM procrastinate_jobs").fetchone()
    assert counts == (50, 50)


def test_a_request_may_be_active_beside_another_and_beside_a_yearly_batch(connection):
    batches.create_batch_job(connection, "assessment")
    assert ask(connection) != ask(connection)


def test_where_to_tell_stands_in_no_table_that_others_read(connection):
    batch_id = ask(
        connection, notify={"webhook": "https://receiver.example.org/hook?key=k1", "email": "who@example.org"}
    )
    row = connection.execute("SELECT webhook, email FROM request_notification WHERE batch_id = %s", (batch_id,))
    assert row.fetchone() == ("https://receiver.example.org/hook?key=k1", "who@example.org")
    assert sorted(params_of(connection, batch_id)["notify"]) == ["email", "webhook"]
    tables = connection.execute(
        "SELECT c.relname FROM pg_class AS c WHERE c.relkind IN ('r', 'v') AND c.relnamespace = 'public'::regnamespace"
        " AND c.relname <> 'request_notification'"
    ).fetchall()
    assert ("batch_jobs",) in tables
    for (table,) in tables:
        text = connection.execute(f"SELECT count(*) FROM \"{table}\" AS t WHERE t::text ~ 'receiver|who@'").fetchone()
        assert text == (0,), table
    told = connection.execute("SELECT * FROM batch_status(%s)", (batch_id,)).fetchone()
    assert "example.org" not in str(told)
    connection.execute("CREATE ROLE reader_of_a_test")
    connection.execute("GRANT SELECT ON batch_jobs TO reader_of_a_test")
    connection.execute("SET LOCAL ROLE reader_of_a_test")
    assert connection.execute("SELECT batch_id FROM batch_jobs").fetchall() == [(batch_id,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT webhook FROM request_notification")


def test_an_address_that_is_refused_is_not_repeated(connection):
    error = refused(connection, lambda: insert(connection, at(notify={"webhook": "http://user:hunter2@a.kr"})))
    assert "hunter2" not in str(error.diag.message_primary)


# --- the building -------------------------------------------------------------------------------------------

REGISTERED = {
    "floor_area_m2": 1200,
    "built_year": 1990,
    "structure": "masonry",
    "floors": 4,
    "basement_floors": 1,
    "use": "retail",
    "water_tank": True,
}


@pytest.fixture
def registered(connection):
    """A building some eleven metres from the place, not known in every field, and one farther away."""
    columns = ", ".join(REGISTERED)
    marks = ", ".join(["%s"] * len(REGISTERED))
    connection.execute(
        f"INSERT INTO api_buildings (building_id, name, latitude, longitude, {columns}) VALUES"
        f" ('B1', 'Corner shop', 37.5666, 126.978, {marks}), ('B2', 'Next door', 37.5669, 126.978, {marks})",
        [*REGISTERED.values(), *REGISTERED.values()],
    )


def this_year(connection):
    """As the server has it in this transaction."""
    return connection.execute("SELECT extract(year FROM now())::integer").fetchone()[0]


def building_of(connection, within_m=50, where=SEOUL, **asked):
    site = {"latitude": where[0], "longitude": where[1], **({"building": asked} if asked else {})}
    query = "SELECT building, source FROM building_of(%s, %s)"
    return connection.execute(query, (json.dumps(site), within_m)).fetchone()


def test_the_nearest_building_of_the_register_is_taken(connection, registered):
    found, source = building_of(connection)
    assert found == {**REGISTERED, "age_years": this_year(connection) - 1990}
    assert (source["building_id"], source["name"]) == ("B1", "Corner shop")
    assert source["from_register"] == sorted(REGISTERED)
    assert not source.get("from_request")


def test_the_request_overrides_it_field_by_field(connection, registered):
    found, source = building_of(connection, floors=9, pilotis=True)
    assert found == {**REGISTERED, "age_years": this_year(connection) - 1990, "floors": 9, "pilotis": True}
    assert source["from_request"] == ["floors", "pilotis"]
    assert source["from_register"] == sorted(REGISTERED.keys() - {"floors"})


@pytest.mark.parametrize("field", ["age_years", "built_year"])
def test_an_age_in_the_request_goes_before_the_year_of_the_register(connection, registered, field):
    asked = {field: 7 if field == "age_years" else this_year(connection) - 7}
    found, source = building_of(connection, **asked)
    assert found["age_years"] == 7
    assert found.get("built_year") == asked.get("built_year")
    assert "built_year" not in source["from_register"]


def test_a_building_of_next_year_is_new(connection):
    assert building_of(connection, built_year=this_year(connection) + 1)[0]["age_years"] == 0


def test_beyond_the_limit_there_is_no_building(connection, registered):
    found, source = building_of(connection, within_m=5)
    assert found == {}
    assert "building_id" not in source


def test_without_a_register_the_request_alone_says_what_stands_there(connection):
    found, source = building_of(connection, use="hotel")
    assert found == {"use": "hotel"}
    assert source["from_request"] == ["use"]
    assert "building_id" not in source
