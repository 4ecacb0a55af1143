"""What commands do with a database that lacks this version's schema."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest
from daemons import environment, wait_for
from psycopg.conninfo import make_conninfo

from aiops.db.migrate import read_books
from aiops.db.statements import statement
from workers.schema import all_migrations, apply_schema

RELATIONS = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
READING = (["batches"], ["status"], ["export", "hazard", "-o", "out.csv"])


@pytest.fixture
def empty(connection, server):
    """The connection string of a database with nothing in it."""
    name = f"{connection.info.dbname}_empty"
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield make_conninfo(server.conninfo, dbname=name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_an_empty_database_is_prepared_and_that_is_said_once(aiops, empty):
    code, printed, said = aiops("batches", "--json", database=empty)
    assert (code, printed.strip(), said.count("\n")) == (0, "[]", 1)
    assert "prepared the database" in said
    assert aiops("batches", "--json", database=empty) == (0, "[]\n", "")
    with psycopg.connect(empty, autocommit=True) as own:
        assert len(read_books(own)) == len(all_migrations())


@pytest.mark.parametrize("command", [*READING, ["ingest", "sample"], ["serve", "--port", "0"]])
def test_an_older_schema_is_refused_and_left_as_it_is(aiops, connection, database, command):
    connection.execute("DELETE FROM schema_migrations WHERE source = 'aiops' AND name > '0028'")
    connection.commit()
    with psycopg.connect(database, autocommit=True) as own:
        missing = len(all_migrations()) - len(read_books(own))
        code, _, said = aiops(*command)
        assert code == 1
        assert said.startswith(f"aiops: {missing} migrations are missing")
        assert said.endswith("run: aiops db migrate\n")
        assert len(read_books(own)) == len(all_migrations()) - missing < len(all_migrations())


def test_a_database_with_tables_of_others_is_left_as_it_is(aiops, empty):
    with psycopg.connect(empty, autocommit=True) as own:
        own.execute("CREATE TABLE theirs (n integer PRIMARY KEY)")
        before = own.execute(RELATIONS).fetchone()
        code, _, said = aiops("batches", database=empty)
        assert (code, "run: aiops db migrate" in said) == (1, True)
        assert own.execute(RELATIONS).fetchone() == before


def test_migrations_that_are_being_applied_are_waited_for(empty):
    with psycopg.connect(empty, autocommit=True) as own:
        own.execute(statement("lock_schema"))
        own.execute(statement("create_schema_migrations"))
        asking = subprocess.Popen(
            [sys.executable, "-m", "workers.cli", "batches", "--json"],
            env=environment(empty),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_for(lambda: own.execute(waiting).fetchone() is not None)
        apply_schema(own)
        own.execute(statement("unlock_schema"))
        printed, _ = asking.communicate(timeout=120)
    assert (asking.returncode, printed.strip()) == (0, "[]")
