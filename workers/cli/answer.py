"""The answer for one place, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from aiops.db.reports import has_synthetic_data
from aiops.db.statements import statement
from workers.cli.output import SYNTHETIC, console, say, table

if TYPE_CHECKING:
    from aiops.db.connect import Connection

LEVELS_KO = {"very_low": "매우 낮음", "low": "낮음", "medium": "보통", "high": "높음", "very_high": "매우 높음"}
LOSS_KINDS = {"direct": "Damage 직접 손해", "operational": "Running cost 운영 손실", "all": "All 합계"}
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
    return Answer(
        results,
        {risk["risk_type"]: f"{risk['name']} {risk['name_ko']}" for risk in risks},
        " ".join(_both(place) for place in places),
        has_synthetic_data(connection, grid_ids),
    )


def render(answer: Answer) -> None:
    """Everything: scores, losses, decades, what the place is."""
    results = answer.results
    _render_head(answer)
    _render_scores(answer)
    _render_losses(answer)
    _render_decades(results.get("projections") or results["projection_table"])
    _render_site(results)
    _render_end(answer)


def render_short(answer: Answer) -> None:
    """The scores and the total alone."""
    _render_head(answer)
    _render_scores(answer)
    _render_end(answer)


def _render_head(answer: Answer) -> None:
    results = answer.results
    whole = results["integrated_risk"]
    where = f"{results['latitude']:.7g}, {results['longitude']:.7g}"
    when = results["scenario"] if results["target_year"] is None else f"{results['scenario']} {results['horizon']}"
    say(f"Risk 기후 리스크: {answer.place + ' ' if answer.place else ''}({where}), {when}")
    told = f"Total score 통합 점수 {_number(whole['total_risk_score'], 1)} of 100"
    if whole["risk_level"] is not None:
        told += f", {_level(whole['risk_level'])} {LEVELS_KO[whole['risk_level']]}"
    aal = whole["total_aal"]["all"]["sum"]
    if aal is not None:
        told += f"; average annual loss 연평균 손실 {_percent(aal)} % of the value"
    if whole["expected_loss"] is not None:
        told += f", KRW {whole['expected_loss']:,.0f} a year"
    say(told + ".\n")


def _render_scores(answer: Answer) -> None:
    made = table("Scores 점수", "", ">H", ">E", ">V", ">score", "level", ">%", "")
    breakdown = answer.results["integrated_risk"]["risk_breakdown"]
    for risk_type in answer.results["risk_types"]:
        one = breakdown[risk_type]
        made.add_row(
            answer.risk_names[risk_type],
            _number(one["hazard_score_100"], 1),
            _number(one["exposure_score"], 2),
            _number(one["vulnerability_score"], 1),
            _number(one["risk_score"], 1),
            _level(one["risk_level"]),
            _number(one["contribution_percent"], 1),
            "*" if one["is_default"] else "",
        )
    console.print(made)
    say(
        "H hazard, V vulnerability, scores: 0 to 100; E exposure: 0 to 1; %: share of the whole."
        + (" *: a default stands in." if any(one["is_default"] for one in breakdown.values()) else "")
    )
    for risk_type in answer.results["risk_types"]:
        one = breakdown[risk_type]
        if one["status"] != "ok":
            reason = f": {one['reason']}" if one["reason"] else ""
            say(f"  {answer.risk_names[risk_type]}: {one['status'].replace('_', ' ')}{reason}")


def _render_losses(answer: Answer) -> None:
    """By risk, and in sum by what the loss falls on."""
    results = answer.results
    say("")
    since = ">against\nbaseline" if results["target_year"] is not None else ""
    made = table("Average annual loss (AAL) 연평균 손실", "", ">AAL %", ">90 % interval", since, ">KRW a year")
    for risk_type in results["risk_types"]:
        one = results["aal"][risk_type]
        made.add_row(
            answer.risk_names[risk_type],
            _percent(one.get("final_aal")),
            _interval(one.get("final_aal_low"), one.get("final_aal_high")),
            _percent(one.get("aal_change"), "+") if since else "",
            _won(one.get("expected_loss")),
        )
    made.add_section()
    for kind, name in LOSS_KINDS.items():
        total = results["integrated_risk"]["total_aal"][kind]
        made.add_row(
            name,
            _percent(total["sum"]),
            f"union {_percent(total['union'])}",
            _percent(total["sum_change"], "+") if since else "",
            _won(_expected_loss(results, kind)),
        )
    console.print(made)
    say("AAL: % of the asset's value a year, after its vulnerability and insurance. Union: not above the value itself.")


def _expected_loss(results: dict[str, Any], kind: str) -> float | None:
    if kind == "all":
        whole: float | None = results["integrated_risk"]["expected_loss"]
        return whole
    of_kind = [one["expected_loss"] for one in results["aal"].values() if one.get("loss_kind") == kind]
    known = [loss for loss in of_kind if loss is not None]
    return sum(known) if known else None


def _render_decades(rows: list[dict[str, Any]]) -> None:
    """Decades down, scenarios across: total score and AAL."""
    say("")
    by_key = {(row["scenario"], row["horizon"]): row for row in rows}
    made = table("Total score and AAL % by decade and scenario 연대와 시나리오", "", *(f">{one}" for one in SCENARIOS))
    for horizon in dict.fromkeys(row["horizon"] for row in rows):
        # The past is one, whatever is emitted.
        scenarios = ("historical",) if horizon == "baseline" else SCENARIOS
        found = [by_key[scenario, horizon] for scenario in scenarios]
        made.add_row(
            "baseline 기준" if horizon == "baseline" else horizon,
            *(f"{_number(row['total_risk_score'], 1)} {_percent(row['total_aal']['all']['sum'])}" for row in found),
        )
    console.print(made)


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
    seconds = 1000 * results["duration_seconds"]
    stored = f", from the stored run {results['computed_by']}: nothing has changed since" if results["cached"] else ""
    say(f"Answered in {seconds:.0f} ms{stored} (request {results['batch_id']}).")
    if answer.synthetic:
        say(SYNTHETIC)


def _both(named: dict[str, Any]) -> str:
    return " ".join(part for part in (named.get("name"), named.get("name_ko")) if part)


def _level(level: str | None) -> str:
    return "–" if level is None else level.replace("_", " ")


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _percent(share: float | None, sign: str = "") -> str:
    return "–" if share is None else f"{100 * share:{sign}.4f}"


def _interval(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{100 * low:.4f}–{100 * high:.4f}"


def _won(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
