"""Whether a server runs on a data folder, by the file that PostgreSQL keeps there for the purpose."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path


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
