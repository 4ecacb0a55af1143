"""The server: version, encoding, room for our connections, what it does to keep data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from aiops.db.connect import connect, refuse_pooler
from aiops.db.statements import statement
from aiops.errors import DatabaseUnavailable, SettingsError
from aiops.settings import settings
from workers.health.check import Check, failed, ok, warning

if TYPE_CHECKING:
    from aiops.db.connect import Connection

OLDEST_VERSION = 15
PER_COMPUTE_PROCESS = 11
PER_OTHER_PROCESS = 11
"""Connections at most: of the control process, and of each that answers requests."""
_MEGABYTE = 1 << 20
_SMALL_BUFFERS = 128 * _MEGABYTE
_LARGE_DATABASE = 4096 * _MEGABYTE
_SMALL_WORK_MEMORY = 4 * _MEGABYTE


def facts_of(connection: Connection) -> dict[str, Any]:
    """What the server says of itself."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement("server_facts")).fetchone()
    if found is None:
        raise AssertionError("a SELECT without FROM gave no row")
    return found


def check_server(facts: dict[str, Any]) -> Check:
    """Version and encoding."""
    major = facts["version_number"] // 10_000
    if major < OLDEST_VERSION:
        return failed("server", f"PostgreSQL {major} is too old", f"upgrade it to {OLDEST_VERSION} or newer")
    if facts["encoding"] != "UTF8":
        return failed(
            "server",
            f"the database's encoding is {facts['encoding']}; Korean names need UTF8",
            "make another: CREATE DATABASE aiops ENCODING 'UTF8' TEMPLATE template0",
        )
    return ok("server", f"PostgreSQL {major}, UTF8, time zone {facts['timezone']}")


def check_connections(facts: dict[str, Any]) -> Check:
    """Whether a daemon with these settings finds enough free connections."""
    compute, ondemand = settings().parallel_workers, settings().ondemand_workers
    needed = PER_COMPUTE_PROCESS * compute + PER_OTHER_PROCESS * (1 + ondemand)
    # What daemons of ours hold now is counted in what is needed.
    free = facts["most_connections"] - facts["others_connected"]
    told = (
        f"a daemon with PARALLEL_WORKERS={compute} and ONDEMAND_WORKERS={ondemand} takes up to {needed} connections, "
        f"of {facts['most_connections']} that this account may have {facts['others_connected']} are others'"
    )
    if needed > free:
        return failed("connections", told, "raise max_connections (or the account's limit), or lower the two settings")
    return ok("connections", told)


def check_memory(facts: dict[str, Any]) -> Check:
    """Hints: memory of the server against the size of the database."""
    buffers, work = facts["shared_buffers"], facts["work_mem"]
    told = f"shared_buffers {size(buffers)}, work_mem {size(work)}, the database {size(facts['database_size'])}"
    if buffers < _SMALL_BUFFERS or (facts["database_size"] > _LARGE_DATABASE and buffers <= _SMALL_BUFFERS):
        return warning("memory", told, "shared_buffers: a quarter of the machine's memory is usual")
    if work < _SMALL_WORK_MEMORY:
        return warning("memory", told, "work_mem: 4MB or more, so that sorts stay in memory")
    return ok("memory", told)


def check_durability(facts: dict[str, Any]) -> Check:
    """Whether what is committed outlives a crash."""
    off = [name for name in ("fsync", "full_page_writes", "synchronous_commit") if facts[name] == "off"]
    if not off:
        return ok("durability", "what is committed outlives a crash")
    if off == ["synchronous_commit"]:
        return warning("durability", "synchronous_commit is off: a crash may take the last commits back", "set it on")
    return warning(
        "durability", f"{', '.join(off)} off: a crash may leave a database that cannot be used", "set them on"
    )


def check_pooler(connection: Connection) -> Check:
    """Whether a connection pooler lies in between, and the way past it is known."""
    remedy = "set DATABASE_DIRECT_URL to the server's own address"
    try:
        if settings().database_direct_url is None:
            refuse_pooler(connection)
            return ok("pooler", "none: LISTEN and locks reach the server itself")
        with connect("doctor", direct=True, autocommit=True) as direct:
            refuse_pooler(direct)
    except SettingsError as error:
        return failed("pooler", str(error), remedy)
    except DatabaseUnavailable as error:
        return failed("pooler", f"DATABASE_DIRECT_URL: {error}", remedy)
    return ok("pooler", "DATABASE_DIRECT_URL leads to the server itself")


def size(octets: float) -> str:
    """Bytes in words: 16 MB, 4.2 GB."""
    return f"{octets / 1e9:.1f} GB" if octets >= 1e9 else f"{octets / 1e6:.0f} MB"
