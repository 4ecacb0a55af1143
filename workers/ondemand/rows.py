"""The rows that the steps of an answer are stored as, from what the science made of one site and risk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess.levels import level_of
from workers.ondemand.plain import plain, plain_list, reason_of, status_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from aiops.assess.exposure import Exposure
    from aiops.assess.integrated import Integrated
    from aiops.assess.loss import ScaledLoss
    from aiops.assess.vulnerability import Vulnerability
    from workers.ondemand.base_loss import PartLoss
    from workers.ondemand.part import RiskPart

    Row = dict[str, Any]


def exposure_row(risk_type: str, made: Exposure) -> Row:
    """A row of `exposure_results`."""
    return {
        "risk_type": risk_type,
        "exposure_score": float(made.exposure[0]),
        "normalized_asset_value": float(made.normalized_asset_value[0]),
        "proximity_factor": float(made.proximity_factor[0]),
        "defaulted": _names(made.defaulted),
        "is_default": bool(made.is_default[0]),
        "status": "ok",
        "reason": None,
    }


def vulnerability_row(risk_type: str, made: Vulnerability) -> Row:
    """A row of `vulnerability_results`."""
    return {
        "risk_type": risk_type,
        "vulnerability_score": float(made.score[0]),
        "base_score": made.base,
        "factors": {name: float(points[0]) for name, points in made.factors.items()},
        "defaulted": _names(made.defaulted),
        "is_default": bool(made.is_default[0]),
        "status": "ok",
        "reason": None,
    }


def aal_row(risk_type: str, from_: PartLoss, loss: ScaledLoss, insurance_rate: float, at: int) -> Row:
    """A row of `aal_scaled_results`.

    Args:
        risk_type: of the part.
        from_: the base loss that was scaled.
        loss: what it came to.
        insurance_rate: of the site.
        at: the place in `PROJECTIONS` of the one asked for; in `loss.return_period_losses` it comes second, after the
            baseline.
    """
    base = from_.base
    bins = base if base.every_bin is None else base.every_bin
    code = int(from_.status[at])
    return {
        "risk_type": risk_type,
        "base_aal": plain(loss.base_aal[0, at]),
        "base_aal_low": plain(loss.base_aal_low[0, at]),
        "base_aal_high": plain(loss.base_aal_high[0, at]),
        "vulnerability_factor": plain(loss.vulnerability_factor[0]),
        "insurance_rate": insurance_rate,
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
        "status_by_projection": from_.status.tolist(),
        "base_aal_by_projection": plain_list(base.aal[0]),
        "base_bounds": plain_list(np.stack([base.aal_low[0], base.aal_high[0]], axis=-1)[[0, at]].ravel()),
        "bin_probabilities": plain_list(bins.probabilities[0].ravel()),
        "bin_base_damage_rates": plain_list(bins.rates[0].ravel()),
        "is_default": from_.is_default,
        "damage_set": from_.damage_set,
        "status": status_name(code),
        "reason": reason_of(code, from_.reason, at),
    }


def failed_row(part: RiskPart) -> Row:
    """What stands for a step of a risk that failed in it, or before it."""
    return {
        "risk_type": part.risk.name,
        "is_default": False,
        "status": "failed",
        "reason": part.failure,
        "final_aal": None,
        "expected_loss": None,
    }


def risk_row(part: RiskPart, made: Integrated, place: int, at: int) -> Row:
    """A row of `risk_results`: the whole of one risk.

    Args:
        part: with the rows of its other steps.
        made: of all risks.
        place: of this risk among them.
        at: the place in `PROJECTIONS` of the one asked for.
    """
    hazard = plain(part.hazard[at])
    score = plain(made.risk_score[0, place, at])
    status, reason = part.score_status(at)
    loss = part.rows["aal"]
    return {
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


def _names(defaulted: Mapping[str, NDArray[np.bool_]]) -> list[str]:
    return [name for name, where in defaulted.items() if where[0]]
