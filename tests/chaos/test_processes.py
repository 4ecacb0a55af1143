"""Faults 1 to 4: processes that are killed, stopped and told to end."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]


@pytest.mark.fault("1 kill -9 of a compute process")
def test_smoke(rig):
    rig.daemon()
    batch = rig.batch(10)
    assert batch.wait(60) == "completed"
