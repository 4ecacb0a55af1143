"""A server of the tests' own, that may be stopped, crashed and crowded; and databases on it that start out equal."""

from __future__ import annotations

import uuid
from contextlib import ExitStack, contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from aiops.db.embedded import EmbeddedServer
from chaos.guardian import Guardian

TEMPLATE = "chaos_template"
MOST_CONNECTIONS = 100


class ChaosServer:
    """One PostgreSQL in a folder of its own; as a context manager, for as long as that lasts."""

    def __init__(self, folder, postgres):
        self._guardian = Guardian(folder, postgres)
        self._server = EmbeddedServer(
            folder / "server", postgres, durable=False, extra_settings={"max_connections": str(MOST_CONNECTIONS)}
        )

    def __enter__(self):
        self.start()
        reach = conninfo_to_dict(self._server.conninfo)
        self.host, self.port = reach["host"], int(reach["port"])
        return self

    def __exit__(self, *_):
        self._guardian.end()  # stops the server and clears up

    @property
    def guardian(self):
        return self._guardian

    def start(self):
        self._server.start()

    def stop(self, mode="fast"):
        self._server.stop(mode)

    def conninfo(self, database="postgres", through=None, **more):
        """How to reach a database; through a proxy, if one is given."""
        where = {"host": through.host, "port": through.port} if through else {}
        return make_conninfo(self._server.conninfo, dbname=database, **where, **more)

    def connect(self, database="postgres", **options):
        return psycopg.connect(self.conninfo(database), autocommit=True, **options)

    def make_template(self, fill):
        """Make the database that the others are copies of; `fill` gets a connection (not in autocommit mode)."""
        with self.connect() as maintenance:
            maintenance.execute(f"CREATE DATABASE {TEMPLATE}")
        with psycopg.connect(self.conninfo(TEMPLATE)) as connection:
            fill(connection)

    @contextmanager
    def database(self, template=TEMPLATE):
        """A new database, by its name; gone afterwards."""
        name = f"chaos_{uuid.uuid4().hex[:8]}"
        with self.connect() as maintenance:
            maintenance.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
            )
            # A sequence writes ahead for 32 values at a time, and its copy believes that it has: after a crash it would
            # give the same numbers again. After a checkpoint it writes ahead anew.
            maintenance.execute("CHECKPOINT")
        try:
            yield name
        finally:
            self.start()  # a test may have left it stopped
            with self.connect() as maintenance:
                maintenance.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextmanager
    def crowded(self, keep):
        """Every connection that the server has to give is taken, but for those that `keep` are left."""
        with ExitStack() as stack:
            crowd = Crowd(self, stack)
            crowd.fill()
            crowd.leave(keep)
            yield crowd


class Crowd:
    """Sessions that do nothing but be there."""

    def __init__(self, server, stack):
        self._server = server
        self._stack = stack
        self._taken = []

    def fill(self):
        """Take what there is."""
        try:
            while True:
                self._taken.append(self._stack.enter_context(self._server.connect(application_name="crowd")))
        except psycopg.OperationalError:
            pass  # full

    def leave(self, places):
        """Give so many back."""
        for _ in range(places):
            self._taken.pop().close()
