"""After every fault the work goes on as fast as before: paired windows, before and after."""

from __future__ import annotations

import statistics
import time

import pytest

from chaos.invariants import RESCUE_SECONDS

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

CHUNKS = 80


def seconds_of_a_window(rig, batches=2):
    """Of so many batches from their plans to their ends, by the server's clock."""
    seconds = 0.0
    for _ in range(batches):
        batch = rig.batch(CHUNKS)
        assert batch.wait(120) == "completed"
        seconds += rig.look("SELECT actual_duration_seconds FROM batch_jobs WHERE batch_id = %s", batch.batch_id)
    return seconds


def kill_compute(rig, daemon, proxy):
    for process in daemon.processes("compute"):
        process.kill()


def kill_control(rig, daemon, proxy):
    for process in daemon.processes("control"):
        process.kill()


def restart_server(rig, daemon, proxy):
    rig.server.stop("immediate")
    time.sleep(5)
    rig.server.start()


def terminate_backends(rig, daemon, proxy):
    for _ in range(5):
        rig.look(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'aiops %'"
        )
        time.sleep(0.5)


def black_hole(rig, daemon, proxy):
    proxy.black_hole(True)
    time.sleep(35)
    proxy.black_hole(False)


@pytest.mark.slow_chaos
@pytest.mark.fault("20 throughput after five faults")
def test_throughput_is_back_after_each_fault(rig):
    """Undisturbed and recovered windows take turns, so that a machine that grows slow does so for both."""
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    # Chunks that mostly wait: what is measured is the daemon, not what else the machine is doing.
    rig.set_pace(0.12, spread=0)
    ratios = []
    for fault in (kill_compute, restart_server, terminate_backends, black_hole, kill_control):
        seconds_of_a_window(rig, 1)  # what a process loads with its first chunk it loads once
        before = seconds_of_a_window(rig)
        fault(rig, daemon, proxy)
        rig.injected()
        with rig.recovery(RESCUE_SECONDS):
            rig.starts_a_batch_on_notify()
            rig.wait(lambda: len(daemon.processes("compute")) == 2 and rig.workers() >= 4)
        seconds_of_a_window(rig, 1)
        ratios.append(before / seconds_of_a_window(rig))
    print("throughput after each fault, of the one before it:", [round(ratio, 2) for ratio in ratios])  # noqa: T201
    rig.record.fault += f", {100 * statistics.median(ratios):.0f} % of the undisturbed"
    assert statistics.median(ratios) >= 0.9, ratios
