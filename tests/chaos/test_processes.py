"""Faults 1 to 4: processes that are killed, stopped, and told to end."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from chaos.daemon import freeze
from chaos.invariants import RESCUE_SECONDS
from chaos.rig import with_folder
from chaos.work import FIRST_CELL

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

POISON = Path(__file__).parent / "poison"
STOP_PROMISED = 25.0
"""Seconds; measured with some seconds more, for a machine that is slow to start and end processes."""
SLACK = 8.0

MOMENTS = {"mid-chunk": "write", "before-its-commit": "commit", "right-after-its-commit": "finish"}


WHEN_WRITTEN = (
    "SELECT array_agg((grid_id, risk_type, calculated_at)::text ORDER BY grid_id, risk_type) FROM probability_packed"
)
REFUSALS = ("chunk was not written", "chunk is put off", "job was in other hands by its end")


def is_refusal(line, process):
    """Whether a line of the log says that a process was kept from writing, or from ending its job."""
    return line["event"] in REFUSALS and line.get("process", "").endswith(f" {process.pid}")


def poisoned(kind, cell=FIRST_CELL):
    """Settings of a daemon that cannot compute one cell."""
    return {**with_folder(POISON), "CHAOS_POISON": f"{kind}:{cell}"}


@pytest.mark.fault("1 kill -9 of a compute process")
@pytest.mark.parametrize(
    "moment",
    [
        "before-its-commit",
        pytest.param("mid-chunk", marks=pytest.mark.slow_chaos),
        pytest.param("right-after-its-commit", marks=pytest.mark.slow_chaos),
    ],
)
def test_kill_9_of_a_compute_process_loses_and_doubles_nothing(rig, moment):
    daemon = rig.daemon()
    with rig.closed_gate(MOMENTS[moment]):
        batch = rig.batch(12)
        # Before a commit only one can stand: it has the batch's row, and the other waits for that.
        rig.wait(lambda: len(rig.waiting_at_gate()) == (1 if MOMENTS[moment] == "commit" else 2))
        victim = rig.process_of_session(rig.dice.choice(rig.waiting_at_gate()))
        assert victim.pid in {one.pid for one in daemon.processes("compute")}
        victim.kill()
        rig.injected()
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "completed"
        rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0)
    assert batch.done() == 12
    rig.wait(lambda: len(daemon.processes("compute")) == 2)


@pytest.mark.slow_chaos
@pytest.mark.fault("2 kill -9 of any process every 3 s")
def test_a_batch_under_kill_9_every_three_seconds_completes(rig):
    daemon = rig.daemon()
    rig.set_pace(0.15)
    batch = rig.batch(90)
    assert batch.wait(600, rig.killer(daemon, every=3)) == "completed"
    with rig.recovery(RESCUE_SECONDS):
        daemon.keep()
        rig.wait(rig.is_listening)
    assert batch.done() == 90


@pytest.mark.slow_chaos
@pytest.mark.fault("3 SIGSTOP for 45 s, then SIGCONT")
@pytest.mark.parametrize("moment", ["before-its-write", "in-its-write"])
def test_a_zombie_is_refused(rig, moment):
    settings = poisoned("dawdle") if moment == "before-its-write" else {}
    daemon = rig.daemon(**settings)
    with rig.closed_gate("write"):
        batch = rig.batch(8)
        if moment == "before-its-write":
            # It has claimed the chunk, and works on it for seconds yet.
            rig.wait(lambda: rig.look("SELECT worker FROM batch_chunks WHERE chunk_no = 1 AND state = 'running'"))
            zombie = rig.workers_process(batch)
        else:
            rig.wait(lambda: len(rig.waiting_at_gate()) == 2)
            zombie = rig.process_of_session(rig.dice.choice(rig.waiting_at_gate()))
        freeze(zombie)
        frozen_at = time.monotonic()
        rig.injected()
    try:
        with rig.recovery(RESCUE_SECONDS):
            assert batch.wait(2 * RESCUE_SECONDS) == "completed"
        before = rig.look(WHEN_WRITTEN)
        time.sleep(max(0.0, frozen_at + 45 - time.monotonic()))
    finally:
        zombie.resume()
    rig.wait(lambda: [line for line in daemon.lines() if is_refusal(line, zombie)])
    assert rig.look(WHEN_WRITTEN) == before
    # It is no zombie any more: it goes on working.
    assert zombie.pid in {one.pid for one in daemon.processes("compute")}


@pytest.mark.fault("4 SIGTERM")
@pytest.mark.parametrize(
    ("signals", "chunk"),
    [
        pytest.param(1, "quick", id="once", marks=pytest.mark.slow_chaos),
        pytest.param(2, "quick", id="twice", marks=pytest.mark.slow_chaos),
        pytest.param(1, "loop", id="once-with-a-chunk-that-ignores-it", marks=pytest.mark.slow_chaos),
        pytest.param(2, "loop", id="twice-with-a-chunk-that-ignores-it"),
        pytest.param(1, "locked", id="once-with-a-chunk-that-waits-for-a-lock", marks=pytest.mark.slow_chaos),
    ],
)
def test_sigterm_hands_back_what_does_not_end_in_time(rig, signals, chunk):
    daemon = rig.daemon(**(poisoned("loop") if chunk == "loop" else {}))
    rig.set_pace(0.2)
    with rig.closed_gate("write" if chunk == "locked" else "none"):
        batch = rig.batch(20)
        if chunk == "locked":
            rig.wait(lambda: len(rig.waiting_at_gate()) == 2)
            time.sleep(3)  # or its patience with the lock would end in the same moment as the grace time
        else:
            rig.wait(lambda: batch.done() >= 2)
        start = time.monotonic()
        for _ in range(signals):
            daemon.process.send_signal(signal.SIGTERM)
            rig.injected()
            time.sleep(0.5)
        assert daemon.process.wait(STOP_PROMISED + SLACK) == 0
        took = time.monotonic() - start
        assert took < (STOP_PROMISED if signals == 1 else 6.0) + SLACK
        # Handed back: at once, without a rescuer, and not to its disadvantage.
        rig.wait(lambda: batch.chunks("running") == 0)
        assert rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'") == 0
        assert rig.look("SELECT max(tries) FROM batch_chunks") == 0
        assert batch.status == "running"
    rig.daemon()
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(120) == "completed"
