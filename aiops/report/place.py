"""The report of one place: from the run that speaks for it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.db.reports import read_datasets, read_place_name, read_speaking_run
from aiops.db.results import fetch_probability_results
from aiops.errors import BadInput
from aiops.grid import grid_id_of, latitude_of, longitude_of
from aiops.report.decades import decades_chart
from aiops.report.page import render
from aiops.report.place_parts import risk_parts
from aiops.report.place_table import gaps_of, numbers, percents, totals_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from aiops.db.connect import Connection
    from aiops.report.place_parts import RatesOfUse

    Row = dict[str, Any]


def place_page(
    connection: Connection,
    latitude: float,
    longitude: float,
    *,
    scenario: str | None = None,
    target_year: int | None = None,
    language: str = "en",
    zone: tzinfo = UTC,
    rates_of_use: RatesOfUse | None = None,
) -> str:
    """The page of a place.

    Args:
        connection: any.
        latitude: degrees north.
        longitude: degrees east; exactly those that were asked about.
        scenario: of the run; None: whichever was answered last.
        target_year: first year of its decade; None as above.
        language: shown first.
        zone: the time zone of the times in it.
        rates_of_use: as `aiops.assess.loss` has it, for curves by the building's use; None: those of P(H).

    Raises:
        BadInput: the place lies outside the frame, or nothing has been answered for it.
    """
    grid_id = grid_id_of(latitude, longitude)
    run = read_speaking_run(connection, latitude, longitude, scenario, target_year)
    if run is None:
        asked = (("scenario", scenario), ("year", target_year))
        options = "".join(f" --{name} {value}" for name, value in asked if value)
        way = f"aiops request {latitude:.7g} {longitude:.7g}{options} does it"
        raise BadInput(f"report: {latitude:.7g}, {longitude:.7g}{options}: nothing was answered for it yet; {way}")
    datasets = read_datasets(connection, grid_id)
    renewed = _renewed(connection, run)
    parts = risk_parts(connection, run, renewed=renewed, rates_of_use=rates_of_use)
    losses = np.array([part.final_aal for part in parts])
    not_applicable = np.array([part.not_applicable for part in parts])
    total_score, total_aal = totals_of(np.array([part.risk_score for part in parts]), losses, not_applicable)
    return render(
        "place.html",
        language,
        zone=zone,
        run=run,
        place=read_place_name(connection, grid_id),
        cell={"grid_id": grid_id, "latitude": float(latitude_of(grid_id)), "longitude": float(longitude_of(grid_id))},
        parts=parts,
        renewed=renewed,
        defaulted=sorted({field for part in parts for field in part.defaulted}),
        score_chart=decades_chart(
            "total-score",
            "Total risk score, 0 to 100",
            total_score,
            levels=True,
            chosen=run["scenario"],
            size=(5.3, 2.7),
        ),
        aal_chart=decades_chart(
            "total-aal", "Total average annual loss, %", 100 * total_aal, chosen=run["scenario"], size=(5.3, 2.7)
        ),
        score_rows=numbers(total_score),
        aal_rows=percents(total_aal),
        gaps=gaps_of(~np.isnan(losses) | not_applicable),
        percents=percents,
        datasets=datasets,
        synthetic=any(one["synthetic"] for one in datasets),
        made_at=datetime.now(UTC),
    )


def _renewed(connection: Connection, run: Row) -> bool:
    """Whether the cell's P(H) is not any more the one that the run was answered from."""
    rows = fetch_probability_results(connection, run["latitude"], run["longitude"], run["risk_types"])
    read = set(run["inputs"].get("probability") or [])
    return {str(row["batch_id"]) for row in rows} - read != set()
