"""The answer for one place: its parts risk by risk, and the rows that they are stored as.

Here is the one place where a failure becomes a risk's status: a risk that fails in a step has no number from there on,
says why, and the others go on.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import structlog

from aiops.assess.exposure import assess_exposure
from aiops.assess.integrated import integrate
from aiops.assess.levels import level_of
from aiops.assess.loss import BaseLoss, EveryBin, scale_loss
from aiops.assess.sites import Buildings, Sites
from aiops.assess.vulnerability import assess_vulnerability
from aiops.climate import PROJECTIONS
from aiops.db.requests import CellResult, MalformedResultError
from aiops.risks import find_risk
from aiops.stats.codes import ResultStatus
from workers.ondemand.plain import plain, plain_list, reason_of, status_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from aiops.assess.integrated import Integrated
    from aiops.assess.loss import ScaledLoss
    from aiops.db.requests import Begun
    from aiops.risks import Risk

    Row = dict[str, Any]
    Stored = Mapping[str, Mapping[str, Row]]

log = structlog.get_logger(__name__)

N_PROJECTIONS = len(PROJECTIONS)
_NAN_ARRAY = np.full(N_PROJECTIONS, np.nan)
_FAILED_ARRAY = np.full(N_PROJECTIONS, ResultStatus.FAILED, dtype=np.int16)


@dataclass(slots=True)
class RiskPart:
    """What is known of one risk so far."""

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


class Answer:
    """The steps of a request, in order: exposure, vulnerability, aal, integrated."""

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
        at = self.projection
        rows = []
        for place, part in enumerate(parts):
            status, reason = self.status_of(part)
            hazard = plain(part.hazard[at])
            score = plain(made.risk_score[0, place, at])
            loss = part.rows["aal"]
            row = {
                "risk_type": part.risk.name,
                "hazard_score_100": hazard,
                "hazard_level": None if hazard is None else level_of(hazard),
                "exposure_score": plain(part.exposure),
                "vulnerability_score": plain(part.vulnerability),
                "risk_score": score,
                "risk_level": None if score is None else level_of(score),
                "risk_product": plain(made.product[0, place, at]),
                "contribution_percent": plain(made.contribution_percent[0, place, at]),
                "final_aal": loss["final_aal"],
                "expected_loss": loss["expected_loss"],
                "hazard_by_projection": plain_list(part.hazard),
                "hazard_status_by_projection": part.hazard_status.tolist(),
                "risk_score_by_projection": plain_list(made.risk_score[0, place]),
                "is_default": any(part.rows[step]["is_default"] for step in ("exposure", "vulnerability", "aal")),
                "status": status,
                "reason": reason,
            }
            part.rows["risk"] = row
            rows.append(row)
        return rows

    def status_of(self, part: RiskPart) -> tuple[str, str | None]:
        """Status of a risk's score in the projection asked for, and why there is none."""
        if part.failure is not None:
            return "failed", part.failure
        code = int(part.hazard_status[self.projection])
        reason = part.cell.score_reason if part.cell is not None else None
        return status_name(code), reason_of(code, reason, self.projection)

    def has_any_number(self) -> bool:
        """Whether anything at all could be computed."""
        made = self.integrated
        if made is None:
            return False
        return bool(made.in_total[0, :, self.projection].any() or made.in_aal[0, :, self.projection].any())

    def first_trace(self) -> str | None:
        """Of the first risk that failed."""
        return next((part.trace for part in self.parts if part.trace is not None), None)

    # --- one risk -----------------------------------------------------------------------------------------

    def _step(self, step: str, make: Callable[[RiskPart], Row]) -> list[Row]:
        for part in self.parts:
            if part.failure is None:
                self._try(part, lambda part=part: part.rows.update({step: make(part)}))  # type: ignore[misc]
            if step not in part.rows:
                part.rows[step] = {
                    "risk_type": part.risk.name,
                    "is_default": False,
                    "status": "failed",
                    "reason": part.failure,
                    "final_aal": None,
                    "expected_loss": None,
                }
        return [part.rows[step] for part in self.parts]

    def _try(self, part: RiskPart, make: Callable[[], None]) -> None:
        try:
            make()
        except Exception as error:  # the boundary that the module speaks of
            part.failure = f"{type(error).__name__}: {' '.join(str(error).split())}"
            part.trace = traceback.format_exc()
            part.exposure = part.vulnerability = np.nan
            part.loss = None
            part.hazard, part.hazard_status, part.aal_status = _NAN_ARRAY, _FAILED_ARRAY, _FAILED_ARRAY
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
        if "exposure" not in self._made:
            row = _carried_over(self._stored("exposure", part))
            part.exposure = _number(row["exposure_score"])
            return row
        made = assess_exposure(self.sites, part.risk)
        part.exposure = float(made.exposure[0])
        return {
            "risk_type": part.risk.name,
            "exposure_score": part.exposure,
            "normalized_asset_value": float(made.normalized_asset_value[0]),
            "proximity_factor": float(made.proximity_factor[0]),
            "defaulted": _names(made.defaulted),
            "is_default": bool(made.is_default[0]),
            "status": "ok",
            "reason": None,
        }

    def _vulnerability(self, part: RiskPart) -> Row:
        if "vulnerability" not in self._made:
            row = _carried_over(self._stored("vulnerability", part))
            part.vulnerability = _number(row["vulnerability_score"])
            return row
        made = assess_vulnerability(self.sites, part.risk)
        part.vulnerability = float(made.score[0])
        return {
            "risk_type": part.risk.name,
            "vulnerability_score": part.vulnerability,
            "base_score": made.base,
            "factors": {name: float(points[0]) for name, points in made.factors.items()},
            "defaulted": _names(made.defaulted),
            "is_default": bool(made.is_default[0]),
            "status": "ok",
            "reason": None,
        }

    def _aal(self, part: RiskPart) -> Row:
        base, status, reason, is_default, damage_set = self._base_loss(part)
        loss = scale_loss(part.risk, base, self.sites, np.array([part.vulnerability]), damage_set)
        part.loss, part.aal_status = loss, status
        at = self.projection
        bins = base if base.every_bin is None else base.every_bin
        return {
            "risk_type": part.risk.name,
            "base_aal": plain(loss.base_aal[0, at]),
            "base_aal_low": plain(loss.base_aal_low[0, at]),
            "base_aal_high": plain(loss.base_aal_high[0, at]),
            "vulnerability_factor": plain(loss.vulnerability_factor[0]),
            "insurance_rate": float(self.sites.insurance_rate[0]),
            "final_aal": plain(loss.final_aal[0, at]),
            "final_aal_low": plain(loss.final_aal_low[0, at]),
            "final_aal_high": plain(loss.final_aal_high[0, at]),
            "expected_loss": plain(loss.expected_loss[0, at]),
            "baseline_aal": plain(loss.final_aal[0, 0]),
            "aal_change": plain(loss.change[0, at]),
            "aal_change_low": plain(loss.change_low[0, at]),
            "aal_change_high": plain(loss.change_high[0, at]),
            "return_period_losses": plain_list(loss.return_period_losses[0, 1]),
            "final_aal_by_projection": plain_list(loss.final_aal[0]),
            "status_by_projection": status.tolist(),
            "base_aal_by_projection": plain_list(base.aal[0]),
            "base_bounds": plain_list(np.stack([base.aal_low[0], base.aal_high[0]], axis=-1)[[0, at]].ravel()),
            "bin_probabilities": plain_list(bins.probabilities[0].ravel()),
            "bin_base_damage_rates": plain_list(bins.rates[0].ravel()),
            "is_default": is_default,
            "damage_set": damage_set,
            "status": status_name(int(status[at])),
            "reason": reason_of(int(status[at]), reason, at),
        }

    def _base_loss(self, part: RiskPart) -> tuple[BaseLoss, NDArray[np.int16], str | None, bool, str]:
        """P(H), now or as it was; with its status by projection, reason, whether a default stands in it, damage set."""
        if "aal" not in self._made:
            row = self._stored("aal_scaled", part)
            status = np.array(row["status_by_projection"], dtype=np.int16)
            base = _stored_base(part.risk, row, status, self.projection)
            return base, status, row["reason"], row["is_default"], row["damage_set"]
        cell = part.cell
        if cell is None:
            raise LookupError("the cell has no stored probability of this risk")
        two = [0, self.projection]
        base = BaseLoss(
            aal=cell.aal[None],
            aal_low=cell.aal_low[None],
            aal_high=cell.aal_high[None],
            status=cell.aal_status[None],
            probabilities=cell.probabilities[None, two],
            rates=cell.damage_rates[None, two],
            every_bin=EveryBin(cell.probabilities[None], cell.damage_rates[None]) if part.risk.by_use else None,
        )
        return base, cell.aal_status, cell.aal_reason, cell.is_default, cell.damage_set

    def _stored(self, table: str, part: RiskPart) -> Row:
        """The row of the run that steps are taken over from.

        Raises:
            LookupError: the risk failed in that run.
        """
        row = (self.previous or {}).get(table, {}).get(part.risk.name)
        if row is None or row["status"] == "failed":
            raise LookupError(f"the stored run has no {table.replace('_', ' ')} of this risk to take over")
        return row


def sites_of(questions: Sequence[Row], surroundings: Sequence[Row], buildings: Sequence[Row]) -> Sites:
    """Sites from what the database says of them: each a question, its cell's attributes, its building."""
    names = surroundings[0].keys()
    return Sites(
        latitude=_column(questions, "latitude"),
        longitude=_column(questions, "longitude"),
        attributes={name: _column(surroundings, name) for name in names},
        buildings=Buildings.of(buildings),
        asset_value=_column(questions, "asset_value"),
        insurance_rate=_column(questions, "insurance_rate"),
    )


def _refuse_unknown_status(result: CellResult) -> None:
    for codes in (result.aal_status, result.score_status):
        if codes.min() < 0 or codes.max() > max(ResultStatus):
            raise ValueError(f"the stored result of cell {result.grid_id} has a status that is none")


def _column(records: Sequence[Row], name: str) -> NDArray[np.float64]:
    return np.array([record.get(name) for record in records], dtype=np.float64)


def _stored_base(risk: Risk, row: Row, status: NDArray[np.int16], projection: int) -> BaseLoss:
    kept = N_PROJECTIONS if risk.by_use else 2
    p = np.array(row["bin_probabilities"], dtype=np.float64).reshape(1, kept, -1)
    rates = np.array(row["bin_base_damage_rates"], dtype=np.float64).reshape(1, kept, -1)
    two = [0, projection] if risk.by_use else [0, 1]
    aal = np.array(row["base_aal_by_projection"], dtype=np.float64)[None]
    low, high = np.full_like(aal, np.nan), np.full_like(aal, np.nan)
    bounds = np.array(row["base_bounds"], dtype=np.float64).reshape(2, 2)
    low[0, [0, projection]], high[0, [0, projection]] = bounds[:, 0], bounds[:, 1]
    return BaseLoss(aal, low, high, status[None], p[:, two], rates[:, two], EveryBin(p, rates) if risk.by_use else None)


def _carried_over(row: Row) -> Row:
    return {name: value for name, value in row.items() if name not in {"batch_id", "site_no", "calculated_at"}}


def _names(defaulted: Mapping[str, NDArray[np.bool_]]) -> list[str]:
    return [name for name, where in defaulted.items() if where[0]]


def _number(value: float | None) -> float:
    return np.nan if value is None else value
