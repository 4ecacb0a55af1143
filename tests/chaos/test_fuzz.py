"""Whatever comes in is taken, or refused by its name: requests, notifications, files. Never an internal error.

AIOPS_FUZZ_CASES is how many of each (200 unless set); AIOPS_SEED repeats a run.
"""

from __future__ import annotations

import asyncio
import json
import os

import psycopg
import pytest
from asking import copied_database, write_inputs
from fuzzed_files import FORMATS, damaged
from fuzzed_json import anything, deep, or_anything, portfolios, requests, yearly_batches
from hypothesis import HealthCheck, Phase, event, given, seed, settings
from hypothesis import strategies as st
from psycopg_pool import AsyncConnectionPool

from aiops.errors import BadInput
from chaos.conftest import SEED
from workers.listener import JOBS, Listener, parse_payload

pytestmark = pytest.mark.chaos

CASES = int(os.environ.get("AIOPS_FUZZ_CASES", "200"))
YEARLY = "('probability', 'hazard', 'assessment', 'indicators')"


def fuzzed(cases=CASES):
    """So many examples, from the run's seed, as long as each may take; a failure is shown at its smallest."""

    def decorate(test):
        return seed(SEED)(
            settings(
                max_examples=cases,
                deadline=None,
                database=None,
                print_blob=True,
                phases=(Phase.generate, Phase.shrink),
                suppress_health_check=list(HealthCheck),
            )(test)
        )

    return decorate


# --- parameters -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def connection(migrated_server, server):
    """A database of the module's own; every case is rolled back."""
    with copied_database(migrated_server, server, "fuzz") as own, psycopg.connect(own, autocommit=True) as connection:
        yield connection


def tried(connection, query, *parameters):
    """What a query says, or the error that it ends with; nothing of it stays."""
    try:
        with connection.transaction(force_rollback=True):
            return connection.execute(query, parameters).fetchone()
    except psycopg.Error as error:
        return error


def is_json(connection, text):
    return not isinstance(tried(connection, "SELECT %s::json::jsonb", text), psycopg.Error)


def refused_by_name(connection, text, error):
    """Whether a refusal is what it should be: by the field's name, or else because there is no such JSON at all."""
    if error.sqlstate == "22023":
        event("refused by name")
        named = error.diag.column_name is not None or error.diag.message_primary.startswith("input_params: ")
        return named and "allowed: " in error.diag.message_primary
    event(f"refused as JSON: {error.sqlstate}")
    return error.sqlstate is not None and error.sqlstate[:2] in {"22", "54"} and not is_json(connection, text)


def has_a_key_twice(text):
    twice = []

    def pairs(found):
        keys = [key for key, _ in found]
        twice.append(len(set(keys)) < len(keys))
        return dict(found)

    json.loads(text, object_pairs_hook=pairs)
    return any(twice)


def check(connection, job_type, normalise, text):
    """One text as the parameters of a job: by the validator, and by INSERT."""
    made = tried(connection, f"SELECT {normalise}(%s::json::jsonb)::text, clock_timestamp()", text)
    asked = tried(
        connection,
        "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s::json) RETURNING input_params, input_hash",
        job_type,
        text,
    )
    if isinstance(made, psycopg.Error):
        assert refused_by_name(connection, text, made), made
        assert isinstance(asked, psycopg.Error)
        assert refused_by_name(connection, text, asked), asked
        return
    again = tried(connection, f"SELECT {normalise}(%s::jsonb)::text", made[0])
    assert not isinstance(again, psycopg.Error), again
    assert again[0] == made[0], "its normal form has another normal form"
    if has_a_key_twice(text):
        event("refused for a key that stands twice")
        assert isinstance(asked, psycopg.Error)
        assert refused_by_name(connection, text, asked), asked
        assert "twice" in asked.diag.message_primary
        return
    event("taken")
    assert not isinstance(asked, psycopg.Error), asked
    assert asked[0] == json.loads(made[0])
    twin = tried(
        connection,
        "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s::json) RETURNING input_hash",
        job_type,
        made[0],
    )
    assert twin[0] == asked[1], "what asks the same has another hash"


@fuzzed()
@given(text=or_anything(requests))
def test_a_request_is_taken_or_refused_by_name(connection, text):
    check(connection, "ondemand_risk_calculation", "normalise_request_params", text)


@fuzzed()
@given(text=or_anything(portfolios))
def test_a_portfolio_is_taken_or_refused_by_name(connection, text):
    check(connection, "portfolio_risk_calculation", "normalise_portfolio_params", text)


@fuzzed()
@given(job_type=st.sampled_from(["probability", "hazard", "assessment"]), text=or_anything(yearly_batches))
def test_a_yearly_batch_is_taken_or_refused_by_name(connection, job_type, text):
    check(connection, job_type, "normalise_batch_params", text)


@fuzzed(max(20, CASES // 4))
@given(
    job_type=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), text=st.one_of(anything, deep)
)
def test_a_job_type_that_there_is_not_is_refused_by_name(connection, job_type, text):
    done = tried(connection, "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s::json)", job_type, text)
    assert isinstance(done, psycopg.Error)
    assert done.sqlstate == "22023" or not is_json(connection, text), done


# --- notifications --------------------------------------------------------------------------------------------

MOST_BYTES = 7_999
"""Of a NOTIFY's payload."""
payloads = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    or_anything(yearly_batches),
    st.tuples(st.sampled_from(JOBS), or_anything(yearly_batches)).map(
        lambda asked: '{"job":"' + asked[0] + '",' + asked[1][1:] if asked[1][:1] == "{" else asked[1]
    ),
    st.sampled_from(JOBS).map(" {}\n".format),
).filter(lambda payload: len(payload.encode()) <= MOST_BYTES)


@pytest.fixture(scope="module")
def heard(migrated_server, server):
    """Let a listener act on a payload, on a database of its own; the yearly batches that were started by it."""
    with (
        copied_database(migrated_server, server, "fuzz_listener") as own,
        asyncio.Runner() as runner,
        psycopg.connect(own, autocommit=True) as watcher,
    ):

        async def start():
            pool = AsyncConnectionPool(own, min_size=1, max_size=1, open=False)
            await pool.open(wait=True)
            return pool

        pool = runner.run(start())
        listener = Listener(pool)

        def act(payload):
            runner.run(listener._act(payload))
            started = watcher.execute(f"SELECT job_type IN {YEARLY}, created_by FROM batch_jobs").fetchall()
            if started:
                watcher.execute("DELETE FROM batch_jobs; DELETE FROM procrastinate_jobs")
            return started

        yield act
        runner.run(pool.close())


@fuzzed()
@given(payload=payloads)
def test_a_payload_starts_one_yearly_batch_or_is_refused(heard, payload):
    try:
        job, params = parse_payload(payload)
    except BadInput as error:
        assert "allowed: " in str(error)  # noqa: PT017
        assert heard(payload) == []
        return
    assert job in JOBS
    assert isinstance(params, dict)
    started = heard(payload)  # an error would end the listening session
    event(f"started: {len(started)}")
    assert len(started) <= 1
    assert all(is_yearly for is_yearly, _ in started)


# --- files ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def loading(migrated_server, server, tmp_path_factory):
    """Load bytes as a file of some format, beside data that are there; nothing of it stays."""
    folder = tmp_path_factory.mktemp("fuzz")
    with copied_database(migrated_server, server, "fuzz_files") as own, psycopg.connect(own) as connection:
        write_inputs(connection, 1)

        def load(one, contents, name):
            path = folder / name
            path.write_bytes(contents)
            try:
                return one.load(connection, path, folder)
            finally:
                connection.rollback()

        yield load


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_an_undamaged_file_is_loaded_whole(loading, one):
    report = loading(one, one.contents(), one.file_name)
    assert report.rows_read > 0
    assert report.rows_refused == 0


@pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.name)
def test_a_damaged_file_is_reported_on_or_refused(loading, one):
    @fuzzed(max(15, CASES // len(FORMATS)))
    @given(file=damaged(one))
    def load(file):
        name, contents = file
        try:
            report = loading(one, contents, name)
        except BadInput as error:
            event("refused")
            assert "\n" not in str(error)  # noqa: PT017
            assert name in str(error)  # noqa: PT017
        else:
            event("loaded")
            assert 0 <= report.rows_refused <= report.rows_read
            for line in report.lines():
                assert "\n" not in line

    load()
