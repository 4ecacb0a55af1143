"""A daemon for as long as a command lasts, when none is running."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aiops.db.statements import statement
from aiops.errors import AiopsError
from workers.supervisor import STOP_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from aiops.db.connect import Connection


def daemon_is_alive(connection: Connection) -> bool:
    """Whether a daemon has given a sign of life of late."""
    row = connection.execute(statement("count_live_workers")).fetchone()
    return row is not None and row[0] > 0


@contextmanager
def daemon_for_now() -> Iterator[subprocess.Popen[bytes]]:
    """Start a daemon of our own, and stop it in order at the end; its log is shown only if it ends by itself."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "workers"],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
        try:
            yield process
            if process.poll() is not None:
                said.seek(0)
                last = said.read().decode(errors="replace").strip().splitlines()[-3:]
                raise AiopsError(f"the daemon ended by itself (exit code {process.returncode}): {' | '.join(last)}")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(timeout=STOP_SECONDS + 5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
