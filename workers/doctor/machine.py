"""The machine: its clock against the server's, and room on the server's disk."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops.db.embedded import configured_server
from aiops.db.statements import statement
from aiops.settings import settings
from workers.doctor.server import size
from workers.health.check import Check, failed, ok, unseen, warning

if TYPE_CHECKING:
    from aiops.db.connect import Connection

CLOCK_SECONDS = 2.0
_LEAST_FREE = 512 << 20
"""Bytes; below this a server may stop at its next checkpoint."""
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def now() -> float:
    """Seconds since 1970 by this machine's clock."""
    return time.time()


def check_clock(connection: Connection) -> Check:
    """Whether this machine's clock is the server's: schedules are read by the one, leases by the other."""
    asked_at = now()
    row = connection.execute(statement("server_clock")).fetchone()
    # The server looked at its clock somewhere in between.
    ahead = 0.0 if row is None else (asked_at + now()) / 2 - float(row[0])
    if abs(ahead) > CLOCK_SECONDS:
        told = f"this machine's clock is {abs(ahead):.1f} s {'ahead of' if ahead > 0 else 'behind'} the server's"
        return warning("clock", told, "let both follow a time server (chrony, systemd-timesyncd)")
    return ok("clock", f"{abs(ahead):.1f} s off the server's")


def check_disk(connection: Connection, facts: dict[str, Any]) -> Check:
    """Whether the database has room to grow."""
    folder = _data_folder(connection, facts)
    if folder is None:
        return unseen("disk", "the server's data lie where this command cannot look", "look there: df -h")
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return unseen("disk", f"{folder}: {error.strerror or error}", f"look there: df -h {folder}")
    told = f"{size(free)} free for {folder}, the database takes {size(facts['database_size'])}"
    if free < _LEAST_FREE:
        return failed("disk", told, "make room, before the server stops for want of it")
    if free < facts["database_size"] / 2:
        return warning("disk", told, "a yearly batch may write as much again before old rows are cleared: make room")
    return ok("disk", told)


def _data_folder(connection: Connection, facts: dict[str, Any]) -> Path | None:
    if settings().conninfo() is None:
        return configured_server().home.folder
    host = connection.info.host
    if not (host in _LOOPBACK or host.startswith("/")) or facts["data_directory"] is None:
        return None
    folder = Path(facts["data_directory"])
    return folder if folder.is_dir() else None  # behind a port that is passed on, there is none
