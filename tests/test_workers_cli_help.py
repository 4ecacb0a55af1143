"""Every command explains itself: help, an example, JSON, completion."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys

import psycopg
import pytest
from climate import CELLS, write_climate
from daemons import environment, run
from typer.main import get_command

from aiops.grid import latitude_of, longitude_of
from workers.cli import app, main
from workers.cli.output import say_json

WITHOUT_DATA = {("demo",), ("serve",), ("worker",), ("db", "url")}
"""Commands whose output is no data: a tour, a daemon, a text for other programs; reports and exports are files."""


def commands(group=None, path=()):
    """Every command below a group, with its path; the groups themselves, too."""
    group = group or get_command(app)
    for name, command in sorted(group.commands.items()):
        yield (*path, name), command
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))


ALL = dict(commands())
LEAVES = {path: command for path, command in ALL.items() if not hasattr(command, "commands")}


@pytest.fixture(autouse=True)
def _narrow(monkeypatch):
    """A screen of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")


# --- help ---------------------------------------------------------------------------------------------------


def test_there_are_the_commands_that_operators_look_for():
    assert {
        "status", "request", "batches", "logs", "history", "cancel", "retry", "schedule", "health", "doctor",
    } <= {path[0] for path in LEAVES}  # fmt: skip


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_command_has_help_with_an_example_that_it_understands(path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as ended:
        main([*path, "--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert ended.value.code == 0
    assert "Example: " in text
    example = text.split("Example: ")[1].split("╭")[0]
    assert f"aiops {' '.join(path)}" in example
    words = [word for word in re.findall(r"--[a-z-]+", example) if word != "--help"]
    known = {name for parameter in LEAVES[path].params for name in parameter.opts}
    assert set(words) <= known


@pytest.mark.parametrize(
    "path", [path for path in LEAVES if path not in WITHOUT_DATA and path[0] not in {"report", "export"}], ids=" ".join
)
def test_a_command_whose_output_is_data_can_print_json(path):
    assert "--json" in {name for parameter in LEAVES[path].params for name in parameter.opts}


@pytest.mark.parametrize("path", [(), *(path for path in ALL if path not in LEAVES)], ids=" ".join)
def test_a_group_without_a_command_shows_its_help_once(path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(path)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert (printed.out + printed.err).count("Usage:") == 1


def test_the_exit_codes_stand_in_the_top_help(aiops):
    code, text, _ = aiops("--help")
    assert code == 0
    assert "Exit codes: 0 done; 1 not healthy, or failed; 2 what was asked cannot be used" in " ".join(text.split())
    assert "--debug" in text


# --- JSON ---------------------------------------------------------------------------------------------------


@pytest.fixture
def batch_id(connection, aiops):
    """A batch that has run, and the results of a request."""
    write_climate(connection, cells=CELLS[:2])
    insert = "INSERT INTO batch_jobs (job_type) VALUES ('hazard') RETURNING batch_id"
    (batch_id,) = connection.execute(insert).fetchone()
    connection.execute("SELECT plan_batch(%s, 2, '1', 'calibrated')", (batch_id,))
    connection.execute("SELECT claim_chunk(%s, 1, 'compute somewhere 7', '90 seconds')", (batch_id,))
    connection.execute("SELECT finish_chunk(%s, 1, 2, 0, '{\"read\": 0.5}')", (batch_id,))
    connection.commit()
    return str(batch_id)


@pytest.mark.daemon
def test_every_look_gives_json(aiops, batch_id):
    place = (f"{latitude_of(CELLS[0]):.2f}", f"{longitude_of(CELLS[0]):.2f}")
    for arguments in (
        ["status"],
        ["batches"],
        ["logs", batch_id],
        ["logs", batch_id, "--chunk", "1"],
        ["db", "status"],
        ["db", "migrate"],
        ["schedule", "list"],
        ["schedule", "pause", "hazard"],
        ["schedule", "resume", "hazard"],
        ["request", *place],
        ["history", *place],
        ["results", "--at", ",".join(place)],
        ["run", "hazard", "--no-wait"],
        ["health"],
        ["doctor"],
    ):
        code, text, _ = aiops(*arguments, "--json")
        assert json.loads(text), arguments
        assert code == (1 if arguments[0] in {"health", "doctor"} else 0), arguments
    waiting = json.loads(aiops("batches", "--status", "queued", "--json")[1])[0]["batch_id"]
    assert json.loads(aiops("cancel", waiting, "--json")[1]) == {"batch_id": waiting, "cancelled": True}


# --- colours, encodings -------------------------------------------------------------------------------------


@pytest.mark.daemon
def test_a_pipe_gets_no_colours_and_any_locale_gets_an_answer(database, batch_id):
    place = (f"{latitude_of(CELLS[0]):.2f}", f"{longitude_of(CELLS[0]):.2f}")
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "TERM": "xterm-256color"}
    text = run(database, "workers.cli", "request", *place, **poor)
    assert "\x1b" not in text
    assert "Extreme heat" in text


def test_json_is_whole_where_the_encoding_has_no_korean(monkeypatch):
    told = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", told)
    say_json({"name": "서울"})
    told.flush()
    assert json.loads(told.buffer.getvalue()) == {"name": "서울"}


@pytest.mark.daemon
def test_a_terminal_gets_colours_but_not_with_no_color(database, batch_id):
    def on_a_terminal(**settings):
        import pty

        ours, theirs = pty.openpty()
        done = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "status"],
            env=environment(database, TERM="xterm-256color", **settings),
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        shown = b""
        try:
            while part := os.read(ours, 4096):
                shown += part
        except OSError:  # how Linux says that the other side has closed
            pass
        os.close(ours)
        assert done.wait(120) == 0
        return shown.decode()

    assert re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal())
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", on_a_terminal(NO_COLOR="1"))


# --- completion ---------------------------------------------------------------------------------------------

SHELLS = {
    "bash": lambda words: {"COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)},
    "zsh": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words)},
    "fish": lambda words: {"_TYPER_COMPLETE_ARGS": " ".join(words), "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
}


@pytest.fixture
def completed(aiops, monkeypatch):
    """What a shell would offer for the last of these words."""

    def completed(shell, *words):
        monkeypatch.setenv("_AIOPS_COMPLETE", f"complete_{shell}")
        for name, value in SHELLS[shell](("aiops", *words)).items():
            monkeypatch.setenv(name, value)
        return aiops()[1]

    return completed


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_risks_scenarios_horizons_and_batches(completed, batch_id, shell):
    assert "extreme_heat" in completed(shell, "run", "hazard", "--risk", "extreme")
    assert "ssp585" in completed(shell, "run", "hazard", "--scenario", "ssp5")
    assert "2050s" in completed(shell, "run", "hazard", "--horizon", "205")
    assert "failed" in completed(shell, "batches", "--status", "fa")
    assert "portfolio" in completed(shell, "batches", "--type", "port")
    assert "drought" in completed(shell, "request", "37", "127", "--risk", "dr")
    assert "hazard" in completed(shell, "schedule", "run", "ha")
    assert batch_id in completed(shell, "logs", batch_id[:4])


def test_completion_says_nothing_where_there_is_no_database(completed, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert completed("bash", "logs", "").strip() == ""


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_can_be_shown_for_each_shell(aiops, monkeypatch, shell):
    monkeypatch.setenv("_AIOPS_COMPLETE", f"source_{shell}")
    assert "_AIOPS_COMPLETE" in aiops()[1]


# --- numbers of batches -------------------------------------------------------------------------------------


def test_the_beginning_of_a_batchs_number_will_do(aiops, connection, batch_id):
    assert json.loads(aiops("logs", batch_id[:6].upper(), "--json")[1])["batch"]["batch_id"] == batch_id
    with psycopg.connect(os.environ["DATABASE_URL"]) as other:
        for last in ("1", "2"):
            other.execute(
                "INSERT INTO batch_jobs (batch_id, job_type) VALUES (%s, 'test')",
                (f"abcdef00-0000-0000-0000-00000000000{last}",),
            )
    code, _, said = aiops("logs", "abcdef")
    assert (code, "several begin like this (abcdef00-" in said) == (2, True)
