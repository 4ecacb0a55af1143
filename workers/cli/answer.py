"""The answer for one place, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from aiops.db.statements import statement
from workers.cli.output import console, say, table

if TYPE_CHECKING:
    from rich.table import Table

    from aiops.db.connect import Connection

LEVELS_KO = {"very_low": "매우 낮음", "low": "낮음", "medium": "보통", "high": "높음", "very_high": "매우 높음"}
SCENARIOS = ("ssp126", "ssp245", "ssp370", "ssp585")


@dataclass(frozen=True, slots=True)
class Answer:
    """What `batch_jobs.results` holds of a request, and what its reader should know beside it."""

    results: dict[str, Any]
    risk_names: dict[str, str]
    """English and Korean, by risk type."""
    place: str
    """A name that people know, of the place's cell; empty: none."""
    synthetic: bool

    def as_json(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return {"synthetic": self.synthetic, **self.results}


def answer_of(connection: Connection, results: dict[str, Any]) -> Answer:
    """Look up the names, and whether the data are synthetic.

    Args:
        connection: any.
        results: of a completed request.
    """
    grid_ids = [results["grid_id"]]
    with connection.cursor(row_factory=dict_row) as cursor:
        risks = cursor.execute(statement("list_risk_types")).fetchall()
        places = cursor.execute(statement("list_places"), {"grid_ids": grid_ids, "most": 1}).fetchall()
    row = connection.execute(statement("has_synthetic_data"), {"grid_ids": grid_ids}).fetchone()
    return Answer(
        results,
        {risk["risk_type"]: f"{risk['name']} {risk['name_ko']}" for risk in risks},
        " ".join(_both(place) for place in places),
        bool(row and row[0]),
    )


def render(answer: Answer) -> None:
    """Everything: scores, losses, decades, what the place is."""
    results = answer.results
    _render_head(answer)
    console.print(_scores(answer))
    console.print(_losses(answer))
    console.print(_decades(results.get("projections") or results["projection_table"]))
    _render_site(results)
    _render_end(answer)


def render_short(answer: Answer) -> None:
    """The scores and the total alone."""
    _render_head(answer)
    console.print(_scores(answer))
    _render_end(answer)


def _render_head(answer: Answer) -> None:
    results = answer.results
    whole = results["integrated_risk"]
    where = f"{results['latitude']:.7g}, {results['longitude']:.7g}"
    when = results["scenario"] if results["target_year"] is None else f"{results['scenario']} {results['horizon']}"
    say(f"Risk 기후 리스크: {answer.place + ' ' if answer.place else ''}({where}), {when}")
    told = f"Total score 통합 점수 {_number(whole['total_risk_score'], 1)} of 100, {_level(whole['risk_level'])}"
    aal = whole["total_aal"]["all"]["sum"]
    if aal is not None:
        told += f"; average annual loss 연평균 손실 {_percent(aal)} % of the value"
    if whole["expected_loss"] is not None:
        told += f", KRW {whole['expected_loss']:,.0f} a year"
    say(told + ".\n")


def _scores(answer: Answer) -> Table:
    made = table("Scores 점수, 0 to 100", "", ">Hazard", ">Exposure", ">Vuln.", ">score", "level", ">share %", "")
    for risk_type, one in answer.results["integrated_risk"]["risk_breakdown"].items():
        made.add_row(
            answer.risk_names[risk_type],
            _number(one["hazard_score_100"], 1),
            _number(one["exposure_score"], 1),
            _number(one["vulnerability_score"], 1),
            _number(one["risk_score"], 1),
            (one["risk_level"] or "–").replace("_", " "),
            _number(one["contribution_percent"], 1),
            ("" if one["status"] == "ok" else one["status"].replace("_", " ")) + ("*" if one["is_default"] else ""),
        )
    return made


def _losses(answer: Answer) -> Table:
    """By risk, and in sum by what the loss falls on."""
    results = answer.results
    since = ">change" if results["target_year"] is not None else ""
    title = "Average annual loss 연평균 손실, % of the asset's value (change: since 1991-2020, in points)"
    made = table(title, "", ">AAL %", ">90 % interval", since, ">KRW a year")
    for risk_type, one in results["aal"].items():
        known = one.get("final_aal") is not None
        made.add_row(
            answer.risk_names[risk_type],
            _percent(one["final_aal"]) if known else one["status"].replace("_", " "),
            _interval(one["final_aal_low"], one["final_aal_high"]) if known else "",
            _percent(one["aal_change"], "+") if known and since else "",
            _won(one["expected_loss"]) if known else "",
        )
    made.add_section()
    names = {
        "direct": "Damage to the asset 직접 손해",
        "operational": "Running cost, output 운영 손실",
        "all": "All 합계",
    }
    for kind, total in results["integrated_risk"]["total_aal"].items():
        of_kind = [
            one["expected_loss"]
            for one in results["aal"].values()
            if one.get("loss_kind") == kind and one["expected_loss"] is not None
        ]
        expected = results["integrated_risk"]["expected_loss"] if kind == "all" else sum(of_kind) if of_kind else None
        made.add_row(
            names[kind],
            _percent(total["sum"]),
            f"union {_percent(total['union'])}",
            _percent(total["sum_change"], "+") if since else "",
            _won(expected),
        )
    return made


def _decades(rows: list[dict[str, Any]]) -> Table:
    """Decades down, scenarios across: total score and AAL."""
    by_key = {(row["scenario"], row["horizon"]): row for row in rows}
    made = table(
        "Scenarios and decades 시나리오와 연대",
        "",
        *(f">score\n{one}" for one in SCENARIOS),
        *(f">AAL %\n{one}" for one in SCENARIOS),
    )
    for horizon in dict.fromkeys(row["horizon"] for row in rows):
        # The past is one, whatever is emitted.
        scenarios = ("historical", "", "", "") if horizon == "baseline" else SCENARIOS
        found = [by_key.get((scenario, horizon)) for scenario in scenarios]
        made.add_row(
            "1991-2020" if horizon == "baseline" else horizon,
            *("" if row is None else _number(row["total_risk_score"], 1) for row in found),
            *("" if row is None else _percent(row["total_aal"]["all"]["sum"]) for row in found),
        )
    return made


def _render_site(results: dict[str, Any]) -> None:
    building = results["building"]
    size = f"{building['floor_area_m2']:,.0f} m², {building['floors']:g} floors"
    has = [name for name in ("water_tank", "pilotis", "in_flood_zone") if building[name]]
    say(
        f"Building 건물: {building['use']}, {building['structure']}, {building['age_years']:g} years, {size}, "
        f"{building['basement_floors']:g} below ground{', ' if has else ''}{', '.join(has)}".replace("_", " ")
        + "."
    )
    sources = {
        f"the register 건축물대장 ({building.get('name') or building.get('building_id')})": building.get(
            "from_register"
        ),
        "the request 요청": building.get("from_request"),
        "a default 기본값": building["defaulted"],
    }
    for source, fields in sources.items():
        if fields:
            say(f"  from {source}: {', '.join(fields)}")
    people = results["population"]
    if people and people.get("population") is not None:
        year = f" ({people['year']})" if people.get("year") else ""
        say(f"Population 인구 of {_both(people) or people['admin_code']}: {people['population']:,}{year}.")
    else:
        say("Population 인구: not known.")


def _render_end(answer: Answer) -> None:
    results = answer.results
    for warning in results["warnings"]:
        say(f"  note: {warning}")
    if any(one["is_default"] for one in results["integrated_risk"]["risk_breakdown"].values()):
        say("*: a default stands in for something unknown.")
    seconds = 1000 * results["duration_seconds"]
    stored = f", from the stored run {results['computed_by']}: nothing has changed since" if results["cached"] else ""
    say(f"Answered in {seconds:.0f} ms{stored} (request {results['batch_id']}).")
    if answer.synthetic:
        say("Computed from SYNTHETIC sample data 합성 자료: for trying out, not for decisions.")


def _both(named: dict[str, Any]) -> str:
    return " ".join(part for part in (named.get("name"), named.get("name_ko")) if part)


def _level(level: str | None) -> str:
    return "–" if level is None else f"{level.replace('_', ' ')} {LEVELS_KO[level]}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None, sign: str = "") -> str:
    return "–" if share is None else f"{100 * share:{sign}.4f}"


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{100 * low:.4f}–{100 * high:.4f}"


def _won(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
