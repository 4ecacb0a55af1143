"""Migrations: applied once, in order, with books; refused by name when something does not fit."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from aiops.db.migrate import Migration, migrate, own_migrations, read_books
from aiops.errors import SchemaError
from workers.schema import QUEUE_SOURCE, all_migrations, apply_schema, check_schema


@pytest.fixture
def empty(connection, server):
    """The connection string of a database with nothing in it."""
    name = f"{connection.info.dbname}_empty"
    with psycopg.connect(make_conninfo(server.conninfo, dbname="postgres"), autocommit=True) as admin:
        admin.execute(f'DROP DATABASE IF EXISTS "{name}"')
        admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield make_conninfo(server.conninfo, dbname=name)
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_the_schema_of_the_tests_is_complete_and_nothing_is_applied_twice(connection, database):
    with psycopg.connect(database, autocommit=True) as own:
        check_schema(own)
        report = apply_schema(own)
    assert report.applied == ()
    assert report.total == len(all_migrations())


def test_books_hold_the_queues_files_and_ours_with_their_hash(connection):
    books = read_books(connection)
    assert {source for source, _ in books} == {QUEUE_SOURCE, "aiops"}
    assert books == {(m.source, m.name): m.sha256 for m in all_migrations()}


def test_two_starts_at_once_give_one_schema(empty):
    applied, errors = [], []

    def start():
        try:
            with psycopg.connect(empty, autocommit=True) as own:
                applied.append(apply_schema(own).applied)
        except SchemaError as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(len(one) for one in applied) == [0, 0, len(all_migrations())]


def test_the_queues_files_give_the_schema_that_the_queue_ships(empty):
    from procrastinate.schema import SchemaManager

    def functions(conninfo):
        with psycopg.connect(conninfo) as own:
            return own.execute(
                "SELECT proname, pg_get_function_identity_arguments(oid), prosrc FROM pg_proc"
                " WHERE proname LIKE 'procrastinate%' ORDER BY 1, 2"
            ).fetchall()

    with psycopg.connect(empty, autocommit=True) as own:
        migrate(own, [m for m in all_migrations() if m.source == QUEUE_SOURCE])
    by_files = functions(empty)
    with psycopg.connect(empty, autocommit=True) as own:
        own.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        own.execute(SchemaManager.get_schema())
    at_once = functions(empty)
    assert [one[:2] for one in by_files] == [one[:2] for one in at_once]
    assert len(by_files) > 10


def test_a_changed_file_is_refused_by_name(connect):
    first = own_migrations()[0]
    changed = (replace(first, sql=first.sql + "-- touched"), *own_migrations()[1:])
    with pytest.raises(SchemaError, match=rf"{re.escape(first.name)} has changed since it was applied"):
        migrate(connect(autocommit=True), changed)


def test_a_newer_database_is_refused_by_name(connect):
    own = connect(autocommit=True)
    own.execute("INSERT INTO schema_migrations VALUES ('aiops', '9999_future.sql', 'x', '9.9')")
    with pytest.raises(SchemaError, match=r"newer than this program .* aiops/9999_future.sql"):
        apply_schema(own)


def test_a_file_that_fails_is_named_and_leaves_nothing_behind(connect):
    own = connect(autocommit=True)
    bad = Migration("aiops", "9998_bad.sql", "CREATE TABLE half (a int); SELECT 1/0", frozen=True)
    with pytest.raises(SchemaError, match=r"aiops/9998_bad.sql failed: division by zero"):
        migrate(own, (*own_migrations(), bad))
    assert own.execute("SELECT to_regclass('half')").fetchone() == (None,)
    assert ("aiops", "9998_bad.sql") not in read_books(own)
    # …and the lock is free again.
    assert migrate(own, own_migrations()).applied == ()


def test_missing_files_are_named_with_what_to_do(empty):
    with psycopg.connect(empty, autocommit=True) as own, pytest.raises(SchemaError, match="aiops db migrate"):
        check_schema(own)


def test_queue_tables_of_somebody_else_are_refused(empty):
    from procrastinate.schema import SchemaManager

    with psycopg.connect(empty, autocommit=True) as own:
        own.execute(SchemaManager.get_schema())
        with pytest.raises(SchemaError, match="not made by aiops"):
            apply_schema(own)
        assert own.execute("SELECT to_regclass('schema_migrations')").fetchone() == (None,)
