"""Faults 2, 7 and 15 as a portfolio meets them: each site has an answer or a reason, and all speak at once."""

from __future__ import annotations

import pytest

from chaos.invariants import RESCUE_SECONDS
from chaos.places import AT_SEA, PLACES, Portfolio, site
from chaos.test_server import pids

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

SITES = 300
SPEAKING = "SELECT count(*) FROM current_run WHERE batch_id = %s"


def sites(number=SITES):
    """Sites of all kinds: most in cells with results, some in cells without, some at sea."""
    at_sea = number // 60
    last = [site(PLACES - 1 - place) for place in range(10)]
    named = [*(site(place) for place in range(number - at_sea - len(last))), *last, *([AT_SEA] * at_sea)]
    return [{"site_id": f"site {place}", **one} for place, one in enumerate(named)]


def has_all(rig, portfolio, number=SITES):
    """Whether every site has its answer, and all of them speak."""
    at_sea = number // 60
    told = portfolio.results()
    assert (told["sites"], told["answered"], told["without_answer"]) == (number, number - at_sea, at_sea)
    return rig.look(SPEAKING, portfolio.batch_id) == number - at_sea


def ask(rig, **params):
    rig.set_pace(0.1)
    rig.set_step_pace(0.06)
    return Portfolio.ask_for(rig.watch, sites(), **params)


@pytest.mark.slow_chaos
@pytest.mark.fault("2 kill -9 of any process every 2 s through a portfolio of 300 sites")
def test_a_portfolio_under_kill_9_completes_whole(asked_rig):
    rig = asked_rig
    daemon = rig.daemon(BATCH_SIZE="10")
    rig.listen_to_progress()
    portfolio = ask(rig)
    keep_killing = rig.killer(daemon, every=2, first=1, last=12)

    def kill_and_look():
        keep_killing()
        if portfolio.status == "running":
            assert rig.look(SPEAKING, portfolio.batch_id) == 0

    assert portfolio.wait(120, kill_and_look) == "completed"
    assert has_all(rig, portfolio)
    daemon.keep()


@pytest.mark.slow_chaos
@pytest.mark.fault("7 Postgres restarted, and crashed, in a portfolio of 300 sites")
def test_a_server_that_goes_and_comes_back_costs_no_site(asked_rig):
    rig = asked_rig
    daemon = rig.daemon(BATCH_SIZE="10")
    before = pids(daemon)
    rig.listen_to_progress()
    portfolio = ask(rig)
    for done, crashes in ((2, False), (6, True), (10, True)):
        rig.wait(lambda done=done: portfolio.done() >= done)
        rig.take_server_away(1, crash=crashes)
    with rig.recovery(RESCUE_SECONDS):
        assert portfolio.wait(2 * RESCUE_SECONDS) == "completed"
    assert has_all(rig, portfolio)
    assert pids(daemon) == before
    assert rig.look("SELECT max(tries) FROM batch_chunks") == 0


@pytest.mark.slow_chaos
@pytest.mark.fault("15 cancel of a portfolio in mid-write, and retry of one that failed")
def test_a_cancelled_portfolio_says_nothing_and_a_failed_one_can_be_run_again(asked_rig):
    rig = asked_rig
    rig.daemon(BATCH_SIZE="50")
    rig.listen_to_progress()
    with rig.closed_gate("risk"):
        portfolio = ask(rig)
        rig.wait(lambda: len(rig.waiting_at_gate()) == 2)
        assert portfolio.cancel()
        rig.injected()
    rig.wait(lambda: rig.look("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')") == 0)
    assert rig.look("SELECT count(*) FROM risk_run") == rig.look("SELECT count(*) FROM current_run") == 0
    # A division by zero is nobody's but the chunk's.
    rig.fail_writes("22012", 1, ["vulnerability"])
    portfolio = ask(rig)
    rig.injected()
    with rig.recovery(RESCUE_SECONDS):
        assert portfolio.wait(RESCUE_SECONDS) == "failed"
        assert rig.look(SPEAKING, portfolio.batch_id) == 0
        assert portfolio.retry() == 1
        assert portfolio.wait(RESCUE_SECONDS) == "completed"
    assert has_all(rig, portfolio)
