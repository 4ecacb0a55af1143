"""Fault 19: all of it at random, three daemons. `make soak` for an hour; `make chaos` for two minutes."""

from __future__ import annotations

import os

import pytest

from chaos.invariants import RESCUE_SECONDS
from chaos.soak import Soak

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]


def soak(rig, minutes):
    one = Soak(rig)
    one.run(60 * minutes)
    with rig.recovery(4 * RESCUE_SECONDS):
        one.wait(4 * RESCUE_SECONDS)
    soaked = one.soaked
    done = f"{soaked.batches} batches, {soaked.requests} requests, {soaked.portfolios} portfolios"
    print(f"{done} completed; {soaked.cancelled} batches cancelled; faults: {soaked.faults}")  # noqa: T201
    rig.record.fault += f", {done}"
    assert one.batch.status in {"completed", "cancelled"}
    rig.wait(lambda: all(daemon.is_running() for daemon in one.daemons))


@pytest.mark.slow_chaos
@pytest.mark.fault("19 all of it at random for two minutes")
def test_two_minutes_of_everything_at_random(asked_rig):
    soak(asked_rig, 2)


@pytest.mark.soak
@pytest.mark.fault("19 all of it at random")
def test_an_hour_of_everything_at_random(asked_rig):
    soak(asked_rig, float(os.environ.get("AIOPS_SOAK_MINUTES", "60")))
