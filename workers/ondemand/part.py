"""One risk of an answer: what is known of it so far."""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.errors import in_one_line
from aiops.stats.codes import ResultStatus
from workers.ondemand.plain import reason_of, status_name

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.assess.loss import ScaledLoss
    from aiops.db.requests import CellResult
    from aiops.risks import Risk

    Row = dict[str, Any]

N_PROJECTIONS = len(PROJECTIONS)
_NAN_ARRAY = np.full(N_PROJECTIONS, np.nan)
_FAILED_ARRAY = np.full(N_PROJECTIONS, ResultStatus.FAILED, dtype=np.int16)


@dataclass(slots=True)
class RiskPart:
    """What is known of one risk so far; arrays have one value a projection."""

    risk: Risk
    cell: CellResult | None = None
    failure: str | None = None
    """Why it has no numbers: the first failure."""
    trace: str | None = None
    hazard: NDArray[np.float64] = field(default_factory=lambda: _NAN_ARRAY)
    hazard_status: NDArray[np.int16] = field(default_factory=lambda: _FAILED_ARRAY)
    aal_status: NDArray[np.int16] = field(default_factory=lambda: _FAILED_ARRAY)
    exposure: float = np.nan
    vulnerability: float = np.nan
    loss: ScaledLoss | None = None
    rows: dict[str, Row] = field(default_factory=dict)
    """By step, as they are stored."""

    def final_aal(self) -> NDArray[np.float64]:
        """(33,)."""
        return _NAN_ARRAY if self.loss is None else self.loss.final_aal[0]

    def score_status(self, at: int) -> tuple[str, str | None]:
        """Status of the risk's score in a projection (its place in `PROJECTIONS`), and why there is none."""
        if self.failure is not None:
            return "failed", self.failure
        code = int(self.hazard_status[at])
        return status_name(code), reason_of(code, self.cell.score_reason if self.cell is not None else None, at)

    def fail(self, error: Exception) -> None:
        """Take every number away, those of earlier steps as well, and keep why."""
        self.failure = in_one_line(error)
        self.trace = "".join(traceback.format_exception(error))
        self.exposure = self.vulnerability = np.nan
        self.loss = None
        self.hazard, self.hazard_status, self.aal_status = _NAN_ARRAY, _FAILED_ARRAY, _FAILED_ARRAY
