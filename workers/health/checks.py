"""The checks that read the database: is it there, is its schema ours, is somebody at work, listening, on time?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable, SchemaError
from aiops.settings import settings
from workers.ear import PROBE_SECONDS
from workers.health.check import Check, failed, ok, unknown
from workers.health.overdue import check_schedule
from workers.health.reading import reading
from workers.rescue import SILENT_SECONDS
from workers.schema import pending_migrations

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops.db.connect import Connection

LISTENER_SILENT_SECONDS = 3 * PROBE_SECONDS
"""The listener tests itself every PROBE_SECONDS; another takes over within 15 s when its session dies."""
WAITING_SECONDS = 60.0
"""A job is taken within a second or two; one that waits for so long in a queue that nobody serves is stuck."""

_START_DAEMON = "start the daemon: aiops worker"
_MEND_LISTENER = (
    "see the daemon's log for 'service failed … service=listener'; behind a connection pooler set DATABASE_DIRECT_URL"
)


def check_all() -> tuple[Check, ...]:
    """Every check, in the order in which they depend on each other; takes 10 seconds at most."""
    names = tuple(_READ)
    try:
        with reading() as connection:
            first = (check_database(connection), check_schema(connection))
            if not first[1].is_ok:
                return (*first, *(unknown(name, "schema") for name in names))
            return (*first, *(_guarded(connection, name) for name in names))
    except DatabaseUnavailable as error:
        return (
            unavailable(error),
            *(unknown(name, "database") for name in ("schema", *names)),
        )


def unavailable(error: DatabaseUnavailable) -> Check:
    """What to do about a database that cannot be used."""
    said = str(error)
    if settings().conninfo() is None:
        remedy = "start it: aiops db start"
    elif "authentication failed" in said or "no password supplied" in said:
        remedy = "set the user and password in DATABASE_URL, or DATABASE_USER and DATABASE_PASSWORD"
    elif "does not exist" in said:
        remedy = "create it (CREATE DATABASE, CREATE ROLE), or set DATABASE_URL or DATABASE_NAME to one that exists"
    else:
        remedy = "start the server, or set DATABASE_URL or DATABASE_HOST to where it is"
    return failed("database", said, remedy)


def _guarded(connection: Connection, name: str) -> Check:
    """A check that the database refuses (rights, a lock held for too long) has failed; the others go on."""
    try:
        with connection.transaction():
            return _READ[name](connection)
    except psycopg.Error as error:
        if connection.closed:
            raise  # and with it all the others
        return failed(name, f"cannot be read: {error.diag.message_primary or error}", "see the server's log")


def check_database(connection: Connection) -> Check:
    """Which server answers."""
    info = connection.info
    version = info.parameter_status("server_version")
    return ok("database", f"PostgreSQL {version} at {info.host}:{info.port}, database {info.dbname}")


def check_schema(connection: Connection) -> Check:
    """Whether the schema is this program's: nothing missing, nothing that it does not know."""
    try:
        missing = pending_migrations(connection)
    except SchemaError as error:
        return failed("schema", str(error), "use the program that applied it, or a newer version of it")
    if missing:
        first = f"{missing[0].source}/{missing[0].name}"
        return failed("schema", f"{len(missing)} migrations are missing, first {first}", "run: aiops db migrate")
    return ok("schema", "up to date")


def check_workers(connection: Connection) -> Check:
    """Whether any process has given a sign of life of late."""
    alive = _live_workers(connection)
    if not alive:
        return failed("workers", "no process has given a sign of life in the last 25 s", _START_DAEMON)
    return ok("workers", f"{alive} alive")


def _live_workers(connection: Connection) -> int:
    row = connection.execute(statement("count_live_workers")).fetchone()
    return row[0] if row is not None else 0


def check_listener(connection: Connection) -> Check:
    """Whether the listening session has got a notification that it sent itself."""
    with connection.cursor(row_factory=dict_row) as cursor:
        last = cursor.execute(statement("last_round_trip")).fetchone()
    if last is None:
        return failed("listener", "no NOTIFY has ever come back", _START_DAEMON)
    said = f"the last NOTIFY on {last['channel']} came back {last['seconds_ago']:.0f} s ago"
    if last["seconds_ago"] > LISTENER_SILENT_SECONDS:
        return failed("listener", said, _MEND_LISTENER if _live_workers(connection) else _START_DAEMON)
    return ok("listener", f"{said}, after {last['seconds'] * 1000:.1f} ms")


def check_queue(connection: Connection) -> Check:
    """Whether jobs wait for long in a queue from which nobody takes any."""
    with connection.cursor(row_factory=dict_row) as cursor:
        waiting = cursor.execute(statement("waiting_jobs"), {"silent_for": SILENT_SECONDS}).fetchall()
    stuck = [
        f"{one['jobs']} jobs wait in queue {one['queue_name']}, the oldest for {one['seconds']:.0f} s, and nobody "
        "takes them"
        for one in waiting
        if one["seconds"] > WAITING_SECONDS and not one["is_served"]
    ]
    if stuck:
        return failed("queue", "; ".join(stuck), f"{_START_DAEMON}, or see its log for processes that end")
    told = (
        f"{one['jobs']} wait in {one['queue_name']}, the oldest for {max(one['seconds'], 0):.0f} s" for one in waiting
    )
    return ok("queue", ", ".join(told) or "no job waits")


_READ: dict[str, Callable[[Connection], Check]] = {
    "workers": check_workers,
    "listener": check_listener,
    "schedule": check_schedule,
    "queue": check_queue,
}
