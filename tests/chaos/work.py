"""Work for the daemons: a small data set, a yearly batch of so many chunks, and what an undisturbed run gives."""

from __future__ import annotations

import json
import time
from pathlib import Path

from climate import write_climate

BOOKS = [(Path(__file__).parent / name).read_text(encoding="utf-8") for name in ("books.sql", "request_books.sql")]
CELLS_A_CHUNK = 2
MOST_CHUNKS = 160
FIRST_CELL = 343_000
CELLS = range(FIRST_CELL, FIRST_CELL + MOST_CHUNKS * CELLS_A_CHUNK)
RISKS = ("extreme_heat", "river_flood")
ENDED = ("completed", "failed", "cancelled")


def fill(connection):
    """Schema, data, books: what every database of the tests starts out with."""
    from workers.schema import apply_schema

    connection.autocommit = True
    apply_schema(connection)
    connection.autocommit = False
    write_climate(connection, cells=CELLS, periods={"historical": (1991, 30)})
    keep_books(connection)
    connection.commit()


def keep_books(connection):
    """From now on the test's own books are kept of what happens in this database."""
    for books in BOOKS:
        connection.execute(books)


def chunk_cells(chunks):
    """The cells of a batch of so many chunks."""
    assert chunks <= MOST_CHUNKS
    return CELLS[: chunks * CELLS_A_CHUNK]


class Batch:
    """A yearly batch, as somebody sees it who looks again and again."""

    def __init__(self, connection, batch_id):
        self._connection = connection
        self.batch_id = batch_id

    @classmethod
    def ask(cls, connection, chunks, job_type="probability", **params):
        """Ask for a batch of so many chunks."""
        asked = {"risk_types": list(RISKS), "cells": list(chunk_cells(chunks)), "force": True, **params}
        asked = {name: value for name, value in asked.items() if value is not None}
        query = "INSERT INTO batch_jobs (job_type, input_params) VALUES (%s, %s) RETURNING batch_id"
        return cls(connection, connection.execute(query, (job_type, json.dumps(asked))).fetchone()[0])

    def _one(self, columns):
        return self._connection.execute(
            f"SELECT {columns} FROM batch_jobs WHERE batch_id = %s", (self.batch_id,)
        ).fetchone()

    @property
    def status(self):
        return self._one("status")[0]

    @property
    def progress(self):
        return self._one("progress")[0]

    @property
    def error(self):
        return self._one("error_message")[0]

    def has_ended(self):
        return self.status in ENDED

    def chunks(self, state=None):
        """Number of chunks, of a state or in all."""
        query = "SELECT count(*) FROM batch_chunks WHERE batch_id = %s AND (%s::text IS NULL OR state = %s)"
        return self._connection.execute(query, (self.batch_id, state, state)).fetchone()[0]

    def done(self):
        return self.chunks("done")

    def most_attempts(self):
        """The highest attempt number of its chunks: 1 where nothing was claimed twice."""
        query = "SELECT coalesce(max(attempt), 0) FROM batch_chunks WHERE batch_id = %s"
        return self._connection.execute(query, (self.batch_id,)).fetchone()[0]

    def cancel(self):
        return self._connection.execute("SELECT cancel_batch(%s)", (self.batch_id,)).fetchone()[0]

    def retry(self):
        return self._connection.execute("SELECT retry_batch(%s)", (self.batch_id,)).fetchone()[0]

    def wait(self, seconds, meanwhile=None):
        """Wait for its end, calling `meanwhile` all the time; its status."""
        deadline = time.monotonic() + seconds
        while not self.has_ended():
            assert time.monotonic() < deadline, f"{self.status} at {self.progress} % after {seconds:.0f} s"
            if meanwhile is not None:
                meanwhile()
            time.sleep(0.05)
        return self.status


def keep_as_reference(connection):
    """Take the results that there are for those of an undisturbed run, and remove them."""
    connection.execute(
        "INSERT INTO chaos.reference SELECT kind, grid_id, risk_type, content FROM chaos.results ON CONFLICT DO NOTHING"
    )
    for table in (
        "probability_packed",
        "hazard_packed",
        "cell_computed",
        "chaos.batch_history",
        "chaos.chunk_history",
        "batch_jobs",
        "batch_chunks",
        "batch_job_logs",
        "procrastinate_events",
    ):
        connection.execute(f"TRUNCATE {table} CASCADE")
    connection.execute("DELETE FROM procrastinate_jobs")
    connection.execute("DELETE FROM procrastinate_workers")
