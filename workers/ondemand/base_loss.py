"""The base loss of one risk: from the cell's P(H) as it stands now, or from the row of an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess.loss import BaseLoss, EveryBin
from workers.ondemand.part import N_PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from aiops.db.requests import CellResult
    from aiops.risks import Risk

    Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PartLoss:
    """A base loss with what is said of it."""

    base: BaseLoss
    status: NDArray[np.int16]
    """(33,)."""
    reason: str | None
    is_default: bool
    """Whether a default stands in it."""
    damage_set: str


def loss_of_cell(risk: Risk, cell: CellResult, at: int) -> PartLoss:
    """P(H) of a cell as it is stored now; `at` is the place in `PROJECTIONS` of the one asked for."""
    two = [0, at]
    base = BaseLoss(
        aal=cell.aal[None],
        aal_low=cell.aal_low[None],
        aal_high=cell.aal_high[None],
        status=cell.aal_status[None],
        probabilities=cell.probabilities[None, two],
        rates=cell.damage_rates[None, two],
        every_bin=EveryBin(cell.probabilities[None], cell.damage_rates[None]) if risk.by_use else None,
    )
    return PartLoss(base, cell.aal_status, cell.aal_reason, cell.is_default, cell.damage_set)


def loss_of_run(risk: Risk, row: Row, at: int) -> PartLoss:
    """P(H) as a row of `aal_scaled_results` kept it.

    Bounds were kept of the baseline and of the projection asked for (NaN elsewhere), bins of these two, or of all
    where the curve follows from the use.
    """
    kept = N_PROJECTIONS if risk.by_use else 2
    two = [0, at] if risk.by_use else [0, 1]
    p = np.array(row["bin_probabilities"], dtype=np.float64).reshape(1, kept, -1)
    rates = np.array(row["bin_base_damage_rates"], dtype=np.float64).reshape(1, kept, -1)
    status = np.array(row["status_by_projection"], dtype=np.int16)
    aal = np.array(row["base_aal_by_projection"], dtype=np.float64)[None]
    low, high = np.full_like(aal, np.nan), np.full_like(aal, np.nan)
    bounds = np.array(row["base_bounds"], dtype=np.float64).reshape(2, 2)
    low[0, [0, at]], high[0, [0, at]] = bounds[:, 0], bounds[:, 1]
    every_bin = EveryBin(p, rates) if risk.by_use else None
    base = BaseLoss(aal, low, high, status[None], p[:, two], rates[:, two], every_bin)
    return PartLoss(base, status, row["reason"], row["is_default"], row["damage_set"])
