"""Faults 5 to 7: sessions that the server ends, and a server that is stopped, crashes, or is not there yet."""

from __future__ import annotations

import time

import pytest

from chaos.invariants import LISTENING_SECONDS, RESCUE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

# Every session of the daemons', and none of the test's own.
TERMINATE = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND application_name LIKE %s"
)


def terminate(rig, whose="aiops %"):
    """End sessions of the daemons'; how many."""
    times = rig.look(TERMINATE, whose)
    rig.injected(times)
    return times


def pids(daemon):
    return {one.pid for one in daemon.family()}


@pytest.mark.fault("5 every backend terminated")
@pytest.mark.parametrize(
    ("pause", "seconds"),
    [
        pytest.param(1.0, 4, id="once-a-second-for-four"),
        pytest.param(1.0, 60, id="once-a-second-for-a-minute", marks=pytest.mark.slow_chaos),
        pytest.param(0.5, 60, id="twice-a-second-for-a-minute", marks=pytest.mark.slow_chaos),
    ],
)
def test_terminated_backends_end_no_process_and_lose_nothing(rig, pause, seconds):
    daemon = rig.daemon()
    before = pids(daemon)
    rig.set_pace(0.3)
    batch = rig.batch(60)
    rig.wait(lambda: batch.done() > 0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        terminate(rig)
        time.sleep(pause)
    rig.set_pace(0.05)
    with rig.recovery(RESCUE_SECONDS):
        rig.wait(rig.is_listening, LISTENING_SECONDS)
        done = batch.done()
        rig.wait(lambda: batch.has_ended() or batch.done() > done + 1)
    assert batch.wait(120) == "completed"
    assert pids(daemon) == before
    # What the server did is not held against the chunks; but who cannot say for 20 s that it lives is taken for dead.
    assert rig.look("SELECT max(tries) FROM batch_chunks") <= (pause < 1)


@pytest.mark.fault("6 the listening backend terminated")
def test_it_listens_again_within_15_seconds(rig):
    daemon = rig.daemon()
    before = pids(daemon)
    for _ in range(2):
        old = rig.listener()
        with rig.recovery(LISTENING_SECONDS):
            rig.watch.execute("SELECT pg_terminate_backend(%s)", (old,))
            rig.injected()
            rig.wait(lambda old=old: rig.listener() not in {None, old}, 2 * LISTENING_SECONDS)
        rig.starts_a_batch_on_notify()
    assert pids(daemon) == before


@pytest.mark.fault("6 the backends terminated that listen for the queue")
def test_jobs_are_announced_again_within_15_seconds(rig):
    daemon = rig.daemon()
    before = pids(daemon)
    listening = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'aiops queue-listener%'"
    sessions = len(daemon.family()) - 1
    rig.wait(lambda: rig.look(listening) == sessions)
    with rig.recovery(LISTENING_SECONDS):
        assert terminate(rig, "aiops queue-listener%") == sessions
        rig.wait(lambda: rig.look(listening) == sessions, 2 * LISTENING_SECONDS)
    assert pids(daemon) == before


@pytest.mark.fault("7 Postgres")
@pytest.mark.parametrize(
    ("mode", "seconds"),
    [
        pytest.param("fast", 1, id="restarted"),
        pytest.param("immediate", 30, id="stopped-at-once-for-30-s", marks=pytest.mark.slow_chaos),
        pytest.param("fast", 50, id="stopped-for-50-s", marks=pytest.mark.slow_chaos),
    ],
)
def test_a_server_that_goes_and_comes_back_is_met_by_the_same_processes(rig, mode, seconds):
    # Every claim's lease ends within the longest absence.
    daemon = rig.daemon(CHUNK_SECONDS="30")
    before = pids(daemon)
    rig.set_pace(0.2)
    batch = rig.batch(40)
    rig.wait(lambda: batch.done() > 2)
    rig.server.stop(mode)
    rig.injected()
    time.sleep(seconds)
    rig.server.start()
    with rig.recovery(RESCUE_SECONDS):
        with rig.recovery(LISTENING_SECONDS):
            rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)
        done = batch.done()
        rig.wait(lambda: batch.has_ended() or batch.done() > done + 1)
    assert batch.wait(120) == "completed"
    assert pids(daemon) == before
    assert rig.rescues() == 0, "an absence of the server is no death of a worker"
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("7 Postgres absent at the daemon's start")
def test_a_daemon_waits_for_its_server(rig):
    batch = rig.batch(4)
    rig.server.stop("immediate")
    rig.injected()
    try:
        daemon = rig.daemon(wait=False)
        rig.wait(lambda: len(daemon.said("no database yet")) >= 2)
        assert daemon.is_running()
        assert "refused" in daemon.said("no database yet")[0]["error"]
    finally:
        rig.server.start()
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(120) == "completed"


@pytest.mark.slow_chaos
@pytest.mark.fault("7 Postgres crashes again and again")
def test_a_server_that_crashes_every_few_seconds_loses_nothing(rig):
    daemon = rig.daemon()
    rig.set_pace(0.1)
    batch = rig.batch(60)
    for _ in range(8):
        time.sleep(rig.dice.uniform(1, 4))
        rig.server.stop("immediate")
        rig.injected()
        time.sleep(rig.dice.uniform(0, 2))
        rig.server.start()
    with rig.recovery(LISTENING_SECONDS):
        rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)
    assert batch.wait(120) == "completed"
    assert daemon.is_running()
