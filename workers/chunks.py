"""One chunk of a yearly batch: claim, read, compute, write.

The claim is a short transaction of its own and gives an attempt number. The results, the chunk's state and the batch's
progress are written in one other transaction, which starts by locking the chunk if this attempt still holds it, and is
rolled back when the batch does not run any more.
"""

from __future__ import annotations

import time
import traceback
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import structlog
from psycopg.types.json import Jsonb

from aiops.assess import METHOD_VERSION
from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.assess.windows import Windows
from aiops.db.blocks import read_block
from aiops.db.connect import open_pool
from aiops.db.results import Stamp, replace_hazard, replace_probability
from aiops.db.statements import statement
from aiops.risks import all_risks, find_risk
from aiops.settings import settings
from aiops.stats.codes import ResultStatus
from workers.retry import is_hopeless

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from psycopg_pool import ConnectionPool

    from aiops.assess.hazard import HazardBlock
    from aiops.assess.probability import ProbabilityBlock
    from aiops.climate import Block
    from aiops.db.connect import Connection
    from aiops.risks import Risk

log = structlog.get_logger(__name__)

LEASE = "15 minutes"


class ChunkLostError(Exception):
    """This attempt does not hold the chunk any more, or the batch has ended: nothing of it is written."""


@dataclass(frozen=True, slots=True)
class _Claim:
    attempt: int
    first_grid_id: int
    last_grid_id: int
    n_cells: int
    job_type: str
    input_params: dict[str, Any]


@dataclass(slots=True)
class _Stopwatch:
    """Seconds by step."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = round(time.perf_counter() - start, 4)


@dataclass(frozen=True, slots=True)
class _Results:
    probability: Sequence[ProbabilityBlock]
    hazard: Sequence[HazardBlock]

    def cells_without_result(self) -> int:
        """Cells in which at least one asked result lacks its data."""
        statuses = [*(one.status for one in self.probability), *(one.status for one in self.hazard)]
        lacking = [(status == ResultStatus.INSUFFICIENT_DATA).any(axis=1) for status in statuses]
        return int(np.any(lacking, axis=0).sum())


@cache
def _pool() -> ConnectionPool[Connection]:
    return open_pool("compute")


def run_chunk(batch_id: str, chunk_no: int, *, worker: str, last_attempt: bool) -> None:
    """Compute one chunk. A failure is noted at the chunk and raised; at the last attempt the chunk fails for good."""
    logger = log.bind(batch_id=batch_id, chunk=chunk_no)
    claim = _claim(batch_id, chunk_no, worker)
    if claim is None:
        logger.info("chunk has nothing left to do")
        return
    try:
        watch = _compute_and_write(UUID(batch_id), chunk_no, claim)
    except ChunkLostError as lost:
        logger.warning("chunk was not written", reason=str(lost), attempt=claim.attempt)
    except Exception as error:
        for_good = last_attempt or is_hopeless(error)
        _note_failure(batch_id, chunk_no, claim, error, for_good=for_good)
        logger.exception("chunk failed", attempt=claim.attempt, for_good=for_good)
        raise
    else:
        logger.info("chunk done", cells=claim.n_cells, attempt=claim.attempt, seconds=watch.seconds)


def _claim(batch_id: str, chunk_no: int, worker: str) -> _Claim | None:
    with _pool().connection() as connection:
        row = connection.execute(
            statement("claim_chunk"),
            {"batch_id": batch_id, "chunk_no": chunk_no, "worker": worker, "lease": LEASE},
        ).fetchone()
    return _Claim(*row) if row is not None else None


def _compute_and_write(batch_id: UUID, chunk_no: int, claim: _Claim) -> _Stopwatch:
    watch = _Stopwatch()
    asked = claim.input_params.get("risk_types")
    risks = [find_risk(name) for name in asked] if asked else list(all_risks().values())
    wants_probability = claim.job_type in ("probability", "assessment")
    wants_hazard = claim.job_type in ("hazard", "assessment")
    with watch.step("read"), _pool().connection() as connection:
        block = read_block(
            connection,
            _variables(risks, probability=wants_probability, hazard=wants_hazard),
            claim.first_grid_id,
            claim.last_grid_id,
            cells=claim.input_params.get("cells"),
            box=claim.input_params.get("bbox"),
        )
    with watch.step("compute"):
        results = _assess(block, risks, probability=wants_probability, hazard=wants_hazard)
    with _pool().connection() as connection, connection.transaction():
        _hold(connection, batch_id, chunk_no, claim.attempt)
        with watch.step("write"):
            stamp = Stamp(METHOD_VERSION, batch_id)
            rows = replace_probability(connection, block.grid_ids, results.probability, stamp)
            rows += replace_hazard(connection, block.grid_ids, results.hazard, stamp)
        _finish(connection, batch_id, chunk_no, rows, results.cells_without_result(), watch)
    return watch


def _variables(risks: Sequence[Risk], *, probability: bool, hazard: bool) -> list[str]:
    wanted: set[str] = set()
    for risk in risks:
        if probability:
            wanted |= risk.probability_variables(settings().damage_set)
        if hazard:
            wanted |= risk.hazard_variables()
    return sorted(wanted)


def _assess(block: Block, risks: Sequence[Risk], *, probability: bool, hazard: bool) -> _Results:
    windows = Windows(block)
    damage_set = settings().damage_set
    return _Results(
        [assess_probability(block, risk, damage_set, windows) for risk in risks] if probability else [],
        [assess_hazard(block, risk, windows) for risk in risks] if hazard else [],
    )


def _hold(connection: Connection, batch_id: UUID, chunk_no: int, attempt: int) -> None:
    row = connection.execute(
        statement("hold_chunk"), {"batch_id": batch_id, "chunk_no": chunk_no, "attempt": attempt}
    ).fetchone()
    if row is None or not row[0]:
        raise ChunkLostError("another attempt has taken the chunk")


def _finish(
    connection: Connection,
    batch_id: UUID,
    chunk_no: int,
    rows: int,
    cells_without_result: int,
    watch: _Stopwatch,
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
        raise ChunkLostError("the batch does not run any more")


def _note_failure(batch_id: str, chunk_no: int, claim: _Claim, error: Exception, *, for_good: bool) -> None:
    with _pool().connection() as connection:
        connection.execute(
            statement("fail_chunk"),
            {
                "batch_id": batch_id,
                "chunk_no": chunk_no,
                "attempt": claim.attempt,
                "error": f"{type(error).__name__}: {error}",
                "trace": traceback.format_exc(),
                "for_good": for_good,
            },
        )
