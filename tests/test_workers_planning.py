"""Planning that cannot be done ends the batch, by name, once; what merely disturbs it does not."""

from __future__ import annotations

import asyncio

import pytest
from climate import write_climate

from aiops.settings import settings
from workers.queue import app

RESCUE = "SELECT task_name, outcome FROM rescue_jobs('20 seconds', 5)"
BROKEN = """
CREATE OR REPLACE FUNCTION {name}({arguments}) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    RAISE 'no plan can be made' USING ERRCODE = '{code}';
END
$$"""
WEBHOOK = '{"webhook": "https://example.org/hook"}'


@pytest.fixture
def work(database, monkeypatch):
    """Take the planning jobs that are due, in this process, until there are none."""
    monkeypatch.setenv("DATABASE_URL", database)
    settings.cache_clear()

    async def worker():
        async with app.open_async():
            await app.run_worker_async(
                queues=["control"], wait=False, listen_notify=False, install_signal_handlers=False
            )

    return lambda: asyncio.run(worker())


def break_planning(connection, name, code):
    """From now on it raises this error."""
    (arguments,) = connection.execute(
        "SELECT pg_get_function_arguments(oid) FROM pg_proc WHERE proname = %s", (name,)
    ).fetchone()
    connection.execute(BROKEN.format(name=name, arguments=arguments, code=code))
    connection.commit()


def batch_of(connection):
    row = connection.execute("SELECT status, error_message, error_stack_trace, tries FROM batch_jobs").fetchone()
    connection.commit()
    return row


def test_what_will_fail_again_ends_the_batch_and_is_logged(connection, work):
    write_climate(connection, cells=(1,))
    break_planning(connection, "plan_batch", "data_exception")
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
    connection.commit()
    work()
    status, error, trace, _ = batch_of(connection)
    assert (status, error) == (
        "failed",
        "DataException: no plan can be made CONTEXT: " + error.partition("CONTEXT: ")[2],
    )
    assert "Traceback" in trace
    assert connection.execute("SELECT status FROM batch_job_logs").fetchall() == [("failed",)]
    connection.execute("UPDATE batch_jobs SET updated_at = now() - interval '1 hour'")
    assert connection.execute("SELECT * FROM reconcile_batches('20 seconds')").fetchall() == [], "nobody queues it anew"
    assert connection.execute("SELECT retry_batch(batch_id) FROM batch_jobs").fetchone() == (1,)


def test_a_portfolio_that_cannot_be_planned_is_told(connection, work):
    break_planning(connection, "plan_portfolio", "data_exception")
    site = '[{"latitude": 37.5, "longitude": 127}]'
    connection.execute("SELECT request_risk_many(%s, notify => %s)", (site, WEBHOOK))
    connection.commit()
    work()
    assert batch_of(connection)[0] == "failed"
    queued = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhook'").fetchone()
    assert queued == (1,)


def test_what_the_server_does_is_waited_out(connection, work):
    write_climate(connection, cells=(1,))
    break_planning(connection, "plan_batch", "lock_not_available")
    connection.execute("INSERT INTO batch_jobs (job_type) VALUES ('hazard')")
    connection.commit()
    for _ in range(10):
        work()
        connection.execute("UPDATE procrastinate_jobs SET scheduled_at = NULL")
        connection.commit()
    assert batch_of(connection)[0] == "queued"
    assert connection.execute("SELECT attempts FROM procrastinate_jobs").fetchall() == [(10,)]


def lose_the_job(connection):
    """Take the job as a worker that fell silent a minute ago."""
    connection.execute(
        "WITH w AS (INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - interval '1 minute')"
        " RETURNING id) SELECT procrastinate_fetch_job_v2(NULL, id) FROM w"
    )


def test_only_processes_that_end_count_against_it_and_the_fifth_is_told(connection):
    site = '[{"latitude": 37.5, "longitude": 127}]'
    connection.execute("SELECT request_risk_many(%s, notify => %s)", (site, WEBHOOK))
    connection.execute("UPDATE procrastinate_jobs SET attempts = 40")
    for _ in range(4):
        lose_the_job(connection)
        assert connection.execute(RESCUE).fetchall() == [("portfolio_risk", "handed back")]
    lose_the_job(connection)
    assert connection.execute(RESCUE).fetchall() == [("portfolio_risk", "failed")]
    status, error, _, tries = batch_of(connection)
    assert (status, error, tries) == ("failed", "the process that planned it ended 5 times", 5)
    assert connection.execute("SELECT status FROM batch_job_logs").fetchall() == [("failed",)]
    queued = connection.execute("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'send_webhook'").fetchone()
    assert queued == (1,)
