"""What `aiops status` tells, read from the database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg.errors
from psycopg.rows import dict_row

from aiops.db.statements import statement
from aiops.settings import settings
from workers.due_dates import schedules
from workers.health.overdue import schedule_of
from workers.rescue import SILENT_SECONDS

if TYPE_CHECKING:
    from aiops.db.connect import Connection

    Row = dict[str, Any]

MOST_ACTIVE = 8
"""Batches and requests under way that are shown; of more, the number."""
LAST_RUNS = 5
LAST_ENDED = 6
"""Batches and requests that have ended."""


def read_overview(connection: Connection, data: Row | None = None) -> Row:
    """Everything at one moment.

    Args:
        connection: in autocommit mode.
        data: what `read_data` gave; None: it is read, too. (It counts large tables; nobody has to every second.)

    Returns:
        As `aiops status --json` prints it; None for what this account may not see.
    """
    info = connection.info
    return {
        "server": f"PostgreSQL {info.parameter_status('server_version')}, {info.host}:{info.port}/{info.dbname}",
        "at": datetime.now(UTC),
        "workers": _rows(connection, "live_processes"),
        "listener": _first(connection, "last_round_trip"),
        "queue": _first(connection, "queue_lengths"),
        "waiting": _rows(connection, "waiting_jobs", silent_for=SILENT_SECONDS),
        "active": _rows(connection, "active_batches", most=MOST_ACTIVE),
        "active_total": (_first(connection, "count_active_batches") or {}).get("batches"),
        "last_runs": _rows(connection, "last_runs", most=LAST_RUNS),
        "requests_of_last_hour": _first(connection, "requests_of_last_hour"),
        "batches": _rows(connection, "recent_batches"),
        "ended": _rows(connection, "ended_batches", most=LAST_ENDED),
        "schedule": _schedule(connection),
        **(read_data(connection) if data is None else data),
    }


def read_data(connection: Connection) -> Row:
    """Which data and results there are."""
    return {"data": _first(connection, "data_summary"), "datasets": _rows(connection, "list_datasets")}


def _schedule(connection: Connection) -> list[Row] | None:
    """By the dates that a daemon has noted; before that, by the settings of this command."""
    rows = _rows(connection, "list_schedules")
    if rows is None:
        return None
    ours = {one.name: one for one in schedules(settings())}
    now = datetime.now(UTC)
    found = []
    for row in rows:
        name = row["schedule"]
        definition = schedule_of(name, row["definition"]) if row["definition"] else ours.get(name)
        due = definition.next_due(now) if definition is not None and not row["paused"] else None
        found.append({"schedule": name, "paused": row["paused"], "next_due_at": due, "last_due_at": row["last_due_at"]})
    return found


def _rows(connection: Connection, name: str, **parameters: Any) -> list[Row] | None:
    try:
        with connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(statement(name), parameters).fetchall()
    except psycopg.errors.InsufficientPrivilege:  # a client sees what was asked, not how it is worked on
        return None


def _first(connection: Connection, name: str, **parameters: Any) -> Row | None:
    rows = _rows(connection, name, **parameters)
    return rows[0] if rows else None
