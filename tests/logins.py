"""Accounts to log in with: members of the roles, or of nothing."""

from __future__ import annotations

import uuid
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo


@contextmanager
def login(database: str, *groups: str):
    """A new account that is a member of these roles; its connection string. Gone afterwards, with all that it owns."""
    name = "_".join((groups[0] if groups else "nobody", uuid.uuid4().hex[:8]))
    account = sql.Identifier(name)
    with psycopg.connect(database, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'throw-away'").format(account))
        for group in groups:
            admin.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), account))
        try:
            yield make_conninfo(database, user=name, password="throw-away")
        finally:
            # Temporary tables belong to sessions: those have to end first.
            admin.execute("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = %s", (name,))
            admin.execute(sql.SQL("DROP OWNED BY {}").format(account))
            admin.execute(sql.SQL("DROP ROLE {}").format(account))
