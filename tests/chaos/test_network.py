"""Faults 8, 9, 17: connections that break at the worst moment, go silent, crawl; a listener behind a dead network."""

from __future__ import annotations

import time

import pytest
from pgbouncer import needs_pgbouncer, pooler

from chaos.invariants import LISTENING_SECONDS, RESCUE_SECONDS
from chaos.proxy import Trap

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

HANG_SECONDS = 30.0
TAKEOVER_SECONDS = 60.0


@pytest.mark.fault("8 connection reset during COMMIT")
@pytest.mark.parametrize(
    "pass_on",
    [
        pytest.param(False, id="before-it-came-through"),
        pytest.param(True, id="after-it-came-through", marks=pytest.mark.slow_chaos),
    ],
)
def test_a_commit_whose_answer_is_lost_counts_exactly_once(rig, pass_on):
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    batch = rig.batch(20)
    rig.wait(lambda: batch.done() > 0)
    # The commits of claims, of chunks, of the queue's notes: whichever comes.
    trap = proxy.faults.trap = Trap(b"COMMIT", pass_on, left=25, chance=0.3, dice=rig.dice)
    rig.wait(lambda: trap.left == 0 or batch.has_ended(), 120)
    proxy.faults.trap = None
    rig.injected(trap.snapped)
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "completed"
    assert trap.snapped > 5
    assert daemon.is_running()
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("9 black hole for 60 s")
def test_a_black_hole_makes_nobody_hang_and_nobody_is_rescued_who_lives(rig):
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    before = {one.pid for one in daemon.family()}
    rig.set_pace(0.2)
    batch = rig.batch(40)
    rig.wait(lambda: batch.done() > 2)
    proxy.black_hole(True)
    fell_at = time.monotonic()
    rig.injected()
    # Whoever was in the midst of something has given up on it by now, and says so.
    rig.wait(lambda: all(gave_up(daemon, one) for one in daemon.processes("compute")), HANG_SECONDS + 8)
    rig.wait(lambda: all(gave_up(daemon, one) for one in daemon.processes("control")), HANG_SECONDS + 8)
    time.sleep(max(0.0, fell_at + 60 - time.monotonic()))
    proxy.black_hole(False)
    with rig.recovery(RESCUE_SECONDS):
        with rig.recovery(LISTENING_SECONDS):
            rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)
        done = batch.done()
        rig.wait(lambda: batch.has_ended() or batch.done() > done + 1)
    assert batch.wait(120) == "completed"
    assert {one.pid for one in daemon.family()} == before
    assert rig.rescues() == 0
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


def gave_up(daemon, process):
    """Whether a process has said that the server does not answer."""
    signs = ("has not answered", "couldn't get a connection", "does not deliver", "timeout expired")
    own = (line for line in daemon.lines() if line.get("process", "").endswith(f" {process.pid}"))
    return any(sign in f"{line.get('error')} {line.get('exception')} {line['event']}" for line in own for sign in signs)


@pytest.mark.slow_chaos
@pytest.mark.fault("9 black hole for one daemon of two")
def test_what_a_daemon_in_a_black_hole_holds_another_takes_over(rig):
    proxy = rig.proxy()
    lost = rig.daemon(rig.url_through(proxy), PARALLEL_WORKERS="1")
    rig.daemon(PARALLEL_WORKERS="1")
    rig.set_pace(0.3)
    batch = rig.batch(12)
    rig.wait(lambda: batch.done() > 2)
    proxy.black_hole(True)
    rig.injected()
    with rig.recovery(RESCUE_SECONDS):
        assert batch.wait(2 * RESCUE_SECONDS) == "completed"
    with rig.recovery(TAKEOVER_SECONDS):
        rig.wait(lambda: rig.is_listening() and not listens_through(rig, proxy), TAKEOVER_SECONDS)
    proxy.black_hole(False)
    # What comes out of the hole now is late, and is refused.
    time.sleep(10)
    assert lost.is_running()


def listens_through(rig, proxy):
    """Whether the session with the listener's lock belongs to the daemon behind the proxy, by the port it came from."""
    port = rig.look("SELECT client_port FROM pg_stat_activity WHERE pid = %s", rig.listener())
    return port in proxy.ports_to_server()


@pytest.mark.slow_chaos
@pytest.mark.fault("9 latency 300 ± 200 ms")
def test_latency_makes_it_slow_and_nothing_else(rig):
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    proxy.faults.latency, proxy.faults.jitter = 0.3, 0.2
    rig.injected()
    batch = rig.batch(4)
    assert batch.wait(240) == "completed"
    assert rig.rescues() == 0
    assert batch.most_attempts() == 1
    assert daemon.is_running()
    proxy.faults.latency = 0.0
    with rig.recovery(LISTENING_SECONDS):
        rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)


@pytest.mark.slow_chaos
@pytest.mark.fault("9 cut after a random number of bytes")
def test_connections_that_are_cut_after_some_bytes_lose_nothing(rig):
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    before = {one.pid for one in daemon.family()}
    batch = rig.batch(60)
    rig.wait(lambda: batch.done() > 2)
    proxy.faults.cut_after = (500, 40_000)
    rig.injected(proxy.reset())
    until = time.monotonic() + 45
    while time.monotonic() < until and not batch.has_ended():
        time.sleep(0.2)
    rig.injected(proxy.resets)
    proxy.faults.cut_after = None
    proxy.reset()
    with rig.recovery(RESCUE_SECONDS):
        with rig.recovery(LISTENING_SECONDS):
            rig.wait(rig.is_listening, 2 * LISTENING_SECONDS)
        done = batch.done()
        rig.wait(lambda: batch.has_ended() or batch.done() > done + 1)
    assert batch.wait(120) == "completed"
    assert {one.pid for one in daemon.family()} == before
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("17 the listener behind a dead network")
def test_another_takes_over_from_a_listener_behind_a_dead_network(rig):
    """Only what listens goes through the proxy: everything else of that daemon works, and hides it."""
    proxy = rig.proxy()
    rig.daemon(DATABASE_DIRECT_URL=rig.url_through(proxy), PARALLEL_WORKERS="1")
    assert listens_through(rig, proxy)
    second = rig.daemon(PARALLEL_WORKERS="1")
    proxy.black_hole(True)
    rig.injected()
    try:
        with rig.recovery(TAKEOVER_SECONDS):
            rig.wait(lambda: rig.is_listening() and not listens_through(rig, proxy), 2 * TAKEOVER_SECONDS)
        assert second.said("listening")
        rig.starts_a_batch_on_notify()
    finally:
        proxy.black_hole(False)


@needs_pgbouncer
@pytest.mark.slow_chaos
@pytest.mark.fault("17 PgBouncer in transaction mode")
@pytest.mark.parametrize("direct", [True, False], ids=["with-a-direct-address", "without-a-direct-address"])
def test_pgbouncer(rig, direct):
    with pooler(rig.url, rig.server.guardian) as url:
        settings = {"DATABASE_DIRECT_URL": rig.url} if direct else {}
        daemon = rig.daemon(url, wait=direct, **settings)
        rig.injected()
        rig.alive_at_the_end = False
        if direct:
            assert rig.batch(10).wait(120) == "completed"
            rig.starts_a_batch_on_notify()
            assert daemon.stop() == 0
        else:
            # LISTEN does not work there, nor do prepared statements; it says what it needs.
            assert daemon.process.wait(120) == 2
            assert "DATABASE_DIRECT_URL" in daemon.log.read_text()
