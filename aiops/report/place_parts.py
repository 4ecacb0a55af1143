"""The risks of a place, one by one: rows of the run that speaks for it, and charts of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.db.reports import read_risk_names
from aiops.db.requests import read_run
from aiops.db.results import fetch_hazard_results, fetch_probability_results
from aiops.report.charts import numbers_of
from aiops.report.decades import decades_chart
from aiops.report.exceedance import curve_of, exceedance_chart

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup
    from numpy.typing import NDArray

    from aiops.db.connect import Connection

    Row = dict[str, Any]
    Convert = Callable[[NDArray[np.float64]], NDArray[np.float64]]
    RatesOfUse = Callable[[str, str, str | None], Convert | None]

_N: Final = len(PROJECTIONS)
_MOST_BINS: Final = 20
"""No risk has more, so that more than twice as many numbers are those of all projections."""
_NOT_APPLICABLE: Final = 4
"""The code of that status."""
_PLACE_OF: Final = {(one.scenario, one.horizon): place for place, one in enumerate(PROJECTIONS)}


@dataclass(frozen=True, slots=True)
class RiskPart:
    """One risk of the place, as the page shows it."""

    risk_type: str
    name: str
    name_ko: str
    loss_kind: str
    risk: Row
    """H, E, V, score, level, contribution, status."""
    loss: Row
    """AAL, interval, change."""
    exposure: Row
    vulnerability: Row
    final_aal: NDArray[np.float64]
    """(33,), NaN missing."""
    risk_score: NDArray[np.float64]
    """(33,)."""
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]] | None
    """(33,) each; None: P(H) of the cell was computed again since."""
    bins: tuple[Row | None, Row | None]
    """P(H) of the baseline and of the projection asked for."""
    coverage: float | None
    """Share of the Hazard score's weight that had data."""
    aal_chart: Markup | None
    exceedance_chart: Markup | None

    @property
    def not_applicable(self) -> NDArray[np.bool_]:
        """(33,)."""
        status = self.loss["status_by_projection"]
        return np.zeros(_N, np.bool_) if status is None else np.array(status) == _NOT_APPLICABLE

    def baseline_has_its_own(self, column: str) -> bool:
        """Whether the baseline's bins have other edges, or rates, than those of the projection asked for."""
        now, then = self.bins
        return now is not None and then is not None and bool(now[column]) and now[column] != then[column]

    @property
    def why_not(self) -> str | None:
        """Why there is no loss, or no score."""
        reason: str | None = self.risk["reason"] or self.loss["reason"]
        return reason

    @property
    def defaulted(self) -> list[str]:
        """Fields of the building and its surroundings for which a default stands."""
        return [*(self.exposure.get("defaulted") or []), *(self.vulnerability.get("defaulted") or [])]


def risk_parts(
    connection: Connection, run: Row, *, renewed: bool, rates_of_use: RatesOfUse | None = None
) -> list[RiskPart]:
    """The risks of a run, in the order that they were asked for.

    Args:
        connection: any.
        run: as `read_speaking_run` gives it.
        renewed: the cell's P(H) is not any more the one that the run was answered from: leave it out.
        rates_of_use: as `aiops.assess.loss` has it; the base damage rates that a run keeps know no building.
    """
    stored = read_run(connection, run["batch_id"], run["site_no"])
    cell: dict[str, dict[int, Row]] = {}
    for row in fetch_probability_results(connection, run["latitude"], run["longitude"], run["risk_types"]):
        cell.setdefault(row["risk_type"], {})[_PLACE_OF[row["scenario"], row["horizon"]]] = row
    at = run["projection_id"] - 1
    coverage = {
        row["risk_type"]: row["coverage"]
        for row in fetch_hazard_results(connection, run["latitude"], run["longitude"], run["risk_types"])
        if (row["scenario"], row["horizon"]) == (run["scenario"], run["horizon"])
    }
    names = {row["risk_type"]: row for row in read_risk_names(connection)}
    return [
        _part(run, names[risk_type], {table: rows[risk_type] for table, rows in stored.items()},
              {} if renewed else cell.get(risk_type, {}), coverage.get(risk_type),
              curves_of(run, stored["aal_scaled"][risk_type], at, rates_of_use))
        for risk_type in run["risk_types"]
    ]  # fmt: skip


def _part(
    run: Row,
    names: Row,
    stored: dict[str, Row],
    cell: dict[int, Row],
    coverage: float | None,
    curves: list[tuple[str, Any]],
) -> RiskPart:
    at = run["projection_id"] - 1
    loss, risk_type = stored["aal_scaled"], names["risk_type"]
    final_aal = numbers_of(loss["final_aal_by_projection"], _N)
    bounds = scaled_bounds(cell, final_aal) if cell else None
    title = f"{names['name']} {names['name_ko']}"
    percent = None if bounds is None else (100 * bounds[0], 100 * bounds[1])
    return RiskPart(
        risk_type=risk_type,
        name=names["name"],
        name_ko=names["name_ko"],
        loss_kind=names["loss_kind"],
        risk=stored["risk"],
        loss=loss,
        exposure=stored["exposure"],
        vulnerability=stored["vulnerability"],
        final_aal=final_aal,
        risk_score=numbers_of(stored["risk"]["risk_score_by_projection"], _N),
        bounds=bounds,
        bins=(cell.get(0), cell.get(at) if at else None),
        coverage=coverage,
        aal_chart=decades_chart(
            f"aal-{risk_type}", f"{title}: average annual loss, %", 100 * final_aal, percent, chosen=run["scenario"]
        ),
        exceedance_chart=exceedance_chart(
            f"exceedance-{risk_type}", f"{title}: probability that a year's loss is greater", curves
        ),
    )


def scaled_bounds(
    cell: dict[int, Row], final_aal: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The cell's interval, scaled as its mean is scaled to the asset's loss."""
    low, high = np.full(_N, np.nan), np.full(_N, np.nan)
    for place, row in cell.items():
        if row["aal_low"] is None or row["aal_high"] is None or np.isnan(final_aal[place]):
            continue
        scale = final_aal[place] / row["aal"] if row["aal"] else 1.0
        low[place], high[place] = row["aal_low"] * scale, row["aal_high"] * scale
    return low, high


def curves_of(run: Row, loss: Row, at: int, rates_of_use: RatesOfUse | None = None) -> list[tuple[str, Any]]:
    """Baseline and projection asked for, from the bins that the run keeps."""
    p, rates = loss["bin_probabilities"], loss["bin_base_damage_rates"]
    if not p or not rates or loss["vulnerability_factor"] is None:
        return []
    # The run keeps what is known of the building, and no default.
    use = run["building"].get("use")
    convert = rates_of_use(loss["risk_type"], loss["damage_set"], use) if rates_of_use is not None else None
    if convert is not None:
        rates = [None if np.isnan(rate) else rate for rate in convert(numbers_of(rates, len(rates))).tolist()]
    scale = loss["vulnerability_factor"] * (1 - run["insurance_rate"])
    every = len(p) > 2 * _MOST_BINS
    n_bins = len(p) // (_N if every else 2)
    places = (0, at) if every else (0, 1)
    curves = [
        curve_of(p[place * n_bins : (place + 1) * n_bins], rates[place * n_bins : (place + 1) * n_bins], scale)
        for place in places
    ]
    return [("historical", curves[0]), *([(run["scenario"], curves[1])] if at else [])]
