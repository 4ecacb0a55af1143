"""A port of the loopback address for the server to keep."""

from __future__ import annotations

import secrets
import socket

from aiops.errors import DatabaseUnavailable

HOST = "127.0.0.1"
LOWEST, HIGHEST = 20_000, 29_999
"""Below the range that systems take clients' ports from (32768 and up on Linux, 49152 and up elsewhere): within
it, a client that tries again and again while the server is down can meet itself (a TCP simultaneous open), and
would then hold the server's port."""


def free_port() -> int:
    """A port that nobody listens on at this moment.

    Raises:
        DatabaseUnavailable: two hundred at random are all taken.
    """
    for _ in range(200):
        port = LOWEST + secrets.randbelow(HIGHEST - LOWEST + 1)
        if is_free(port):
            return port
    raise DatabaseUnavailable(f"no free port between {LOWEST} and {HIGHEST} of {HOST}")


def is_free(port: int) -> bool:
    """Whether a server could listen there, judged as PostgreSQL judges it (SO_REUSEADDR)."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen()
        except OSError:
            return False
    return True
