"""What goes wrong with a request: missing results, failing risks, lost processes, cancels, failures that pass."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import datetime, timedelta

import psutil
import psycopg
import pytest
from asking import NINE, answer, ask, end_of, look, place, rows_of, served_places
from climate import write_climate
from daemons import wait_for

from aiops.grid import grid_id_of
from workers.ondemand.runner import MOST_ATTEMPTS

pytestmark = pytest.mark.daemon


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("failures")
    with served_places(migrated_server, server, folder, "failures", computed=24, bare=6) as one:
        yield one


@pytest.fixture
def where(served):
    """A place that nobody has asked about."""
    return next(served.places)


@pytest.fixture
def bare(served):
    """Such a place in a cell without P(H) and Hazard scores."""
    return next(served.bare_places)


@pytest.fixture
def watcher(served):
    with psycopg.connect(served.database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def holder(served):
    """A connection for holding locks."""
    with psycopg.connect(served.database) as connection:
        yield connection


def results_of_cell(watcher, where):
    query = (
        "SELECT p.risk_type, p.batch_id::text, h.batch_id::text FROM probability_packed AS p JOIN hazard_packed AS h"
        " USING (grid_id, risk_type) WHERE grid_id = %s ORDER BY 1"
    )
    return watcher.execute(query, (grid_id_of(*where),)).fetchall()


# --- a cell without H and P(H) ------------------------------------------------------------------------------


def test_a_cell_that_the_yearly_batch_has_not_computed_is_computed_and_stored(watcher, bare):
    assert results_of_cell(watcher, bare) == []
    row = end_of(watcher, ask(watcher, bare))
    assert row["status"] == "completed"
    assert {one["status"] for one in row["results"]["integrated_risk"]["risk_breakdown"].values()} == {"ok"}
    stored = results_of_cell(watcher, bare)
    assert stored == [(risk, row["batch_id"], row["batch_id"]) for risk in sorted(NINE)]
    # The next finds them; so does the yearly batch, which has nothing to do there.
    assert answer(watcher, bare, building={"floors": 2})["cached"] is False
    assert results_of_cell(watcher, bare) == stored
    insert = "INSERT INTO batch_jobs (job_type, input_params) VALUES ('assessment', %s) RETURNING batch_id"
    params = psycopg.types.json.Jsonb({"cells": [grid_id_of(*bare)]})
    assert end_of(watcher, watcher.execute(insert, (params,)).fetchone()[0])["results"]["skipped"] == 1


def test_just_the_risks_that_lack_results_are_computed(watcher, bare):
    first = answer(watcher, bare, risk_types=["typhoon"])
    assert [risk for risk, _, _ in results_of_cell(watcher, bare)] == ["typhoon"]
    second = answer(watcher, bare, risk_types=["typhoon", "drought"])
    assert results_of_cell(watcher, bare) == [
        ("drought", second["batch_id"], second["batch_id"]),
        ("typhoon", first["batch_id"], first["batch_id"]),
    ]


def test_equal_requests_for_such_a_cell_compute_it_once(watcher, bare):
    with watcher.transaction():
        asked = [ask(watcher, bare) for _ in range(10)]
    results = [end_of(watcher, batch_id)["results"] for batch_id in asked]
    assert sum(not result["cached"] for result in results) == 1
    assert len({run for _, run, _ in results_of_cell(watcher, bare)}) == 1


def test_a_cell_that_cannot_be_computed_fails_its_request_with_message_and_trace(watcher, bare):
    with raising(watcher, "probability_packed", "22012", times=99):
        row = end_of(watcher, ask(watcher, bare))
    assert (row["status"], row["progress"]) == ("failed", 0)
    assert "raised by the test" in row["error_message"]
    assert "Traceback" in row["error_stack_trace"]


def test_a_request_that_its_cell_never_satisfies_is_not_sent_to_and_fro_for_ever(watcher, bare):
    """As where daemons of two versions, or with two damage sets, each find that the other's results are not theirs."""
    with watcher.transaction():
        batch_id = ask(watcher, bare)
        watcher.execute("UPDATE batch_jobs SET attempt = %s WHERE batch_id = %s", (MOST_ATTEMPTS, batch_id))
    row = end_of(watcher, batch_id)
    assert row["status"] == "failed"
    assert "again and again" in row["error_message"]


# --- risks that fail ----------------------------------------------------------------------------------------


def damage(watcher, where, risks):
    watcher.execute(
        "UPDATE probability_packed SET probabilities = probabilities[1:5] WHERE grid_id = %s AND risk_type = ANY (%s)",
        (grid_id_of(*where), list(risks)),
    )


def test_a_risk_that_fails_has_no_number_says_why_and_the_others_go_on(watcher, served, where):
    whole = answer(watcher, where, asset_value=1e9)
    damage(watcher, where, ["wildfire"])
    row = end_of(watcher, ask(watcher, where, asset_value=1e9, force=True))
    assert (row["status"], row["progress"], row["failed_items"]) == ("completed", 100, 1)
    results = row["results"]
    assert results["risk_types"] == NINE
    breakdown = results["integrated_risk"]["risk_breakdown"]
    assert list(breakdown) == list(whole["integrated_risk"]["risk_breakdown"])
    failed = breakdown["wildfire"]
    assert failed["status"] == "failed"
    assert "malformed" in failed["reason"]
    numbers = ("risk_score", "risk_level", "hazard_score_100", "exposure_score", "final_aal", "contribution_percent")
    assert [failed[name] for name in numbers] == [None] * 6
    assert results["integrated_risk"]["left_out"] == ["wildfire"]
    for risk in set(NINE) - {"wildfire"}:
        before, after = whole["integrated_risk"]["risk_breakdown"][risk], breakdown[risk]
        assert after["risk_score"] == before["risk_score"]
        assert after["expected_loss"] == before["expected_loss"]
    squares = [breakdown[risk]["risk_score"] ** 2 for risk in NINE if risk != "wildfire"]
    assert results["integrated_risk"]["total_risk_score"] == pytest.approx((sum(squares) / 8) ** 0.5)
    # The warning stands in the result, the row, the log of batches and the daemon's own.
    (warning,) = [one for one in results["warnings"] if one.startswith("wildfire: failed: ")]
    assert failed["reason"] in warning
    assert row["warnings"] == results["warnings"]
    logged = watcher.execute(
        "SELECT error_message FROM batch_job_logs WHERE batch_id = %s AND status = 'failed'", (row["batch_id"],)
    ).fetchall()
    assert [failed["reason"] in message for (message,) in logged] == [True]
    assert "risk failed" in served.log.read_text()
    # So in the tables.
    assert rows_of(watcher, row["batch_id"]) == (9, 9, 9, 9)
    stored = watcher.execute(
        "SELECT r.status, r.risk_score, a.status, a.final_aal, e.status, v.vulnerability_score"
        " FROM risk_results_runs AS r JOIN aal_scaled_results_runs AS a USING (batch_id, risk_type)"
        " JOIN exposure_results_runs AS e USING (batch_id, risk_type)"
        " JOIN vulnerability_results_runs AS v USING (batch_id, risk_type)"
        " WHERE batch_id = %s AND risk_type = 'wildfire'",
        (row["batch_id"],),
    ).fetchone()
    assert stored == ("failed", None, "failed", None, "failed", None)


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("probability_packed", "aal = '{}'"),
        ("probability_packed", "aal = array_replace(aal, aal[14], 'Infinity')"),
        ("probability_packed", "damage_rates = damage_rates || 0.5::float8"),
        ("probability_packed", "status[14] = NULL"),
        ("probability_packed", "status[14] = 77"),
        ("hazard_packed", "score = score[1:5], coverage = coverage[1:5], status = status[1:5]"),
        ("hazard_packed", "status[14] = -1"),
    ],
)
def test_whatever_is_wrong_with_a_stored_result_concerns_its_risk_alone(watcher, where, table, change):
    watcher.execute(f"UPDATE {table} SET {change} WHERE grid_id = %s AND risk_type = 'drought'", (grid_id_of(*where),))
    whole = answer(watcher, where, risk_types=["extreme_heat", "drought", "typhoon"])["integrated_risk"]
    assert whole["left_out"] == ["drought"]
    statuses = {risk: one["status"] for risk, one in whole["risk_breakdown"].items()}
    assert statuses == {"extreme_heat": "ok", "drought": "failed", "typhoon": "ok"}
    assert whole["risk_breakdown"]["drought"]["reason"].startswith(("MalformedResultError: ", "ValueError: "))


def test_an_answer_with_a_failure_is_not_given_again(watcher, where):
    damage(watcher, where, ["typhoon"])
    assert answer(watcher, where)["integrated_risk"]["left_out"] == ["typhoon"]
    assert answer(watcher, where)["cached"] is False


def test_when_every_risk_fails_so_does_the_request_with_message_and_trace(watcher, where):
    damage(watcher, where, NINE)
    row = end_of(watcher, ask(watcher, where))
    assert row["status"] == "failed"
    assert row["error_message"].startswith("no risk could be computed: extreme_heat: MalformedResultError: ")
    assert all(risk in row["error_message"] for risk in NINE)
    assert "Traceback" in row["error_stack_trace"]
    spoken = "SELECT count(*) FROM current_run WHERE latitude = %s AND longitude = %s"
    assert watcher.execute(spoken, where).fetchone() == (0,)


def test_a_failed_request_is_run_again_when_its_cause_is_gone(watcher):
    where = place(200)
    batch_id = ask(watcher, where)
    row = end_of(watcher, batch_id)
    assert row["status"] == "failed"
    assert row["error_message"].startswith("no climate data at ")
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (1,)
    wait_for(lambda: (now := look(watcher, batch_id))["attempt"] == 2 and now["status"] == "failed")
    with psycopg.connect(watcher.info.dsn, password=watcher.info.password) as connection:
        write_climate(connection, cells=(grid_id_of(*where),))
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (1,)
    row = wait_for(lambda: (now := look(watcher, batch_id))["status"] == "completed" and now)
    assert (row["progress"], row["error_message"], row["error_stack_trace"]) == (100, None, None)
    # These data say nothing of some risks: a status, not a number, and they are left out of the whole.
    breakdown = row["results"]["integrated_risk"]["risk_breakdown"]
    assert breakdown["extreme_heat"]["status"] == "ok"
    assert (breakdown["wildfire"]["status"], breakdown["wildfire"]["risk_score"]) == ("insufficient_data", None)
    assert breakdown["wildfire"]["reason"]
    assert "wildfire" in row["results"]["integrated_risk"]["left_out"]
    assert any(one.startswith("wildfire: insufficient_data: ") for one in row["warnings"])
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (0,)


# --- failures that pass, and those that do not --------------------------------------------------------------


@contextmanager
def raising(watcher, table, code, times=1):
    """Have the next so many rows of a table raise an error."""
    watcher.execute("CREATE SEQUENCE raised")
    watcher.execute(
        "CREATE FUNCTION raise_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('raised') <= {times} THEN RAISE 'raised by the test' USING ERRCODE = '{code}'; END IF;"
        " RETURN NEW; END $$"
    )
    watcher.execute(f"CREATE TRIGGER raise_it BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION raise_it()")
    try:
        yield
    finally:
        watcher.execute(f"DROP TRIGGER raise_it ON {table}")
        watcher.execute("DROP FUNCTION raise_it")
        watcher.execute("DROP SEQUENCE raised")


@contextmanager
def heard(served):
    """Listen; then tell what was told of the progress of a request that has ended."""
    with psycopg.connect(served.database, autocommit=True) as listener:
        listener.execute("LISTEN aiops_progress")

        def progress_of(batch_id):
            told = []
            for notification in listener.notifies(timeout=120):
                message = json.loads(notification.payload)
                if message["batch_id"] == str(batch_id):
                    told.append(message["progress"])
                    if message["status"] not in ("queued", "running"):
                        return told
            return told

        yield progress_of


@pytest.mark.parametrize(
    ("table", "code"),
    [("aal_scaled_results_runs", "40P01"), ("exposure_results_runs", "40001"), ("risk_run", "55P03")],
    ids=["deadlock", "serialization", "lock"],
)
def test_a_failure_that_passes_is_tried_again_and_progress_does_not_go_back(watcher, served, where, table, code):
    undisturbed = answer(watcher, where)
    with raising(watcher, table, code), heard(served) as progress_of:
        batch_id = ask(watcher, where, force=True)
        row = end_of(watcher, batch_id)
        seen = progress_of(batch_id)
    assert (row["status"], row["attempt"]) == ("completed", 2)
    assert seen == sorted(seen)
    assert seen[-1] == 100
    assert row["results"]["integrated_risk"] == undisturbed["integrated_risk"]
    assert rows_of(watcher, batch_id) == (9, 9, 9, 9)
    job = "SELECT status::text, attempts FROM procrastinate_jobs WHERE args->>'batch_id' = %s"
    wait_for(lambda: watcher.execute(job, (str(batch_id),)).fetchall() == [("succeeded", 2)])


def test_a_failure_that_stays_is_not_tried_again(watcher, where):
    with raising(watcher, "vulnerability_results_runs", "22012"):
        batch_id = ask(watcher, where)
        row = end_of(watcher, batch_id)
    assert (row["status"], row["attempt"]) == ("failed", 1)
    assert row["error_message"].startswith("DivisionByZero: raised by the test")
    assert "Traceback" in row["error_stack_trace"]
    steps = dict(watcher.execute("SELECT step, status FROM batch_job_logs WHERE batch_id = %s", (batch_id,)).fetchall())
    assert (steps["exposure"], steps["vulnerability"], steps[None]) == ("completed", "failed", "failed")
    # Retried by hand, it goes on from where progress stood.
    progress = row["progress"]
    assert progress == 50
    assert watcher.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (1,)
    assert look(watcher, batch_id)["progress"] >= progress
    assert wait_for(lambda: look(watcher, batch_id)["status"] == "completed")
    assert rows_of(watcher, batch_id) == (9, 9, 9, 9)


def test_a_request_whose_claim_fails_says_so_and_does_not_wait_for_ever(watcher, where):
    (own,) = watcher.execute("SELECT pg_get_functiondef('building_of'::regproc)").fetchone()
    signature = watcher.execute("SELECT pg_get_function_arguments('building_of'::regproc)").fetchone()[0]
    watcher.execute(
        f"CREATE OR REPLACE FUNCTION building_of({signature}) LANGUAGE plpgsql STABLE AS"
        " $$ BEGIN RAISE 'raised by the test' USING ERRCODE = '22012'; END $$"
    )
    try:
        row = end_of(watcher, ask(watcher, where))
    finally:
        watcher.execute(own)
    assert row["status"] == "failed"
    assert row["error_message"].startswith("DivisionByZero: raised by the test")
    assert row["error_stack_trace"]


# --- cancelled ----------------------------------------------------------------------------------------------


def test_after_a_cancel_nothing_more_is_written(watcher, holder, where):
    holder.execute("LOCK TABLE aal_scaled_results_runs IN ACCESS EXCLUSIVE MODE")
    batch_id = ask(watcher, where)
    wait_for(lambda: look(watcher, batch_id)["progress"] == 80)
    assert watcher.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
    holder.rollback()
    idle = "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing') AND args->>'batch_id' = %s"
    wait_for(lambda: watcher.execute(idle, (str(batch_id),)).fetchone() == (0,))
    row = look(watcher, batch_id)
    assert (row["status"], row["progress"], row["results"]) == ("cancelled", 80, None)
    assert rows_of(watcher, batch_id) == (9, 9, 0, 0)
    assert watcher.execute("SELECT count(*) FROM risk_run WHERE batch_id = %s", (batch_id,)).fetchone() == (0,)
    assert watcher.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (False,)
    # The next one for the place is answered.
    assert answer(watcher, where)["cached"] is False


def test_a_request_that_was_cancelled_before_its_turn_is_not_run(watcher, where):
    with watcher.transaction():
        batch_id = ask(watcher, where)
        watcher.execute("SELECT cancel_batch(%s)", (batch_id,))
    ended = "SELECT status::text FROM procrastinate_jobs WHERE args->>'batch_id' = %s AND status IN ('todo', 'doing')"
    wait_for(lambda: not watcher.execute(ended, (str(batch_id),)).fetchall())
    row = look(watcher, batch_id)
    assert (row["status"], row["attempt"], row["progress"]) == ("cancelled", 0, 0)


# --- killed -------------------------------------------------------------------------------------------------


def test_a_request_whose_process_is_killed_is_taken_up_by_another_and_gives_the_same(watcher, holder, served, where):
    undisturbed = answer(watcher, where)
    holder.execute("LOCK TABLE vulnerability_results_runs IN ACCESS EXCLUSIVE MODE")
    batch_id = ask(watcher, where, force=True)
    wait_for(lambda: look(watcher, batch_id)["progress"] == 50)
    killed = [one for one in psutil.Process(served.daemon.pid).children() if "ondemand" in one.cmdline()]
    assert len(killed) == 1
    killed[0].kill()
    # The rescue gives up on who is silent for twenty seconds; here they have passed.
    wait_for(lambda: not killed[0].is_running() or killed[0].status() == psutil.STATUS_ZOMBIE)
    (silent_at,) = watcher.execute(
        "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"
        " WHERE id = (SELECT worker_id FROM procrastinate_jobs WHERE args->>'batch_id' = %s AND status = 'doing')"
        " RETURNING now()",
        (str(batch_id),),
    ).fetchone()
    row = wait_for(lambda: (row := look(watcher, batch_id))["attempt"] == 2 and row, seconds=180)
    assert datetime.fromisoformat(row["updated_at"]) - silent_at < timedelta(seconds=45)
    # The killed process's session still waits for the lock, beside its successor's.
    assert look(watcher, batch_id)["progress"] == 50
    with heard(served) as progress_of:
        holder.rollback()
        results = end_of(watcher, batch_id)["results"]
        seen = progress_of(batch_id)
    assert seen == sorted(seen)
    assert (seen[0] >= 50, seen[-1]) == (True, 100)
    for name in ("hazard", "probability", "exposure", "vulnerability", "aal", "integrated_risk"):
        assert results[name] == undisturbed[name]
    assert rows_of(watcher, batch_id) == (9, 9, 9, 9)
