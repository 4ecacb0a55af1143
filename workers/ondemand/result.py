"""The result of a request as one JSON object: what `batch_jobs.results` holds and `OnDemandRiskBatch.run` returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.assess import METHOD_VERSION
from aiops.assess.levels import level_of
from aiops.climate import PROJECTIONS
from aiops.stats.codes import Estimator
from aiops.stats.returns import PERIODS
from workers.ondemand.plain import plain, plain_list, status_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aiops.assess.integrated import Integrated
    from workers.ondemand.answer import Answer
    from workers.ondemand.part import RiskPart

    Row = dict[str, Any]

TABLE_HORIZONS = ("2030s", "2050s", "2090s")
"""The decades of the table that every result has; `projections` asks for all."""
_ESTIMATORS = {int(estimator): estimator.name.lower() for estimator in Estimator}


def result_of(answer: Answer, batch_id: UUID | str, damage_set: str, warnings: Sequence[str]) -> Row:
    """Everything that was found out about the place.

    Args:
        answer: all its steps done.
        batch_id: of the request.
        damage_set: that P(H) was computed with.
        warnings: what the reader should know.
    """
    begun = answer.begun
    params = begun.params
    chosen = PROJECTIONS[answer.projection]
    result: Row = {
        "status": "success",
        "batch_id": str(batch_id),
        "cached": False,
        "latitude": params["latitude"],
        "longitude": params["longitude"],
        "grid_id": begun.grid_id,
        "scenario": chosen.scenario,
        "horizon": chosen.horizon,
        "target_year": chosen.target_year,
        "risk_types": params["risk_types"],
        "asset_value": params.get("asset_value"),
        "insurance_rate": params["insurance_rate"],
        "building": _building(answer),
        "surroundings": begun.surroundings,
        "population": begun.population,
        "hazard": {part.risk.name: _hazard(answer, part) for part in answer.parts},
        "probability": {part.risk.name: _probability(answer, part) for part in answer.parts},
        "exposure": {part.risk.name: _shown(part.rows["exposure"]) for part in answer.parts},
        "vulnerability": {part.risk.name: _shown(part.rows["vulnerability"]) for part in answer.parts},
        "aal": {part.risk.name: _aal(part) for part in answer.parts},
        "integrated_risk": _integrated(answer),
        "projection_table": [
            _projection(answer, place)
            for place, one in enumerate(PROJECTIONS)
            if place == 0 or one.horizon in TABLE_HORIZONS
        ],
        "warnings": list(warnings),
        "method_version": METHOD_VERSION,
        "damage_set": damage_set,
    }
    if params.get("projections"):
        result["projections"] = [_projection(answer, place, by_risk=True) for place in range(len(PROJECTIONS))]
    return result


def run_of(answer: Answer, damage_set: str) -> Row:
    """The row of `risk_run`: what was asked, and from which inputs it was answered."""
    begun, params = answer.begun, answer.begun.params
    whole = _whole(answer, answer.projection)
    return {
        "latitude": params["latitude"],
        "longitude": params["longitude"],
        "grid_id": begun.grid_id,
        "projection_id": begun.projection_id,
        "risk_types": params["risk_types"],
        "insurance_rate": params["insurance_rate"],
        "asset_value": params.get("asset_value"),
        "building": begun.building,
        "building_source": begun.building_source,
        "surroundings": begun.surroundings,
        "population": begun.population,
        "inputs": begun.inputs,
        "steps": params.get("steps"),
        "method_version": METHOD_VERSION,
        "damage_set": damage_set,
        "total_risk_score": whole["total_risk_score"],
        "risk_level": whole["risk_level"],
        "total_aal": whole["total_aal"]["all"]["sum"],
        "expected_loss": whole["expected_loss"],
    }


def _shown(row: Row) -> Row:
    hidden = {"risk_type", "final_aal", "expected_loss"} if row["status"] == "failed" else {"risk_type"}
    return {name: value for name, value in row.items() if name not in hidden and not name.endswith("_by_projection")}


def _hazard(answer: Answer, part: RiskPart) -> Row:
    at = answer.projection
    row = part.rows["risk"]
    score = row["hazard_score_100"]
    return {
        "hazard_score": None if score is None else score / 100,
        "hazard_score_100": score,
        "hazard_level": row["hazard_level"],
        "coverage": None if part.cell is None else plain(part.cell.coverage[at]),
        "status": row["status"],
        "reason": row["reason"],
    }


def _probability(answer: Answer, part: RiskPart) -> Row:
    cell, at = part.cell, answer.projection
    if cell is None:
        return {"aal": None, "status": "failed", "reason": part.failure}
    return {
        "aal": plain(cell.aal[at]),
        "aal_low": plain(cell.aal_low[at]),
        "aal_high": plain(cell.aal_high[at]),
        "bin_probabilities": plain_list(cell.probabilities[at]),
        "bin_base_damage_rates": plain_list(cell.damage_rates[at]),
        "bin_edges": plain_list(cell.bin_edges[at]),
        "estimator": _ESTIMATORS.get(int(cell.estimator[at])),
        "n_years": int(cell.n_years[at]),
        "baseline": cell.baseline,
        "damage_set": cell.damage_set,
        "is_default": cell.is_default,
        "status": status_name(int(cell.aal_status[at])),
        "reason": cell.aal_reason if cell.aal_status[at] >= 3 else None,
    }


def _aal(part: RiskPart) -> Row:
    row = part.rows["aal"]
    shown = {name: value for name, value in _shown(row).items() if not name.startswith("bin_")}
    if part.loss is not None:
        curve = part.loss.exceedance
        shown["return_period_losses"] = {
            f"{period:.0f}": loss for period, loss in zip(PERIODS, row["return_period_losses"], strict=True)
        }
        shown["baseline_return_period_losses"] = {
            f"{period:.0f}": plain(loss)
            for period, loss in zip(PERIODS, part.loss.return_period_losses[0, 0], strict=True)
        }
        shown["exceedance_curve"] = {
            "loss": plain_list(curve.losses[0, 1]),
            "probability": plain_list(curve.exceedance[0, 1]),
        }
        shown["loss_kind"] = part.risk.loss_kind.value
    return shown


def _integrated(answer: Answer) -> Row:
    made, at = _made(answer), answer.projection
    whole = _whole(answer, at)
    left_out = [part.risk.name for place, part in enumerate(answer.parts) if not made.in_total[0, place, at]]
    return {
        **whole,
        "left_out": left_out,
        "risk_breakdown": {part.risk.name: _breakdown(part) for part in answer.parts},
    }


def _breakdown(part: RiskPart) -> Row:
    row, loss = part.rows["risk"], part.rows["aal"]
    kept = {name: value for name, value in row.items() if name != "risk_type" and not name.endswith("_by_projection")}
    return {**kept, "aal_change": loss.get("aal_change"), "aal_status": loss["status"], "aal_reason": loss["reason"]}


def _whole(answer: Answer, at: int) -> Row:
    """Totals of one projection."""
    made = _made(answer)
    total = plain(made.total_risk_score[0, at])
    value = answer.begun.params.get("asset_value")
    summed = plain(made.aal_sum["all"][0, at])
    return {
        "total_risk_score": total,
        "risk_level": None if total is None else level_of(total),
        "total_aal": {
            kind: {
                "sum": plain(made.aal_sum[kind][0, at]),
                "union": plain(made.aal_union[kind][0, at]),
                "sum_change": plain(made.aal_sum_change[kind][0, at]),
                "union_change": plain(made.aal_union_change[kind][0, at]),
            }
            for kind in made.aal_sum
        },
        "expected_loss": None if value is None or summed is None else float(round(summed * value)),
    }


def _projection(answer: Answer, at: int, *, by_risk: bool = False) -> Row:
    """One row of the table over scenarios and decades."""
    made, one = _made(answer), PROJECTIONS[at]
    row = {"scenario": one.scenario, "horizon": one.horizon, "target_year": one.target_year, **_whole(answer, at)}
    if by_risk:
        row["risks"] = {
            part.risk.name: {
                "hazard_score_100": plain(part.hazard[at]),
                "risk_score": plain(made.risk_score[0, place, at]),
                "final_aal": plain(part.final_aal()[at]),
                "status": status_name(int(part.hazard_status[at])),
                "aal_status": status_name(int(part.aal_status[at])),
            }
            for place, part in enumerate(answer.parts)
        }
    return row


def _building(answer: Answer) -> Row:
    """What stands there as it was assessed, and where each field comes from."""
    buildings = answer.sites.buildings
    assessed = {
        "floor_area_m2": float(buildings.floor_area_m2[0]),
        "age_years": float(buildings.age_years[0]),
        "structure": str(buildings.structure[0]),
        "floors": float(buildings.floors[0]),
        "basement_floors": float(buildings.basement_floors[0]),
        "use": str(buildings.use[0]),
        "water_tank": bool(buildings.water_tank[0]),
        "pilotis": bool(buildings.pilotis[0]),
        "in_flood_zone": bool(buildings.in_flood_zone[0]),
    }
    defaulted = buildings.defaulted_fields(0)
    return {**assessed, **answer.begun.building_source, "defaulted": defaulted}


def _made(answer: Answer) -> Integrated:
    if answer.integrated is None:
        raise AssertionError("the whole comes after its parts")
    return answer.integrated
