"""The server's own settings, for a machine of two cores and bulk loads."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from aiops.db.embedded.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

MEGABYTE = 1 << 20

ALWAYS = {
    # Loopback TCP only: a socket's folder would have to be open to the caller and closed to all others.
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    # Nothing is replicated from here; COPY into a table made in the same transaction then writes no WAL.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # A bulk load should not run into a checkpoint every few seconds.
    "max_wal_size": "4GB",
    "min_wal_size": "128MB",
    "checkpoint_timeout": "15min",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # A client that is gone without a word loses its locks in under a minute.
    "tcp_keepalives_idle": "20",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "30s",
    # Not /dev/shm: containers keep it small, and systemd empties it of a user's segments at their logout.
    "dynamic_shared_memory_type": "mmap",
    # One file for each day of the week, each begun anew: the log never grows for ever.
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "%a.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "lc_messages": "C",
}
# For tests. What is committed is handed to the system all the same: a killed server loses nothing, a machine that
# loses its power does.
FORGETFUL = {
    "fsync": "off",
    "max_wal_size": "256MB",
    "min_wal_size": "32MB",
    # A plan must not depend on whether a worker came by during the test.
    "autovacuum": "off",
}


def render(port: int, *, durable: bool, extra: Mapping[str, str]) -> str:
    """The text of our postgresql.conf, which lies beside the folder `data`.

    Args:
        port: where to listen.
        durable: whether what is committed survives a crash of the machine, not just one of the server.
        extra: further settings, by PostgreSQL's names; they win.
    """
    chosen = {**ALWAYS, "port": str(port), "shared_buffers": f"{_shared_buffers(durable=durable)}MB"}
    if not durable:
        chosen |= FORGETFUL
    chosen |= extra
    lines = ["# Written at every start; ALTER SYSTEM wins over what stands here.", "include 'data/postgresql.conf'"]
    lines += [f"{name} = '{_quoted(value)}'" for name, value in chosen.items()]
    return "\n".join(lines) + "\n"


def _shared_buffers(*, durable: bool) -> int:
    """Megabytes: 256, less where that is more than an eighth of the memory; few for throw-away servers."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // MEGABYTE
    return max(16, min(256 if durable else 64, memory // 8))


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "''")
