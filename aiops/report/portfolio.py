"""The report of a portfolio: totals, losses by risk, the sites worst hit, a map of all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.db import reports
from aiops.db.portfolio import fetch_portfolio_results
from aiops.errors import BadInput
from aiops.report.decades import decades_chart
from aiops.report.kinds import batch_named, way_to_read
from aiops.report.numbers import NONE, won
from aiops.report.page import render
from aiops.report.place_table import decade_rows, gaps_of, percents
from aiops.report.sites_map import sites_map

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo
    from uuid import UUID

    from numpy.typing import NDArray

    from aiops.db.connect import Connection

    Row = dict[str, Any]

_JOB: Final = "portfolio_risk_calculation"
_SHOWN_SITES: Final = 50
_MOST_DOTS: Final = 3000


def portfolio_page(connection: Connection, batch_id: UUID | str, *, language: str = "en", zone: tzinfo = UTC) -> str:
    """The page of a portfolio.

    Args:
        connection: any.
        batch_id: of type portfolio_risk_calculation, completed.
        language: shown first.
        zone: the time zone of the times in it.

    Raises:
        BadInput: there is no such batch, it is no portfolio, or it has no totals.
    """
    batch = reports.read_batch(connection, batch_id)
    if batch is None:
        raise BadInput(f"report: there is no batch {batch_id}; aiops status lists the last ones")
    if batch["job_type"] != _JOB:
        raise BadInput(
            f"report: {batch_id} is {batch_named(batch['job_type'])}, no portfolio; see {way_to_read(batch)}"
        )
    if batch["status"] != "completed":
        why = f": {batch['error_message']}" if batch["error_message"] else ""
        raise BadInput(f"report: portfolio {batch_id} is {batch['status']}{why}; only a completed one has totals")
    sites = fetch_portfolio_results(connection, batch_id)
    results = batch["results"]
    names = {row["risk_type"]: row for row in reports.read_risk_names(connection)}
    measure = "mean_aal" if results["asset_value"] is None else "aal"
    table = _by_projection(results["projection_table"])
    total = _array(table, lambda row: row["losses"]["sum"]["all"][measure])
    high = _array(table, lambda row: row["high_level"]["total"]["share_of_sites"])
    sites_of_risk = [
        _array(table, lambda row, risk_type=risk_type: row["losses"]["by_risk"][risk_type]["sites"])
        for risk_type in results["risk_types"]
    ]
    chosen = results["scenario"]
    ranked = _ranked(sites, valued=results["asset_value"] is not None)
    known = [site["grid_id"] for site in sites if site["status"] == "ok"]
    return render(
        "portfolio.html",
        language,
        zone=zone,
        batch=batch,
        results=results,
        horizon="baseline" if results.get("target_year") is None else f"{results['target_year']}s",
        names=names,
        measure=measure,
        sites=sites,
        worst=ranked[:_SHOWN_SITES],
        unanswered=[site for site in sites if site["status"] != "ok"][:_SHOWN_SITES],
        map=sites_map(
            sites if len(sites) <= _MOST_DOTS else ranked[:_MOST_DOTS], reports.read_named_places(connection)
        ),
        most_dots=_MOST_DOTS,
        aal_chart=decades_chart("total-aal", "Average annual loss, %", 100 * total, chosen=chosen, size=(5.3, 2.7)),
        high_chart=decades_chart(
            "high-level", "Sites at level high and above, %", 100 * high, chosen=chosen, size=(5.3, 2.7)
        ),
        risk_charts={
            risk_type: decades_chart(
                f"aal-{risk_type}",
                f"{names[risk_type]['name']} {names[risk_type]['name_ko']}: average annual loss, %",
                100 * _array(table, lambda row, risk_type=risk_type: row["losses"]["by_risk"][risk_type][measure]),
                chosen=chosen,
            )
            for risk_type in results["risk_types"]
        },
        aal_rows=percents(total),
        gaps=gaps_of(np.nan_to_num(np.array(sites_of_risk)).astype(np.int64)),
        risks=[names[risk_type] for risk_type in results["risk_types"]],
        loss_rows=decade_rows(
            lambda place: won(table[place]["losses"]["sum"]["all"]["expected_loss"]) if place in table else NONE
        ),
        datasets=reports.read_datasets(connection, known[0]) if known else [],
        synthetic=bool(known) and reports.has_synthetic_data(connection, sorted(set(known))),
        made_at=datetime.now(UTC),
    )


def _by_projection(rows: Sequence[Row]) -> dict[int, Row]:
    at = {(one.scenario, one.horizon): place for place, one in enumerate(PROJECTIONS)}
    return {at[row["scenario"], row["horizon"]]: row for row in rows}


def _array(table: dict[int, Row], value: Any) -> NDArray[np.float64]:
    """(33,); NaN where there is none."""
    found = np.full(len(PROJECTIONS), np.nan)
    for place, row in table.items():
        try:
            one = value(row)
        except KeyError:  # no site has the risk in this projection
            continue
        if one is not None:
            found[place] = one
    return found


def _ranked(sites: Sequence[Row], *, valued: bool) -> list[Row]:
    """The worst first: by what they lose, or by score where none has a value."""
    measure = "expected_loss" if valued else "total_risk_score"
    known = [site for site in sites if site[measure] is not None]
    return sorted(known, key=lambda site: (-site[measure], site["site_no"]))
