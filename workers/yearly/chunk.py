"""The work of a yearly batch's chunk: climate data of some cells become P(H), Hazard scores, or both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess import METHOD_VERSION
from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.assess.variables import variables_of
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.db.blocks import read_block
from aiops.db.computed import input_hashes, note_computed
from aiops.db.partial_results import keep_other_projections, keep_other_scores
from aiops.db.results import Stamp, replace_hazard, replace_probability, share_results
from aiops.db.statements import statement
from aiops.risks import all_risks, find_risk
from aiops.settings import settings
from aiops.stats.codes import ResultStatus
from workers.chunk_work import Written

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from numpy.typing import NDArray

    from aiops.assess.hazard import HazardBlock
    from aiops.assess.probability import ProbabilityBlock
    from aiops.climate import Block
    from aiops.db.connect import Connection
    from aiops.risks import Risk
    from workers.chunk_work import Pool, Stopwatch


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


class YearlyChunk:
    """Some cells: a `ChunkWork`."""

    def __init__(
        self,
        batch_id: UUID,
        job_type: str,
        first: int,
        last: int,
        cells: list[int] | None,
        params: Mapping[str, Any],
    ) -> None:
        """Take what there is to do.

        Args:
            batch_id: the batch.
            job_type: `probability`, `hazard`, or `assessment`, which is both.
            first: the first grid_id of the chunk.
            last: the last.
            cells: only these of the range; None: all that have data.
            params: the batch's parameters.
        """
        self._batch_id = batch_id
        self._first, self._last, self._cells = first, last, cells
        asked = params.get("risk_types")
        self._risks = [find_risk(name) for name in asked] if asked else list(all_risks().values())
        self._kinds = ("probability", "hazard") if job_type == "assessment" else (job_type,)
        self._projections = _projections_asked_for(params)
        self._results: _Results | None = None

    def prepare(self, pool: Pool, watch: Stopwatch) -> None:
        """See `ChunkWork`."""
        variables = variables_of(self._risks, self._kinds, settings().damage_set)
        with watch.step("read"), pool.connection() as connection, connection.transaction():
            # The hashes must be those of the very data that are read.
            connection.execute(statement("begin_snapshot"))
            block = read_block(connection, variables, self._first, self._last, cells=self._cells)
            hashes = input_hashes(connection, block.grid_ids, METHOD_VERSION, settings().damage_set)
        with watch.step("compute"):
            stamp = Stamp(METHOD_VERSION, self._batch_id, hashes)
            self._results = _Results(block.grid_ids, stamp, *assess_block(block, self._risks, self._kinds, watch))

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


def assess_block(
    block: Block, risks: Sequence[Risk], kinds: Sequence[str], watch: Stopwatch
) -> tuple[list[ProbabilityBlock], list[HazardBlock]]:
    """P(H) and Hazard of risks in the cells of a block; of kinds not asked for, nothing."""
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


def _projections_asked_for(params: Mapping[str, Any]) -> NDArray[np.bool_] | None:
    """(33,): which projections a batch writes; None: all of them."""
    scenarios, horizons = params.get("scenarios"), params.get("horizons")
    if scenarios is None and horizons is None:
        return None
    return np.array(
        [
            (scenarios is None or one.scenario in scenarios) and (horizons is None or one.horizon in horizons)
            for one in PROJECTIONS
        ]
    )


def _write(connection: Connection, results: _Results, projections: NDArray[np.bool_] | None) -> int:
    if projections is not None:
        return _write_some(connection, results, projections)
    rows = replace_probability(connection, results.grid_ids, results.probability, results.stamp)
    return rows + replace_hazard(connection, results.grid_ids, results.hazard, results.stamp)


def _write_some(connection: Connection, results: _Results, projections: NDArray[np.bool_]) -> int:
    """Some projections; the others stay. What a request writes in between would be read too early, and be lost."""
    share_results(connection)
    grid_ids, stamp, rows = results.grid_ids, results.stamp, 0
    for made in results.probability:
        block, hashes = keep_other_projections(connection, grid_ids, made, projections, stamp.input_hashes)
        rows += replace_probability(connection, grid_ids, [block], replace(stamp, input_hashes=hashes))
    for scored in results.hazard:
        scores, hashes = keep_other_scores(connection, grid_ids, scored, projections, stamp.input_hashes)
        rows += replace_hazard(connection, grid_ids, [scores], replace(stamp, input_hashes=hashes))
    return rows
