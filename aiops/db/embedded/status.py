"""What there is to tell about an embedded server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What `aiops db status` tells."""

    running: bool
    """Takes connections."""
    pid: int | None
    """The server's process number."""
    version: str
    """PostgreSQL's: 18.4."""
    host: str
    port: int | None
    """None: no server was ever made in this folder."""
    database: str
    directory: Path
    """Holds the data and the record of how to reach the server."""
    size_bytes: int
    """Of the data on disk."""
