"""Fault 12: a chunk that ends its process, never ends, takes all memory: it fails by name, the rest completes."""

from __future__ import annotations

import pytest

from chaos.places import PLACES, Request
from chaos.test_processes import poisoned
from chaos.work import CELLS, FIRST_CELL

pytestmark = [pytest.mark.chaos, pytest.mark.daemon]

POISONED_CELL = FIRST_CELL + 5
DIED = "its process ended 5 times"
CHUNK = 3
"""The chunk that holds it, of two cells each."""


@pytest.mark.slow_chaos
@pytest.mark.fault("12 a chunk that")
@pytest.mark.parametrize(
    ("kind", "settings", "seconds", "error"),
    [
        pytest.param("eat_memory", {"COMPUTE_MEMORY_MB": "1024"}, 90, "MemoryError", id="eats-memory"),
        pytest.param("segfault", {}, 300, DIED, id="segfaults"),
        pytest.param("loop", {"CHUNK_SECONDS": "6"}, 300, DIED, id="loops-for-ever"),
        pytest.param("hold_the_interpreter", {"CHUNK_SECONDS": "6"}, 600, DIED, id="loops-and-lets-nobody-else-run"),
    ],
)
def test_a_poisoned_chunk_fails_by_name_and_the_rest_completes(rig, kind, settings, seconds, error):
    daemon = rig.daemon(**poisoned(kind, POISONED_CELL), **settings)
    batch = rig.batch(12)
    with rig.recovery(seconds):
        assert batch.wait(seconds) == "failed"
    rig.injected(rig.look("SELECT attempt FROM batch_chunks WHERE chunk_no = %s", CHUNK))
    state, tries, said = rig.watch.execute(
        "SELECT state, tries, error FROM batch_chunks WHERE chunk_no = %s", (CHUNK,)
    ).fetchone()
    assert state == "failed"
    assert error in said
    assert f"cells {FIRST_CELL + 4} to {POISONED_CELL}" in said or kind == "eat_memory"
    assert 3 <= tries <= 5
    assert batch.done() == 11
    assert "1 of 12 chunks failed; first: " in batch.error
    # The processes are there again, and all their memory with them.
    rig.wait(lambda: len(daemon.processes("compute")) == 2)
    if kind in {"loop", "hold_the_interpreter"}:
        # The log shows where it stood when it was ended.
        assert "sitecustomize.py" in daemon.log.read_text()


@pytest.mark.slow_chaos
@pytest.mark.fault("12 a request in whose cell the computation never ends")
def test_a_request_whose_cell_is_never_computed_to_the_end_fails_by_name(asked_rig):
    rig = asked_rig
    rig.daemon(**poisoned("loop", CELLS[PLACES - 1]), CHUNK_SECONDS="6", PARALLEL_WORKERS="1")
    poison = Request.ask(rig.watch, PLACES - 1)
    with rig.recovery(300):
        assert poison.wait(300) == "failed"
    rig.injected(poison.one("tries"))
    assert "ended 5 times" in poison.error
    # The one compute process is free again.
    assert Request.ask(rig.watch, PLACES - 2).wait(120) == "completed"
