"""The Hazard score H of one risk on a block of cells, for all projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.assess._reasons import reasons_of
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.stats.bins import FULL_YEARS
from aiops.stats.codes import ResultStatus

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.climate import Block
    from aiops.risks import Risk

MIN_COVERAGE: Final = 0.3
"""Below this share of the weight there is no score."""
_ROUNDING: Final = 1e-9
"""Sums of weights such as .1 + .2 count as .3."""


@dataclass(frozen=True, slots=True)
class HazardBlock:
    """Results by cell and projection."""

    risk_type: str
    score: NDArray[np.float64]
    """(cells, 33): H, 0 to 100; NaN where it was not computed."""
    coverage: NDArray[np.float64]
    """(cells, 33): the share of the terms' weight that has data; NaN where the scenario is absent."""
    status: NDArray[np.int16]
    """(cells, 33): a ResultStatus; 0 where the cell has no rows for the scenario."""
    reason: list[str | None]
    """(cells,): why a projection was not computed, in plain words."""


def assess_hazard(block: Block, risk: Risk, windows: Windows | None = None) -> HazardBlock:
    """Hazard score of every cell and projection.

    H = 100·Σ w·clip((x - low)/(high - low), 0, 1) / Σ w over the terms that have data; a term has none with
    fewer than 5 years.

    Args:
        block: the cells' yearly series.
        risk: what to assess.
        windows: those of this block, when the caller has them already.
    """
    reader = windows or Windows(block)
    shape = (len(PROJECTIONS), reader.n_cells)
    weighted, weight, possible = np.zeros(shape), np.zeros(shape), 0.0
    short = np.zeros(shape, dtype=np.bool_)
    missing: list[tuple[str, NDArray[np.bool_]]] = []
    for term in risk.hazard:
        value, n = term.value(reader)
        has_data = ~np.isnan(value)
        share = np.clip((np.where(has_data, value, term.low) - term.low) / (term.high - term.low), 0.0, 1.0)
        weighted += term.weight * share
        weight += term.weight * has_data
        possible += term.weight
        short |= has_data & (n < FULL_YEARS)
        missing.append((term.name, ~has_data))

    coverage = weight / possible
    enough = coverage >= MIN_COVERAGE - _ROUNDING
    score = 100 * weighted / np.where(enough, weight, np.nan)
    status = np.where(short, ResultStatus.SHORT_RECORD, ResultStatus.OK)
    status = np.where(enough, status, ResultStatus.INSUFFICIENT_DATA)
    excluded, why_excluded = risk.exclusion(reader.attributes, reader.n_cells)
    status = np.where(excluded, ResultStatus.NOT_APPLICABLE, status)
    present = reader.present(risk.driver)
    computed = present & enough & ~excluded

    def explain(projection: int, cell: int) -> str:
        if excluded[cell]:
            return why_excluded
        absent = ", ".join(name for name, of_term in missing if of_term[projection, cell])
        window = PROJECTIONS[projection]
        return f"no data, or fewer than 5 years, of {absent} in {window.scenario} {window.horizon}"

    return HazardBlock(
        risk_type=risk.name,
        score=np.where(computed, score, np.nan).T.copy(),
        coverage=np.where(present, coverage, np.nan).T.copy(),
        status=np.where(present, status, 0).astype(np.int16).T.copy(),
        reason=reasons_of(present & ~computed, explain),
    )


def failed_hazard(block: Block, risk: Risk, reason: str) -> HazardBlock:
    """What stands for a score that could not be computed for an error: nothing, and why."""
    nothing = np.full((block.n_cells, len(PROJECTIONS)), np.nan)
    status = np.full(nothing.shape, ResultStatus.FAILED, dtype=np.int16)
    return HazardBlock(risk.name, nothing, nothing, status, [reason] * block.n_cells)
