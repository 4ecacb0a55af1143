"""One chunk of a batch: claim, read, compute, write.

The results, the chunk's state and the batch's progress are written in one transaction, which starts by locking the
chunk if this attempt still holds it (`workers.held_chunk`), and is rolled back when the batch does not run any more.
What is computed is the business of the batch's kind: `workers.yearly`, `workers.indicators`, `workers.portfolio`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from aiops.db.connect import open_pool
from aiops.db.transient import is_transient
from aiops.errors import in_one_line
from aiops.settings import settings
from workers.chunk_work import Stopwatch
from workers.held_chunk import ChunkLostError, HeldChunk, count_refused_write
from workers.indicators import JOB_TYPE as INDICATORS
from workers.indicators.chunk import IndicatorChunk
from workers.portfolio import JOB_TYPE as PORTFOLIO
from workers.portfolio.chunk import PortfolioChunk
from workers.retry import GivenUp, is_hopeless
from workers.watchdog import time_limit
from workers.yearly.chunk import YearlyChunk

if TYPE_CHECKING:
    from workers.chunk_work import ChunkWork, Pool

log = structlog.get_logger(__name__)

MOST_FAILURES = 4
"""Runs of a chunk that may fail by the chunk's own fault."""


@cache
def _pool() -> Pool:
    return open_pool("compute")


def run_chunk(batch_id: str, chunk_no: int, *, worker: str, last_attempt: bool) -> None:
    """Compute one chunk. A failure is noted at the chunk and raised; after so many the chunk fails for good.

    Raises:
        GivenUp: the chunk has failed for good.
    """
    # Every line that is logged on the way, wherever that is, says which chunk it is about.
    with structlog.contextvars.bound_contextvars(batch_id=batch_id, chunk=chunk_no):
        chunk = HeldChunk.claim(_pool(), UUID(batch_id), chunk_no, worker)
        if chunk is None:
            log.info("chunk has nothing left to do")
        else:
            _run(chunk, last_attempt=last_attempt)


def _run(chunk: HeldChunk, *, last_attempt: bool) -> None:
    logger = log.bind(attempt=chunk.attempt)
    watch = Stopwatch()
    try:
        with time_limit(settings().chunk_seconds, f"chunk {chunk.chunk_no} of batch {chunk.batch_id}"):
            _compute_and_write(chunk, watch)
    except ChunkLostError as lost:
        logger.warning("chunk was not written", reason=str(lost), seconds=watch.total)
        count_refused_write(_pool(), lost)
    except Exception as error:
        where = {**watch.where, "seconds": watch.total}
        if is_transient(error) and not last_attempt:
            chunk.put_back(_pool(), error, watch, counts=False)
            logger.warning("chunk is put off", error=in_one_line(error), **where)
            raise
        for_good = last_attempt or is_hopeless(error) or chunk.failures + 1 >= MOST_FAILURES
        logger.exception("chunk failed", for_good=for_good, **where)
        if not for_good:
            chunk.put_back(_pool(), error, watch, counts=True)
            raise
        chunk.fail(_pool(), error, watch)
        raise GivenUp(in_one_line(error)) from error
    else:
        logger.info("chunk done", cells=chunk.n_cells, seconds=watch.total, seconds_by_step=watch.seconds)


def _compute_and_write(chunk: HeldChunk, watch: Stopwatch) -> None:
    work = _work_of(chunk)
    work.prepare(_pool(), watch)
    with _pool().connection() as connection, connection.transaction():
        chunk.lock(connection)
        with watch.step("write"):
            written = work.write(connection)
        chunk.finish(connection, written, watch)


def _work_of(chunk: HeldChunk) -> ChunkWork:
    batch_id, first, last, params = chunk.batch_id, chunk.first, chunk.last, chunk.input_params
    if chunk.job_type == PORTFOLIO:
        return PortfolioChunk(batch_id, chunk.chunk_no, first, last, params)
    if chunk.job_type == INDICATORS:
        return IndicatorChunk(batch_id, first, last, chunk.cells, params)
    return YearlyChunk(batch_id, chunk.job_type, first, last, chunk.cells, params)
