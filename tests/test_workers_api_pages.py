"""The dashboard's pages as the server sends them: whole without a script, nothing inline, every text escaped."""

from __future__ import annotations

import json
import re

import psycopg
import pytest
from asking import copied_database
from daemons import wait_for
from psycopg.conninfo import make_conninfo
from serving import running_api

from aiops.db.batches import complete_batch_job, fail_batch_job
from workers.api.forms import form_of, question_of
from workers.api.shown import hazard_table, overview_shown, top_of_scores
from workers.api.wording import step_in_words

pytestmark = pytest.mark.daemon

NASTY = '<script>alert(1)</script><b title="\'">'


@pytest.fixture(scope="module")
def database(migrated_server, server):
    with copied_database(migrated_server, server, "api_pages") as one:
        yield one


@pytest.fixture(scope="module")
def api(database, tmp_path_factory):
    with running_api(database, tmp_path_factory.mktemp("pages") / "api.log") as one:
        yield one


@pytest.fixture
def client(api):
    with api.client(headers={"Accept": "text/html"}) as one:
        yield one


@pytest.fixture(scope="module")
def failed(database):
    """A batch whose error is meant to be taken for mark-up."""
    with psycopg.connect(database, autocommit=True) as connection:
        made = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('test', %s) RETURNING batch_id"
        (batch_id,) = connection.execute(made, ('{"name": "</pre>' + NASTY.replace('"', "") + '"}',)).fetchone()
        fail_batch_job(connection, batch_id, NASTY, NASTY)
        (done,) = connection.execute(made, ("{}",)).fetchone()
        complete_batch_job(connection, done, {})
    return batch_id


PAGES = ["/", "/batches", "/places", "/map", "/login", "/place?latitude=37.5&longitude=127"]


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_page_is_whole_in_both_languages_and_has_nothing_inline(client, failed, path, language):
    answer = client.get(path, headers={"Accept-Language": f"{language}-XX,{language};q=0.9"})
    assert answer.status_code == 200, answer.text
    page = answer.text
    assert f'<html lang="{language}"' in page
    assert not re.search(r"<[^>]+\s(on\w+|style)=", page)
    assert "<style" not in page
    for script in re.findall(r"<script[^>]*>", page):
        assert 'src="/static/' in script or 'type="application/json"' in script
    assert not re.search(r"(src|href|action)=\"(https?:)?//", page)
    assert page.count("<h1") == 1
    labelled = set(re.findall(r'<label for="([^"]+)"', page))
    for field in re.findall(r"<(?:input|select)[^>]*>", page):
        assert re.search(r'id="([^"]+)"', field)[1] in labelled, field


@pytest.mark.parametrize(
    ("name", "title"), [(None, "37.5° N, 127.0° E"), ("Testville", "Testville · 37.5° N, 127.0° E")]
)
def test_a_place_is_called_by_its_name_where_it_has_one(client, database, name, title):
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO location_grid (grid_id, name) VALUES (grid_id_of(37.5, 127), %s)"
            " ON CONFLICT (grid_id) DO UPDATE SET name = excluded.name",
            (name,),
        )
    assert f"<h1>{title}</h1>" in client.get("/place?latitude=37.5&longitude=127").text


def test_pages_of_results_say_that_there_are_synthetic_data(client, database, failed):
    pages = ("/place?latitude=37.5&longitude=127", "/places", f"/batch/{failed}")
    told = "There are synthetic data in this database"
    assert not any(told in client.get(path).text for path in pages)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("INSERT INTO dataset (name, source, synthetic) VALUES ('made up', 'test', true)")
        try:
            assert all(told in client.get(path).text for path in pages)
        finally:
            connection.execute("DELETE FROM dataset WHERE name = 'made up'")


def test_what_others_wrote_is_text_and_no_mark_up(client, failed):
    for path in (f"/batch/{failed}", "/batches", "/"):
        page = client.get(path).text
        assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in client.get(f"/batch/{failed}").text


def test_everything_that_a_page_loads_is_there(client):
    for path in PAGES:
        for loaded in re.findall(r'(?:src|href)="(/static/[^"]+)"', client.get(path).text):
            answer = client.get(loaded)
            assert answer.status_code == 200
            assert answer.headers["x-content-type-options"] == "nosniff"
    for module in ("follow.js",):
        assert "javascript" in client.get(f"/static/{module}").headers["content-type"]
    assert client.get("/static/../pages.py").status_code == 404


def test_a_language_that_is_chosen_is_remembered(client):
    assert '<html lang="ko"' in client.get("/batches?lang=ko").text
    assert '<html lang="ko"' in client.get("/").text
    assert '<html lang="en"' in client.get("/?lang=en").text


def test_what_is_not_there_is_said_on_a_page_to_people_and_as_json_to_programs(client):
    page = client.get("/nothing")
    assert page.status_code == 404
    assert page.headers["content-type"].startswith("text/html")
    assert client.get("/batch/00000000-0000-0000-0000-000000000007").status_code == 404
    assert client.get("/place?latitude=1&longitude=1").status_code == 422
    assert client.get("/api/nothing").headers["content-type"] == "application/problem+json"


def test_forms_work_without_a_script(client, api):
    asked = client.post(
        "/ask", data={"latitude": "37.5", "longitude": "127", "scenario": "ssp245", "target_year": "2050"}
    )
    assert asked.status_code == 303
    where = asked.headers["location"]
    assert client.get(where).status_code == 200
    assert client.post(f"{where}/cancel").status_code == 303
    assert "s-cancelled" in client.get(where).text
    refused = client.post("/ask", data={"latitude": "37.5", "longitude": "127", "use": "spaceport"})
    assert refused.status_code == 422
    assert "building.use" in refused.text
    assert re.search(r'<input id="use"[^>]* aria-invalid="true" aria-describedby="ask-error"', refused.text)
    assert refused.text.count("aria-invalid") == 1
    started = client.post("/start", data={"family": "hazard"})
    assert started.status_code == 303
    second = client.post("/start?lang=ko", data={"family": "assessment"})
    assert second.status_code == 409
    assert "배치가 이미 실행 중이거나" in second.text
    client.get("/?lang=en")
    assert client.post(f"{started.headers['location']}/cancel").status_code == 303
    assert client.post("/start", data={"family": "everything"}).status_code == 422


def test_the_page_of_a_request_of_the_past_leads_to_its_result(client, database):
    with psycopg.connect(database, autocommit=True) as connection:
        (batch_id,) = connection.execute("SELECT request_risk(37.5, 127, scenario => 'historical')").fetchone()
        complete_batch_job(connection, batch_id, {})
    page = client.get(f"/batch/{batch_id}")
    assert page.status_code == 200
    assert 'scenario=historical">' in page.text


def test_what_is_refused_can_be_read_in_the_other_language(client):
    refused = client.post("/ask", data={"latitude": "91", "longitude": "127", "target_year": "2" * 5000})
    assert refused.status_code == 422
    other = client.get("/ask?lang=ko")
    assert (other.status_code, other.headers["location"]) == (303, "/?lang=ko")
    other = client.get("/start?lang=ko")
    assert (other.status_code, other.headers["location"]) == (303, "/?lang=ko")
    batch_id = "00000000-0000-0000-0000-000000000007"
    other = client.get(f"/batch/{batch_id}/cancel?lang=ko")
    assert (other.status_code, other.headers["location"]) == (303, f"/batch/{batch_id}?lang=ko")


def test_korean_pages_say_in_korean_what_is_known_in_korean(client, database):
    reason = "no climate data at 37.5, 131.5 (cell 12345): a place at sea, or outside what was loaded"
    with psycopg.connect(database, autocommit=True) as connection:
        made = "INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id"
        (batch_id,) = connection.execute(made).fetchone()
        connection.execute(
            "INSERT INTO batch_job_logs (batch_id, job_type, step, status, error_message)"
            " VALUES (%(id)s, 'test', 'aal extreme_heat', 'failed', %(reason)s)",
            {"id": batch_id, "reason": reason},
        )
        fail_batch_job(connection, batch_id, reason)
        (running,) = connection.execute(made).fetchone()
        connection.execute(
            "UPDATE batch_jobs SET status = 'running', started_at = now(), current_step = 'computing'"
            " WHERE batch_id = %s",
            (running,),
        )
        page = client.get(f"/batch/{batch_id}?lang=ko").text
        assert page.count("12345)에는 기후 자료가 없습니다") == 2  # of the whole, and in the log
        assert "연평균 손실: 극심한 고온" in page
        assert "12345)에는 기후 자료가 없습니다" in client.get("/batches?lang=ko").text
        assert '<span id="step">산출 중</span>' in client.get(f"/batch/{running}?lang=ko").text
        assert '<span id="step">computing</span>' in client.get(f"/batch/{running}?lang=en").text
        assert client.get(f"/batch/{batch_id}?lang=en").text.count(reason) == 2
        complete_batch_job(connection, running, {})
    nothing = client.get("/nothing?lang=ko")
    assert nothing.status_code == 404
    assert "찾을 수 없습니다" in nothing.text
    assert "이 주소에는 아무것도 없습니다" in nothing.text


@pytest.mark.parametrize(
    ("step", "english", "korean"),
    [
        ("plan", "plan", "계획"),
        ("exposure drought", "exposure: Drought", "노출: 가뭄"),
        ("chunk 12", "chunk 12", "청크 12"),
        ("typhoon", "Typhoon", "태풍"),
        ("something new", "something new", "something new"),
    ],
)
def test_steps_are_said_in_words(step, english, korean):
    assert (step_in_words(step, "en"), step_in_words(step, "ko")) == (english, korean)


def test_of_a_large_portfolio_the_page_says_that_it_shows_a_part(client, database):
    sites = [{"latitude": 37.5, "longitude": 127, "asset_value": 1e9 + number} for number in range(501)]
    with psycopg.connect(database, autocommit=True) as connection:
        ask = "SELECT request_risk_many(%s, scenario => 'ssp585', target_year => 2080)"
        (batch_id,) = connection.execute(ask, (json.dumps(sites),)).fetchone()
    text = client.get(f"/batch/{batch_id}").text
    assert text.count("37.5, 127") == 500
    # A row leads to the numbers that stand in it, not to those of another scenario.
    assert text.count("longitude=127.0&amp;scenario=ssp585&amp;target_year=2080") == 500
    assert "500" in text
    assert f"/api/batch/{batch_id}/sites" in text


def test_a_list_that_stops_says_so_and_what_has_ended_is_shown_beside_what_waits(client, database):
    with psycopg.connect(database, autocommit=True) as connection:
        one = "INSERT INTO batch_jobs (job_type) VALUES ('test') RETURNING batch_id"
        (ended,) = connection.execute(one).fetchone()
        complete_batch_job(connection, ended, {})
        made = "INSERT INTO batch_jobs (job_type) SELECT 'test' FROM generate_series(1, 20) RETURNING batch_id"
        waiting = [row[0] for row in connection.execute(made)]
        (active,) = connection.execute("SELECT count(*) FROM batch_jobs WHERE status = 'queued'").fetchone()
        try:
            client.get("/")  # what was read a moment before is kept for a second
            text = wait_for(lambda: f"+ {active - 8} more" in (page := client.get("/").text) and page, 30)
            assert f'data-id="{ended}"' in text.split('id="recent"')[1]
            assert "There is none yet" not in text.split('id="recent"')[1]
            assert f"+ {active - 8}건 더" in client.get("/?lang=ko").text
            listed = client.get("/batches?status=queued&status=running&lang=en").text
            assert listed.count("<progress") == min(active, 25)
        finally:
            connection.execute("DELETE FROM batch_jobs WHERE batch_id = ANY (%s)", (waiting,))


def test_places_and_rings_that_are_left_out_are_told_of(client, database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "WITH made AS ("
            " INSERT INTO risk_run (batch_id, site_no, latitude, longitude, grid_id, projection_id, risk_types,"
            "   insurance_rate, building, building_source, surroundings, inputs, method_version, damage_set)"
            " SELECT '00000000-0000-0000-0000-00000000000a', n, 34 + n / 1000.0, 127, 1, 1, '{}', 0, '{}', '{}', '{}',"
            "   '{}', 'test', 'test' FROM generate_series(1, 1203) AS n RETURNING *)"
            " INSERT INTO current_run SELECT latitude, longitude, projection_id, batch_id, site_no FROM made"
        )
        try:
            page = client.get("/places?lang=en").text
            assert page.count('<a href="/place?') == 200
            assert "The latest 200 of 1,203; 1,003 older ones are left out" in page
            assert "전체 1,203건 중 최근 200건만" in client.get("/places?lang=ko").text
            assert "the latest 200 places that were asked for" in client.get("/map?lang=en").text
        finally:
            connection.execute("DELETE FROM current_run WHERE batch_id = '00000000-0000-0000-0000-00000000000a'")
            connection.execute("DELETE FROM risk_run WHERE batch_id = '00000000-0000-0000-0000-00000000000a'")
    assert "left out" not in client.get("/places?lang=en").text


def test_an_account_that_may_only_ask_sees_what_it_may(database, failed, tmp_path):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE ROLE aiops_api_asker LOGIN PASSWORD 'of the test' IN ROLE aiops_client")
    try:
        asker = make_conninfo(database, user="aiops_api_asker", password="of the test")
        with running_api(asker, tmp_path / "asker.log") as api, api.client() as client:
            asked = client.post("/api/risk/calculate", json={"latitude": 37.5, "longitude": 127})
            assert asked.status_code == 202, asked.text
            overview = client.get("/api/overview").json()
            assert overview["workers"] is None
            assert client.get("/").status_code == 200
            batch_id = asked.json()["batch_id"]
            assert client.get(f"/api/batch/{batch_id}/log").json()["chunks"] is None
            assert client.get(f"/batch/{batch_id}").status_code == 200
            assert client.post(f"/api/batch/{batch_id}/cancel").status_code == 200
            other = client.get("/api/batches", params={"job_type": "test"}).json()["batches"]
            assert str(failed) in [one["batch_id"] for one in other]
            assert client.post(f"/api/batch/{failed}/cancel").status_code == 403
    finally:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP OWNED BY aiops_api_asker")
            connection.execute("DROP ROLE aiops_api_asker")


def test_forms_are_read_as_they_are_meant():
    assert form_of(b"latitude=37.5&use=%EA%B3%B5%EC%9E%A5&x=%00") == {"latitude": "37.5", "use": "공장", "x": ""}
    assert form_of(b"&".join(b"a=1" for _ in range(100))) == {}
    assert question_of({"latitude": "37.5", "longitude": "x", "scenario": "historical", "target_year": "2050"}) == {
        "latitude": 37.5,
        "longitude": "x",
        "scenario": "historical",
    }
    assert question_of({"latitude": "nan", "asset_value": "5e10"})["latitude"] == "nan"


def test_an_absent_database_and_absent_results_are_shown_as_absent():
    shown = overview_shown(None)
    assert shown["alive"] is None
    assert shown["cells"] == "–"
    row = {"risk_type": "drought", "scenario": "ssp245", "target_year": 2050, "hazard_score_100": 0.0}
    assert hazard_table([row], ["drought", "typhoon"], "ssp245") == {
        "drought": [None, None, None, None, 0.0, None, None, None, None]
    }
    assert top_of_scores([]) == 100
    assert top_of_scores([{"risk_score_by_projection": [None, 41.0, float("nan")]}]) == 60
