"""`OnDemandRiskBatch`: a request answered from Python, with and without a daemon."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest
from asking import (
    AT_SEA,
    NINE,
    SEOUL,
    ask,
    compute,
    copied_database,
    end_of,
    look,
    place,
    rows_of,
    served_places,
    write_inputs,
)
from daemons import wait_for

from aiops.db.batches import create_batch_job, get_batch_status
from aiops.errors import BadInput, BatchFailed
from aiops.grid import grid_id_of
from workers.ondemand import OnDemandRiskBatch
from workers.ondemand.runner import Ending, run_request

KEYS = {
    "status",
    "latitude",
    "longitude",
    "risk_types",
    "hazard",
    "probability",
    "exposure",
    "vulnerability",
    "aal",
    "integrated_risk",
    "warnings",
    "duration_seconds",
}


@pytest.fixture(scope="module")
def places(migrated_server, server):
    """A database with places, two of them computed, and no daemon."""
    with copied_database(migrated_server, server, "by_hand") as database:
        with psycopg.connect(database) as connection:
            write_inputs(connection, 5)
        with psycopg.connect(database, autocommit=True) as connection:
            compute(connection, sorted(grid_id_of(*place(number)) for number in range(2)))
        yield database


@pytest.fixture
def watcher(places, monkeypatch):
    """A connection to it; and it is the one that the program uses."""
    monkeypatch.setenv("DATABASE_URL", places)
    with psycopg.connect(places, autocommit=True) as connection:
        yield connection
        connection.execute("DELETE FROM procrastinate_jobs")


def create(watcher, job_type="test", **params):
    return create_batch_job(watcher, job_type, params)


# --- without a daemon ---------------------------------------------------------------------------------------


def test_a_test_batch_is_run_here_and_now(watcher):
    batch_id = create(watcher, anything="goes")
    results = OnDemandRiskBatch(batch_id).run(*SEOUL, ["extreme_heat", "typhoon"])
    assert results.keys() >= KEYS
    assert (results["status"], results["latitude"], results["longitude"]) == ("success", *SEOUL)
    assert results["risk_types"] == ["extreme_heat", "typhoon"]
    whole = results["integrated_risk"]
    assert whole.keys() >= {"total_risk_score", "risk_level", "risk_breakdown"}
    assert whole["risk_breakdown"]["extreme_heat"].keys() >= {"risk_score", "contribution_percent", "status"}
    status = get_batch_status(watcher, batch_id)
    assert (status["status"], status["progress"], status["results"]) == ("completed", 100, results)
    assert watcher.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (0,)


def test_without_risk_types_all_are_answered(watcher):
    results = OnDemandRiskBatch(str(create(watcher))).run(*SEOUL, scenario="ssp585", building={"floors": 3})
    assert results["risk_types"] == NINE
    assert len(results["risk_types"]) == 9
    assert (results["scenario"], results["building"]["floors"]) == ("ssp585", 3)


def test_a_request_on_the_queue_is_answered_here_when_no_daemon_has_it(watcher):
    batch_id = ask(watcher, place(1))
    results = OnDemandRiskBatch(batch_id).run(*place(1))
    assert results["batch_id"] == str(batch_id)
    # The daemon that comes later finds nothing to do.
    assert run_request(watcher, batch_id, "daemon") is Ending.GONE
    assert rows_of(watcher, batch_id) == (9, 9, 9, 9)


def test_what_has_ended_is_given_again(watcher):
    batch = OnDemandRiskBatch(create(watcher))
    assert batch.run(*SEOUL) == batch.run(*SEOUL)


def test_a_cell_without_results_is_computed_here(watcher):
    where = place(2)
    results = OnDemandRiskBatch(create(watcher)).run(*where)
    assert results["integrated_risk"]["left_out"] == []
    stored = "SELECT count(*) FROM hazard_packed WHERE grid_id = %s AND batch_id = %s"
    assert watcher.execute(stored, (grid_id_of(*where), results["batch_id"])).fetchone() == (9,)


def test_a_request_that_fails_after_its_cell_was_computed_here_ends_as_failed(watcher):
    watcher.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'raised by the test' USING ERRCODE = '22012'; END $$"
    )
    watcher.execute("CREATE TRIGGER refuse BEFORE INSERT ON risk_run FOR EACH ROW EXECUTE FUNCTION refuse()")
    batch_id = create(watcher)
    try:
        with pytest.raises(psycopg.errors.DivisionByZero):
            OnDemandRiskBatch(batch_id).run(*place(3))
    finally:
        watcher.execute("DROP TRIGGER refuse ON risk_run")
        watcher.execute("DROP FUNCTION refuse")
    row = look(watcher, batch_id)
    assert (row["status"], row["error_message"].startswith("DivisionByZero")) == ("failed", True)
    assert row["lease_until"] is None


def test_the_last_attempt_of_a_failure_that_might_pass_fails_for_good(watcher):
    watcher.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'raised by the test' USING ERRCODE = '40P01'; END $$"
    )
    watcher.execute("CREATE TRIGGER refuse BEFORE INSERT ON risk_run FOR EACH ROW EXECUTE FUNCTION refuse()")
    batch_id = ask(watcher, force=True)
    try:
        for last in (False, True):
            assert look(watcher, batch_id)["status"] in ("queued", "running")
            with pytest.raises(psycopg.errors.DeadlockDetected):
                run_request(watcher, batch_id, "job 1", last_attempt=last)
    finally:
        watcher.execute("DROP TRIGGER refuse ON risk_run")
        watcher.execute("DROP FUNCTION refuse")
    row = look(watcher, batch_id)
    assert (row["status"], row["attempt"]) == ("failed", 2)
    assert row["error_message"].startswith("DeadlockDetected: raised by the test")


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"latitude": 12.0}, "latitude"),
        ({"risk_types": ["heat"]}, "risk_types"),
        ({"scenario": "rcp85"}, "scenario"),
        ({"colour": "red"}, "colour"),
        ({"asset_value": -1}, "asset_value"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_the_fields_name(watcher, params, field):
    batch_id = create(watcher)
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=rf"input_params\.{field}: "):
        OnDemandRiskBatch(batch_id).run(**{"latitude": SEOUL[0], "longitude": SEOUL[1], **params})
    assert look(watcher, batch_id)["status"] == "queued"


def test_an_address_to_tell_is_refused_here_where_others_could_read_it(watcher):
    batch_id = create(watcher)
    with pytest.raises(BadInput, match="notify: "):
        OnDemandRiskBatch(batch_id).run(*SEOUL, notify={"email": "who@example.org"})
    assert "example.org" not in str(look(watcher, batch_id))


def test_a_place_or_risks_that_the_request_does_not_ask_about_are_refused(watcher):
    batch_id = ask(watcher, risk_types=["typhoon"])
    for latitude, risk_types, field in ((36.0, None, "latitude"), (SEOUL[0], ["drought"], "risk_types")):
        with pytest.raises(BadInput, match=rf"^{field}: "):
            OnDemandRiskBatch(batch_id).run(latitude, SEOUL[1], risk_types)
    assert look(watcher, batch_id)["status"] == "queued"
    assert OnDemandRiskBatch(batch_id).run(*SEOUL, ["typhoon"])["risk_types"] == ["typhoon"]


def test_a_number_of_no_request_is_refused(watcher):
    with pytest.raises(BadInput, match="does not exist"):
        OnDemandRiskBatch(uuid4()).run(*SEOUL)
    with pytest.raises(BadInput, match="is of type hazard; allowed: ondemand_risk_calculation, test"):
        OnDemandRiskBatch(create(watcher, "hazard")).run(*SEOUL)
    with psycopg.connect(watcher.info.dsn, password=watcher.info.password) as other:
        batch_id = create(other)
        with pytest.raises(BadInput, match="does not exist"):  # it is not committed yet
            OnDemandRiskBatch(batch_id).run(*SEOUL)


def test_a_request_that_fails_or_was_cancelled_raises_its_reason(watcher):
    with pytest.raises(BatchFailed, match=r"failed: no climate data at 36, 131\.5"):
        OnDemandRiskBatch(create(watcher)).run(*AT_SEA)
    batch_id = create(watcher)
    watcher.execute("SELECT cancel_batch(%s)", (batch_id,))
    with pytest.raises(BatchFailed, match=r"cancelled$"):
        OnDemandRiskBatch(batch_id).run(*SEOUL)


def test_a_request_that_another_holds_is_waited_for_as_long_as_is_said(watcher):
    batch_id = ask(watcher, force=True)
    claim = "SELECT outcome FROM begin_request(%s, 'another', '1 minute', 50, '1', 'calibrated')"
    assert watcher.execute(claim, (batch_id,)).fetchone() == ("ready",)
    with pytest.raises(BatchFailed, match=r"did not end within 0\.2 s"):
        OnDemandRiskBatch(batch_id).run(*SEOUL, wait_seconds=0.2)


def test_several_that_run_the_same_request_at_once_compute_it_once_and_get_the_same(watcher):
    batch_id = create(watcher)
    ready = threading.Barrier(4)

    def run_it(_):
        ready.wait(120)
        return OnDemandRiskBatch(batch_id).run(*place(1), force=True)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run_it, range(4)))
    assert results == [results[0]] * 4
    assert look(watcher, batch_id)["attempt"] == 1
    assert rows_of(watcher, batch_id) == (9, 9, 9, 9)


# --- beside a daemon ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def served(migrated_server, server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    with served_places(migrated_server, server, folder, "beside", computed=6) as one:
        yield one


@pytest.fixture
def beside(served, monkeypatch):
    """A connection to the database that a daemon works on."""
    monkeypatch.setenv("DATABASE_URL", served.database)
    with psycopg.connect(served.database, autocommit=True) as connection:
        yield connection


def runs_of(watcher, where):
    query = "SELECT batch_id FROM risk_run WHERE latitude = %s AND longitude = %s"
    return [row[0] for row in watcher.execute(query, where)]


@pytest.mark.daemon
def test_a_test_batch_beside_a_running_daemon_is_computed_once(beside, served):
    where = next(served.places)
    batch_id = create_batch_job(beside, "test", {"latitude": where[0], "longitude": where[1]})
    results = OnDemandRiskBatch(batch_id).run(*where, NINE)
    assert results["cached"] is False
    assert runs_of(beside, where) == [batch_id]
    assert look(beside, batch_id)["attempt"] == 1
    jobs = "SELECT count(*) FROM procrastinate_jobs WHERE args->>'batch_id' = %s"
    assert beside.execute(jobs, (str(batch_id),)).fetchone() == (0,)
    # The same question by INSERT is answered by the daemon from this run.
    assert end_of(beside, ask(beside, where))["results"]["computed_by"] == str(batch_id)


@pytest.mark.daemon
def test_a_request_beside_a_running_daemon_is_computed_once_whoever_has_it_first(beside, served):
    where = next(served.places)
    for _ in range(10):
        batch_id = ask(beside, where, force=True)
        results = OnDemandRiskBatch(batch_id).run(*where)
        assert results["batch_id"] == str(batch_id)
        assert results == look(beside, batch_id)["results"]
        assert look(beside, batch_id)["attempt"] == 1
    assert len(runs_of(beside, where)) == 10


LOOKS = (
    "SELECT query_start FROM pg_stat_activity WHERE query LIKE '%batch\\_status(%'"
    " AND application_name LIKE 'aiops request%' AND datname = current_database()"
)
"""When whoever runs a request by hand looked at it last."""


@pytest.mark.daemon
def test_a_request_that_the_daemon_has_already_is_waited_for(beside, served):
    where = next(served.places)
    with psycopg.connect(served.database) as holder:
        holder.execute("LOCK TABLE vulnerability_results_runs IN ACCESS EXCLUSIVE MODE")
        batch_id = ask(beside, where)
        wait_for(lambda: look(beside, batch_id)["progress"] == 50)
        worker = look(beside, batch_id)["worker"]
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(OnDemandRiskBatch(batch_id).run, *where)
            # It asks once at its beginning, and again and again when it waits.
            looks = set()
            wait_for(lambda: waiting.done() or looks.update(beside.execute(LOOKS)) or len(looks) > 2)
            assert not waiting.done()
            holder.rollback()
            results = waiting.result(120)
    assert results["batch_id"] == str(batch_id)
    row = look(beside, batch_id)
    assert (row["attempt"], row["worker"]) == (1, worker)
    assert runs_of(beside, where) == [batch_id]
