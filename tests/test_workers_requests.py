"""Requests of one place, answered by a daemon: what comes out, and what others see while it is made."""

from __future__ import annotations

import json
import math
import threading

import psycopg
import pytest
from asking import (
    AT_SEA,
    NINE,
    RUNS,
    STEPS,
    answer,
    ask,
    end_of,
    look,
    question,
    rows_of,
    served_places,
)
from daemons import run, wait_for
from receivers import webhook_receiver

pytestmark = pytest.mark.daemon

TELLING = {"WEBHOOK_SECRET": "a secret of the test", "WEBHOOK_ALLOW_PRIVATE": "true"}


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("requests")
    with served_places(migrated_server, server, folder, "requests", **TELLING) as one:
        yield one


@pytest.fixture
def where(served):
    """A place that nobody has asked about."""
    return next(served.places)


@pytest.fixture
def watcher(served):
    """A connection that sees what is committed."""
    with psycopg.connect(served.database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def listener(served):
    """A second connection, which listens."""
    with psycopg.connect(served.database, autocommit=True) as connection:
        connection.execute("LISTEN aiops_progress")
        yield connection


def heard_of(listener, batch_id):
    """What is told of a request, up to its end."""
    told = []
    for notification in listener.notifies(timeout=120):
        message = json.loads(notification.payload)
        if message["batch_id"] == str(batch_id):
            told.append(message)
            if message["status"] not in ("queued", "running"):
                break
    return told


# --- the answer ---------------------------------------------------------------------------------------------


def test_one_risk_is_answered(watcher, where):
    batch_id = ask(watcher, where, risk_types=["extreme_heat"])
    row = end_of(watcher, batch_id)
    assert (row["status"], row["progress"], row["error_message"]) == ("completed", 100, None)
    results = row["results"]
    assert results["risk_types"] == ["extreme_heat"]
    assert "extreme_heat" in results["integrated_risk"]["risk_breakdown"]
    assert (row["total_items"], row["completed_items"], row["failed_items"]) == (1, 1, 0)


def test_all_nine_risks_are_answered_when_none_is_named(watcher, where):
    results = answer(watcher, where)
    assert len(results["risk_types"]) == 9
    assert results["risk_types"] == NINE
    assert {"status": "success", "cached": False, "scenario": "ssp245", "target_year": 2050}.items() <= results.items()
    assert (results["latitude"], results["longitude"]) == where
    whole = results["integrated_risk"]
    scores = []
    for risk in NINE:
        one = whole["risk_breakdown"][risk]
        assert one["status"] == "ok"
        assert 0 <= one["risk_score"] <= 100
        scores.append(one["risk_score"])
        for part in ("hazard", "probability", "exposure", "vulnerability", "aal"):
            assert results[part][risk]["status"] == "ok"
        assert results["vulnerability"][risk]["factors"]
    assert whole["total_risk_score"] == pytest.approx(math.sqrt(sum(score**2 for score in scores) / 9))
    assert sum(one["contribution_percent"] for one in whole["risk_breakdown"].values()) == pytest.approx(100)
    assert whole["left_out"] == []


def test_the_tables_hold_what_the_answer_says(watcher, where):
    batch_id = ask(watcher, where, asset_value=2e9, insurance_rate=0.25, building={"floors": 7})
    results = end_of(watcher, batch_id)["results"]
    columns = "risk_type, scenario, target_year, risk_score, risk_level, final_aal, expected_loss, total_risk_score"
    rows = watcher.execute(
        f"SELECT {columns} FROM risk_results WHERE latitude = %s AND longitude = %s AND batch_id = %s",
        (*where, batch_id),
    ).fetchall()
    breakdown = results["integrated_risk"]["risk_breakdown"]
    assert {row[0] for row in rows} == set(NINE)
    for risk, scenario, year, score, level, aal, loss, total in rows:
        one = breakdown[risk]
        assert (scenario, year) == ("ssp245", 2050)
        assert (score, level, aal, loss) == tuple(
            one[name] for name in ("risk_score", "risk_level", "final_aal", "expected_loss")
        )
        assert loss == round(aal * 2e9)
        assert total == results["integrated_risk"]["total_risk_score"]
    (rates,) = watcher.execute(
        "SELECT array_agg(DISTINCT insurance_rate) FROM aal_scaled_results WHERE batch_id = %s", (batch_id,)
    ).fetchone()
    assert rates == [0.25]


def test_each_field_of_the_building_says_where_it_comes_from(watcher, where):
    watcher.execute(
        "INSERT INTO api_buildings (building_id, latitude, longitude, floors, structure, water_tank)"
        " VALUES ('B1', %s, %s, 3, 'wood', true)",
        where,
    )
    results = answer(watcher, where, building={"use": "hotel", "floors": 4})
    building = results["building"]
    assert building["building_id"] == "B1"
    assessed = [building[name] for name in ("floors", "use", "structure", "water_tank")]
    assert assessed == [4, "hotel", "wood", True]
    assert building["from_register"] == ["structure", "water_tank"]
    assert building["from_request"] == ["floors", "use"]
    unknown = ["floor_area_m2", "age_years", "basement_floors", "pilotis", "in_flood_zone"]
    assert sorted(building["defaulted"]) == sorted(unknown)
    (warning,) = [one for one in results["warnings"] if one.startswith("building: ")]
    assert all(name in warning for name in unknown)
    for risk in NINE:
        part = results["vulnerability"][risk]
        assert part["is_default"] == bool(part["defaulted"])
        assert not set(part["defaulted"]) & {"floors", "use", "structure", "water_tank"}


def test_all_projections_are_given_when_asked_for(watcher, where):
    results = answer(watcher, where, risk_types=["typhoon"], projections=True)
    assert len(results["projections"]) == 33
    chosen = [one for one in results["projections"] if (one["scenario"], one["target_year"]) == ("ssp245", 2050)]
    assert chosen[0]["risks"]["typhoon"]["risk_score"] == results["integrated_risk"]["total_risk_score"]
    assert "projections" not in answer(watcher, where, risk_types=["typhoon"])


def test_the_past_may_be_asked_about(watcher, where):
    results = answer(watcher, where, scenario="historical")
    assert (results["scenario"], results["target_year"], results["horizon"]) == ("historical", None, "baseline")
    rows = watcher.execute("SELECT DISTINCT scenario, target_year FROM risk_results WHERE latitude = %s"
                           " AND longitude = %s", where).fetchall()  # fmt: skip
    assert rows == [("historical", None)]


def test_the_queues_own_command_line_asks_too(watcher, where, served):
    params = question(where, risk_types=["drought"])
    run(served.database, "procrastinate", "--app=workers.app", "defer", "ondemand_risk", params)
    made = "SELECT batch_id FROM batch_jobs WHERE origin_job_id IS NOT NULL AND status = 'completed'"
    ((batch_id,),) = wait_for(lambda: watcher.execute(made).fetchall())
    assert look(watcher, batch_id)["results"]["risk_types"] == ["drought"]


def test_a_question_that_is_wrong_fails_on_the_queue_at_once_and_asks_nothing(watcher, served):
    run(
        served.database,
        "procrastinate",
        "--app=workers.app",
        "defer",
        "ondemand_risk",
        '{"latitude": 99, "longitude": 1}',
    )
    ended = "SELECT status::text, attempts FROM procrastinate_jobs WHERE args ? 'latitude' AND args->>'latitude' = '99'"
    wait_for(lambda: watcher.execute(ended).fetchall() == [("failed", 1)])
    assert "input_params.latitude: 99 is not allowed" in served.log.read_text()
    asked = "SELECT count(*) FROM batch_jobs WHERE input_params->>'latitude' = '99'"
    assert watcher.execute(asked).fetchone() == (0,)


def test_a_place_at_sea_fails_with_a_reason_that_says_where_there_are_data(watcher):
    row = end_of(watcher, ask(watcher, AT_SEA))
    assert row["status"] == "failed"
    assert row["error_message"].startswith("no climate data at 36, 131.5 (cell ")
    assert (
        "a place at sea, or outside what was loaded; the nearest cell that has some is 37.57," in row["error_message"]
    )
    assert "Traceback" in row["error_stack_trace"]
    assert (row["progress"], row["results"]) == (0, None)
    assert rows_of(watcher, row["batch_id"]) == (0, 0, 0, 0)
    log = watcher.execute("SELECT status, error_message FROM batch_job_logs WHERE batch_id = %s AND step IS NULL",
                          (row["batch_id"],)).fetchall()  # fmt: skip
    assert log == [("failed", row["error_message"])]


def test_the_log_has_the_time_of_every_step(watcher, where):
    batch_id = ask(watcher, where)
    end_of(watcher, batch_id)
    rows = watcher.execute(
        "SELECT step, status, extract(epoch FROM duration)::float8 FROM batch_job_logs WHERE batch_id = %s"
        " ORDER BY log_id",
        (batch_id,),
    ).fetchall()
    steps = [step for step, _, _ in rows]
    assert {"exposure", "vulnerability", "aal", "integrated", None} <= set(steps)
    assert {status for _, status, _ in rows} == {"completed"}
    *parts, whole = (seconds for _, _, seconds in rows)
    assert all(seconds >= 0 for seconds in parts)
    assert sum(parts) <= whole


# --- while it is made ---------------------------------------------------------------------------------------


def test_listeners_hear_the_published_steps_in_order(watcher, listener, where):
    batch_id = ask(watcher, where)
    told = heard_of(listener, batch_id)
    assert [message["progress"] for message in told if message["progress"] > 0] == STEPS
    assert {message["status"] for message in told[:-1]} == {"running"}
    assert told[-1] == {"batch_id": str(batch_id), "status": "completed", "progress": 100, "step": None}


@pytest.mark.parametrize("n", [1, 2, 5])
def test_with_fewer_risks_the_steps_are_wider(watcher, listener, where, n):
    batch_id = ask(watcher, where, risk_types=NINE[:n])
    told = [message["progress"] for message in heard_of(listener, batch_id) if message["progress"] > 0]
    shares = ((10, 40), (50, 30), (80, 15))
    assert told == [10, *(first + span * i // n for first, span in shares for i in range(1, n + 1)), 100]


def test_progress_seen_by_another_connection_never_goes_back_and_ends_at_100(watcher, where):
    batch_id = ask(watcher, where)
    seen = [0]

    def is_complete():
        status, progress = watcher.execute("SELECT status, progress FROM batch_status(%s)", (batch_id,)).fetchone()
        assert status in ("queued", "running", "completed")
        assert (status == "completed") == (progress == 100)
        if progress != seen[-1]:
            seen.append(progress)
        return progress == 100

    wait_for(is_complete, pause=0)
    assert seen == sorted(seen)


GATE = f"""
CREATE TABLE gate (batch_id uuid PRIMARY KEY, allowed integer NOT NULL);
CREATE FUNCTION wait_at_the_gate() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    mine integer := 1 + {" + ".join(f"(SELECT count(*) FROM {table} WHERE batch_id = NEW.batch_id)" for table in RUNS)};
BEGIN
    WHILE (SELECT allowed FROM gate WHERE batch_id = NEW.batch_id) < mine LOOP
        PERFORM pg_sleep(0.001);
    END LOOP;
    RETURN NEW;
END $$;
"""


@pytest.fixture
def gate(watcher):
    """Lets a request's rows be written one by one: as many as the table `gate` allows."""
    watcher.execute(GATE)
    for table in RUNS:
        watcher.execute(
            f"CREATE TRIGGER gate BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION wait_at_the_gate()"
        )
    yield
    for table in RUNS:
        watcher.execute(f"DROP TRIGGER gate ON {table}")
    watcher.execute("DROP FUNCTION wait_at_the_gate; DROP TABLE gate")


def test_at_each_step_another_connection_sees_progress_and_rows_agree(watcher, listener, where, gate):
    batch_id = watcher.execute("SELECT gen_random_uuid()").fetchone()[0]
    with watcher.transaction():
        watcher.execute("INSERT INTO gate VALUES (%s, 0)", (batch_id,))
        watcher.execute(
            "INSERT INTO batch_jobs (batch_id, job_type, input_params) VALUES (%s, 'ondemand_risk_calculation', %s)",
            (batch_id, question(where)),
        )
    counts = ", ".join(f"(SELECT count(*)::int FROM {table} AS r WHERE r.batch_id = b.batch_id)" for table in RUNS)
    spoken = "(SELECT count(*)::int FROM risk_results AS r WHERE r.batch_id = b.batch_id)"
    picture = f"SELECT status, progress, {counts}, {spoken} FROM batch_jobs AS b WHERE batch_id = %s"
    for written, progress in enumerate(STEPS[:-1]):
        watcher.execute("UPDATE gate SET allowed = %s WHERE batch_id = %s", (written, batch_id))
        wait_for(lambda p=progress: look(watcher, batch_id)["progress"] == p, pause=0.002)
        rows = tuple(max(0, min(9, written - before)) for before in (0, 9, 18))
        seen = listener.execute(picture, (batch_id,)).fetchone()
        assert seen == ("running", progress, *rows, 0, 0)
    watcher.execute("UPDATE gate SET allowed = 99 WHERE batch_id = %s", (batch_id,))
    end_of(watcher, batch_id)
    assert listener.execute(picture, (batch_id,)).fetchone() == ("completed", 100, 9, 9, 9, 9, 9)


ONE_PICTURE = """
SELECT r.batch_id, r.risk_type, e.batch_id, v.batch_id, a.batch_id,
       e.exposure_score = r.exposure_score, v.vulnerability_score = r.vulnerability_score, a.final_aal = r.final_aal,
       abs(a.vulnerability_factor - (0.9 + 0.2 * v.vulnerability_score / 100)) < 1e-12,
       abs(sum(r.final_aal) OVER () - r.total_aal) < 1e-12
FROM risk_results AS r
JOIN exposure_results AS e USING (latitude, longitude, risk_type, scenario, target_year)
JOIN vulnerability_results AS v USING (latitude, longitude, risk_type, scenario, target_year)
JOIN aal_scaled_results AS a USING (latitude, longitude, risk_type, scenario, target_year)
WHERE r.latitude = %s AND r.longitude = %s
"""


def test_a_reader_of_a_place_never_sees_two_runs_mixed(watcher, served, where):
    answer(watcher, where)
    seen, mixed, stop = set(), [], threading.Event()

    def read():
        with psycopg.connect(served.database, autocommit=True) as reader:
            while not stop.is_set():
                rows = reader.execute(ONE_PICTURE, where).fetchall()
                runs = {batch for row in rows for batch in (row[0], *row[2:5])}
                seen.update(runs)
                if len(rows) != 9 or len(runs) != 1 or not all(all(row[5:]) for row in rows):
                    mixed.append(rows)

    reading = threading.Thread(target=read)
    reading.start()
    try:
        made = 0
        while len(seen) < 8 and made < 60:
            made += 1
            answer(watcher, where, building={"floors": 1 + made, "basement_floors": made % 3, "age_years": made})
    finally:
        stop.set()
        reading.join()
    assert mixed == []
    assert len(seen) >= 8


# --- telling ------------------------------------------------------------------------------------------------


def test_two_equal_requests_that_tell_others_are_computed_once_and_each_is_told(watcher, where):
    with webhook_receiver() as one, webhook_receiver() as two:
        with watcher.transaction():
            first = ask(watcher, where, notify={"webhook": one.url()})
            second = ask(watcher, where, notify={"webhook": two.url()})
        results = [end_of(watcher, batch_id)["results"] for batch_id in (first, second)]
        wait_for(lambda: one.requests and two.requests)
    assert [result["cached"] for result in results] == [False, True]
    for receiver, batch_id in ((one, first), (two, second)):
        (request,) = receiver.requests
        told = json.loads(request.body)
        assert (told["batch_id"], told["status"]) == (str(batch_id), "completed")
