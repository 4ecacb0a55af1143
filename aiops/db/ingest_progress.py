"""How far loads of gridded files have come: what is done is not done again after a crash."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg.types.json import Jsonb

from aiops.db.climate import Written
from aiops.db.statements import statement
from aiops.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from aiops.db.connect import Connection

LOCK_SECONDS = 5.0
"""So long the server may need to notice that a killed load is gone."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What is stored of a load."""

    finished: bool
    blocks: tuple[range, ...]
    """Points that are done."""
    cells: int
    """Cells that these wrote."""
    written: Written
    """Their series."""


@contextmanager
def only_load(connection: Connection, dataset_id: int) -> Iterator[None]:
    """Keep a load to this session, for as long as the block lasts or the session lives.

    Args:
        connection: in autocommit mode, and not through a transaction pooler.
        dataset_id: the load.

    Raises:
        BadInput: another session has it.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    while not _asked(connection, "try_ingest_lock", dataset_id):
        if time.monotonic() > deadline:
            raise BadInput(f"data set {dataset_id}: another session is loading the same files; allowed: one at a time")
        time.sleep(0.1)
    try:
        yield
    finally:
        if not connection.closed:
            _asked(connection, "ingest_unlock", dataset_id)


def begin_load(connection: Connection, dataset_id: int, *, n_points: int, files: Sequence[dict[str, object]]) -> None:
    """Note a load; one that is known stays as it is.

    Args:
        connection: the caller's.
        dataset_id: from `register_dataset`.
        n_points: points of the grid that are to be loaded.
        files: name and hash of each, by time.
    """
    connection.execute(
        statement("begin_ingest_load"),
        {"dataset_id": dataset_id, "n_points": n_points, "files": Jsonb(list(files))},
    )


def forget_load(connection: Connection, dataset_id: int) -> None:
    """Forget how far a load has come; its series stay until they are written anew."""
    connection.execute(statement("forget_ingest_load"), {"dataset_id": dataset_id})


def read_progress(connection: Connection, dataset_id: int) -> Progress:
    """How far a load has come."""
    row = connection.execute(statement("read_ingest_progress"), {"dataset_id": dataset_id}).fetchone()
    if row is None:
        raise AssertionError("a count gave no row")
    finished, firsts, lasts, cells, *written = row
    blocks = tuple(range(first, last + 1) for first, last in zip(firsts, lasts, strict=True))
    return Progress(finished, blocks, cells, Written(*written))


def note_block(connection: Connection, dataset_id: int, block: range, cells: int, written: Written) -> None:
    """Note a block as done, in the transaction that wrote its series.

    Args:
        connection: the caller's.
        dataset_id: the load.
        block: numbers of its points.
        cells: how many it wrote.
        written: its series.
    """
    connection.execute(
        statement("note_ingest_block"),
        {
            "dataset_id": dataset_id,
            "first_point": block.start,
            "last_point": block.stop - 1,
            "cells": cells,
            "inserted": written.inserted,
            "updated": written.updated,
            "unchanged": written.unchanged,
        },
    )


def finish_load(connection: Connection, dataset_id: int) -> None:
    """Note that every block of a load is done."""
    connection.execute(statement("finish_ingest_load"), {"dataset_id": dataset_id})


def _asked(connection: Connection, name: str, dataset_id: int) -> bool:
    row = connection.execute(statement(name), {"dataset_id": dataset_id}).fetchone()
    return row is not None and bool(row[0])
