"""Fault 10: a server that has no room, no connection to give, or a lock in the way."""

from __future__ import annotations

import time

import pytest

from chaos.invariants import LISTENING_SECONDS, RESCUE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

ERRORS = {
    "disk full": "53100",
    "out of memory": "53200",
    "deadlock": "40P01",
    "serialization failure": "40001",
    "input/output error": "58030",
    "query cancelled": "57014",
}


@pytest.mark.fault("10 the server reports")
@pytest.mark.parametrize(
    ("sqlstate", "times"),
    [
        pytest.param(code, 5, id=name.replace(" ", "-"), marks=() if name == "disk full" else pytest.mark.slow_chaos)
        for name, code in ERRORS.items()
    ],
)
def test_what_the_server_cannot_do_now_it_is_asked_again(rig, sqlstate, times):
    daemon = rig.daemon()
    rig.fail_writes(sqlstate, times)
    batch = rig.batch(8)
    rig.injected(times)
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "completed"
    # It was said why, and not held against the chunks.
    reasons = [line["error"] for line in daemon.said("chunk is put off")]
    assert len(reasons) == times
    assert all("a fault of the test" in reason for reason in reasons)
    assert rig.look("SELECT count(*) FROM chaos.chunk_history WHERE error LIKE '%a fault of the test%'") == times
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("10 the server reports an error that stays")
def test_what_does_not_pass_is_not_asked_for_ever(rig):
    """A failure that is the chunk's own: four runs, and it fails by name; the others complete."""
    rig.daemon()
    rig.watch.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no room for cell %', NEW.grid_id; END $$"
    )
    rig.watch.execute(
        "CREATE TRIGGER refuse BEFORE INSERT ON probability_packed FOR EACH ROW"
        " WHEN (NEW.grid_id = 343004) EXECUTE FUNCTION refuse()"
    )
    batch = rig.batch(6)
    rig.injected()
    with rig.recovery(2 * RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "failed"
    assert "no room for cell 343004" in batch.error
    assert (batch.done(), batch.chunks("failed")) == (5, 1)
    assert rig.look("SELECT tries FROM batch_chunks WHERE state = 'failed'") == 3  # and the last
    # Mended, it is computed, too.
    rig.watch.execute("DROP TRIGGER refuse ON probability_packed")
    assert batch.retry() == 1
    assert batch.wait(120) == "completed"


@pytest.mark.slow_chaos
@pytest.mark.fault("10 no connection left for 20 s")
def test_a_server_without_a_connection_to_give_is_waited_for(rig):
    daemon = rig.daemon()
    before = {one.pid for one in daemon.family()}
    rig.set_pace(0.2)
    batch = rig.batch(30)
    rig.wait(lambda: batch.done() > 2)
    terminate = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name LIKE 'aiops %'"
    )
    until = time.monotonic() + 20
    with rig.server.crowded(keep=0) as crowd:
        # Whoever of the daemon's is connected loses its place, and the crowd takes it.
        while time.monotonic() < until:
            rig.injected(rig.look(terminate))
            crowd.fill()
            time.sleep(0.5)
    with rig.recovery(RESCUE_SECONDS):
        with rig.recovery(LISTENING_SECONDS):
            rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)
        done = batch.done()
        rig.wait(lambda: batch.has_ended() or batch.done() > done + 1)
    assert batch.wait(120) == "completed"
    assert any("too many" in line["event"] for line in daemon.said("error connecting"))
    assert {one.pid for one in daemon.family()} == before
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("10 ACCESS EXCLUSIVE lock")
@pytest.mark.parametrize(
    ("table", "seconds"),
    [("probability_packed", 20), ("batch_chunks", 20), ("procrastinate_jobs", 50)],
    ids=lambda value: f"of-{value}" if isinstance(value, str) else f"for-{value}-s",
)
def test_a_lock_in_the_way_is_waited_for_and_no_longer_than_a_hang_may_last(rig, table, seconds):
    daemon = rig.daemon()
    before = {one.pid for one in daemon.family()}
    batch = rig.batch(30)
    rig.wait(lambda: batch.done() > 0)
    locker = rig.connect()
    with locker.transaction():
        locker.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        rig.injected()
        time.sleep(seconds)
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "completed"
    if seconds > 30:  # nobody can have waited in silence
        assert "lock timeout" in daemon.log.read_text() or "has not answered" in daemon.log.read_text()
    assert {one.pid for one in daemon.family()} == before
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0
