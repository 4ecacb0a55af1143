"""The queue: procrastinate, in the same database as everything else."""

from __future__ import annotations

from typing import Any

from procrastinate import App, PsycopgConnector

from aiops.db.connect import connection_arguments, conninfo

CONTROL = "control"
"""Queue of the jobs that plan batches; they wait for the database, not for the processor."""
COMPUTE = "compute"
"""Queue of the jobs that compute; one at a time in each compute process."""


def _connection_arguments() -> dict[str, Any]:
    return connection_arguments("queue")


app = App(
    # Where to connect is found out when a connection is made, not when this module is imported: a command that needs
    # no database must not start one, and a wrong setting must not break an import.
    connector=PsycopgConnector(conninfo=conninfo, kwargs=_connection_arguments, min_size=1, max_size=6),
    import_paths=["workers.tasks"],
)
