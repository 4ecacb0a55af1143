"""Which rights the account has, and what they are enough for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from aiops.db.statements import statement
from workers.health.check import Check, failed, ok, unknown, warning

if TYPE_CHECKING:
    from aiops.db.connect import Connection

_ROLES = {"worker": "runs the daemon; loads and migrates nothing", "client": "asks and reads; runs no daemon"}
"""What members of aiops_… do."""
_MIGRATE = "let the owner run: aiops db migrate"


def check_permissions(connection: Connection) -> Check:
    """What the account that logs in may do here."""
    with connection.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(statement("own_rights")).fetchone()
    if found is None:
        raise AssertionError("a SELECT without FROM gave no row")
    if not found["has_tables"]:
        return unknown("rights", "schema")
    who = f"{found['account']}"
    if found["missing_roles"]:
        return warning(
            "rights",
            f"{who}: the roles {', '.join(found['missing_roles'])} do not exist, so only the owner can work here",
            f"have an administrator run CREATE ROLE … NOLOGIN for them, then {_MIGRATE}",
        )
    if found["is_owner"]:
        return ok("rights", f"{who} owns the tables: may ask, compute, load and migrate")
    for role, does in _ROLES.items():
        if found[f"is_{role}"]:
            if found[f"may_{role}"]:
                return ok("rights", f"{who} is a member of aiops_{role}: {does}")
            return failed("rights", f"{who} is a member of aiops_{role}, which lacks its rights", _MIGRATE)
    return failed(
        "rights",
        f"{who} may do nothing here: neither owner nor member of aiops_worker or aiops_client",
        f"an administrator runs: GRANT aiops_worker TO {who} (for a daemon), or GRANT aiops_client TO {who}",
    )
