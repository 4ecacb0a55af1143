"""All examinations, in the order in which they depend on each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import psycopg.errors

from aiops.errors import AiopsError, DatabaseUnavailable
from workers.doctor.configuration import check_settings
from workers.doctor.data import check_data
from workers.doctor.machine import check_clock, check_disk
from workers.doctor.permissions import check_permissions
from workers.doctor.server import (
    check_connections,
    check_durability,
    check_memory,
    check_pooler,
    check_server,
    facts_of,
)
from workers.health.check import Check, State, failed, unknown, unseen
from workers.health.checks import (
    check_database,
    check_listener,
    check_queue,
    check_schema,
    check_workers,
    unavailable,
)
from workers.health.overdue import check_schedule
from workers.health.reading import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops.db.connect import Connection

_OF_SERVER = ("server", "connections", "memory", "durability", "pooler", "clock", "disk", "rights")
_OF_SCHEMA: dict[str, Callable[[Connection], Check | tuple[Check, ...]]] = {
    "data": check_data,
    "workers": check_workers,
    "listener": check_listener,
    "schedule": check_schedule,
    "queue": check_queue,
}


def examine() -> tuple[Check, ...]:
    """Everything; takes fifteen seconds at most."""
    of_settings = check_settings()
    if any(one.state is State.FAILED for one in of_settings):
        return (*of_settings, *(unknown(name, "settings") for name in ("database", *_OF_SERVER, "schema", *_OF_SCHEMA)))
    return (*of_settings, *_of_database())


def _of_database() -> tuple[Check, ...]:
    found: list[Check] = []
    try:
        with reading() as connection:
            found.append(check_database(connection))
            found += _of_server(connection)
            found += _guarded(connection, "rights", check_permissions)
            (schema,) = _guarded(connection, "schema", check_schema)
            found.append(schema)
            if not schema.is_ok:
                return (*found, *(unknown(name, "schema") for name in _OF_SCHEMA))
            for name, check in _OF_SCHEMA.items():
                found += _guarded(connection, name, check)
    except DatabaseUnavailable as error:
        told = {one.name for one in found}
        left = [name for name in (*_OF_SERVER, "schema", *_OF_SCHEMA) if name not in told]
        return (*found, unavailable(error), *(unknown(name, "database") for name in left))
    return tuple(found)


def _of_server(connection: Connection) -> list[Check]:
    facts = facts_of(connection)
    found = [check_server(facts), check_connections(facts), check_memory(facts), check_durability(facts)]
    found += _guarded(connection, "pooler", check_pooler)
    found += _guarded(connection, "clock", check_clock)
    found += _guarded(connection, "disk", lambda connection: check_disk(connection, facts))
    return found


def _guarded(
    connection: Connection, name: str, check: Callable[[Connection], Check | tuple[Check, ...]]
) -> tuple[Check, ...]:
    """A check that the database refuses says so; the others go on."""
    try:
        with connection.transaction():
            found = check(connection)
    except psycopg.errors.InsufficientPrivilege:
        return (unseen(name, "not shown to this account: members of aiops_worker and the owner see it"),)
    except psycopg.Error as error:
        if connection.closed:
            raise  # and with it all the others
        return (failed(name, f"cannot be read: {error.diag.message_primary or error}", "see the server's log"),)
    except AiopsError as error:
        return (failed(name, str(error)),)
    return found if isinstance(found, tuple) else (found,)
