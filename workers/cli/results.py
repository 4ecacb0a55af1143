"""`aiops results`: what was computed, for a few places."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from psycopg.rows import dict_row

from aiops.db.reports import has_synthetic_data
from aiops.db.statements import statement
from aiops.errors import BadInput
from aiops.grid import grid_id_of
from workers.cli.arguments import Risks, find_risk_type
from workers.cli.connection import database
from workers.cli.output import SYNTHETIC, Json, console, say, show, table

if TYPE_CHECKING:
    from rich.table import Table

    from aiops.db.connect import Connection

_COLUMNS = (("historical", "baseline"), ("ssp245", "2050s"), ("ssp585", "2090s"))
"""Projections that the table shows: now, the middle of the century, its end under the highest emissions."""


def results(
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="LAT,LON", help="A place, in degrees; may be given several times."),
    ] = None,
    risk: Risks = None,
    most: Annotated[
        int, typer.Option(min=1, help="Without --at: so many of the places, from the north, named ones first.")
    ] = 40,
    as_json: Json = False,
) -> None:
    """Hazard scores and average annual losses of places; without --at, of those that have data.

    Example: aiops results --at 35.8714,128.6014 --risk extreme_heat
    """
    grid_ids = [grid_id_of(*_place(text)) for text in at] if at else None
    with database() as connection:
        data = collect(connection, grid_ids, risk, most)
    if not data["rows"]:
        raise BadInput(
            "results: there are none for these places and risks yet; load data (aiops ingest) and run "
            "aiops run probability and aiops run hazard"
        )
    show(data, as_json, lambda: render(data))


def collect(
    connection: Connection, grid_ids: list[int] | None, risks: list[str] | None, most: int = 40
) -> dict[str, Any]:
    """The places and their result rows, as `--json` prints them."""
    risk_types = [find_risk_type(connection, one) for one in risks] if risks else None
    with connection.cursor(row_factory=dict_row) as cursor:
        cursor.execute(statement("list_places"), {"grid_ids": grid_ids, "most": most})
        places = cursor.fetchall()
        ids = [place["grid_id"] for place in places]
        cursor.execute(statement("results_of_cells"), {"grid_ids": ids, "risk_types": risk_types})
        rows = cursor.fetchall()
    return {"synthetic": has_synthetic_data(connection, ids), "places": places, "rows": rows}


def render(data: dict[str, Any]) -> None:
    """One table per risk: places down, projections across."""
    by_key = _by_key(data)
    for risk_type in dict.fromkeys(row["risk_type"] for row in data["rows"]):
        console.print(_table(risk_type, data["places"], by_key))
        for reason, places in _reasons(risk_type, data["places"], by_key).items():
            say(f"{', '.join(places[:6])}{' …' if len(places) > 6 else ''}: {reason}")
    _render_legend(data, "% of the asset's value")


def render_summary(data: dict[str, Any]) -> None:
    """Two tables for a few places: risks down, places across, the projections in each field."""
    by_key = _by_key(data)
    risk_types = list(dict.fromkeys(row["risk_type"] for row in data["rows"]))
    labels = " → ".join(h if s == "historical" else f"{h} {s}" for s, h in _COLUMNS)
    measures = (("Hazard score", "hazard_score_100", 1, 0), ("AAL, per 10,000 of value", "aal", 10_000, 1))
    for title, key, factor, digits in measures:
        made = table(f"{title}: {labels}", "", *(f">{place['name'] or _name(place)}" for place in data["places"]))
        for risk_type in risk_types:
            fields = []
            for place in data["places"]:
                rows = [by_key.get((place["grid_id"], risk_type, *column)) for column in _COLUMNS]
                numbers = [_number(row, key, factor, digits) for row in rows]
                fields.append("–" if set(numbers) == {"–"} else " ".join(numbers) + _star(rows[0]))
            made.add_row(risk_type, *fields)
        console.print(made)
    for risk_type in risk_types:
        for reason, places in _reasons(risk_type, data["places"], by_key).items():
            say(f"{risk_type}, {', '.join(places)}: {reason}")
    _render_legend(data, "per 10,000 of the asset's value")


def _render_legend(data: dict[str, Any], unit: str) -> None:
    say(f"H: Hazard score, 0 to 100. AAL: average annual loss, {unit} a year, before its vulnerability.")
    if any(row["is_default"] and row["aal"] is not None for row in data["rows"]):
        say("*: a default stands in for something unknown (such as the distance to a river).")
    if data["synthetic"]:
        say(SYNTHETIC)


def _by_key(data: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {(row["grid_id"], row["risk_type"], row["scenario"], row["horizon"]): row for row in data["rows"]}


def _reasons(
    risk_type: str, places: list[dict[str, Any]], by_key: dict[tuple[Any, ...], dict[str, Any]]
) -> dict[str, list[str]]:
    """Why places have no result, each reason once with its places."""
    found: dict[str, list[str]] = {}
    for place in places:
        rows = (by_key.get((place["grid_id"], risk_type, *column)) for column in _COLUMNS)
        reason = next((row["reason"] for row in rows if row is not None and row["reason"]), None)
        if reason:
            found.setdefault(reason, []).append(place["name"] or _name(place))
    return found


def _table(risk_type: str, places: list[dict[str, Any]], by_key: dict[tuple[Any, ...], dict[str, Any]]) -> Table:
    shown = [c for c in _COLUMNS if any((p["grid_id"], risk_type, *c) in by_key for p in places)]
    horizons = [horizon if scenario == "historical" else f"{horizon}\n{scenario}" for scenario, horizon in shown]
    made = table(risk_type, "", *(f">H\n{h}" for h in horizons), *(f">AAL %\n{h}" for h in horizons), "status")
    for place in places:
        rows = [by_key.get((place["grid_id"], risk_type, *column)) for column in shown]
        known = [row for row in rows if row is not None]
        if not known:
            continue
        made.add_row(
            _name(place),
            *(_number(row, "hazard_score_100", 1.0, 1) for row in rows),
            *(_number(row, "aal", 100.0, 4) + _star(row) for row in rows),
            _status(known),
        )
    return made


def _name(place: dict[str, Any]) -> str:
    name = " ".join(part for part in (place["name"], place["name_ko"]) if part)
    return name or f"{place['latitude']:.2f}, {place['longitude']:.2f}"


def _number(row: dict[str, Any] | None, key: str, factor: float, digits: int) -> str:
    return "–" if row is None or row[key] is None else f"{row[key] * factor:.{digits}f}"


def _star(row: dict[str, Any] | None) -> str:
    return "*" if row is not None and row["is_default"] and row["aal"] is not None else ""


def _status(rows: list[dict[str, Any]]) -> str:
    status = rows[0]["probability_status"] or rows[0]["hazard_status"]
    baseline = rows[0]["baseline"]
    return str(status) if baseline in (None, "1991-2020") else f"{status}, {baseline}"


def _place(text: str) -> tuple[float, float]:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"--at: {text!r}; allowed: LATITUDE,LONGITUDE in degrees, such as 37.5665,126.978") from None
    return latitude, longitude
