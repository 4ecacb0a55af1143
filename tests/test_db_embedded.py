"""The embedded server, first-hand: real servers, real kills."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from daemons import wait_for

from aiops.db.embedded import EmbeddedServer, account, binaries, embedded_conninfo, home, readable
from aiops.db.embedded.account import can_enter, run_as, server_account
from aiops.db.embedded.binaries import find_binaries
from aiops.db.embedded.process import find_postmaster
from aiops.errors import DatabaseUnavailable, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SMALL = {"shared_buffers": "16MB"}
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="what happens when root calls")


@pytest.fixture
def folder(open_folder: Path, tmp_path: Path) -> Iterator[Path]:
    """An empty folder that the server's account can pass through."""
    path = open_folder / tmp_path.name
    path.mkdir(mode=0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def embedded(folder: Path, postgres: str) -> Iterator[Callable[..., EmbeddedServer]]:
    """Make small forgetful servers, which end with the test."""
    made = []

    def embedded(directory: Path | None = None, **options: object) -> EmbeddedServer:
        options = {"postgres": postgres, "durable": False, "extra_settings": SMALL} | options
        made.append(EmbeddedServer(directory or folder / "server", **options))
        return made[-1]

    yield embedded
    for one in made:
        one.stop("immediate")
        shutil.rmtree(one.home.folder, ignore_errors=True)


def client(directory: Path, postgres: str, then: str = "") -> subprocess.Popen[str]:
    """Another process, with a process group of its own, that starts the server, tells, and does something."""
    program = (
        "import pathlib, sys, time; from aiops.db.embedded import EmbeddedServer; "
        "server = EmbeddedServer(pathlib.Path(sys.argv[1]), sys.argv[2], durable=False, "
        "extra_settings={'shared_buffers': '16MB'}); "
        f"print(server.start(), server.status().pid, flush=True); {then}"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, directory, postgres],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ask(conninfo: str, question: str) -> object:
    with psycopg.connect(conninfo, connect_timeout=10) as connection:
        return connection.execute(question).fetchone()[0]


def permissions(folder: Path) -> dict[str, tuple[int, int, int]]:
    paths = (folder, *folder.rglob("*"))
    return {str(path): (path.stat().st_mode, path.stat().st_uid, path.stat().st_gid) for path in paths}


# --- found, started, stopped ----------------------------------------------------------------------------------


def test_a_second_command_finds_the_running_server(server, open_folder, postgres):
    second = EmbeddedServer(open_folder / "server", postgres)
    assert second.start() == server.conninfo
    assert second.status() == server.status()
    assert ask(second.conninfo, "SHOW data_directory") == str(second.home.data)


def test_it_is_the_server_that_the_settings_describe(server, monkeypatch, postgres):
    monkeypatch.setenv("EMBEDDED_DIRECTORY", str(server.home.folder))
    monkeypatch.setenv("EMBEDDED_POSTGRES", postgres)
    assert embedded_conninfo() == server.conninfo


def test_two_starts_at_once_give_one_server(folder, postgres, embedded):
    server = embedded()
    clients = [client(folder / "server", postgres) for _ in range(3)]
    answers = {one.communicate(timeout=120)[0] for one in clients}
    assert len(answers) == 1
    assert answers == {f"{server.conninfo} {server.status().pid}\n"}
    assert [one.returncode for one in clients] == [0, 0, 0]


def test_it_outlives_a_killed_client_and_its_process_group(folder, postgres, embedded):
    server = embedded()
    with client(folder / "server", postgres, then="time.sleep(60)") as one:
        told = one.stdout.readline()
        os.killpg(one.pid, signal.SIGKILL)
    assert ask(server.conninfo, "SELECT 1") == 1
    assert told == f"{server.conninfo} {server.status().pid}\n"


def test_stop_stops_it_and_a_start_brings_it_back_with_its_data(embedded):
    server = embedded()
    conninfo = server.start()
    with psycopg.connect(conninfo) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    assert server.stop() is True
    assert not server.status().running
    with pytest.raises(psycopg.OperationalError, match="refused"):
        psycopg.connect(conninfo)
    assert server.stop() is False
    assert server.start() == conninfo
    assert ask(conninfo, "SELECT value FROM kept") == 7


def test_stop_ends_sessions_that_are_open(embedded):
    server = embedded()
    with psycopg.connect(server.start()) as connection:
        assert server.stop("fast")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
        connection.close()


def test_the_status_before_the_first_start_says_that_there_is_none(embedded, postgres):
    server = embedded()
    status = server.status()
    assert (status.running, status.pid, status.port, status.size_bytes) == (False, None, None, 0)
    assert status.version == find_binaries(postgres).version
    with pytest.raises(DatabaseUnavailable, match=r"no embedded server in .* yet"):
        _ = server.conninfo
    assert server.stop() is False


def test_the_status_tells_pid_port_and_size_and_no_password(server):
    status = server.status()
    assert status.running
    assert ask(server.conninfo, "SHOW port") == str(status.port)
    assert f"PostgreSQL {status.version}" in ask(server.conninfo, "SELECT version()")
    assert status.size_bytes > 20_000_000
    password = psycopg.conninfo.conninfo_to_dict(server.conninfo)["password"]
    assert password not in repr(status) + repr(server.home.read_record())


def test_its_text_sorts_by_code_point_in_utf8(server):
    assert ask(server.conninfo, "SHOW server_encoding") == "UTF8"
    assert ask(server.conninfo, "SELECT array_agg(t ORDER BY t) FROM unnest('{b,a,B,가}'::text[]) t") == [
        *("B", "a", "b", "가")
    ]


# --- closed to others -----------------------------------------------------------------------------------------


def test_it_is_closed_without_its_password(server):
    for password in ("wrong", ""):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password supplied"):
            psycopg.connect(server.conninfo, password=password)


def test_it_listens_on_the_loopback_address_alone_and_on_no_socket(server):
    assert ask(server.conninfo, "SHOW listen_addresses") == "127.0.0.1"
    assert ask(server.conninfo, "SHOW unix_socket_directories") == ""
    rules = "SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules"
    assert ask(server.conninfo, rules) is True


def test_only_the_caller_can_read_its_record(server):
    record = server.home.record_file
    assert (record.stat().st_mode & 0o777, record.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert record.stat().st_uid == os.geteuid()
    assert server.home.data.stat().st_mode & 0o777 == 0o700


def test_the_programs_of_its_version_come_connected(server, monkeypatch):
    monkeypatch.setenv("PGHOST", "elsewhere.invalid")
    monkeypatch.setenv("PGOPTIONS", "-c search_path=elsewhere")
    psql, environment = server.program("psql")
    said = subprocess.run([psql, "-XAtc", "SHOW port"], env=environment, check=True, capture_output=True, text=True)
    assert said.stdout == f"{server.status().port}\n"
    dump, environment = server.program("pg_dump")
    assert "PostgreSQL database dump" in subprocess.check_output([dump], env=environment, text=True)
    with pytest.raises(DatabaseUnavailable, match="has no pg_dumb"):
        server.program("pg_dumb")


# --- crashes --------------------------------------------------------------------------------------------------


def test_an_initdb_that_was_killed_is_done_again(folder, postgres, embedded):
    server = embedded()
    with client(folder / "server", postgres) as one:
        while not (begun := list((folder / "server").glob("making-*/data/*"))):
            assert one.poll() is None
            time.sleep(0.002)
        os.killpg(one.pid, signal.SIGKILL)
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        if str(begun[0].parent).encode() in process.read_bytes():
            os.kill(int(process.parent.name), signal.SIGKILL)
    assert not server.home.data.exists()
    assert ask(server.start(), "SELECT current_database()") == "aiops"
    assert not list(server.home.folder.glob("making-*"))


def kill(server):
    os.kill(server.status().pid, signal.SIGKILL)
    wait_for(lambda: not server.status().running)


def test_it_comes_back_after_it_was_killed(embedded):
    server = embedded()
    with psycopg.connect(server.start()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    kill(server)
    assert (server.home.data / "postmaster.pid").exists()
    assert ask(server.start(), "SELECT value FROM kept") == 7


def test_a_start_waits_for_the_processes_of_a_killed_server_to_end(embedded, monkeypatch):
    monkeypatch.setattr("aiops.db.embedded.server.PATIENCE_WITH_OTHERS", 120)
    server = embedded()
    with psycopg.connect(server.start(), autocommit=True) as connection, ThreadPoolExecutor(1) as pool:
        # A process at work does not notice that its server is gone until it has a result; this one has it in an hour.
        connection.pgconn.send_query(b"SELECT count(*) FROM (SELECT generate_series(1, 20000000000)) AS n")
        at_work = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%generate_series(1, 2%'"
        wait_for(lambda: ask(server.conninfo, at_work) > 1)
        try:
            kill(server)
            starting = pool.submit(server.start)
            log = server.home.data / "start.log"
            wait_for(lambda: starting.done() or "is still in use" in log.read_text())
            assert not starting.done()
        finally:
            os.kill(connection.info.backend_pid, signal.SIGKILL)
        assert ask(starting.result(), "SELECT 1") == 1
        connection.close()


def test_a_left_over_process_number_that_another_program_has_now_is_no_obstacle(embedded):
    server = embedded()
    server.start()
    left = (server.home.data / "postmaster.pid").read_text().splitlines()
    server.stop()
    account = server_account()
    with subprocess.Popen(["/bin/sleep", "60"], user=account and account.uid, stdout=subprocess.DEVNULL) as stranger:
        path = server.home.data / "postmaster.pid"
        path.write_text("\n".join([str(stranger.pid), *left[1:], ""]))
        os.chown(path, server.home.data.stat().st_uid, -1)
        assert not server.status().running
        assert server.stop() is False
        assert stranger.poll() is None
        assert ask(server.start(), "SELECT 1") == 1
        stranger.kill()


def test_a_port_that_was_taken_meanwhile_is_exchanged_for_another(embedded):
    server = embedded()
    server.start()
    port = server.status().port
    server.stop()
    with socket.create_server(("127.0.0.1", port)):
        assert ask(server.start(), "SHOW port") == str(server.status().port) != str(port)
        assert EmbeddedServer(server.home.folder, server._postgres).start() == server.conninfo
        server.stop()
        with pytest.raises(DatabaseUnavailable, match=f"port {port} of 127.0.0.1 is in use"):
            embedded(port=port).start()


def test_a_start_that_fails_shows_what_the_server_said(embedded):
    server = embedded(extra_settings={"shared_buffers": "plenty"})
    with pytest.raises(DatabaseUnavailable, match=r'did not start: .*"shared_buffers": "plenty"'):
        server.start()
    assert ask(embedded().start(), "SELECT 1") == 1


# --- accounts and closed folders ------------------------------------------------------------------------------


@only_root
def test_started_by_root_it_runs_as_an_unprivileged_account(server):
    uid = Path(f"/proc/{server.status().pid}").stat().st_uid
    assert pwd.getpwuid(uid).pw_name in {"postgres", "nobody"}
    assert server.home.data.stat().st_uid == uid


@only_root
def test_a_cluster_keeps_the_account_that_it_was_made_for(embedded, monkeypatch):
    monkeypatch.setattr(account, "CANDIDATES", ("no such account", "nobody"))
    server = embedded()
    server.start()
    assert pwd.getpwuid(Path(f"/proc/{server.status().pid}").stat().st_uid).pw_name == "nobody"
    server.stop()
    monkeypatch.undo()
    assert ask(embedded().start(), "SELECT 1") == 1
    assert pwd.getpwuid(Path(f"/proc/{server.status().pid}").stat().st_uid).pw_name == "nobody"


@only_root
def test_without_any_account_root_is_told_what_else_there_is(monkeypatch):
    monkeypatch.setattr(account, "CANDIDATES", ("no such account",))
    with pytest.raises(DatabaseUnavailable, match="run as an ordinary user, or set DATABASE_URL"):
        server_account()


@only_root
def test_programs_and_data_under_a_closed_folder_are_kept_elsewhere(folder, postgres, embedded, monkeypatch):
    if postgres not in binaries.WHEEL_FOLDERS:
        pytest.skip("a system's own programs lie in open folders")
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    found = find_binaries(postgres)
    for part in found.parts:
        shutil.copytree(found.root / part, closed / part)
    (closed / binaries.WHEEL / "__init__.py").write_text("raise AssertionError('it is to be found, not run')\n")
    monkeypatch.syspath_prepend(closed)
    monkeypatch.setattr(readable, "CACHE", folder / "cache" / "aiops")
    monkeypatch.setattr(home, "SHARED", folder / "shared")
    before = permissions(closed)
    umask = os.umask(0o077)
    try:
        server = embedded(closed / "server")
        assert ask(server.start(), "SHOW server_version") == found.version
        assert EmbeddedServer(closed / "server", postgres).start() == server.conninfo
        copies = list((folder / "cache" / "aiops").glob("postgres-*"))
        assert [str(server.home.read_record().programs)] == [
            str(copy / found.folder.relative_to(found.root)) for copy in copies
        ]
        assert {path.stat().st_uid for path in copies[0].rglob("*")} == {0}
        assert not any(path.stat().st_mode & 0o022 for path in copies[0].rglob("*"))
        server.stop()
        copied_at = copies[0].stat().st_mtime_ns
        assert ask(embedded(closed / "server").start(), "SELECT 1") == 1
        assert copies[0].stat().st_mtime_ns == copied_at
    finally:
        os.umask(umask)
    assert permissions(closed) == before
    assert server.home.folder.is_relative_to(folder / "shared")
    assert EmbeddedServer(closed / "other", postgres).home.folder != server.home.folder


@only_root
def test_a_cache_that_others_can_write_to_is_not_trusted(folder, postgres, monkeypatch):
    (folder / "cache").mkdir()
    (folder / "cache").chmod(0o777)
    monkeypatch.setattr(readable, "CACHE", folder / "cache")
    monkeypatch.setattr(readable, "_runs", lambda *_: False)
    with pytest.raises(DatabaseUnavailable, match="others may write to it"):
        readable.readable_binaries(find_binaries(postgres), server_account())


@only_root
def test_an_ordinary_account_runs_it_as_itself(folder, postgres):
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    found = find_binaries(postgres)
    if not readable._runs(found, readable.Account("nobody", nobody.pw_uid, nobody.pw_gid)):
        pytest.skip(f"{found.folder} is closed to the account nobody")
    receive, send = os.pipe()
    # Forked, not executed: the interpreter may lie in a folder that is closed to that account.
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(nobody.pw_gid)
        os.setuid(nobody.pw_uid)
        server = EmbeddedServer(folder / "own" / "server", postgres, durable=False, extra_settings=SMALL)
        try:
            answer = {"answer": ask(server.start(), "SELECT 1"), "pid": server.status().pid}
            answer["uid"] = Path(f"/proc/{answer['pid']}").stat().st_uid
            answer["stopped"] = server.stop()
            os.write(send, json.dumps(answer).encode())
        finally:
            server.stop("immediate")
            os._exit(0)
    os.close(send)
    with os.fdopen(receive) as told:
        answer = json.loads(told.read())
    os.waitpid(child, 0)
    assert (answer["answer"], answer["uid"], answer["stopped"]) == (1, nobody.pw_uid, True)
    assert (folder / "own" / "server").stat().st_mode & 0o777 == 0o700


@only_root
def test_programs_run_without_roots_groups_and_outside_its_folders():
    servers = server_account()
    said = run_as(servers, ["/bin/sh", "-c", "id -u; id -G; pwd; umask"], {"PATH": "/usr/bin:/bin"}).stdout
    assert said.split() == [str(servers.uid), str(servers.gid), "/", "0077"]


@only_root
def test_a_closed_folder_is_found_out_by_trying(folder):
    (folder / "closed" / "within").mkdir(parents=True)
    (folder / "closed").chmod(0o700)
    assert can_enter(server_account(), folder)
    assert not can_enter(server_account(), folder / "closed" / "within")


# --- which PostgreSQL -----------------------------------------------------------------------------------------


def test_the_other_version_works_too_and_refuses_data_that_are_not_its_own(folder, postgres, embedded):
    other = {"18": "16", "16": "18"}.get(postgres)
    if other is None:
        pytest.skip("the tests run on a PostgreSQL of the developer's own choice")
    server = embedded(postgres=other)
    assert ask(server.start(), "SHOW server_version").startswith(f"{other}.")
    refusal = rf"made by PostgreSQL {other}, and the programs in .* are {postgres}\.\d+: set EMBEDDED_POSTGRES"
    with pytest.raises(DatabaseUnavailable, match=refusal):
        embedded().start()
    server.stop()
    with pytest.raises(DatabaseUnavailable, match=refusal):
        embedded().start()


@pytest.mark.parametrize("wanted", ["17", "eighteen", "relative/bin", "/nowhere", ""])
def test_an_unknown_postgres_is_refused_by_name(wanted):
    with pytest.raises(SettingsError, match=rf"EMBEDDED_POSTGRES: '{wanted}': allowed: 18, 16, or"):
        find_binaries(wanted)


def test_a_folder_of_programs_can_be_named(postgres):
    found = find_binaries(postgres)
    for name in (found.folder, found.folder.parent):
        assert (find_binaries(str(name)).folder, find_binaries(str(name)).version) == (found.folder, found.version)


def test_a_postgres_that_is_too_old_is_refused(folder):
    for program in ("postgres", "initdb", "pg_ctl"):
        (folder / program).write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 14.11'\n")
        (folder / program).chmod(0o755)
    with pytest.raises(SettingsError, match=r"PostgreSQL 14\.11; allowed: 15 or newer"):
        find_binaries(str(folder))


def test_without_the_wheel_the_systems_own_postgres_is_used(folder, monkeypatch):
    monkeypatch.setattr(binaries, "WHEEL", "no_such_wheel")
    monkeypatch.setattr(binaries, "SYSTEM_FOLDERS", ("*/bin",))
    monkeypatch.setattr(binaries, "SYSTEM_ROOT", folder)
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(DatabaseUnavailable, match=r"pip install 'aiops\[embedded\]'"):
        find_binaries("18")
    for version in ("14.1", "16.2", "17.3"):
        bin_folder = folder / version / "bin"
        bin_folder.mkdir(parents=True)
        for program in ("postgres", "initdb", "pg_ctl"):
            (bin_folder / program).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {version} (Debian)'\n")
            (bin_folder / program).chmod(0o755)
    assert find_binaries("18").version == "17.3"
    assert find_binaries("16").version == "16.2"


# --- folders that cannot be used ------------------------------------------------------------------------------


def test_a_lost_or_damaged_record_is_named(embedded):
    server = embedded()
    server.start()
    server.stop()
    server.home.record_file.write_text("{")
    with pytest.raises(DatabaseUnavailable, match=r"server\.json is damaged"):
        server.start()
    server.home.record_file.unlink()
    with pytest.raises(DatabaseUnavailable, match=r"not .*server\.json, which holds its password"):
        server.start()


def test_a_folder_that_is_a_data_folder_itself_is_refused(folder, embedded):
    (folder / "server").mkdir()
    (folder / "server" / "PG_VERSION").write_text("18\n")
    with pytest.raises(DatabaseUnavailable, match="is itself a PostgreSQL data folder"):
        embedded().start()


def test_a_folder_that_cannot_be_made_is_named(folder, embedded):
    (folder / "file").write_text("")
    with pytest.raises(DatabaseUnavailable, match=r"embedded server in .*file/server: .*Not a directory"):
        EmbeddedServer(folder / "file" / "server").start()


def test_a_path_that_a_shell_would_read_is_refused(folder):
    with pytest.raises(SettingsError, match="EMBEDDED_DIRECTORY"):
        EmbeddedServer(folder / "$(touch x)").start()


def test_a_path_with_spaces_quotes_and_hangul_works(folder, embedded):
    server = embedded(folder / "it's a 서버")
    assert ask(server.start(), "SHOW data_directory") == str(folder / "it's a 서버" / "data")
    assert server.stop()


# --- the tests' own databases ---------------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_migrated_database_of_its_own(turn, connection, connect, database):
    assert not connection.autocommit
    assert connection.execute("SELECT count(*) FROM schema_migrations").fetchone()[0] > 0
    connection.execute("CREATE TABLE only_here ()")
    connection.commit()
    other = connect(autocommit=True)
    assert other.autocommit
    assert other.execute("SELECT count(*) FROM only_here").fetchone()[0] == 0
    assert other.info.dbname == psycopg.conninfo.conninfo_to_dict(database)["dbname"]


@pytest.mark.parametrize("blow", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_tests_that_are_broken_off_leave_no_server_behind(blow, folder, postgres):
    shutil.copy(Path(__file__).with_name("conftest.py"), folder)
    (folder / "test_it.py").write_text(
        "import pathlib, time\n"
        "def test_it(server):\n"
        "    pathlib.Path(__file__).with_name('told').write_text(str(server.home.folder))\n"
        "    time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder / "test_it.py"]
    with subprocess.Popen(
        command, cwd=folder, env=os.environ | {"AIOPS_TEST_POSTGRES": postgres}, stdout=subprocess.DEVNULL
    ) as tests:
        told = wait_for(lambda: tests.poll() is not None or ((one := folder / "told").exists() and one.read_text()))
        assert tests.poll() is None
        assert find_postmaster(Path(told) / "data") is not None
        tests.send_signal(blow)
    wait_for(lambda: not Path(told).parent.exists())
    assert find_postmaster(Path(told) / "data") is None
