"""`aiops history`: what was answered for a place, and what changed in between."""

from __future__ import annotations

from typing import Any

from psycopg.rows import dict_row

from aiops.db.reports import has_synthetic_data
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.grid import grid_id_of
from workers.cli.arguments import Latitude, Longitude, degrees
from workers.cli.connection import database
from workers.cli.output import SYNTHETIC, Json, say, show
from workers.overview.units import local


def history(*, latitude: Latitude, longitude: Longitude, as_json: Json = False) -> None:
    """Every answer for a place, the newest first: total risk and loss, which one speaks for it, what changed and why.

    Example: aiops history 37.5665 126.978
    """
    place = {"latitude": degrees("latitude", latitude), "longitude": degrees("longitude", longitude)}
    grid_id = grid_id_of(**place)  # refuses what lies outside the frame
    with database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        runs = cursor.execute(statement("risk_history"), place).fetchall()
        synthetic = bool(runs) and has_synthetic_data(connection, [grid_id])
    if not runs:
        raise BadInput(
            f"history: nothing was asked of exactly {latitude}, {longitude} and answered yet; "
            f"aiops request {latitude} {longitude} does"
        )
    show([{**run, "synthetic": synthetic} for run in runs], as_json, lambda: _render(runs, synthetic=synthetic))


def _render(runs: list[dict[str, Any]], *, synthetic: bool) -> None:
    for run in runs:
        told = [local(run["calculated_at"], zone=True), run["scenario"]]
        if run["target_year"] is not None:
            told.append(f"{run['target_year']}s")
        if run["total_risk_score"] is not None:
            told.append(f"score {run['total_risk_score']:.1f} {run['risk_level'].replace('_', ' ')}")
        if run["total_aal"] is not None:
            told.append(f"AAL {100 * run['total_aal']:.4f} %")
        if run["expected_loss"] is not None:
            told.append(f"KRW {run['expected_loss']:,.0f} a year")
        say("  ".join(told) + ("  ← speaks for the place" if run["speaks"] else ""))
        say(f"    {'; '.join(run['changes']) or 'nothing changed: computed again'}  (request {run['batch_id']})")
    if synthetic:
        say(SYNTHETIC)
