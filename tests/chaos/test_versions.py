"""Fault 14: two daemons on an empty database, old code on a new schema, new code on an old one."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest
from daemons import environment, run

from aiops.db.migrate import migrate
from chaos.work import keep_books
from workers.schema import all_migrations

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

FUTURE = "INSERT INTO schema_migrations (source, name, sha256, program_version) VALUES ('aiops', '9999_future.sql', '-', '9.9')"  # noqa: E501
WORKER = ("procrastinate", "--app=workers.app", "worker")


@pytest.mark.fault("14 two daemons on an empty database at once")
def test_two_daemons_on_an_empty_database_make_one_schema(bare_rig):
    rig = bare_rig
    one, two = (rig.daemon(wait=False, PARALLEL_WORKERS="1") for _ in range(2))
    rig.injected()
    rig.wait(lambda: len(rig_books(rig)) == len(all_migrations()))
    with rig.recovery(60):
        rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_workers") == 6)
    assert one.is_running()
    assert two.is_running()
    assert len(set(rig_books(rig))) == len(all_migrations())
    with psycopg.connect(rig.url) as connection:
        keep_books(connection)


def rig_books(rig):
    if rig.look("SELECT to_regclass('schema_migrations')") is None:
        return []
    return rig.watch.execute("SELECT source, name FROM schema_migrations").fetchall()


@pytest.mark.fault("14 old code on a new schema")
def test_old_code_refuses_a_new_schema_and_stops_when_it_becomes_one(rig):
    daemon = rig.daemon()
    batch = rig.batch(4)
    assert batch.wait(120) == "completed"
    rig.watch.execute(FUTURE)
    rig.injected()
    # One that runs ends, and says why; one that is started does not start.
    with rig.recovery(45):
        assert daemon.process.wait(120) == 1
    assert daemon.said("does not fit")
    assert "9999_future.sql" in daemon.log.read_text()
    assert "9999_future.sql" in run(rig.url, "workers", code=1)
    assert "9999_future.sql" in run(rig.url, *WORKER, code=1)
    rig.alive_at_the_end = False


@pytest.mark.fault("14 new code on an old schema")
def test_new_code_mends_an_old_schema_and_the_queues_own_worker_refuses_it(bare_rig):
    rig = bare_rig
    old = all_migrations()[:-1]
    with psycopg.connect(rig.url, autocommit=True) as connection:
        migrate(connection, old)
        keep_books(connection)
    rig.injected()
    missing = all_migrations()[-1].name
    said = run(rig.url, *WORKER, code=1)
    assert missing in said
    assert "aiops db migrate" in said
    with rig.recovery(60):
        rig.daemon()
    assert len(rig_books(rig)) == len(all_migrations())


@pytest.mark.fault("14 the queue's own worker on the right schema")
def test_the_queues_own_worker_works_where_the_schema_is_right(rig):
    process = subprocess.Popen(
        [sys.executable, "-m", *WORKER], env=environment(rig.url), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    rig.server.guardian.watch(process.pid)
    try:
        with rig.recovery(60):
            assert rig.batch(4).wait(120) == "completed"
    finally:
        process.terminate()
        assert process.wait(120) == 0
        rig.server.guardian.forget(process.pid)
