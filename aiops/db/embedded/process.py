"""Whether a server runs on a data folder, by the file that PostgreSQL keeps there for the purpose."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

IMPOSSIBLE_NUMBER = 1 << 30
"""No system gives a process a number as high as this."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The living server process of a data folder."""

    pid: int
    port: int
    ready: bool
    """Accepts connections: neither starting, nor recovering, nor stopping."""


def find_postmaster(data: Path) -> Postmaster | None:
    """The server that runs on this data folder, or None.

    A file left over by a crash does not mislead, even when its process number belongs to another program by
    now: the process must have been started on this very folder.
    """
    try:
        lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        pid, port = int(lines[0]), int(lines[3])
    except (FileNotFoundError, NotADirectoryError, IndexError, ValueError):
        return None  # absent, or still being written: not ready in any case
    if not _is_postgres_on(pid, data):
        return None
    return Postmaster(pid, port, ready=len(lines) > 7 and lines[7].strip() == "ready")


def forget_reused_number(data: Path) -> None:
    """Make a file left over by a crash harmless if its process number now belongs to another program.

    PostgreSQL would take that program for its server, and not start. The file is not removed: it also names the
    shared memory, by which PostgreSQL finds out whether processes of the crashed server are still at work. For
    the caller that knows, by the server's lock and `find_postmaster`, that no server runs.
    """
    path = data / "postmaster.pid"
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        os.kill(int(lines[0]), 0)
    except (FileNotFoundError, ProcessLookupError, IndexError, ValueError):
        return  # PostgreSQL sees for itself that nobody has the number
    except PermissionError:
        pass  # somebody has it
    descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines([f"{IMPOSSIBLE_NUMBER}\n", *lines[1:]])


def _is_postgres_on(pid: int, data: Path) -> bool:
    if Path("/proc/self/cmdline").exists():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            return False
        return os.fsencode(data) in arguments  # a zombie's is empty
    told = subprocess.run(
        ["ps", "-ww", "-o", "args=", "-p", str(pid)], check=False, capture_output=True, text=True, timeout=30
    )
    return f"-D {data}" in told.stdout
