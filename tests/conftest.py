"""Fixtures of every test: a real PostgreSQL server, a fresh migrated database, no settings from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import hypothesis
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pytest_postgresql import factories

from aiops.db.embedded import EmbeddedServer
from aiops.settings import Settings, settings
from workers.cli import main

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Runs beside the tests until its standard input closes, which the end of the tests does whatever that end is:
# a last test, Ctrl-C, a crash, kill -9.
GUARDIAN = """
import pathlib, shutil, sys
from aiops.db.embedded import EmbeddedServer
sys.stdin.read()
folder = pathlib.Path(sys.argv[1])
server = EmbeddedServer(folder / "server", sys.argv[2])
server.stop("immediate")
for place in (server.home.folder, folder):
    shutil.rmtree(place, ignore_errors=True)
"""


# A shell that runs the tests in the background has them ignore Ctrl-C, and with them every program that they start and
# then mean to interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# --- chance -------------------------------------------------------------------------------------------------

hypothesis.settings.register_profile("repeatable", derandomize=True)
if "AIOPS_SEED" in os.environ:
    hypothesis.settings.load_profile("repeatable")


# --- settings -----------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No variable and no `.env` of the developer's reaches a test, and none reaches the next test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    # What asks for the embedded server without saying which must not get the developer's own.
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    settings.cache_clear()
    yield
    settings.cache_clear()


# --- the server ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def postgres() -> str:
    """Which PostgreSQL the tests run on: AIOPS_TEST_POSTGRES, as the setting EMBEDDED_POSTGRES."""
    return os.environ.get("AIOPS_TEST_POSTGRES", "18")


def _place_in_memory() -> str | None:
    """Where files cost no disk, if that is large enough: a database's copy is three hundred new files."""
    shared_memory = Path("/dev/shm")
    if "TMPDIR" in os.environ or not os.access(shared_memory, os.W_OK | os.X_OK):
        return None
    return str(shared_memory) if shutil.disk_usage(shared_memory).free > 2 << 30 else None


@pytest.fixture(scope="session")
def open_folder() -> Iterator[Path]:
    """A folder that the server's account can pass through; pytest's own are closed to all but the caller."""
    folder = Path(tempfile.mkdtemp(prefix="aiops-tests-", dir=_place_in_memory()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def server(open_folder: Path, postgres: str) -> Iterator[EmbeddedServer]:
    """The tests' server (one for each worker of pytest-xdist): fast, forgetful, gone at the end."""
    with subprocess.Popen(
        [sys.executable, "-c", GUARDIAN, open_folder, postgres], stdin=subprocess.PIPE, start_new_session=True
    ) as guardian:
        server = EmbeddedServer(open_folder / "server", postgres, durable=False)
        server.start()
        yield server
        server.stop("immediate")
        guardian.communicate()


# --- a database for each test -------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def running_server(server: EmbeddedServer) -> SimpleNamespace:
    """The server in the words of pytest-postgresql: what its no-process mode can depend on."""
    reach = conninfo_to_dict(server.conninfo)
    return SimpleNamespace(
        host=reach["host"],
        port=reach["port"],
        user=reach["user"],
        password=reach["password"],
        options="",
        maintenance_dbname="postgres",
        template_dbname="template0",
    )


def migrate_template(**reach: str) -> None:
    """Bring the template database to the present schema, once for all tests."""
    from workers.schema import apply_schema

    reach.pop("autocommit")
    with psycopg.connect(make_conninfo(**reach), autocommit=True) as connection:
        apply_schema(connection)


migrated_server = factories.postgresql_noproc(depends_on="running_server", dbname="test", load=[migrate_template])
fresh_connection = factories.postgresql("migrated_server")


@pytest.fixture
def connection(fresh_connection: psycopg.Connection) -> psycopg.Connection:
    """A connection, not in autocommit mode, to a migrated database that only this test sees."""
    return fresh_connection


@pytest.fixture
def database(connection: psycopg.Connection, server: EmbeddedServer) -> str:
    """The connection string of this test's migrated database."""
    return make_conninfo(server.conninfo, dbname=connection.info.dbname)


@pytest.fixture
def connect(database: str) -> Iterator[Callable[..., psycopg.Connection]]:
    """Open further connections to this test's database: `connect(autocommit=True)`; closed at its end."""
    opened: list[psycopg.Connection] = []

    def connect(**options: object) -> psycopg.Connection:
        opened.append(psycopg.connect(database, **options))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


# --- the command line ---------------------------------------------------------------------------------------


@pytest.fixture
def aiops(
    database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command here, on this test's database; gives its exit code, what it printed, and what it complained of."""
    monkeypatch.setenv("DATABASE_URL", database)

    def aiops(*arguments: object, database: str | None = None) -> tuple[int, str, str]:
        if database is not None:
            monkeypatch.setenv("DATABASE_URL", database)
        settings.cache_clear()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        return ended.value.code, printed.out, printed.err

    return aiops


# --- data beside the checkout -------------------------------------------------------------------------------


def _beside_the_checkout(name: str) -> Path:
    folder = Path(__file__).resolve().parents[2] / "shared" / name
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real observations: stations, best tracks."""
    return _beside_the_checkout("data")


@pytest.fixture(scope="session")
def oracles() -> Path:
    """Values that others published."""
    return _beside_the_checkout("oracles")
