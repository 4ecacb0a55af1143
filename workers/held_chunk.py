"""A chunk that an attempt holds: the claim, and every way in which the attempt may end.

The claim is a short transaction of its own and gives an attempt number, the fence: whatever ends the chunk names it,
and does nothing once another attempt has taken the chunk.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Self

import psycopg
import structlog
from psycopg.types.json import Jsonb

from aiops.db.statements import statement
from aiops.errors import in_one_line
from aiops.settings import settings

if TYPE_CHECKING:
    from uuid import UUID

    from aiops.db.connect import Connection
    from workers.chunk_work import Pool, Stopwatch, Written

log = structlog.get_logger(__name__)


class ChunkLostError(Exception):
    """This attempt does not hold the chunk any more, or the batch has ended: nothing of it is written."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind
        """As it is counted: `fenced out` or `batch ended`."""


@dataclass(frozen=True, slots=True)
class HeldChunk:
    """What is to be done in the chunk, and the ways to end it."""

    batch_id: UUID
    chunk_no: int
    attempt: int
    first: int
    """The first grid_id, or the first site of a portfolio."""
    last: int
    n_cells: int
    cells: list[int] | None
    """Only these of the range; None: all of it."""
    job_type: str
    input_params: dict[str, Any]
    failures: int
    """Of earlier runs, by the chunk's own fault."""

    @classmethod
    def claim(cls, pool: Pool, batch_id: UUID, chunk_no: int, worker: str) -> Self | None:
        """Take the chunk; None: there is nothing left to do in it, or another attempt holds it."""
        with pool.connection() as connection:
            row = connection.execute(
                statement("claim_chunk"),
                {
                    "batch_id": batch_id,
                    "chunk_no": chunk_no,
                    "worker": worker,
                    "lease": timedelta(seconds=settings().chunk_seconds),
                },
            ).fetchone()
        return cls(batch_id, chunk_no, *row) if row is not None else None

    def lock(self, connection: Connection) -> None:
        """Keep every other attempt out until the transaction ends, which this begins.

        Raises:
            ChunkLostError: another attempt has taken the chunk.
        """
        row = connection.execute(statement("hold_chunk"), self._named()).fetchone()
        if row is None or not row[0]:
            raise ChunkLostError("another attempt has taken the chunk", "fenced out")

    def finish(self, connection: Connection, written: Written, watch: Stopwatch) -> None:
        """Note the chunk done, and the batch's progress with it: the last of the transaction.

        Raises:
            ChunkLostError: the batch does not run any more.
        """
        row = connection.execute(
            statement("finish_chunk"),
            {
                "batch_id": self.batch_id,
                "chunk_no": self.chunk_no,
                "rows_written": written.rows,
                "cells_without_result": written.without_result,
                "seconds": Jsonb(watch.seconds),
            },
        ).fetchone()
        if row is None or not row[0]:
            raise ChunkLostError("the batch does not run any more", "batch ended")

    def put_back(self, pool: Pool, error: Exception, watch: Stopwatch, *, counts: bool) -> None:
        """Put the chunk back for another run; one that cannot be put back, its next claim takes all the same."""
        try:
            with pool.connection() as connection:
                self._keep_trace(connection, error, watch)
                connection.execute(
                    statement("postpone_chunk"), {**self._named(), "error": in_one_line(error), "counts": counts}
                )
        except psycopg.Error as unnoted:
            log.warning("failure of a chunk was not noted", error=in_one_line(unnoted))

    def fail(self, pool: Pool, error: Exception, watch: Stopwatch) -> None:
        """Note that the chunk has failed for good."""
        with pool.connection() as connection:
            self._keep_trace(connection, error, watch)
            connection.execute(
                statement("fail_chunk"),
                {**self._named(), "error": in_one_line(error), "trace": _trace(error, watch), "for_good": True},
            )

    def _keep_trace(self, connection: Connection, error: Exception, watch: Stopwatch) -> None:
        connection.execute(
            statement("note_chunk_failure"),
            {**self._named(), "trace": _trace(error, watch), "seconds": Jsonb(watch.seconds)},
        )

    def _named(self) -> dict[str, Any]:
        return {"batch_id": self.batch_id, "chunk_no": self.chunk_no, "attempt": self.attempt}


def count_refused_write(pool: Pool, lost: ChunkLostError) -> None:
    """Count a chunk that was computed and not written."""
    try:
        with pool.connection() as connection:
            connection.execute(statement("count_events"), {"event": "refused write", "kind": lost.kind, "times": 1})
    except psycopg.Error as error:
        # The job must not be tried again for the sake of a count: its chunk may be in other hands.
        log.warning("refused write was not counted", error=" ".join(str(error).split()))


def _trace(error: Exception, watch: Stopwatch) -> str:
    where = "".join(f", {name} {value}" for name, value in watch.where.items())
    # NUL is the one character that a text of the database cannot hold.
    return f"{''.join(traceback.format_exception(error))}{where.removeprefix(', ')}".replace("\0", "").strip()
