"""The embedded PostgreSQL server: used when no DATABASE_* is set, and by the tests."""

from __future__ import annotations

from aiops.db.embedded.server import EmbeddedServer
from aiops.db.embedded.status import ServerStatus
from aiops.settings import settings

__all__ = ["EmbeddedServer", "ServerStatus", "configured_server", "embedded_conninfo"]


def configured_server() -> EmbeddedServer:
    """The embedded server as EMBEDDED_POSTGRES and EMBEDDED_DIRECTORY describe it."""
    chosen = settings()
    return EmbeddedServer(chosen.embedded_directory, chosen.embedded_postgres)


def embedded_conninfo() -> str:
    """The connection string of the configured embedded server, which is started if it does not run.

    Raises:
        DatabaseUnavailable: it cannot be started.
        SettingsError: EMBEDDED_POSTGRES names nothing that can be used.
    """
    return configured_server().start()
