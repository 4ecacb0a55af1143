"""Roles and rights, by trying: what a client may do works, whatever else it tries is refused or without effect."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager

import psycopg
import pytest
from asking import SEOUL, ask, copied_database, question
from daemons import wait_for
from logins import login
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, NoDataFound

from aiops.db.migrate import Migration
from workers import schema
from workers.schema import all_migrations, apply_schema

ROLES = ("aiops_client", "aiops_worker")
WEBHOOK = "https://hooks.example.org/secret-path"
OURS = "(SELECT * FROM our_objects()) AS o"


@pytest.fixture(scope="module")
def database(migrated_server, server):
    """One database for the module; its tests roll back, or clear up."""
    with copied_database(migrated_server, server, "roles") as own:
        yield own


@pytest.fixture(scope="module")
def accounts(database):
    """Connection strings: two clients, a worker, and somebody who is a member of nothing."""
    with (
        login(database, "aiops_client") as client,
        login(database, "aiops_client") as another,
        login(database, "aiops_worker") as worker,
        login(database) as nobody,
    ):
        yield {"client": client, "another": another, "worker": worker, "nobody": nobody, "owner": database}


@pytest.fixture
def as_(accounts):
    """Connect as one of the accounts; what is not committed is rolled back in the end."""
    opened = []

    def connect(account, **options):
        opened.append(psycopg.connect(accounts[account], **options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def client(as_):
    return as_("client")


@pytest.fixture
def owner(as_):
    return as_("owner", autocommit=True)


@pytest.fixture
def asked(as_):
    """Commits a request of the client's; its number. Gone in the end, with all batches."""
    one = as_("client", autocommit=True)
    owner = as_("owner", autocommit=True)
    yield lambda **params: ask(one, **params)
    owner.execute("DELETE FROM batch_jobs; DELETE FROM request_notification; DELETE FROM procrastinate_jobs")


def name_of(conninfo):
    return conninfo_to_dict(conninfo)["user"]


def refused(connection, query, *parameters, error=InsufficientPrivilege):
    """The error of what is refused; the connection's transaction goes on."""
    with pytest.raises(error) as failure, connection.transaction():
        connection.execute(query, parameters or None)
    return failure.value


def everything(owner):
    """What must not change, as one value."""
    return owner.execute(
        "SELECT (SELECT jsonb_agg(to_jsonb(b) ORDER BY b.batch_id) FROM batch_jobs AS b),"
        " (SELECT jsonb_agg(to_jsonb(j) ORDER BY j.id) FROM procrastinate_jobs AS j),"
        " (SELECT count(*) FROM batch_job_logs), (SELECT count(*) FROM risk_run),"
        " (SELECT count(*) FROM hazard_packed), (SELECT count(*) FROM role_right),"
        " (SELECT jsonb_agg(to_jsonb(n)) FROM request_notification AS n)"
    ).fetchone()


# --- the rights as they stand ---------------------------------------------------------------------------------


def test_public_has_no_right_on_anything_of_ours(owner):
    routines = owner.execute(
        "SELECT p.oid::regprocedure::text FROM pg_proc AS p, aclexplode(coalesce(proacl, acldefault('f', proowner))) AS a"  # noqa: E501
        f" WHERE a.grantee = 0 AND p.oid::regprocedure::text IN (SELECT o.signature FROM {OURS})"
    ).fetchall()
    tables = owner.execute(
        "SELECT c.oid::regclass::text FROM pg_class AS c, aclexplode(coalesce(relacl, acldefault('r', relowner))) AS a"
        " WHERE a.grantee = 0 AND c.relnamespace = 'public'::regnamespace"
    ).fetchall()
    assert (routines, tables) == ([], [])
    assert owner.execute("SELECT has_schema_privilege('public', 'public', 'CREATE')").fetchone() == (False,)


def test_everything_in_the_schema_is_taken_care_of(owner):
    (missed,) = owner.execute(
        "SELECT array_agg(p.oid::regprocedure::text) FROM pg_proc AS p WHERE pronamespace = 'public'::regnamespace"
        f" AND p.oid::regprocedure::text NOT IN (SELECT o.signature FROM {OURS})"
    ).fetchone()
    assert missed is None
    (kinds,) = owner.execute(f"SELECT array_agg(DISTINCT o.kind ORDER BY o.kind) FROM {OURS}").fetchone()
    assert kinds == ["ROUTINE", "SEQUENCE", "TABLE"]


def test_every_name_of_a_right_is_the_name_of_something(owner):
    named = "SELECT object_name FROM role_right UNION SELECT function_name FROM crossing_function"
    missing = {name for (name,) in owner.execute(f"{named} EXCEPT SELECT o.object_name FROM {OURS}")}
    assert missing == set()


def test_a_client_may_read_and_call_what_the_table_says_and_nothing_else(owner):
    differs = owner.execute(
        f"""
        SELECT o.signature, given.it_may FROM {OURS}
        CROSS JOIN LATERAL (SELECT CASE o.kind
            WHEN 'ROUTINE' THEN has_function_privilege('aiops_client', o.signature::regprocedure, 'EXECUTE')
            WHEN 'TABLE' THEN has_table_privilege('aiops_client', o.signature, 'SELECT')
            ELSE has_sequence_privilege('aiops_client', o.signature, 'USAGE, SELECT, UPDATE') END AS it_may) AS given
        WHERE given.it_may <> EXISTS (
            SELECT FROM role_right AS r WHERE r.role_name = 'aiops_client' AND r.object_name = o.object_name)
        """
    ).fetchall()
    assert differs == []
    writable = owner.execute(
        f"SELECT o.signature FROM {OURS} WHERE o.kind = 'TABLE'"
        " AND has_table_privilege('aiops_client', o.signature, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES')"
    ).fetchall()
    assert writable == []
    columns = owner.execute(
        f"SELECT o.object_name, c.attname FROM {OURS} JOIN pg_attribute AS c ON c.attrelid = o.signature::regclass"
        " WHERE o.kind = 'TABLE' AND c.attnum > 0 AND NOT c.attisdropped"
        " AND has_column_privilege('aiops_client', c.attrelid, c.attnum, 'INSERT, UPDATE, REFERENCES') ORDER BY 2"
    ).fetchall()
    assert columns == [("batch_jobs", "input_params"), ("batch_jobs", "job_type")]


def test_what_has_the_owners_rights_has_a_search_path_of_its_own(owner):
    crossing = owner.execute("SELECT proname, proconfig FROM pg_proc WHERE prosecdef ORDER BY proname").fetchall()
    path = ["search_path=pg_catalog, public, pg_temp"]
    assert crossing == [
        (name, path) for (name,) in owner.execute("SELECT function_name FROM crossing_function ORDER BY 1").fetchall()
    ]


def test_no_view_and_no_policy_lends_more(owner):
    (odd,) = owner.execute(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'"
        " AND relname NOT IN (SELECT object_name FROM role_right WHERE role_name = 'aiops_client')"
    ).fetchone()
    assert odd == 0, "a view that clients cannot read: add it to role_right, or say here why not"


# --- what a client may do -------------------------------------------------------------------------------------


ASKING = {
    "insert": f"INSERT INTO batch_jobs (job_type, input_params) VALUES ('ondemand_risk_calculation', '{question()}')"
    " RETURNING batch_id",
    "insert with defaults": "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id",
    "request_risk": "SELECT request_risk(37.5665, 126.9780, risk_types => '{extreme_heat,typhoon}', scenario => 'ssp245',"  # noqa: E501
    " target_year => 2050)",
    "start_batch": "SELECT start_batch('probability')",
    "start_batch with parameters": """SELECT start_batch('hazard', '{"risk_types": ["drought"]}')""",
    "copy": "",
}


@pytest.mark.parametrize("way", ASKING)
def test_a_client_asks_in_every_way_and_it_is_put_on_the_queue_in_its_name(way, as_, accounts):
    client = as_("client")
    if way == "copy":
        with client.cursor().copy("COPY batch_jobs (job_type, input_params) FROM STDIN") as copy:
            copy.write_row(("ondemand_risk_calculation", question()))
        (batch_id,) = client.execute("SELECT batch_id FROM batch_jobs").fetchone()
    else:
        (batch_id,) = client.execute(ASKING[way]).fetchone()
    row = "SELECT created_by, status, progress FROM batch_jobs WHERE batch_id = %s"
    assert client.execute(row, (batch_id,)).fetchone() == (name_of(accounts["client"]), "queued", 0)
    assert client.execute("SELECT status FROM batch_status(%s)", (batch_id,)).fetchone() == ("queued",)
    client.commit()
    owner = as_("owner", autocommit=True)
    jobs = owner.execute("SELECT args FROM procrastinate_jobs").fetchall()
    owner.execute("DELETE FROM procrastinate_jobs; DELETE FROM batch_jobs")
    assert jobs == [({"batch_id": str(batch_id)},)]


def test_a_portfolio_is_asked_for_by_a_client(client):
    sites = json.dumps([{"latitude": SEOUL[0], "longitude": SEOUL[1]}])
    (batch_id,) = client.execute("SELECT request_risk_many(%s)", (sites,)).fetchone()
    assert client.execute("SELECT status FROM batch_status(%s)", (batch_id,)).fetchone() == ("queued",)
    assert client.execute("SELECT status FROM portfolio_results(%s)", (batch_id,)).fetchall() == [("waiting",)]


def test_what_is_wrong_is_refused_to_a_client_by_the_fields_name(client):
    error = refused(client, "SELECT request_risk(1, 127)", error=InvalidParameterValue)
    assert error.diag.column_name == "latitude"
    error = refused(client, "SELECT start_batch('hazard', '{\"cells\": [0]}')", error=InvalidParameterValue)
    assert error.diag.column_name == "cells"


def test_a_client_reads_all_that_it_may_read(client, owner):
    readable = owner.execute(
        "SELECT object_name FROM role_right WHERE role_name = 'aiops_client' AND may = 'read'"
    ).fetchall()
    for (name,) in readable:
        client.execute(sql.SQL("SELECT * FROM {} LIMIT 1").format(sql.Identifier(name)))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT grid_id_of(37.5665, 126.9780), grid_latitude(1), grid_longitude(1)",
        "SELECT unpack_series(pack_series('{1,2}'))",
        "SELECT * FROM climate_series(1, 'tas', 'historical')",
        "SELECT * FROM risk_history(37.5665, 126.9780)",
        "SELECT * FROM population_of(1)",
        "SELECT * FROM building_near(37.5665, 126.9780, 50)",
        "SELECT canonical_structure('RC'), canonical_use('office'), canonical_risk_type('cold_wave')",
        "SELECT * FROM batch_job_logs ORDER BY started_at DESC LIMIT 10",
        "SELECT * FROM batch_status(gen_random_uuid())",
        "LISTEN aiops_progress",
    ],
)
def test_a_client_calls_what_reads(query, client):
    client.execute(query)


def test_a_client_calls_the_reading_functions_on_data(client, owner):
    """Functions that a view or another function is made of are checked only where rows pass through them."""
    owner.execute(
        "INSERT INTO climate_data (variable, grid_id, scenario, first_year, values) "
        "VALUES ('wsdi', 1, 'historical', 1991, pack_series('{1,2}')); "
        "INSERT INTO hazard_packed (grid_id, risk_type, score, coverage, status, method_version) "
        "VALUES (1, 'drought', array_fill(50.0::float8, '{33}'), array_fill(1::float8, '{33}'),"
        " array_fill(1::smallint, '{33}'), 'x'); "
        "INSERT INTO probability_packed (grid_id, risk_type, damage_set, n_bins, bin_edges, probabilities, damage_rates,"  # noqa: E501
        " aal, aal_low, aal_high, estimator, n_years, status, method_version) "
        "SELECT 1, 'drought', 'calibrated', 2, '{1}', array_fill(0.5::float8, '{66}'), '{0,1}', one, one, one,"
        " array_fill(1::smallint, '{33}'), array_fill(30::smallint, '{33}'), array_fill(1::smallint, '{33}'), 'x' "
        "FROM array_fill(0.5::float8, '{33}') AS one; "
        "INSERT INTO risk_run SELECT gen_random_uuid(), n, NULL, 37.5, 127, 1, 4, '{drought}', 0, NULL, '{}', '{}', '{}',"  # noqa: E501
        " NULL, '{}', NULL, 'x', 'calibrated' FROM generate_series(1, 2) AS n; "
        "INSERT INTO api_buildings (building_id, latitude, longitude) VALUES ('b', 37.5, 127)"
    )
    try:
        assert len(client.execute("SELECT * FROM climate_series(1, 'wsdi', 'historical')").fetchall()) == 2
        assert len(client.execute("SELECT * FROM climate_long WHERE variable = 'wsdi'").fetchall()) == 2
        assert len(client.execute("SELECT * FROM hazard_results WHERE grid_id = 1").fetchall()) == 33
        assert len(client.execute("SELECT * FROM probability_results WHERE grid_id = 1").fetchall()) == 33
        assert len(client.execute("SELECT * FROM risk_history(37.5, 127)").fetchall()) == 2
        assert len(client.execute("SELECT * FROM building_near(37.5, 127.0001, 50)").fetchall()) == 1
    finally:
        owner.execute(
            "DELETE FROM climate_data; DELETE FROM hazard_packed; DELETE FROM probability_packed; DELETE FROM risk_run;"
            " DELETE FROM api_buildings; DELETE FROM location_grid"
        )


def test_a_client_hears_of_the_progress_that_a_worker_makes(as_, asked):
    client = as_("client", autocommit=True)
    client.execute("LISTEN aiops_progress")
    batch_id = asked()
    worker = as_("worker", autocommit=True)
    worker.execute("UPDATE batch_jobs SET status = 'running', progress = 40 WHERE batch_id = %s", (batch_id,))
    (told,) = list(client.notifies(timeout=60, stop_after=1))
    assert json.loads(told.payload) == {
        "batch_id": str(batch_id),
        "status": "running",
        "progress": 40,
        "step": None,
    }


# --- what a client may not do ---------------------------------------------------------------------------------

FORBIDDEN = {
    "set a status": "UPDATE batch_jobs SET status = 'completed', progress = 100, completed_at = now()",
    "ask with a status": "INSERT INTO batch_jobs (job_type, status) VALUES ('test', 'completed')",
    "ask with a progress": "INSERT INTO batch_jobs (job_type, progress) VALUES ('test', 50)",
    "ask in another's name": "INSERT INTO batch_jobs (job_type, created_by) VALUES ('test', 'postgres')",
    "choose a number": "INSERT INTO batch_jobs (batch_id, job_type) VALUES (gen_random_uuid(), 'test')",
    "ask with an answer": "INSERT INTO batch_jobs (job_type, results) VALUES ('test', '{}')",
    "ask as a job": "INSERT INTO batch_jobs (job_type, origin_job_id) VALUES ('hazard', 1)",
    "overwrite on conflict": "INSERT INTO batch_jobs (job_type) VALUES ('test')"
    " ON CONFLICT (batch_id) DO UPDATE SET status = 'failed'",
    "delete a batch": "DELETE FROM batch_jobs",
    "empty a table": "TRUNCATE batch_jobs",
    "lock a table": "LOCK TABLE batch_jobs IN SHARE MODE",
    "lock a row": "SELECT FROM batch_jobs FOR UPDATE",
    "lock a row for a share": "SELECT FROM batch_jobs FOR KEY SHARE",
    "forge a log": "INSERT INTO batch_job_logs (batch_id, job_type, status) SELECT batch_id, 'test', 'x' FROM batch_jobs",  # noqa: E501
    "forge a result": "INSERT INTO risk_results_runs (batch_id, site_no, risk_type, status)"
    " VALUES (gen_random_uuid(), 0, 'drought', 'ok')",
    "change a result": "UPDATE hazard_packed SET score = '{100}'",
    "delete a result": "DELETE FROM probability_packed",
    "speak for a place": "INSERT INTO current_run VALUES (37, 127, 1, gen_random_uuid(), 0)",
    "change what was loaded": "UPDATE climate_data SET first_year = 2000",
    "change a word": "INSERT INTO building_term (field, term, meaning) VALUES ('use', 'x', 'other')",
    "add a job type": "INSERT INTO job_type VALUES ('x', 'risk_chunk', 'compute')",
    "read the addresses": "SELECT webhook FROM request_notification",
    "read the chunks' leases": "SELECT * FROM batch_chunks",
    "pause the schedule": "UPDATE schedule SET paused = true",
    "forge the ledger": "INSERT INTO scheduled_runs VALUES ('hazard', now(), gen_random_uuid())",
    "read the queue": "SELECT * FROM procrastinate_jobs",
    "put a job there": "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('compute', 'risk_chunk')",
    "end a job": "UPDATE procrastinate_jobs SET status = 'succeeded'",
    "read the queue's events": "SELECT * FROM procrastinate_events",
    "be a worker": "INSERT INTO procrastinate_workers DEFAULT VALUES",
    "use the queue's numbers": "SELECT nextval('procrastinate_jobs_id_seq')",
    "give itself a right": "INSERT INTO role_right VALUES ('aiops_client', 'read', 'request_notification')",
    "have a function lent": "INSERT INTO crossing_function VALUES ('fail_request')",
    "defer": "SELECT procrastinate_defer_jobs_v1('{}')",
    "fetch": "SELECT procrastinate_fetch_job_v2('{compute}', 1)",
    "finish a job": "SELECT procrastinate_finish_job_v1(1, 'succeeded', false)",
    "cancel a job": "SELECT procrastinate_cancel_job_v1(1, true, true)",
    "retry a job": "SELECT procrastinate_retry_job_v2(1, now(), NULL, NULL, NULL)",
    "register": "SELECT procrastinate_register_worker_v1()",
    "beat another's heart": "SELECT procrastinate_update_heartbeat_v1(1)",
    "prune workers": "SELECT procrastinate_prune_stalled_workers_v1(0)",
    "enqueue": "SELECT enqueue_job('compute', 'risk_chunk', '{}')",
    "enqueue a batch": "SELECT enqueue_batch(b) FROM batch_jobs AS b",
    "announce": "SELECT announce_job('compute', 1)",
    "plan": "SELECT plan_batch(gen_random_uuid(), 1, 'x', 'calibrated')",
    "claim": "SELECT claim_chunk(gen_random_uuid(), 1, 'x', '1 day')",
    "hold": "SELECT hold_chunk(gen_random_uuid(), 1, 1)",
    "finish": "SELECT finish_chunk(gen_random_uuid(), 1, 1, 0, '{}')",
    "fail": "SELECT fail_chunk(gen_random_uuid(), 1, 1, 'x', 'x', true)",
    "conclude": "SELECT conclude_batch(gen_random_uuid())",
    "begin a request": "SELECT begin_request(gen_random_uuid(), 'x', '1 day', 50, 'x', 'calibrated')",
    "write a step": "CALL write_request_step(gen_random_uuid(), 1, 'aal', 0, 1, '[]')",
    "finish a request": "SELECT finish_request(gen_random_uuid(), 1, '{}', NULL, '[]', '{}', '[]', '[]')",
    "fail a request": "SELECT fail_request(gen_random_uuid(), NULL, 'x', 'x')",
    "answer from another's run": "SELECT answer_from_stored(gen_random_uuid(), gen_random_uuid(), 0)",
    "resume": "SELECT resume_request(gen_random_uuid())",
    "make a batch of a job": "SELECT batch_of_job(1, 'hazard', '{}')",
    "start a due run": "SELECT start_due_run('hazard', now())",
    "define a schedule": "SELECT define_schedule('hazard', 'never')",
    "rescue": "SELECT rescue_jobs('0 s', 0)",
    "reconcile": "SELECT reconcile_batches('0 s')",
    "prune": "SELECT prune_queue('0 s', '0 s')",
    "send": "SELECT queue_notifications(gen_random_uuid())",
    "cancel without being asked": "SELECT cancel_any_batch(gen_random_uuid())",
    "retry without being asked": "SELECT retry_any_batch(gen_random_uuid())",
    "give rights": "SELECT grant_rights()",
    "make a table": "CREATE TABLE public.mine (a int)",
    "make a function": "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql RETURN 1",
    "make a schema": "CREATE SCHEMA mine",
    "silence a trigger": "ALTER TABLE batch_jobs DISABLE TRIGGER batch_jobs_check",
    "replace a function": "CREATE OR REPLACE FUNCTION refuse_anothers_batch(uuid) RETURNS void LANGUAGE sql AS ''",
    "open a function": "ALTER FUNCTION cancel_batch(uuid) RESET search_path",
    "drop a table": "DROP TABLE batch_jobs",
    "be a worker by role": "SET ROLE aiops_worker",
    "be the owner by role": "SET ROLE pg_database_owner",
    "be a replica": "SET session_replication_role = replica",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_a_client_may_not(what, client, owner, asked):
    asked()
    before = everything(owner)
    refused(client, FORBIDDEN[what])
    client.commit()
    assert everything(owner) == before


def test_a_grant_by_a_client_is_without_effect(as_):
    client = as_("client")
    notices = []
    client.add_notice_handler(lambda notice: notices.append(notice.message_primary))
    refused(client, "GRANT aiops_worker TO CURRENT_USER")
    refused(client, "GRANT SELECT ON request_notification TO aiops_client")
    client.execute("GRANT SELECT ON batch_jobs TO PUBLIC")
    assert any("no privileges were granted" in one for one in notices)


def test_a_trigger_function_of_ours_cannot_be_put_on_a_table_of_the_clients(client):
    client.execute("CREATE TEMPORARY TABLE mine (LIKE batch_jobs INCLUDING DEFAULTS)")
    for function in (
        "batch_jobs_enqueue",
        "batch_jobs_check",
        "batch_jobs_tell",
        "procrastinate_notify_queue_abort_job_v1",
    ):
        refused(client, f"CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION {function}()")


def test_whoever_is_a_member_of_nothing_may_do_nothing(as_):
    nobody = as_("nobody")
    for query in (
        "SELECT * FROM batch_jobs",
        "SELECT * FROM risk_results",
        "SELECT * FROM risk_type",
        "INSERT INTO batch_jobs (job_type) VALUES ('hazard')",
        *ASKING.values(),
        "SELECT cancel_batch(gen_random_uuid())",
        "SELECT * FROM batch_status(gen_random_uuid())",
        "SELECT grid_id_of(37, 127)",
        *FORBIDDEN.values(),
    ):
        if query:
            refused(nobody, query)


def test_a_worker_changes_neither_inputs_nor_rights(as_):
    worker = as_("worker")
    for query in (
        "TRUNCATE climate_data",
        "UPDATE climate_data_wsdi SET first_year = 2000",
        "UPDATE location_grid SET has_climate = false",
        "INSERT INTO risk_type SELECT * FROM risk_type",
        "UPDATE job_type SET task = 'x'",
        "UPDATE api_buildings SET floors = 1",
        "DELETE FROM schema_migrations",
        "INSERT INTO role_right VALUES ('aiops_client', 'read', 'request_notification')",
        "INSERT INTO crossing_function VALUES ('fail_request')",
        "TRUNCATE batch_jobs",
        "SELECT grant_rights()",
        "SELECT make_roles()",
        "CREATE TABLE public.mine (a int)",
        "SELECT setval('procrastinate_jobs_id_seq', 1)",
        "ALTER TABLE batch_jobs DISABLE TRIGGER ALL",
    ):
        refused(worker, query)


def test_a_worker_takes_rescues_and_prunes_what_clients_ask_for(as_, asked):
    """What the daemon calls in its loops, with something to find."""
    batch_id = asked(notify={"webhook": WEBHOOK})
    worker = as_("worker", autocommit=True)
    fetch = "SELECT id FROM procrastinate_fetch_job_v2('{ondemand}', NULL)"
    (job_id,) = worker.execute(fetch).fetchone()
    rescued = worker.execute("SELECT job_id, outcome FROM rescue_jobs('1 s', 5)").fetchall()
    assert rescued == [(job_id, "handed back")]
    assert worker.execute(fetch).fetchone() == (job_id,)
    begin = "SELECT outcome, attempt FROM begin_request(%s, 'me', '1 min', 50, 'x', 'calibrated')"
    assert worker.execute(begin, (batch_id,)).fetchone() == ("no_data", 1)
    assert worker.execute("SELECT fail_request(%s, 1, 'no data', NULL)", (batch_id,)).fetchone() == (True,)
    worker.execute("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (job_id,))
    worker.execute("SELECT * FROM reconcile_batches('0 s')")
    worker.execute("DELETE FROM procrastinate_jobs WHERE task_name = 'send_webhook'")
    worker.execute("SELECT webhook FROM request_notification")
    assert worker.execute("SELECT jobs FROM prune_queue('0 s', '1 day')").fetchone() == (1,)


# --- another's batch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("function", ["cancel_batch", "retry_batch"])
@pytest.mark.parametrize("status", ["queued", "running", "failed"])
def test_another_clients_batch_is_refused_with_the_reason_and_is_not_held_up(function, status, as_, accounts, asked):
    batch_id = asked()
    owner = as_("owner", autocommit=True)
    owner.execute(
        "UPDATE batch_jobs SET status = %(to)s, completed_at = CASE WHEN %(to)s = 'failed' THEN now() END",
        {"to": status},
    )
    before = everything(owner)
    another = as_("another")
    another.execute("SELECT FROM batch_jobs")
    error = refused(another, f"SELECT {function}(%s)", batch_id)
    mine, its = name_of(accounts["another"]), name_of(accounts["client"])
    assert f"batch {batch_id} was asked for by {its}, not by {mine}" in str(error)
    assert "may cancel and retry it" in error.diag.message_hint
    # Its transaction is still open: it must hold nothing.
    assert another.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    owner.execute("SELECT FROM batch_jobs WHERE batch_id = %s FOR UPDATE NOWAIT", (batch_id,)).fetchone()
    assert everything(owner) == before


def test_another_role_put_on_does_not_make_another_of_oneself(as_, accounts, asked):
    batch_id = asked()
    another = as_("another")
    another.execute("SET ROLE aiops_client")
    refused(another, "SELECT cancel_batch(%s)", batch_id)
    refused(another, sql.SQL("SET SESSION AUTHORIZATION {}").format(sql.Identifier(name_of(accounts["client"]))))


def test_a_client_cancels_and_retries_its_own(as_, asked):
    client, owner = as_("client", autocommit=True), as_("owner", autocommit=True)
    first, second = asked(), asked(scenario="ssp585")
    assert client.execute("SELECT cancel_batch(%s)", (first,)).fetchone() == (True,)
    assert client.execute("SELECT cancel_batch(%s)", (first,)).fetchone() == (False,)
    owner.execute("DELETE FROM procrastinate_jobs")
    owner.execute("UPDATE batch_jobs SET status = 'failed', completed_at = now() WHERE batch_id = %s", (second,))
    assert client.execute("SELECT retry_batch(%s)", (second,)).fetchone() == (1,)
    status = "SELECT status FROM batch_jobs WHERE batch_id = %s"
    assert client.execute(status, (first,)).fetchone() == ("cancelled",)
    assert client.execute(status, (second,)).fetchone() == ("queued",)
    assert owner.execute("SELECT args FROM procrastinate_jobs").fetchall() == [({"batch_id": str(second)},)]


@pytest.mark.parametrize("account", ["worker", "owner"])
def test_a_worker_and_the_owner_cancel_anybodys(account, as_, asked):
    batch_id = asked()
    one = as_(account, autocommit=True)
    assert one.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
    assert one.execute("SELECT retry_batch(%s)", (batch_id,)).fetchone() == (0,)


def test_a_batch_that_does_not_exist_is_answered_as_before(client):
    assert client.execute("SELECT cancel_batch(gen_random_uuid())").fetchone() == (False,)
    refused(client, "SELECT retry_batch(gen_random_uuid())", error=NoDataFound)


# --- secrets, forged notifications ----------------------------------------------------------------------------


def test_where_another_is_told_is_nowhere_to_be_read(as_, owner, asked):
    batch_id = asked(notify={"webhook": WEBHOOK, "email": "secret-name@example.org"})
    assert owner.execute("SELECT webhook FROM request_notification").fetchall() == [(WEBHOOK,)]
    another = as_("another")
    another.execute("SELECT * FROM batch_status(%s)", (batch_id,))
    readable = "SELECT object_name FROM role_right WHERE role_name = 'aiops_client' AND may = 'read'"
    for (name,) in owner.execute(readable).fetchall():
        query = "SELECT count(*) FROM {} AS t WHERE to_jsonb(t)::text LIKE '%secret-%'"
        assert another.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone() == (0,), name
    (params,) = another.execute("SELECT input_params FROM batch_jobs WHERE batch_id = %s", (batch_id,)).fetchone()
    assert sorted(params["notify"]) == ["email", "webhook"]


def test_a_forged_word_of_progress_changes_no_progress(as_, owner, asked):
    batch_id = asked()
    forged = json.dumps({"batch_id": str(batch_id), "status": "completed", "progress": 100, "step": None})
    as_("another", autocommit=True).execute("SELECT pg_notify('aiops_progress', %s)", (forged,))
    assert owner.execute("SELECT status, progress FROM batch_jobs").fetchall() == [("queued", 0)]


# --- the search path ------------------------------------------------------------------------------------------

TRAPS = {
    # what ours call, and what they are called with
    "normalise_job_params(text, jsonb)": "jsonb",
    "normalise_batch_params(jsonb)": "jsonb",
    "normalise_request_params(jsonb)": "jsonb",
    "first_duplicate_key(json)": "text",
    "job_input_hash(text, jsonb)": "text",
    "refuse_parameter(text, text, text)": "void",
    "refuse_anothers_batch(uuid)": "void",
    "refuse_second_active_batch(uuid, text)": "void",
    "cancel_any_batch(uuid)": "boolean",
    "retry_any_batch(uuid)": "integer",
    "enqueue_batch(public.batch_jobs)": "bigint",
    "enqueue_job(text, text, jsonb, integer, text)": "bigint",
    "queue_notifications(uuid)": "void",
    "procrastinate_defer_jobs_v1(public.procrastinate_job_to_defer_v1[])": "bigint[]",
    "batch_families(text)": "text[]",
    "request_number(text, jsonb, numeric, numeric, text, boolean)": "numeric",
    # and what comes with the server
    "jsonb_typeof(jsonb)": "text",
    "jsonb_build_object(text, uuid)": "jsonb",
    "to_jsonb(double precision)": "jsonb",
    "lower(text)": "text",
    "encode(bytea, text)": "text",
    "hashtext(text)": "integer",
    "clock_timestamp()": "timestamptz",
    "now()": "timestamptz",
    "pg_advisory_xact_lock(integer, integer)": "void",
    "pg_notify(text, text)": "void",
    "pg_has_role(name, oid, text)": "boolean",
    "text_equal(text, text)": "boolean",
}
TABLES = (
    "batch_jobs",
    "batch_chunks",
    "job_type",
    "risk_type",
    "scenario",
    "horizon",
    "building_term",
    "request_notification",
    "procrastinate_jobs",
    "batch_job_logs",
)


@pytest.fixture
def trapper(as_, accounts):
    """A client with a schema of its own, first in its path: functions, an operator, tables named as ours."""
    owner = as_("owner", autocommit=True)
    me = sql.Identifier(name_of(accounts["another"]))
    owner.execute(sql.SQL("CREATE SCHEMA trap AUTHORIZATION {}").format(me))
    another = as_("another", autocommit=True)
    another.execute("CREATE TABLE trap.caught (name text, by_user text)")
    another.execute("GRANT USAGE ON SCHEMA trap TO PUBLIC")
    another.execute("GRANT INSERT ON trap.caught TO PUBLIC")
    for signature, returns in TRAPS.items():
        name = signature.split("(", maxsplit=1)[0]
        result = "" if returns == "void" else f"RETURN NULL::{returns};"
        another.execute(
            f"CREATE FUNCTION trap.{signature} RETURNS {returns} LANGUAGE plpgsql AS $$ BEGIN"
            f" INSERT INTO trap.caught VALUES ('{name}', current_user); {result} END $$"
        )
        another.execute(f"GRANT EXECUTE ON FUNCTION trap.{signature} TO PUBLIC")
    another.execute("CREATE OPERATOR trap.= (LEFTARG = text, RIGHTARG = text, FUNCTION = trap.text_equal)")
    for name in TABLES:
        another.execute(f"CREATE TEMPORARY TABLE {name} (batch_id uuid, job_type text, status text)")
    another.execute("SET search_path = trap, pg_temp, public, pg_catalog")
    yield another
    another.close()
    owner.execute("DROP SCHEMA trap CASCADE; DELETE FROM public.batch_jobs; DELETE FROM public.procrastinate_jobs")


def caught(connection):
    return connection.execute("SELECT name, by_user FROM trap.caught").fetchall()


def test_the_trap_itself_works(trapper, accounts):
    trapper.execute("SELECT lower('X'::text)")
    assert caught(trapper) == [("lower", name_of(accounts["another"]))]


@pytest.mark.parametrize(
    "query",
    [
        f"INSERT INTO public.batch_jobs (job_type, input_params) VALUES ('ondemand_risk_calculation', '{question()}')",
        "SELECT public.request_risk(37.5665, 126.9780)",
        "SELECT public.start_batch('hazard')",
        """SELECT public.start_batch('hazard', '{"risk_types": ["drought"], "scenarios": ["ssp2"]}')""",
    ],
)
def test_what_stands_first_in_a_clients_path_is_not_what_ours_call(query, trapper, owner):
    trapper.execute(query)
    assert caught(owner) == []
    assert owner.execute("SELECT count(*) FROM batch_jobs").fetchone() == (1,)
    assert owner.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)
    assert trapper.execute("SELECT count(*) FROM pg_temp.procrastinate_jobs").fetchone() == (0,)


def test_the_check_of_what_is_asked_cannot_be_replaced(trapper, owner):
    refused(trapper, "INSERT INTO public.batch_jobs (job_type) VALUES ('x')", error=InvalidParameterValue)
    refused(trapper, "SELECT public.request_risk(1, 1)", error=InvalidParameterValue)
    assert caught(owner) == []


def test_the_question_whose_a_batch_is_cannot_be_replaced(trapper, owner, asked):
    batch_id = asked()
    for function in ("cancel_batch", "retry_batch"):
        refused(trapper, f"SELECT public.{function}('{batch_id}')")
    assert caught(owner) == []
    assert owner.execute("SELECT status FROM batch_jobs").fetchall() == [("queued",)]


def test_cancelling_ones_own_ends_what_is_really_there(trapper, owner):
    (batch_id,) = trapper.execute("SELECT public.start_batch('hazard')").fetchone()
    assert trapper.execute(f"SELECT public.cancel_batch('{batch_id}')").fetchone() == (True,)
    assert caught(owner) == []
    assert owner.execute("SELECT status FROM batch_jobs").fetchall() == [("cancelled",)]


# --- making the roles, and later migrations -------------------------------------------------------------------


@contextmanager
def new_databases(server, *names, owner=None):
    """Empty databases; their connection strings."""
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as admin:
        try:
            for name in names:
                admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
                if owner:
                    admin.execute(
                        sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner))
                    )
            yield [make_conninfo(server.conninfo, dbname=name) for name in names]
        finally:
            for name in names:
                admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def server_without_the_roles(server):
    """The server as it was before anybody made the roles: they have other names meanwhile."""
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as admin:
        for role in ROLES:
            admin.execute(f"ALTER ROLE {role} RENAME TO {role}_away")
        try:
            yield admin
        finally:
            for role in ROLES:
                admin.execute(f"DROP ROLE IF EXISTS {role}")
                admin.execute(f"ALTER ROLE {role}_away RENAME TO {role}")


def rights(conninfo):
    with psycopg.connect(conninfo) as own:
        return own.execute(
            "SELECT has_table_privilege('aiops_client', 'batch_jobs', 'SELECT'),"
            " has_column_privilege('aiops_client', 'batch_jobs', 'job_type', 'INSERT'),"
            " has_table_privilege('aiops_client', 'procrastinate_jobs', 'SELECT'),"
            " has_table_privilege('aiops_worker', 'procrastinate_jobs', 'DELETE'),"
            " has_function_privilege('aiops_client', 'request_risk_many(json,text[],text,integer,float8,boolean,jsonb)',"  # noqa: E501
            " 'EXECUTE')"
        ).fetchone()


AS_THEY_SHOULD_BE = (True, True, False, True, True)


def test_databases_that_are_migrated_at_once_do_not_fail_each_other(server, migrated_server):
    names = [f"at_once_{n}" for n in range(4)]
    for _ in range(3):
        with server_without_the_roles(server), new_databases(server, *names) as databases:
            errors = []
            start = threading.Barrier(len(databases))

            def migrate(conninfo, errors=errors, start=start):
                try:
                    with psycopg.connect(conninfo, autocommit=True) as own:
                        start.wait()
                        errors.extend(apply_schema(own).notes)
                except Exception as error:  # noqa: BLE001
                    errors.append(error)

            threads = [threading.Thread(target=migrate, args=(one,)) for one in databases]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert errors == []
            assert [rights(one) for one in databases] == [AS_THEY_SHOULD_BE] * 4


def test_two_that_make_the_roles_at_the_same_moment_wait_for_each_other(server, migrated_server):
    with (
        server_without_the_roles(server),
        copied_database(migrated_server, server, "first_to_make") as one,
        copied_database(migrated_server, server, "second_to_make") as two,
        psycopg.connect(one) as first,
        psycopg.connect(two) as second,
    ):
        first.execute("SELECT make_roles()")  # and does not commit yet
        made = threading.Thread(target=second.execute, args=("SELECT grant_rights()",))
        made.start()
        waits = "SELECT pg_blocking_pids(%s) = ARRAY[pg_backend_pid()]"
        wait_for(lambda: not made.is_alive() or first.execute(waits, (second.info.backend_pid,)).fetchone()[0])
        assert made.is_alive(), "it does not wait for the other"
        first.commit()
        made.join(120)
        second.commit()
        assert rights(two) == AS_THEY_SHOULD_BE


def test_whoever_may_not_make_roles_is_told_and_goes_on(server, migrated_server):
    with server_without_the_roles(server) as admin:
        admin.execute("CREATE ROLE plain_owner LOGIN PASSWORD 'throw-away'")
        try:
            with new_databases(server, "plainly_owned", owner="plain_owner") as (conninfo,):
                plain = make_conninfo(conninfo, user="plain_owner", password="throw-away")
                with psycopg.connect(plain, autocommit=True) as own:
                    notes = apply_schema(own).notes
                    assert [note.split(".")[0] for note in notes] == [
                        f"the role {role} does not exist, and plain_owner may not create it" for role in ROLES
                    ]
                    assert "CREATE ROLE aiops_client NOLOGIN" in notes[0]
                    assert "aiops db migrate" in notes[0]
                    # The owner works without them…
                    (batch_id,) = own.execute("SELECT start_batch('hazard')").fetchone()
                    assert own.execute("SELECT cancel_batch(%s)", (batch_id,)).fetchone() == (True,)
                    # …and PUBLIC has no right anyway.
                    (open_to_all,) = own.execute(
                        f"SELECT count(*) FROM {OURS} WHERE o.kind = 'ROUTINE'"
                        " AND has_function_privilege('public', o.signature::regprocedure, 'EXECUTE')"
                    ).fetchone()
                    assert open_to_all == 0
                    for role in ROLES:
                        admin.execute(f"CREATE ROLE {role} NOLOGIN")
                    again = apply_schema(own)
                    assert (again.applied, again.notes) == ((), ())
                assert rights(plain) == AS_THEY_SHOULD_BE
                with login(conninfo, "aiops_client") as client, psycopg.connect(client) as asks:
                    ask(asks)
                    refused(asks, FORBIDDEN["set a status"])
        finally:
            admin.execute("DROP ROLE plain_owner")


LATER = """
CREATE FUNCTION later() RETURNS integer LANGUAGE sql RETURN 1;
CREATE TABLE later_table (a integer);
CREATE OR REPLACE FUNCTION start_batch(job_type text, input_params jsonb DEFAULT '{}') RETURNS uuid
LANGUAGE sql AS 'SELECT NULL::uuid';
CREATE FUNCTION procrastinate_later_v9() RETURNS integer LANGUAGE sql RETURN 1;
"""


def test_what_a_later_migration_makes_is_closed_and_what_it_replaces_is_guarded_again(
    migrated_server, server, monkeypatch
):
    later = (*all_migrations(), Migration("aiops", "9997_later.sql", LATER, frozen=True))
    monkeypatch.setattr(schema, "all_migrations", lambda: later)
    may = (
        "SELECT has_function_privilege(%(role)s, 'later()', 'EXECUTE'),"
        " has_function_privilege(%(role)s, 'procrastinate_later_v9()', 'EXECUTE'),"
        " has_table_privilege(%(role)s, 'later_table', 'INSERT')"
    )
    guarded = "SELECT prosecdef, proconfig IS NOT NULL FROM pg_proc WHERE proname = 'start_batch'"
    with (
        copied_database(migrated_server, server, "later") as own,
        psycopg.connect(own, autocommit=True) as connection,
    ):
        with connection.transaction(force_rollback=True):
            # Even before the rights are given anew, and if they never are.
            connection.execute(LATER)
            assert connection.execute(may, {"role": "aiops_client"}).fetchone() == (False, False, False)
            assert connection.execute(guarded).fetchone() == (False, False)
        assert apply_schema(connection).applied == ("aiops/9997_later.sql",)
        assert connection.execute(may, {"role": "aiops_client"}).fetchone() == (False, False, False)
        assert connection.execute(may, {"role": "aiops_worker"}).fetchone() == (True, True, True)
        assert connection.execute(guarded).fetchone() == (True, True)


def test_what_others_put_into_the_schema_keeps_its_rights(migrated_server, server):
    with (
        copied_database(migrated_server, server, "shared_schema") as own,
        psycopg.connect(own, autocommit=True) as owner,
        login(own) as other,
    ):
        owner.execute(sql.SQL("GRANT CREATE ON SCHEMA public TO {}").format(sql.Identifier(name_of(other))))
        with psycopg.connect(other, autocommit=True) as theirs:
            theirs.execute("CREATE FUNCTION theirs() RETURNS integer LANGUAGE sql RETURN 1")
            theirs.execute("CREATE TABLE their_table (a integer)")
        owner.execute("SELECT grant_rights()")
        assert owner.execute(
            "SELECT has_function_privilege('public', 'theirs()', 'EXECUTE'),"
            " has_table_privilege('aiops_worker', 'their_table', 'SELECT')"
        ).fetchone() == (True, False)
