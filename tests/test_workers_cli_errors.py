"""Every error that a user can cause ends in one line, and a traceback is shown only with --debug."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from climate import write_climate
from daemons import environment
from psycopg.conninfo import make_conninfo

from aiops.db.embedded.ports import free_port
from workers.cli import status


def is_one_line(said):
    return said.startswith("aiops: ") and said.count("\n") == 1 and "Traceback" not in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'; see aiops --help"),
        (["run", "nonsense"], "No such command 'nonsense'; see aiops run --help"),
        (["request", "37.5"], "Missing argument 'LON'; see aiops request --help"),
        (["request", "37.5", "127", "--forse"], "No such option: --forse"),
        (["results", "--most", "many"], "Invalid value for '--most': "),
        (["logs", "\udcff"], "no batch's number; allowed: a UUID"),
        (["results", "--risk", "\udcff"], "an argument holds bytes that are no text in UTF-8; allowed: UTF-8"),
        (["results", "--risk", "heat"], "'heat' is not allowed; allowed: extreme_heat"),
        (["run", "hazard", "--horizon", "2045"], '"2045" is not allowed; allowed: 2020s'),
        (["portfolio", "{folder}"], "is a folder; allowed: a CSV file"),
        (["portfolio", "{folder}/none.csv"], "none.csv: no such file"),
        (["ingest", "csv", "{folder}"], "is a folder; allowed: a CSV file"),
        (["ingest", "asos", "{folder}/none.csv", "--stations", "{folder}/none.csv"], "none.csv: no such file"),
    ],
)
def test_what_is_asked_wrongly_is_said_in_one_line_with_exit_code_2(aiops, tmp_path, arguments, message):
    code, text, said = aiops(*(one.format(folder=tmp_path) for one in arguments))
    assert (code, text) == (2, "")
    assert is_one_line(said)
    assert message in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read_is_named(aiops, tmp_path):
    path = tmp_path / "closed.csv"
    path.write_text("a\n")
    path.chmod(0)
    code, _, said = aiops("ingest", "csv", str(path))
    assert (code, "closed.csv" in said, is_one_line(said)) == (2, True, True)


def test_a_database_that_is_not_there_or_refuses_is_said_in_one_line(aiops, database, monkeypatch):
    for url, message in (
        (make_conninfo(database, port=free_port()), "cannot connect to the database: "),
        (make_conninfo(database, password="secret of mine"), "password authentication failed"),
        (make_conninfo(database, dbname="nowhere"), 'database "nowhere" does not exist'),
    ):
        monkeypatch.setenv("DATABASE_URL", url)
        code, _, said = aiops("status")
        assert (code, is_one_line(said), message in said) == (1, True, True)
        assert "secret of mine" not in said
    monkeypatch.setenv("DATABASE_URL", "someone:secret@somewhere")
    code, _, said = aiops("status")
    assert (code, is_one_line(said), "secret" in said) == (2, True, False)
    assert "setting DATABASE_URL: not a connection string such as postgresql://" in said


@pytest.mark.parametrize("arguments", [["status"], ["serve", "--port", "0"]])
def test_an_embedded_server_that_cannot_start_is_said_in_one_line(arguments):
    nowhere = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "LOG_"))}
    nowhere["EMBEDDED_DIRECTORY"] = "/proc/none/server"
    command = [sys.executable, "-m", "workers.cli", *arguments]
    done = subprocess.run(command, env=nowhere, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert is_one_line(done.stderr), done.stderr
    assert "embedded server in" in done.stderr


def test_a_fault_of_the_program_is_owned_up_to_in_one_line_and_shown_with_debug(aiops, monkeypatch):
    def broken(*_):
        raise KeyError("nowhere to be found")

    monkeypatch.setattr(status, "read_overview", broken)
    code, _, said = aiops("status")
    assert (code, is_one_line(said)) == (1, True)
    assert "a fault of this program, not of yours: KeyError: 'nowhere to be found'" in said
    code, _, said = aiops("--debug", "status")
    assert code == 1
    assert "Traceback" in said


def test_ctrl_c_ends_in_one_line_and_code_130(aiops, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(status, "read_overview", interrupted)
    assert aiops("status") == (130, "", "aiops: interrupted\n")


WHILE_LOADING = """
import os, signal, sys

class Interrupt:
    def find_spec(self, name, path, target=None):
        if name == "workers.cli.main_app":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
from workers.command import main
main()
"""


def test_ctrl_c_while_the_program_is_loading_is_one_line(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WHILE_LOADING, "status"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "aiops: interrupted\n")


@pytest.mark.daemon
def test_a_reader_that_has_seen_enough_is_no_error_and_a_full_disk_is(connection, database):
    write_climate(connection, cells=(343_000,))
    for _ in range(3):
        connection.execute("INSERT INTO batch_jobs (job_type) SELECT 'test' FROM generate_series(1, 400)")
    connection.commit()
    command = f"{sys.executable} -m workers.cli batches --limit 1000"
    for shell, code in ((f"{command} --json | head -1", 0), (f"{command} > /dev/full", 1)):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", shell],
            env=environment(database),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert done.stderr == ("" if code == 0 else "aiops: the output: No space left on device\n")
