"""The answer for one place, step by step, risk by risk.

Here is the one place where a failure becomes a risk's status: a risk that fails in a step has no number from there on,
says why, and the others go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from aiops.assess.exposure import assess_exposure
from aiops.assess.integrated import integrate
from aiops.assess.loss import scale_loss
from aiops.assess.vulnerability import assess_vulnerability
from aiops.db.requests import CellResult, MalformedResultError
from aiops.risks import find_risk
from aiops.stats.codes import ResultStatus
from workers.ondemand.base_loss import PartLoss, loss_of_cell, loss_of_run
from workers.ondemand.part import RiskPart
from workers.ondemand.rows import aal_row, exposure_row, failed_row, risk_row, vulnerability_row
from workers.ondemand.sites import sites_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from aiops.assess.integrated import Integrated
    from aiops.db.requests import Begun

    Row = dict[str, Any]
    Stored = Mapping[str, Mapping[str, Row]]

log = structlog.get_logger(__name__)


class Answer:
    """The steps of a request, in order: exposure, vulnerability, aal, integrate."""

    def __init__(
        self,
        begun: Begun,
        results: Sequence[CellResult | MalformedResultError],
        previous: Stored | None,
    ) -> None:
        """Take what the answer follows from.

        Args:
            begun: the claimed request.
            results: of the place's cell.
            previous: a stored run that the steps not asked for are taken from; None: all are made.
        """
        self.begun = begun
        self.projection = begun.projection_id - 1
        self.previous = previous
        asked = begun.params.get("steps")
        self._made = frozenset(("exposure", "vulnerability", "aal", "hazard") if asked is None else asked)
        self.sites = sites_of([begun.params], [begun.surroundings], [begun.building])
        self.parts = [RiskPart(find_risk(name)) for name in begun.params["risk_types"]]
        self.integrated: Integrated | None = None
        by_risk = {result.risk_type: result for result in results}
        for part in self.parts:
            self._try(part, lambda part=part: self._take_results(part, by_risk.get(part.risk.name)))  # type: ignore[misc]

    # --- steps --------------------------------------------------------------------------------------------

    def exposure(self) -> list[Row]:
        """E of every risk, as rows."""
        return self._step("exposure", self._exposure)

    def vulnerability(self) -> list[Row]:
        """V of every risk, as rows."""
        return self._step("vulnerability", self._vulnerability)

    def aal(self) -> list[Row]:
        """Average annual loss of every risk, as rows."""
        return self._step("aal", self._aal)

    def integrate(self) -> list[Row]:
        """The whole, as rows of the risks' scores."""
        parts = self.parts
        made = integrate(
            np.stack([part.hazard for part in parts])[None],
            np.stack([part.hazard_status for part in parts])[None],
            np.array([[part.exposure for part in parts]]),
            np.array([[part.vulnerability for part in parts]]),
            np.stack([part.final_aal() for part in parts])[None],
            np.stack([part.aal_status for part in parts])[None],
            [part.risk.loss_kind for part in parts],
        )
        self.integrated = made
        for place, part in enumerate(parts):
            part.rows["risk"] = risk_row(part, made, place, self.projection)
        return [part.rows["risk"] for part in parts]

    def has_any_number(self) -> bool:
        """Whether there is a total: a risk could be computed, or the place cannot have any of them."""
        made = self.integrated
        if made is None:
            return False
        totals = (made.total_risk_score[0, self.projection], made.aal_sum["all"][0, self.projection])
        return not bool(np.isnan(totals).all())

    def first_trace(self) -> str | None:
        """Of the first risk that failed."""
        return next((part.trace for part in self.parts if part.trace is not None), None)

    # --- one risk -----------------------------------------------------------------------------------------

    def _step(self, step: str, make: Callable[[RiskPart], Row]) -> list[Row]:
        for part in self.parts:
            if part.failure is None:
                self._try(part, lambda part=part: part.rows.update({step: make(part)}))  # type: ignore[misc]
            if step not in part.rows:
                part.rows[step] = failed_row(part)
        return [part.rows[step] for part in self.parts]

    def _try(self, part: RiskPart, make: Callable[[], None]) -> None:
        try:
            make()
        except Exception as error:  # the boundary that the module speaks of
            part.fail(error)
            log.exception("risk failed", risk=part.risk.name)

    def _take_results(self, part: RiskPart, result: CellResult | MalformedResultError | None) -> None:
        if isinstance(result, MalformedResultError):
            raise result
        if result is not None:
            _refuse_unknown_status(result)
        part.cell = result
        if "hazard" in self._made:
            if result is None:
                raise LookupError("the cell has no stored hazard and probability of this risk")
            part.hazard, part.hazard_status = result.score, result.score_status
        else:
            row = self._stored("risk", part)
            part.hazard = np.array(row["hazard_by_projection"], dtype=np.float64)
            part.hazard_status = np.array(row["hazard_status_by_projection"], dtype=np.int16)

    def _exposure(self, part: RiskPart) -> Row:
        if "exposure" in self._made:
            row = exposure_row(part.risk.name, assess_exposure(self.sites, part.risk))
        else:
            row = _carried_over(self._stored("exposure", part))
        part.exposure = _number(row["exposure_score"])
        return row

    def _vulnerability(self, part: RiskPart) -> Row:
        if "vulnerability" in self._made:
            row = vulnerability_row(part.risk.name, assess_vulnerability(self.sites, part.risk))
        else:
            row = _carried_over(self._stored("vulnerability", part))
        part.vulnerability = _number(row["vulnerability_score"])
        return row

    def _aal(self, part: RiskPart) -> Row:
        from_ = self._base_loss(part)
        loss = scale_loss(part.risk, from_.base, self.sites, np.array([part.vulnerability]), from_.damage_set)
        part.loss, part.aal_status = loss, from_.status
        return aal_row(part.risk.name, from_, loss, float(self.sites.insurance_rate[0]), self.projection)

    def _base_loss(self, part: RiskPart) -> PartLoss:
        """P(H), now or as it was."""
        if "aal" not in self._made:
            return loss_of_run(part.risk, self._stored("aal_scaled", part), self.projection)
        if part.cell is None:
            raise LookupError("the cell has no stored probability of this risk")
        return loss_of_cell(part.risk, part.cell, self.projection)

    def _stored(self, table: str, part: RiskPart) -> Row:
        """The row of the run that steps are taken over from.

        Raises:
            LookupError: the risk failed in that run.
        """
        row = (self.previous or {}).get(table, {}).get(part.risk.name)
        if row is None or row["status"] == "failed":
            raise LookupError(f"the stored run has no {table.replace('_', ' ')} of this risk to take over")
        return row


def _refuse_unknown_status(result: CellResult) -> None:
    for codes in (result.aal_status, result.score_status):
        if codes.min() < 0 or codes.max() > max(ResultStatus):
            raise ValueError(f"the stored result of cell {result.grid_id} has a status that is none")


def _carried_over(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"batch_id", "site_no", "calculated_at"}}


def _number(value: float | None) -> float:
    return np.nan if value is None else value
