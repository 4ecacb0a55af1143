"""The HTTP face from end to end: a real server, a real database, a real daemon."""

from __future__ import annotations

import json
import uuid

import psycopg
import pytest
from asking import AT_SEA, NINE, served_places
from serving import events_of, running_api

pytestmark = pytest.mark.daemon

PROBLEM = "application/problem+json"
NOBODY = uuid.UUID(int=7)


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("api")
    with served_places(migrated_server, server, folder, "api_asking") as one:
        yield one


@pytest.fixture(scope="module")
def api(served):
    with running_api(served.database, served.log.with_name("api.log")) as one:
        yield one


@pytest.fixture
def client(api):
    with api.client() as one:
        yield one


@pytest.fixture
def where(served):
    return next(served.places)


def ask(client, where, **more):
    answer = client.post("/api/risk/calculate", json={"latitude": where[0], "longitude": where[1], **more})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/api/batch/{answer.json()['batch_id']}/status"
    return answer.json()["batch_id"]


def test_a_place_is_asked_for_followed_and_answered(client, where):
    batch_id = ask(client, where)
    states = events_of(client, batch_id)
    assert states[-1]["status"] == "completed"
    assert states[-1]["progress"] == 100
    assert states[-1]["completed_at"] is not None
    assert [one["progress"] for one in states] == sorted(one["progress"] for one in states)
    assert {one["batch_id"] for one in states} == {batch_id}

    found = client.get(f"/api/batch/{batch_id}/status").json()
    assert found["status"] == "completed"
    assert set(found["results"]["integrated_risk"]["risk_breakdown"]) == set(NINE)
    assert client.get(f"/api/batch/{batch_id}/status", params={"results": False}).json()["results"] is None

    place = client.get("/api/results", params={"latitude": where[0], "longitude": where[1]}).json()
    assert {one["risk_type"] for one in place["risk"]} == set(NINE)
    assert {one["batch_id"] for one in place["risk"]} == {batch_id}
    assert len(place["hazard"]) == len(place["probability"]) == len(NINE) * 33
    assert place["risk"][0]["total_risk_score"] == found["results"]["integrated_risk"]["total_risk_score"]


def test_what_the_http_face_answers_is_what_the_database_holds(client, served, where):
    batch_id = ask(client, where, asset_value=5e10, scenario="ssp585", target_year=2093)
    events_of(client, batch_id)
    with psycopg.connect(served.database) as connection:
        (stored,) = connection.execute("SELECT results FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()
    assert client.get(f"/api/batch/{batch_id}/status").json()["results"] == stored


def test_results_are_narrowed_by_risk_scenario_and_decade(client, where):
    asked = {
        "latitude": where[0], "longitude": where[1], "risk_types": ["drought", "heat"], "scenario": "ssp245",
        "target_year": 2057,
    }  # fmt: skip
    answer = client.get("/api/results", params=asked)
    if answer.status_code == 422:  # where `heat` is no alias, it is refused by name
        assert answer.json()["errors"][0]["field"] == "risk_types"
        answer = client.get("/api/results", params={**asked, "risk_types": ["drought", "extreme_heat"]})
    found = answer.json()
    assert {(one["risk_type"], one["scenario"], one["horizon"]) for one in found["hazard"]} == {
        ("drought", "ssp245", "2050s"),
        ("extreme_heat", "ssp245", "2050s"),
    }


def test_a_portfolio_is_answered_site_by_site(client, served):
    latitude, longitude = next(served.places)
    sites = [{"site_id": f"s{n}", "latitude": latitude, "longitude": longitude} for n in range(3)]
    at_sea = {"latitude": AT_SEA[0], "longitude": AT_SEA[1]}
    answer = client.post("/api/portfolio", json={"sites": [*sites, at_sea]})
    assert answer.status_code == 202, answer.text
    batch_id = answer.json()["batch_id"]
    assert events_of(client, batch_id)[-1]["status"] == "completed"
    rows = client.get(f"/api/batch/{batch_id}/sites").json()["sites"]
    assert [row["site_id"] for row in rows] == ["s0", "s1", "s2", None]
    assert rows[0]["total_risk_score"] == rows[2]["total_risk_score"] is not None
    assert rows[3]["total_risk_score"] is None


def test_a_yearly_batch_is_started_once_and_a_second_one_is_refused_with_the_first_ones_number(client, served):
    with psycopg.connect(served.database) as hold:
        # No chunk of it can be claimed while the table is held: it stays active for as long as this test needs.
        hold.execute("LOCK TABLE batch_chunks IN ACCESS EXCLUSIVE MODE")
        first = client.post("/api/batch/hazard", json={"risk_types": ["drought"], "force": True})
        assert first.status_code == 202, first.text
        again = client.post("/api/batch/hazard", json={"force": True, "risk_types": ["drought"]})
        assert again.json()["batch_id"] == first.json()["batch_id"]
        other = client.post("/api/batch/hazard", json={"risk_types": ["typhoon"]})
        assert other.status_code == 409
        assert other.json()["active_batch_id"] == first.json()["batch_id"]
        hold.rollback()
    assert events_of(client, first.json()["batch_id"])[-1]["status"] == "completed"
    log = client.get(f"/api/batch/{first.json()['batch_id']}/log").json()
    assert sum(row["chunks"] for row in log["chunks"]) > 0
    assert log["in_trouble"] == []


def test_a_failed_request_is_told_of_and_retried_and_an_ended_one_is_not_cancelled(client):
    batch_id = ask(client, AT_SEA)
    end = events_of(client, batch_id)[-1]
    assert end["status"] == "failed"
    assert end["error_message"]
    cancelled = client.post(f"/api/batch/{batch_id}/cancel")
    assert cancelled.status_code == 409
    retried = client.post(f"/api/batch/{batch_id}/retry")
    assert retried.status_code == 202
    assert retried.json()["parts"] == 1
    assert events_of(client, batch_id)[-1]["status"] == "failed"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"latitude": 91, "longitude": 127}, "latitude"),
        ({"latitude": 37}, "longitude"),
        ({"latitude": 37, "longitude": 127, "colour": "red"}, "colour"),
        ({"latitude": 37, "longitude": 127, "risk_types": ["meteor"]}, "risk_types"),
        ({"latitude": 37, "longitude": 127, "building": {"floors": "many"}}, "building.floors"),
        ({"latitude": 37, "longitude": 127, "scenario": "historical", "target_year": 2050}, "target_year"),
    ],
)
def test_a_bad_parameter_is_refused_by_name_and_leaves_nothing(client, served, body, field):
    with psycopg.connect(served.database) as connection:
        (before,) = connection.execute("SELECT count(*) FROM batch_jobs").fetchone()
        connection.rollback()
        answer = client.post("/api/risk/calculate", json=body)
        assert answer.status_code == 422
        assert answer.headers["content-type"] == PROBLEM
        problem = answer.json()
        assert problem["errors"][0]["field"] == field
        assert "allowed" in problem["errors"][0]["detail"]
        assert problem["instance"] == "/api/risk/calculate"
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert connection.execute("SELECT count(*) FROM batch_jobs").fetchone() == (before,)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1]", "a list"),
        (b"null", "null"),
        (b'"text"', "a text"),
        (b'{"latitude": NaN}', "NaN"),
        (b'{"latitude": -Infinity}', "Infinity"),
        (b"\xff\xfe", "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 50 + b"1" + b"}" * 50, "nested"),
        (b'{"latitude": 37, "longitude": 127, "scenario": "\\u0000"}', "kept"),
        (b'{"latitude": 37, "longitude": 127, "scenario": "\\ud800"}', "kept"),
        (b'{"latitude": 37, "longitude": ' + b"9" * 6000 + b"}", "allowed"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_and_never_a_fault(client, body, said):
    answer = client.post("/api/risk/calculate", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422), answer.text
    assert answer.headers["content-type"] == PROBLEM
    assert said in answer.json()["detail"]


def test_another_content_type_and_a_doubled_key_are_refused(client):
    assert client.post("/api/risk/calculate", data={"latitude": "37"}).status_code == 415
    doubled = client.post("/api/risk/calculate", content=b'{"latitude": 36, "longitude": 128, "latitude": 37}')
    assert doubled.status_code == 422
    assert doubled.json()["errors"][0]["field"] == "latitude"


@pytest.mark.parametrize("path", ["status", "events", "log", "sites", "cancel", "retry"])
def test_an_unknown_batch_is_not_found(client, path):
    asking = client.post if path in ("cancel", "retry") else client.get
    answer = asking(f"/api/batch/{NOBODY}/{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == PROBLEM
    assert str(NOBODY) in answer.json()["detail"]


def test_batches_come_in_pages_that_join_without_a_gap(client, where):
    for _ in range(3):
        ask(client, where)
    found, cursor = [], None
    while True:
        page = client.get("/api/batches", params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [one["batch_id"] for one in page["batches"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert len(found) == len(set(found))
    every = client.get("/api/batches", params={"limit": 500}).json()["batches"]
    assert found == [one["batch_id"] for one in every]
    failed = client.get("/api/batches", params={"status": "failed"}).json()["batches"]
    assert {one["status"] for one in failed} <= {"failed"}
    assert client.get("/api/batches", params={"limit": 0}).json()["errors"][0]["field"] == "limit"
    assert client.get("/api/batches", params={"cursor": "AAAA"}).status_code == 422


def test_the_map_is_packed_and_kept_by_whoever_has_it(client):
    answer = client.get("/api/map", params={"risk_type": "extreme_heat", "measure": "hazard"})
    assert answer.status_code == 200
    raw = answer.content
    length = int.from_bytes(raw[:4], "little")
    head = json.loads(raw[4 : 4 + length])
    assert (4 + length) % 4 == 0
    assert len(raw) == 4 + length + head["n"] * (4 + 33)
    again = client.get(
        "/api/map", params={"risk_type": "extreme_heat"}, headers={"If-None-Match": answer.headers["etag"]}
    )
    assert again.status_code == 304
    assert client.get("/api/map", params={"risk_type": "meteor"}).status_code == 422


def test_operators_see_that_it_lives_is_ready_and_counts(client):
    assert client.get("/healthz").json() == {"live": True}
    ready = client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert ready.json()["failing"] == []
    assert 'aiops_http_requests_total{method="GET",route="/healthz",status="200"}' in client.get("/metrics").text
    overview = client.get("/api/overview").json()
    assert sum(one["processes"] for one in overview["workers"]) >= 3
    assert {one["schedule"] for one in overview["schedule"]} == {"probability", "hazard"}
