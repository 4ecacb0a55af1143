"""P[i], damage rates and base AAL of one risk on a block of cells, for all projections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess._losses import analytic, sampled
from aiops.assess._reasons import reasons_of
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.risks import DamageSet, ReturnLevels, range_of
from aiops.stats import intervals
from aiops.stats.codes import ResultStatus
from aiops.stats.samples import total_of_products

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.climate import Block
    from aiops.risks import Risk


@dataclass(frozen=True, slots=True)
class ProbabilityBlock:
    """Results by cell and projection; floats are NaN, and estimators 0, where nothing was computed."""

    risk_type: str
    damage_set: str
    probabilities: NDArray[np.float64]
    """(cells, 33, bins)."""
    damage_rates: NDArray[np.float64]
    """(cells, 33, bins): base damage rates times reach, a fraction of the asset's value."""
    edges: NDArray[np.float64]
    """(cells, 33, bins - 1), in the indicator's unit."""
    aal: NDArray[np.float64]
    """(cells, 33): Σ P·DR, a fraction of the asset's value a year."""
    aal_low: NDArray[np.float64]
    """(cells, 33): 5 % bound; NaN below 10 years."""
    aal_high: NDArray[np.float64]
    """(cells, 33): 95 % bound; NaN below 10 years."""
    aal_change: NDArray[np.float64]
    """(cells, 33): AAL less that of the historical baseline (projection 0)."""
    aal_change_low: NDArray[np.float64]
    """(cells, 33): 5 % bound; both errors taken as independent, or as one where both stand on the same years."""
    aal_change_high: NDArray[np.float64]
    """(cells, 33): 95 % bound."""
    estimator: NDArray[np.uint8]
    """(cells, 33): an Estimator; 0 for none."""
    n_years: NDArray[np.int16]
    """(cells, 33): valid years of the window."""
    status: NDArray[np.int16]
    """(cells, 33): a ResultStatus; 0 where the cell has no rows for the scenario."""
    baseline: list[str | None]
    """(cells,): which years the baseline is; None without any."""
    reach: NDArray[np.float64]
    """(cells,): share of the damage rates that reaches the cell; NaN where the risk knows no reach."""
    is_default: NDArray[np.bool_]
    """(cells,): whether a default stands for something unknown of the cell."""
    reason: list[str | None]
    """(cells,): why a projection was not computed, in plain words."""


def assess_probability(
    block: Block, risk: Risk, damage_set: str = "calibrated", windows: Windows | None = None
) -> ProbabilityBlock:
    """Bin probabilities, damage rates and base AAL of every cell and projection.

    Args:
        block: the cells' yearly series.
        risk: what to assess.
        damage_set: name of one of the risk's damage sets.
        windows: those of this block, when the caller has them already.

    Raises:
        BadInput: the risk has no damage set of that name.
    """
    reader = windows or Windows(block)
    damage = risk.damage_set(damage_set)
    found = sampled(damage, reader) if isinstance(damage, DamageSet) else analytic(damage, reader)
    reach, is_default = _reach(risk, reader)
    excluded, why_excluded = risk.exclusion(reader.attributes, reader.n_cells)
    present = reader.present(risk.driver)

    computed = present & (found.estimator > 0) & ~excluded
    status = np.where(excluded, ResultStatus.NOT_APPLICABLE, found.status)
    scale = np.ones(reader.n_cells) if reach is None else reach
    p = np.where(computed[..., None], found.probabilities, np.nan)
    rates = np.where(computed[..., None], found.rates * scale[:, None], np.nan)
    error = np.where(computed, found.error, np.nan) * scale
    lowest, highest = range_of(damage.rates)
    aal = intervals.bounds(total_of_products(p, rates), error, found.n_years, scale * lowest, scale * highest)
    baseline = intervals.Bounded(*(part[:1] for part in aal))
    change = intervals.difference(aal, baseline, of_the_same_years=found.of_the_same_years)
    # The baseline differs from itself by nothing, and that is certain.
    change.low[0] = change.high[0] = change.mean[0]

    def explain(projection: int, cell: int) -> str:
        return why_excluded if excluded[cell] else found.missing(projection, cell)

    return ProbabilityBlock(
        risk_type=risk.name,
        damage_set=damage_set,
        probabilities=_by_cell(p),
        damage_rates=_by_cell(rates),
        edges=_by_cell(np.where(computed[..., None], found.edges, np.nan)),
        aal=_by_cell(aal.mean),
        aal_low=_by_cell(aal.low),
        aal_high=_by_cell(aal.high),
        aal_change=_by_cell(change.mean),
        aal_change_low=_by_cell(change.low),
        aal_change_high=_by_cell(change.high),
        estimator=_by_cell(np.where(computed, found.estimator, 0).astype(np.uint8)),
        n_years=_by_cell(np.where(present, found.n_years, 0).astype(np.int16)),
        status=_by_cell(np.where(present, status, 0).astype(np.int16)),
        baseline=found.baseline,
        reach=np.full(reader.n_cells, np.nan) if reach is None else reach,
        is_default=(is_default | found.is_default) & ~excluded,
        reason=reasons_of(present & ~computed, explain),
    )


def failed_probability(block: Block, risk: Risk, damage_set: str, reason: str) -> ProbabilityBlock:
    """What stands for P(H) that could not be computed for an error: nothing, and why."""
    n, n_bins = block.n_cells, len(_edges_of(risk, damage_set)) + 1
    nothing = np.full((n, len(PROJECTIONS)), np.nan)
    return ProbabilityBlock(
        risk_type=risk.name,
        damage_set=damage_set,
        probabilities=np.full((n, len(PROJECTIONS), n_bins), np.nan),
        damage_rates=np.full((n, len(PROJECTIONS), n_bins), np.nan),
        edges=np.full((n, len(PROJECTIONS), n_bins - 1), np.nan),
        aal=nothing,
        aal_low=nothing,
        aal_high=nothing,
        aal_change=nothing,
        aal_change_low=nothing,
        aal_change_high=nothing,
        estimator=np.zeros(nothing.shape, dtype=np.uint8),
        n_years=np.zeros(nothing.shape, dtype=np.int16),
        status=np.full(nothing.shape, ResultStatus.FAILED, dtype=np.int16),
        baseline=[None] * n,
        reach=np.full(n, np.nan),
        is_default=np.zeros(n, dtype=np.bool_),
        reason=[reason] * n,
    )


def _edges_of(risk: Risk, damage_set: str) -> tuple[float, ...]:
    edges = risk.damage_set(damage_set).edges
    return edges.years if isinstance(edges, ReturnLevels) else edges


def _reach(risk: Risk, reader: Windows) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """Reach of the cells, the national mean where it is unknown, and where that is so."""
    if risk.reach is None:
        return None, np.zeros(reader.n_cells, dtype=np.bool_)
    known = risk.reach.at(reader.attributes, reader.n_cells)
    unknown = np.isnan(known)
    return np.where(unknown, risk.reach.national_mean, known), unknown


def _by_cell(values: NDArray[Any]) -> NDArray[Any]:
    """(33, cells, …) to (cells, 33, …)."""
    return np.ascontiguousarray(values.swapaxes(0, 1))
