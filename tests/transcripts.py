"""Command blocks of the documentation, run as a reader would run them.

What stands for something else there is put in by these rules, and by no others:

- `console`: lines that begin with `$ `; a comment after ` # ` is a comment.
- `. .venv/bin/activate` is passed over: the tests run in that environment.
- `aiops worker` and `aiops serve` go on in the background until the end of the file.
- `'…'` is the number of the batch or request that was asked for last; a UUID that of the last yearly batch, eight
  hexadecimal digits its beginning.
- `docs/…` are files of the project; files that the reader brings lie in the working directory (the test makes them).
- After a statement or command that asks for something, the daemon is waited for: a reader would look again.
- A block after `<!-- not run: why -->` is left out.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass

import psycopg
from daemons import environment, wait_for, wait_until_at_work

from workers.cli import main

_BLOCK = re.compile(r"(?:<!-- (?P<note>[^>]*?) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)```", re.DOTALL)
_NUMBER = re.compile(r"(?P<short>[0-9a-f]{8})(?P<rest>(-[0-9a-f]{4}){3}-[0-9a-f]{12})?")
RUN = ("console", "sql", "python")
BACKGROUND = ("worker", "serve")


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    line: int
    reason: str | None
    """Why it is not run; None: it is."""


def blocks(text):
    """Every fenced block in order."""
    found = []
    for match in _BLOCK.finditer(text):
        note = match["note"] or ""
        reason = note.removeprefix("not run:").strip() if note.startswith("not run") else None
        line = text.count("\n", 0, match.start("language")) + 1
        found.append(Block(match["language"], match["text"], line, reason))
    return found


def commands(block):
    """The commands of a console block, a list of words each."""
    lines = [line for line in block.text.splitlines() if line.startswith("$ ")]
    return [shlex.split(line[2:], comments=True) for line in lines]


def statements(text):
    """The statements of an SQL block: split at semicolons outside quotes and comments."""
    tokens = re.findall(r"--[^\n]*|'(?:[^']|'')*'|;|[^-';]+|-", text)
    found = [""]
    for token in tokens:
        if token.startswith("--"):
            continue
        if token == ";":
            found.append("")
        else:
            found[-1] += token
    return [statement.strip() for statement in found if statement.strip()]


class Reader:
    """Somebody who follows a page from top to bottom on a database of their own."""

    def __init__(self, database, capsys, folder):
        self.database, self.capsys, self.folder = database, capsys, folder
        self.background = []
        self.connection = psycopg.connect(database, autocommit=True)

    def close(self):
        self.connection.close()
        for process in self.background:
            process.terminate()
        for process in self.background:
            assert process.wait(120) in {0, -15}

    def follow(self, page):
        """Run every block that is to be run; fail with the page's line and what was said."""
        for block in blocks(page.read_text(encoding="utf-8")):
            if block.language not in RUN or block.reason is not None:
                continue
            try:
                getattr(self, f"run_{block.language}")(block)
            except Exception as error:
                raise AssertionError(f"{page.name}, block at line {block.line}: {error}") from error

    # --- by language ------------------------------------------------------------------------------------------

    def run_console(self, block):
        for words in commands(block):
            self.run(words)
            self.wait_for_the_daemon()

    def run_sql(self, block):
        for statement in statements(block.text):
            said = self.connection.execute(statement.replace("'…'", f"'{self.last_batch()}'"))
            if said.description is not None and statement.startswith("SELECT"):
                assert said.fetchall(), f"no row: {statement}"
            self.wait_for_the_daemon()

    def run_python(self, block):
        self.run_python_with("-c", block.text)

    # --- one command ------------------------------------------------------------------------------------------

    def run(self, words):
        if words == [".", ".venv/bin/activate"]:
            return
        program, *arguments = [self.with_number(word) for word in words]
        if program == "aiops" and arguments[0] in BACKGROUND:
            self.start(arguments)
        elif program == "aiops":
            self.run_here(arguments)
        else:
            # `procrastinate` is a program beside this Python; any other command would be a new rule.
            module = {"procrastinate": ("-m", "procrastinate"), "python": ()}[program]
            self.run_python_with(*module, *arguments)

    def run_python_with(self, *arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            env=environment(self.database, LOG_LEVEL="info"),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"python {shlex.join(arguments)}: {done.stdout}{done.stderr}"

    def run_here(self, arguments):
        """One of our commands in this process: its imports are made once for all."""
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code or 0
        said = self.capsys.readouterr()
        # doctor and health tell by their exit code how things stand: 1 is an answer, too.
        assert code == 0 or (code == 1 and arguments[0] in {"doctor", "health"}), (
            f"aiops {shlex.join(arguments)}: exit code {code}\n{said.out[-2000:]}{said.err[-2000:]}"
        )
        assert said.out or said.err, f"aiops {shlex.join(arguments)} said nothing"

    def start(self, arguments):
        log = (self.folder / f"{arguments[0]}.log").open("wb")
        settings = {"PARALLEL_WORKERS": "1", "ONDEMAND_WORKERS": "1"}
        self.background.append(
            subprocess.Popen(
                [sys.executable, "-m", "workers.cli", *arguments],
                env=environment(self.database, **settings),
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )
        )
        log.close()
        if arguments[0] == "worker":
            wait_until_at_work(self.connection)

    def with_number(self, word):
        found = _NUMBER.fullmatch(word)
        if found is None:
            return word
        number = str(self.last_batch("job_type IN ('probability', 'hazard', 'assessment', 'indicators')"))
        return number if found["rest"] else number[:8]

    # --- the daemon -------------------------------------------------------------------------------------------

    def last_batch(self, condition="true"):
        row = self.connection.execute(
            f"SELECT batch_id FROM batch_jobs WHERE {condition} ORDER BY created_at DESC LIMIT 1"
        ).fetchone()
        return row[0] if row else "00000000-0000-0000-0000-000000000000"

    def wait_for_the_daemon(self):
        """Until nothing that a daemon would do is open; without a daemon of the page's nothing is waited for."""
        if not self.background:
            return

        def at_rest():
            (count,) = self.connection.execute(
                "SELECT count(*) FROM batch_jobs WHERE status IN ('queued', 'running') AND job_type <> 'test'"
            ).fetchone()
            (jobs,) = self.connection.execute(
                "SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')"
                " AND task_name IN (SELECT task FROM job_type)"
            ).fetchone()
            return count + jobs == 0

        wait_for(at_rest)


def clear_environment(monkeypatch, folder, root, database):
    """A reader's terminal: the database, the project's docs beside it, a width to print in."""
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.chdir(folder)
    (folder / "docs").symlink_to(root / "docs")
