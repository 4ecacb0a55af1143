"""One chunk of a batch: claim, read, compute, write.

The claim is a short transaction of its own and gives an attempt number. The results, the chunk's state and the batch's
progress are written in one other transaction, which starts by locking the chunk if this attempt still holds it, and is
rolled back when the batch does not run any more.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import structlog
from psycopg.types.json import Jsonb

from aiops.assess import METHOD_VERSION
from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.db.blocks import read_block
from aiops.db.computed import input_hashes, note_computed
from aiops.db.connect import open_pool
from aiops.db.partial_results import keep_other_projections, keep_other_scores
from aiops.db.results import Stamp, replace_hazard, replace_probability
from aiops.db.statements import statement
from aiops.db.transient import is_transient
from aiops.risks import all_risks, find_risk
from aiops.settings import settings
from aiops.stats.codes import ResultStatus
from workers.chunk_work import Stopwatch, Written
from workers.indicators import JOB_TYPE as INDICATORS
from workers.indicators.chunk import IndicatorChunk
from workers.portfolio import JOB_TYPE as PORTFOLIO
from workers.portfolio.chunk import PortfolioChunk
from workers.retry import GivenUp, is_hopeless
from workers.watchdog import time_limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray
    from psycopg_pool import ConnectionPool

    from aiops.assess.hazard import HazardBlock
    from aiops.assess.probability import ProbabilityBlock
    from aiops.climate import Block
    from aiops.db.connect import Connection
    from aiops.risks import Risk
    from workers.chunk_work import ChunkWork, Pool

log = structlog.get_logger(__name__)

MOST_FAILURES = 4
"""Runs of a chunk that may fail by the chunk's own fault."""


class ChunkLostError(Exception):
    """This attempt does not hold the chunk any more, or the batch has ended: nothing of it is written."""

    def __init__(self, reason: str, kind: str) -> None:
        super().__init__(reason)
        self.kind = kind
        """As it is counted: `fenced out` or `batch ended`."""


@dataclass(frozen=True, slots=True)
class _Claim:
    attempt: int
    first_grid_id: int
    last_grid_id: int
    n_cells: int
    cells: list[int] | None
    job_type: str
    input_params: dict[str, Any]
    failures: int


@dataclass(frozen=True, slots=True)
class _Results:
    grid_ids: NDArray[np.int32]
    stamp: Stamp
    probability: Sequence[ProbabilityBlock]
    hazard: Sequence[HazardBlock]

    def cells_without_result(self) -> int:
        """Cells in which at least one asked result lacks its data."""
        statuses = [*(one.status for one in self.probability), *(one.status for one in self.hazard)]
        lacking = [(status == ResultStatus.INSUFFICIENT_DATA).any(axis=1) for status in statuses]
        return int(np.any(lacking, axis=0).sum())


def batch_kinds(job_type: str) -> tuple[str, ...]:
    """What a job computes: `probability`, `hazard`, or both."""
    return ("probability", "hazard") if job_type == "assessment" else (job_type,)


def projections_asked_for(input_params: Mapping[str, Any]) -> NDArray[np.bool_] | None:
    """(33,): which projections a batch writes; None: all of them."""
    scenarios, horizons = input_params.get("scenarios"), input_params.get("horizons")
    if scenarios is None and horizons is None:
        return None
    return np.array(
        [
            (scenarios is None or one.scenario in scenarios) and (horizons is None or one.horizon in horizons)
            for one in PROJECTIONS
        ]
    )


@cache
def _pool() -> ConnectionPool[Connection]:
    return open_pool("compute")


def run_chunk(batch_id: str, chunk_no: int, *, worker: str, last_attempt: bool) -> None:
    """Compute one chunk. A failure is noted at the chunk and raised; after so many the chunk fails for good.

    Raises:
        GivenUp: the chunk has failed for good.
    """
    # Every line that is logged on the way, wherever that is, says which chunk it is about.
    with structlog.contextvars.bound_contextvars(batch_id=batch_id, chunk=chunk_no):
        _run_chunk(batch_id, chunk_no, worker, last_attempt=last_attempt)


def _run_chunk(batch_id: str, chunk_no: int, worker: str, *, last_attempt: bool) -> None:
    claim = _claim(batch_id, chunk_no, worker)
    if claim is None:
        log.info("chunk has nothing left to do")
        return
    logger = log.bind(attempt=claim.attempt)
    watch = Stopwatch()
    try:
        with time_limit(settings().chunk_seconds, f"chunk {chunk_no} of batch {batch_id}"):
            _compute_and_write(UUID(batch_id), chunk_no, claim, watch)
    except ChunkLostError as lost:
        logger.warning("chunk was not written", reason=str(lost), seconds=watch.total)
        _count_refused_write(lost)
    except Exception as error:
        where = {**watch.where, "seconds": watch.total}
        if is_transient(error) and not last_attempt:
            _postpone(batch_id, chunk_no, claim, error, watch, counts=False)
            logger.warning("chunk is put off", error=_in_one_line(error), **where)
            raise
        for_good = last_attempt or is_hopeless(error) or claim.failures + 1 >= MOST_FAILURES
        logger.exception("chunk failed", for_good=for_good, **where)
        if not for_good:
            _postpone(batch_id, chunk_no, claim, error, watch, counts=True)
            raise
        _note_failure(batch_id, chunk_no, claim, error, watch)
        raise GivenUp(_in_one_line(error)) from error
    else:
        logger.info("chunk done", cells=claim.n_cells, seconds=watch.total, seconds_by_step=watch.seconds)


def _claim(batch_id: str, chunk_no: int, worker: str) -> _Claim | None:
    with _pool().connection() as connection:
        row = connection.execute(
            statement("claim_chunk"),
            {
                "batch_id": batch_id,
                "chunk_no": chunk_no,
                "worker": worker,
                "lease": timedelta(seconds=settings().chunk_seconds),
            },
        ).fetchone()
    return _Claim(*row) if row is not None else None


def _compute_and_write(batch_id: UUID, chunk_no: int, claim: _Claim, watch: Stopwatch) -> None:
    work = _work_of(batch_id, chunk_no, claim)
    work.prepare(_pool(), watch)
    with _pool().connection() as connection, connection.transaction():
        _hold(connection, batch_id, chunk_no, claim.attempt)
        with watch.step("write"):
            written = work.write(connection)
        _finish(connection, batch_id, chunk_no, written.rows, written.without_result, watch)


def _work_of(batch_id: UUID, chunk_no: int, claim: _Claim) -> ChunkWork:
    if claim.job_type == PORTFOLIO:
        return PortfolioChunk(batch_id, chunk_no, claim.first_grid_id, claim.last_grid_id, claim.input_params)
    if claim.job_type == INDICATORS:
        return IndicatorChunk(batch_id, claim.first_grid_id, claim.last_grid_id, claim.cells, claim.input_params)
    return _YearlyChunk(batch_id, claim)


class _YearlyChunk:
    """P(H), Hazard scores, or both, of a range of cells."""

    def __init__(self, batch_id: UUID, claim: _Claim) -> None:
        self._batch_id, self._claim = batch_id, claim
        asked = claim.input_params.get("risk_types")
        self._risks = [find_risk(name) for name in asked] if asked else list(all_risks().values())
        self._kinds = batch_kinds(claim.job_type)
        self._projections = projections_asked_for(claim.input_params)
        self._results: _Results | None = None

    def prepare(self, pool: Pool, watch: Stopwatch) -> None:
        """See `ChunkWork`."""
        claim, risks, kinds = self._claim, self._risks, self._kinds
        with watch.step("read"), pool.connection() as connection, connection.transaction():
            # The hashes must be those of the very data that are read.
            connection.execute(statement("begin_snapshot"))
            block = read_block(
                connection,
                _variables(risks, kinds),
                claim.first_grid_id,
                claim.last_grid_id,
                cells=claim.cells,
            )
            hashes = input_hashes(connection, block.grid_ids, METHOD_VERSION, settings().damage_set)
        with watch.step("compute"):
            stamp = Stamp(METHOD_VERSION, self._batch_id, hashes)
            self._results = _Results(block.grid_ids, stamp, *_assess(block, risks, kinds, watch))

    def write(self, connection: Connection) -> Written:
        """See `ChunkWork`."""
        results = self._results
        if results is None:
            raise AssertionError("there is nothing to write before it is computed")
        rows = _write(connection, results, self._projections)
        if self._projections is None:
            names = [risk.name for risk in self._risks]
            for kind in self._kinds:
                note_computed(connection, kind, results.grid_ids, results.stamp.input_hashes, names)
        return Written(rows, results.cells_without_result())


def _write(connection: Connection, results: _Results, projections: NDArray[np.bool_] | None) -> int:
    probability, hazard, grid_ids = results.probability, results.hazard, results.grid_ids
    if projections is not None:
        probability = [keep_other_projections(connection, grid_ids, one, projections) for one in probability]
        hazard = [keep_other_scores(connection, grid_ids, one, projections) for one in hazard]
    rows = replace_probability(connection, grid_ids, probability, results.stamp)
    return rows + replace_hazard(connection, grid_ids, hazard, results.stamp)


def _variables(risks: Sequence[Risk], kinds: Sequence[str]) -> list[str]:
    wanted: set[str] = set()
    for risk in risks:
        if "probability" in kinds:
            wanted |= risk.probability_variables(settings().damage_set)
        if "hazard" in kinds:
            wanted |= risk.hazard_variables()
    return sorted(wanted)


def _assess(
    block: Block, risks: Sequence[Risk], kinds: Sequence[str], watch: Stopwatch
) -> tuple[list[ProbabilityBlock], list[HazardBlock]]:
    windows = Windows(block)
    damage_set = settings().damage_set
    probability: list[ProbabilityBlock] = []
    hazard: list[HazardBlock] = []
    for risk in risks:
        watch.risk = risk.name
        if "probability" in kinds:
            probability.append(assess_probability(block, risk, damage_set, windows))
        if "hazard" in kinds:
            hazard.append(assess_hazard(block, risk, windows))
    watch.risk = None
    return probability, hazard


def _hold(connection: Connection, batch_id: UUID, chunk_no: int, attempt: int) -> None:
    row = connection.execute(
        statement("hold_chunk"), {"batch_id": batch_id, "chunk_no": chunk_no, "attempt": attempt}
    ).fetchone()
    if row is None or not row[0]:
        raise ChunkLostError("another attempt has taken the chunk", "fenced out")


def _finish(
    connection: Connection,
    batch_id: UUID,
    chunk_no: int,
    rows: int,
    cells_without_result: int,
    watch: Stopwatch,
) -> None:
    row = connection.execute(
        statement("finish_chunk"),
        {
            "batch_id": batch_id,
            "chunk_no": chunk_no,
            "rows_written": rows,
            "cells_without_result": cells_without_result,
            "seconds": Jsonb(watch.seconds),
        },
    ).fetchone()
    if row is None or not row[0]:
        raise ChunkLostError("the batch does not run any more", "batch ended")


def _count_refused_write(lost: ChunkLostError) -> None:
    try:
        with _pool().connection() as connection:
            connection.execute(statement("count_events"), {"event": "refused write", "kind": lost.kind, "times": 1})
    except psycopg.Error as error:
        # The job must not be tried again for the sake of a count: its chunk may be in other hands.
        log.warning("refused write was not counted", error=" ".join(str(error).split()))


def _postpone(batch_id: str, chunk_no: int, claim: _Claim, error: Exception, watch: Stopwatch, *, counts: bool) -> None:
    """Put a chunk back for another run; one that cannot be put back, its next claim takes all the same."""
    try:
        with _pool().connection() as connection:
            _keep_trace(connection, batch_id, chunk_no, claim, error, watch)
            connection.execute(
                statement("postpone_chunk"),
                {
                    "batch_id": batch_id,
                    "chunk_no": chunk_no,
                    "attempt": claim.attempt,
                    "error": _in_one_line(error),
                    "counts": counts,
                },
            )
    except psycopg.Error as unnoted:
        log.warning("failure of a chunk was not noted", error=_in_one_line(unnoted))


def _in_one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _keep_trace(
    connection: Connection, batch_id: str, chunk_no: int, claim: _Claim, error: Exception, watch: Stopwatch
) -> None:
    connection.execute(
        statement("note_chunk_failure"),
        {
            "batch_id": batch_id,
            "chunk_no": chunk_no,
            "attempt": claim.attempt,
            "trace": _trace(error, watch),
            "seconds": Jsonb(watch.seconds),
        },
    )


def _trace(error: Exception, watch: Stopwatch) -> str:
    where = "".join(f", {name} {value}" for name, value in watch.where.items())
    # NUL is the one character that a text of the database cannot hold.
    return f"{''.join(traceback.format_exception(error))}{where.removeprefix(', ')}".replace("\0", "").strip()


def _note_failure(batch_id: str, chunk_no: int, claim: _Claim, error: Exception, watch: Stopwatch) -> None:
    with _pool().connection() as connection:
        _keep_trace(connection, batch_id, chunk_no, claim, error, watch)
        connection.execute(
            statement("fail_chunk"),
            {
                "batch_id": batch_id,
                "chunk_no": chunk_no,
                "attempt": claim.attempt,
                "error": _in_one_line(error),
                "trace": _trace(error, watch),
                "for_good": True,
            },
        )
