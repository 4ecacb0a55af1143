"""Faults 1 to 10 and 15 as requests of one place meet them: somebody waits for each of them."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from chaos.daemon import freeze
from chaos.invariants import RESCUE_SECONDS
from chaos.places import BARE, PLACES, Request
from chaos.proxy import Trap
from chaos.rig import ANNOUNCED_SECONDS
from chaos.test_processes import SLACK, STOP_PROMISED, is_refusal
from chaos.test_resources import ERRORS
from chaos.test_server import pids, terminate

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

CLIENTS = 50
WAITING = 12
"""At least so many requests wait or are under way while a stream comes in, or else faults meet nobody."""


class Stream:
    """Requests that keep coming, each of a place that nobody has asked about; whoever sends them never waits."""

    def __init__(self, rig, first=0):
        self._rig = rig
        self._numbers = iter(range(first, PLACES - BARE))
        self.requests = []
        self._open = deque()

    def ask(self):
        request = Request.ask(self._rig.watch, next(self._numbers))
        self.requests.append(request)
        self._open.append(request)

    def keep_coming(self, waiting=WAITING):
        """Send some more when few are left open."""
        while self._open and self._open[0].has_ended():
            self._open.popleft()
        while len(self._open) < waiting:
            self.ask()

    def ended(self):
        return sum(request.has_ended() for request in self.requests)

    def all_complete(self, within, meanwhile=None):
        """Wait until all have ended; all of them completed."""
        deadline = time.monotonic() + within
        for request in self.requests:
            assert request.wait(max(1.0, deadline - time.monotonic()), meanwhile) == "completed", request.one(
                "error_message"
            )


def answers_as_fast_as_ever(rig, number=PLACES - BARE - 1):
    """New questions are answered when they are announced, and do not wait to be found."""
    rig.set_step_pace(0)
    took = []
    with rig.rare_polls():
        for _ in range(6):
            # A request has completed a moment before its job has: one for the same place that comes in between is kept
            # from starting, and may be found at the next look only.
            rig.wait(lambda: is_idle(rig))
            start = time.monotonic()
            assert Request.ask(rig.watch, number, force=True).wait(300) == "completed"
            took.append(time.monotonic() - start)
    assert max(took[1:]) < ANNOUNCED_SECONDS, took


def is_idle(rig):
    return rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')") == 0


def doing(rig):
    return rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'")


# --- 1, 2: kill -9 ---------------------------------------------------------------------------------------------------

MOMENTS = ("write", "finish", "answer", "aal", "exposure")
"""Gates: in the write of a cell that a request waits for, right after a request's commit, before it, between its steps,
after it was begun. Closed in this order, each for the next request, they hold one each."""


@pytest.mark.slow_chaos
@pytest.mark.fault("1 kill -9 of what answers requests and computes their cells, at five moments; 50 ask the same")
def test_kill_9_over_requests_loses_and_doubles_nothing(asked_rig):
    rig = asked_rig
    daemon = rig.daemon()
    rig.listen_to_progress()
    requests = {}
    with ExitStack() as gates:
        for number, gate in enumerate(MOMENTS):
            gates.enter_context(rig.closed_gate(gate))
            if gate == "aal":
                requests[gate] = ask_together(rig, number, CLIENTS)
            else:
                requests[gate] = [Request.ask(rig.watch, PLACES - 1 if gate == "write" else number)]
            rig.wait(lambda number=number: len(rig.waiting_at_gate()) == number + 1)
        rig.injected(CLIENTS)
        sessions = rig.waiting_at_gate()
        for process in [*daemon.processes("ondemand"), *daemon.processes("compute")]:
            process.kill()
            rig.injected()
        # What the server has got of them, it would do all the same, as soon as the gates are open.
        for session in sessions:
            rig.watch.execute("SELECT pg_terminate_backend(%s, 5000)", (session,))
    with rig.recovery(RESCUE_SECONDS):
        for request in [one for asked in requests.values() for one in asked]:
            assert request.wait(2 * RESCUE_SECONDS) == "completed"
        rig.wait(lambda: is_idle(rig))
    attempts = {gate: [request.attempt for request in asked] for gate, asked in requests.items()}
    # (The first attempt of the one in the cell without results ended with the wait for them.)
    equal = [2, *[1] * (CLIENTS - 1)]
    assert attempts == {"write": [2], "finish": [1], "answer": [2], "aal": equal, "exposure": [2]}
    cached = rig.look("SELECT count(*) FROM batch_jobs WHERE results ->> 'cached' = 'true'")
    assert cached == CLIENTS - 1, "of equal requests one is computed"
    rig.wait(lambda: len(daemon.processes("ondemand")) == 1)
    answers_as_fast_as_ever(rig)


def ask_together(rig, number, clients):
    """The same from so many clients at once; the first of them is the one that is computed."""

    def ask(_):
        with rig.server.connect(rig.database) as own:
            return Request.ask(own, number).batch_id

    with ThreadPoolExecutor(clients) as pool:
        asked = list(pool.map(ask, range(clients)))
    rig.wait(lambda: rig.look("SELECT count(*) FROM batch_jobs WHERE batch_id = ANY (%s) AND attempt = 1", asked))
    first = "SELECT batch_id FROM batch_jobs WHERE batch_id = ANY (%s) ORDER BY attempt DESC LIMIT 1"
    asked.sort(key=rig.look(first, asked).__ne__)
    return [Request(rig.watch, batch_id) for batch_id in asked]


@pytest.mark.slow_chaos
@pytest.mark.fault("2 kill -9 of any process every 2 s while 60 requests come in")
def test_requests_under_kill_9_every_two_seconds_all_complete(asked_rig):
    rig = asked_rig
    daemon = rig.daemon(ONDEMAND_WORKERS="2")
    rig.listen_to_progress()
    rig.set_step_pace(0.02)
    stream = Stream(rig)
    keep_killing = rig.killer(daemon, every=2)
    while len(stream.requests) < 60:
        stream.ask()
        keep_killing()
        time.sleep(0.25)
    with rig.recovery(RESCUE_SECONDS):
        stream.all_complete(2 * RESCUE_SECONDS, daemon.keep)
    rig.wait(rig.is_listening)
    rig.wait(lambda: len(daemon.processes("ondemand")) == 2)
    answers_as_fast_as_ever(rig)


# --- 3: SIGSTOP ------------------------------------------------------------------------------------------------------


@pytest.mark.slow_chaos
@pytest.mark.fault("3 SIGSTOP for 45 s of a process that answers requests, then SIGCONT")
def test_a_zombie_that_answers_is_refused(asked_rig):
    rig = asked_rig
    daemon = rig.daemon(ONDEMAND_WORKERS="2")
    rig.listen_to_progress()
    with rig.closed_gate("vulnerability"):
        requests = [Request.ask(rig.watch, number) for number in range(2)]
        rig.wait(lambda: len(rig.waiting_at_gate()) == 2)
        zombie = rig.process_of_session(rig.dice.choice(rig.waiting_at_gate()))
        freeze(zombie)
        frozen_at = time.monotonic()
        rig.injected()
    try:
        # What the server had got of it goes on without it, to the end of the step; then nobody does.
        with rig.recovery(RESCUE_SECONDS):
            for request in requests:
                assert request.wait(2 * RESCUE_SECONDS) == "completed"
        assert 2 in {request.attempt for request in requests}
        stored = rig.look("SELECT array_agg(r.calculated_at ORDER BY batch_id) FROM risk_run AS r")
        time.sleep(max(0.0, frozen_at + 45 - time.monotonic()))
    finally:
        zombie.resume()
    rig.wait(lambda: [line for line in daemon.lines() if is_refused_answer(line, zombie)])
    assert rig.look("SELECT array_agg(r.calculated_at ORDER BY batch_id) FROM risk_run AS r") == stored
    assert zombie.pid in {one.pid for one in daemon.processes("ondemand")}
    answers_as_fast_as_ever(rig)


def is_refused_answer(line, process):
    """Whether a line of the log says that a process was kept from writing, or from ending its job."""
    own = line.get("process", "").endswith(f" {process.pid}")
    return is_refusal(line, process) or (own and line["event"] == "request was not written")


# --- 4: SIGTERM ------------------------------------------------------------------------------------------------------


@pytest.mark.slow_chaos
@pytest.mark.fault("4 SIGTERM with requests in flight")
@pytest.mark.parametrize("stuck", [False, True], ids=["that-end-in-time", "that-wait-for-a-lock"])
def test_sigterm_hands_back_requests(asked_rig, stuck):
    rig = asked_rig
    daemon = rig.daemon()
    rig.listen_to_progress()
    rig.set_step_pace(0.02)
    stream = Stream(rig)
    with rig.closed_gate("aal" if stuck else "none"):
        stream.keep_coming()
        if stuck:
            rig.wait(lambda: len(rig.waiting_at_gate()) == 4)
        else:
            rig.wait(lambda: 2 <= stream.ended() < WAITING - 4)
        start = time.monotonic()
        daemon.process.terminate()
        rig.injected()
        if stuck:
            time.sleep(0.5)
            daemon.process.terminate()
        assert daemon.process.wait(STOP_PROMISED + SLACK) == 0
        assert time.monotonic() - start < (6.0 if stuck else STOP_PROMISED) + SLACK
        assert doing(rig) == 0
    assert stream.ended() < WAITING
    rig.daemon()
    with rig.recovery(RESCUE_SECONDS):
        stream.all_complete(RESCUE_SECONDS)
    # Handed back, not rescued.
    assert rig.rescues() == 0
    assert rig.look("SELECT max(attempt) FROM batch_jobs") == (2 if stuck else 1)


# --- 5, 7: the server ------------------------------------------------------------------------------------------------


@pytest.mark.fault("5 every backend terminated once a second, with requests coming in,")
@pytest.mark.parametrize(
    "seconds",
    [pytest.param(2, id="for-2-s"), pytest.param(12, id="for-12-s", marks=pytest.mark.slow_chaos)],
)
def test_terminated_backends_cost_no_request(asked_rig, seconds):
    rig = asked_rig
    daemon = rig.daemon()
    before = pids(daemon)
    rig.listen_to_progress()
    rig.set_step_pace(0.01)
    stream = Stream(rig)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        stream.keep_coming()
        time.sleep(0.5)
        terminate(rig)
        time.sleep(0.5)
    with rig.recovery(RESCUE_SECONDS):
        stream.all_complete(RESCUE_SECONDS)
    answers_as_fast_as_ever(rig)
    assert pids(daemon) == before
    assert rig.look("SELECT max(tries) FROM batch_jobs") == 0, "what the server did is not held against a request"


@pytest.mark.slow_chaos
@pytest.mark.fault("7 Postgres restarted, crashed, crashed and away for 10 s, with requests coming in")
def test_a_server_that_goes_and_comes_back_costs_no_request(asked_rig):
    rig = asked_rig
    daemon = rig.daemon(ONDEMAND_WORKERS="2")
    before = pids(daemon)
    rig.listen_to_progress()
    rig.set_step_pace(0.01)
    stream = Stream(rig)
    for crashes, seconds in ((False, 1), (True, 0), (True, 1), (True, 10)):
        until = time.monotonic() + rig.dice.uniform(1, 3)
        while time.monotonic() < until:
            stream.keep_coming()
            time.sleep(0.05)
        rig.take_server_away(seconds, crash=crashes)
    with rig.recovery(RESCUE_SECONDS):
        stream.all_complete(RESCUE_SECONDS)
    # What was told to have ended has ended, after three crashes.
    assert stream.ended() == len(stream.requests)
    assert pids(daemon) == before
    assert rig.look("SELECT max(tries) FROM batch_jobs") == 0
    answers_as_fast_as_ever(rig)


# --- 8, 10: connections and errors -----------------------------------------------------------------------------------


@pytest.mark.slow_chaos
@pytest.mark.fault("8 connection reset during the COMMIT of a request")
@pytest.mark.parametrize("pass_on", [False, True], ids=["before-it-came-through", "after-it-came-through"])
def test_the_end_of_a_request_whose_answer_is_lost_counts_exactly_once(asked_rig, pass_on):
    rig = asked_rig
    proxy = rig.proxy()
    daemon = rig.daemon(rig.url_through(proxy))
    rig.listen_to_progress()
    stream = Stream(rig)
    # Each statement of a request is a transaction, and this is its last.
    trap = proxy.faults.trap = Trap(b"SELECT finish_request", pass_on, left=6)
    stream.keep_coming(20)
    rig.wait(lambda: trap.left == 0)
    rig.injected(trap.snapped)
    with rig.recovery(RESCUE_SECONDS):
        stream.all_complete(RESCUE_SECONDS)
        rig.wait(lambda: is_idle(rig))
    attempts = [request.attempt for request in stream.requests]
    assert sum(attempt - 1 for attempt in attempts) == (0 if pass_on else trap.snapped)
    assert daemon.is_running()


FAILING = {
    "disk full": ("exposure", "vulnerability", "aal"),
    "serialization failure": ("risk",),
    "deadlock": ("vulnerability", "risk"),
    "query cancelled": ("aal",),
}


@pytest.mark.fault("10 in the steps of requests the server reports")
@pytest.mark.parametrize(
    "errors",
    [
        pytest.param(["disk full"], id="disk-full"),
        pytest.param(list(FAILING)[1:], id="passing-errors", marks=pytest.mark.slow_chaos),
    ],
)
def test_what_the_server_cannot_do_for_a_request_now_it_is_asked_again(asked_rig, errors):
    rig = asked_rig
    rig.daemon()
    rig.listen_to_progress()
    times = 4
    for number, error in enumerate(errors):
        rig.fail_writes(ERRORS[error], times, FAILING[error])
        rig.injected(times)
        stream = Stream(rig, 10 * number)
        stream.keep_coming(4)
        with rig.recovery(RESCUE_SECONDS):
            stream.all_complete(RESCUE_SECONDS)
        assert sum(request.attempt for request in stream.requests) == 4 + times
    assert rig.look("SELECT max(tries) FROM batch_jobs") == 0


# --- 15: cancel ------------------------------------------------------------------------------------------------------


GATES = {
    "in its first step": "exposure",
    "in a step": "aal",
    "in its commit": "answer",
    "while its cell is computed": "write",
    "completed": "none",
}


@pytest.mark.slow_chaos
@pytest.mark.fault("15 cancel of a request at every state, among others")
def test_a_cancelled_request_has_its_documented_outcome(asked_rig):
    rig = asked_rig
    rig.daemon(ONDEMAND_WORKERS="2")
    rig.listen_to_progress()
    stream = Stream(rig, 10)
    for number, (state, gate) in enumerate(GATES.items()):
        stream.keep_coming(4)
        with rig.closed_gate(gate):
            request = Request.ask(rig.watch, PLACES - 1 if gate == "write" else number)
            if state == "completed":
                assert request.wait() == "completed"
            else:
                rig.wait(lambda gate=gate, request=request: stands_at(rig, gate, request))
            came_in_time = cancel(rig, request, while_it_commits=gate == "answer")
        assert came_in_time is (state not in {"in its commit", "completed"}), state
        has_outcome(rig, request, came_in_time)
        stream.all_complete(RESCUE_SECONDS)
    # Before its turn: every place is taken.
    with rig.closed_gate("exposure"):
        stream.keep_coming(8)
        rig.wait(lambda: len(rig.waiting_at_gate()) == 8)
        request = Request.ask(rig.watch, 8)
        assert cancel(rig, request)
    has_outcome(rig, request, cancelled=True)
    assert request.attempt == 0
    stream.all_complete(RESCUE_SECONDS)
    answers_as_fast_as_ever(rig)


def stands_at(rig, gate, request):
    """Whether a request, or the computation of its cell, waits at a gate; it is not alone there."""
    if gate == "write":
        return request.one("current_step") == "computing hazard and probability" and rig.waiting_at_gate()
    steps = {"exposure": 10, "aal": 80, "answer": 95}
    others = "SELECT count(*) FROM batch_jobs WHERE status IN ('queued', 'running')"
    return request.one("progress") == steps[gate] and len(rig.waiting_at_gate()) == rig.look(others)


def cancel(rig, request, *, while_it_commits=False):
    """Cancel; whether that came in time. A request that commits has its row: the cancel comes after it."""
    rig.injected()
    with ThreadPoolExecutor(1) as pool, rig.server.connect(rig.database) as own:
        cancelled = pool.submit(Request(own, request.batch_id).cancel)
        if while_it_commits:
            time.sleep(0.5)
            assert not cancelled.done()
            rig.watch.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gate'")
        return cancelled.result(30)


def has_outcome(rig, request, cancelled):
    """Cancelled, it stays so, and nothing more is written; else it has its answer."""
    rig.wait(lambda: is_idle(rig))
    assert request.status == ("cancelled" if cancelled else "completed")
    assert rig.look("SELECT count(*) FROM risk_run WHERE batch_id = %s", request.batch_id) == (not cancelled)
    assert not request.cancel()
    assert request.retry() == 0
