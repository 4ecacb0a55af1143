"""Fixtures of the fault tests, and the table that they end with."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from chaos.places import TEMPLATE_WITH_RESULTS, undisturbed_answers
from chaos.record import Record, table
from chaos.rig import Rig, undisturbed_run
from chaos.server import TEMPLATE, ChaosServer
from chaos.work import MOST_CHUNKS, fill

SEED = int(os.environ.setdefault("AIOPS_SEED", str(time.time_ns() % 10**6)))
"""One for the whole run, whichever process a test is run in; each test starts from it anew."""


def pytest_report_header():
    return f"chaos: AIOPS_SEED={SEED}"


@pytest.fixture(scope="session")
def chaos_server(postgres):
    """The server of these tests, with a template of every test's database: data, books, the undisturbed results."""
    shared_memory = Path("/dev/shm")
    where = shared_memory if os.access(shared_memory, os.W_OK) and "TMPDIR" not in os.environ else None
    folder = Path(tempfile.mkdtemp(prefix="aiops-chaos-", dir=where))
    folder.chmod(0o711)
    with ChaosServer(folder, postgres) as server:
        server.make_template(fill)
        undisturbed_run(server, TEMPLATE, folder, MOST_CHUNKS)
        yield server


@pytest.fixture(scope="session")
def answers(chaos_server, tmp_path_factory):
    """A template of the databases in which requests are answered; made when the first test wants it."""
    undisturbed_answers(chaos_server, tmp_path_factory.mktemp("answers"))
    return TEMPLATE_WITH_RESULTS


@pytest.fixture
def asked_rig(request, chaos_server, answers, tmp_path):
    """The same as `rig` on a database with the results of a yearly batch, and the answers to compare with."""
    yield from a_rig(request, chaos_server, tmp_path, answers)


@pytest.fixture
def rig(request, chaos_server, tmp_path):
    """The test's database, daemons and tools."""
    yield from a_rig(request, chaos_server, tmp_path, TEMPLATE)


@pytest.fixture
def bare_rig(request, chaos_server, tmp_path):
    """The same on a database without anything in it."""
    yield from a_rig(request, chaos_server, tmp_path, "template0")


def a_rig(request, server, folder, template):
    """The marker `fault` names the row of the list."""
    fault = request.node.get_closest_marker("fault").args[0]
    variant = getattr(request.node, "callspec", None)
    if variant is not None:
        fault = f"{fault}: {variant.id.replace('-', ' ')}"
    print(f"AIOPS_SEED={SEED}")  # noqa: T201 (the seed has to be seen)
    with server.database(template) as name:
        rig = Rig(server, name, SEED, folder, fault)
        try:
            yield rig
            if rig.record.outcome != "passed":
                rig.show_logs()
        finally:
            rig.end()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Every test ends with the check of the invariants, as a part of itself."""
    names = ("rig", "bare_rig", "asked_rig")
    rig = next((pyfuncitem.funcargs[name] for name in names if name in pyfuncitem.funcargs), None)
    if rig is None:
        return (yield)
    try:
        done = yield
        rig.conclude()
    except pytest.skip.Exception:
        rig.record.outcome = "skipped"
        raise
    except BaseException:
        rig.record.outcome = "FAILED"
        raise
    else:
        rig.record.outcome = "passed"
        return done
    finally:
        pyfuncitem.user_properties.append(("fault", asdict(rig.record)))


def pytest_terminal_summary(terminalreporter):
    reports = [one for kind in terminalreporter.stats.values() for one in kind if getattr(one, "when", None) == "call"]
    records = [Record(**value) for one in reports for name, value in one.user_properties if name == "fault"]
    if records:
        terminalreporter.section("faults")
        for line in table(records):
            terminalreporter.write_line(line)
