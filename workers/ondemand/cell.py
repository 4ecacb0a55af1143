"""H and P(H) of one cell, when a request comes before the yearly batch did."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING
from uuid import UUID

import structlog

from aiops.assess import METHOD_VERSION
from aiops.assess.hazard import assess_hazard, failed_hazard
from aiops.assess.probability import assess_probability, failed_probability
from aiops.assess.variables import variables_of
from aiops.assess.windows import Windows
from aiops.db.blocks import read_block
from aiops.db.computed import input_hashes, note_computed
from aiops.db.results import Stamp, keep_others_from_results, replace_hazard, replace_probability
from aiops.db.statements import statement
from aiops.errors import in_one_line
from aiops.risks import find_risk
from aiops.settings import settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops.assess.hazard import HazardBlock
    from aiops.assess.probability import ProbabilityBlock
    from aiops.climate import Block
    from aiops.db.connect import Connection
    from aiops.risks import Risk

log = structlog.get_logger(__name__)


def compute_cells(
    connection: Connection, grid_ids: Sequence[int], risk_types: Sequence[str], batch_id: UUID | str
) -> None:
    """Compute and store H and P(H) of some cells, in one transaction; a risk that fails is stored as failed.

    Args:
        connection: in autocommit.
        grid_ids: ascending.
        risk_types: which.
        batch_id: the request or portfolio that needs them; the results carry it.
    """
    damage_set = settings().damage_set
    risks = [find_risk(name) for name in risk_types]
    variables = variables_of(risks, ("probability", "hazard"), damage_set)
    with connection.transaction():
        connection.execute(statement("begin_snapshot"))
        block = read_block(connection, variables, grid_ids[0], grid_ids[-1], cells=grid_ids)
        hashes = input_hashes(connection, block.grid_ids, METHOD_VERSION, damage_set)
    windows = Windows(block)
    made = [_assess(block, risk, damage_set, windows) for risk in risks]
    whole = [risk.name for risk, (_, _, failed) in zip(risks, made, strict=True) if not failed]
    stamp = Stamp(METHOD_VERSION, UUID(str(batch_id)), hashes)
    with connection.transaction():
        keep_others_from_results(connection)
        replace_probability(connection, block.grid_ids, [probability for probability, _, _ in made], stamp)
        replace_hazard(connection, block.grid_ids, [hazard for _, hazard, _ in made], stamp)
        if whole:
            for kind in ("probability", "hazard"):
                note_computed(connection, kind, block.grid_ids, hashes, whole)


def compute_cell(connection: Connection, grid_id: int, risk_types: Sequence[str], batch_id: UUID | str) -> None:
    """One cell; see `compute_cells`."""
    compute_cells(connection, [grid_id], risk_types, batch_id)


def _assess(block: Block, risk: Risk, damage_set: str, windows: Windows) -> tuple[ProbabilityBlock, HazardBlock, bool]:
    try:
        return assess_probability(block, risk, damage_set, windows), assess_hazard(block, risk, windows), False
    except Exception as error:  # as in an answer: one risk's failure is that risk's status
        reason = in_one_line(error)
        log.exception("risk failed", risk=risk.name, cells=block.grid_ids.tolist())
        log.debug("trace", trace=traceback.format_exc())
        return failed_probability(block, risk, damage_set, reason), failed_hazard(block, risk, reason), True
