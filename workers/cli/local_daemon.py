"""A daemon for as long as a command lasts, when none is running."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import psycopg.errors

from aiops.db.statements import statement
from aiops.errors import DaemonFailed
from workers.cli.output import errors
from workers.supervisor import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection


def daemon_is_alive(connection: Connection) -> bool:
    """Whether a daemon has given a sign of life of late; an account that may not see that takes it to be so."""
    try:
        row = connection.execute(statement("count_live_workers")).fetchone()
    except psycopg.errors.InsufficientPrivilege:
        return True
    return row is not None and row[0] > 0


def say_if_nobody_computes(connection: Connection) -> None:
    """A line for whoever asks without waiting, if what is asked waits for a daemon."""
    if not daemon_is_alive(connection):
        errors.print("No daemon is running: it waits for one (aiops worker).")


class LocalDaemon:
    """A daemon that belongs to a command; what it logs is kept, and shown when it does not do its work."""

    def __init__(self, said: IO[bytes]) -> None:
        self._said = said
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "workers"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )

    def refuse_if_ended(self) -> None:
        """Raise if it has ended by itself, with the last lines of its log."""
        code = self._process.poll()
        if code is not None:
            raise DaemonFailed(f"the daemon ended by itself (exit code {code}): {self.last_lines()}")

    def last_lines(self) -> str:
        """The end of its log, in one line."""
        self._said.seek(0)
        lines = self._said.read().decode(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it said nothing"

    def stop(self) -> None:
        """End it in order: what it is computing is finished or handed back."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_SECONDS + 5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


@contextmanager
def daemon_for_now() -> Iterator[LocalDaemon]:
    """Start a daemon of our own, and stop it in order at the end."""
    with tempfile.TemporaryFile() as said:
        daemon = LocalDaemon(said)
        try:
            yield daemon
        finally:
            daemon.stop()
