"""The results of a portfolio, for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from aiops.db.reports import has_synthetic_data
from aiops.db.statements import statement
from workers.cli.answer import LEVELS_KO, LOSS_KINDS, SCENARIOS
from workers.cli.output import SYNTHETIC, console, say, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops.db.connect import Connection

    Row = dict[str, Any]

_EVERY = "Total score 통합 점수"


@dataclass(frozen=True, slots=True)
class Report:
    """What a portfolio has come to, and what its reader should know beside it."""

    batch: Row
    """Of `batch_jobs`."""
    sites: Sequence[Row]
    """As `portfolio_results` gives them."""
    risk_names: dict[str, str]
    """English and Korean, by risk type."""
    synthetic: bool

    def as_json(self) -> Row:
        """As `--json` prints it."""
        return {"synthetic": self.synthetic, **self.batch["results"], "warnings": self.batch["warnings"]}


def report_of(connection: Connection, batch: Row, sites: Sequence[Row]) -> Report:
    """Look up the names, and whether the data are synthetic."""
    with connection.cursor(row_factory=dict_row) as cursor:
        risks = cursor.execute(statement("list_risk_types")).fetchall()
    grid_ids = sorted({site["grid_id"] for site in sites})
    names = {risk["risk_type"]: f"{risk['name']} {risk['name_ko']}" for risk in risks}
    return Report(batch, sites, names, has_synthetic_data(connection, grid_ids))


def render(report: Report, worst: int) -> None:
    """Totals, assets at high risk, decades, and so many of the sites worst hit."""
    results = report.batch["results"]
    _render_head(results)
    _render_losses(report)
    _render_high(report)
    _render_decades(results)
    if worst:
        _render_worst(report, worst)
    for warning in report.batch["warnings"]:
        say(f"  note: {warning}")
    say(f"{results['sites']:,} sites in {results['duration_seconds']:.1f} s (batch {results['batch_id']}).")
    if report.synthetic:
        say(SYNTHETIC)


def _render_head(results: Row) -> None:
    when = (
        results["scenario"]
        if results.get("target_year") is None
        else f"{results['scenario']} {results['target_year']}s"
    )
    say(f"Portfolio 포트폴리오: {results['answered']:,} of {results['sites']:,} sites answered, {when}")
    if results["asset_value"] is not None:
        valued = f"{results['sites_with_value']:,} answered sites with a value"
        say(f"Assets 자산: KRW {results['asset_value']:,.0f} at {valued}.")
    levels = [f"{results['levels'][level]:,} {level.replace('_', ' ')} {ko}"
              for level, ko in LEVELS_KO.items() if level in (results["levels"] or {})]  # fmt: skip
    say(f"Levels 등급: {', '.join(levels) or 'none'}.\n")


def _render_losses(report: Report) -> None:
    losses = report.batch["results"]["totals"]["losses"]
    made = table(
        "Average annual loss (AAL) 연평균 손실", "", ">mean AAL %", ">AAL % of value", ">KRW a year", ">KRW, union"
    )
    for risk_type in report.batch["results"]["risk_types"]:
        made.add_row(report.risk_names[risk_type], *_loss(losses["by_risk"][risk_type]), "")
    made.add_section()
    for kind, name in LOSS_KINDS.items():
        made.add_row(name, *_loss(losses["sum"][kind]), _won(losses["union"][kind]["expected_loss"]))
    console.print(made)
    say("Mean AAL: over sites. AAL of value: over the sites with a value. Union: as if risks struck independently.\n")


def _loss(one: Row) -> tuple[str, str, str]:
    return _percent(one["mean_aal"], 4), _percent(one["aal"], 4), _won(one["expected_loss"])


def _render_high(report: Report) -> None:
    """IFRS S2, paragraph 29(c): amount and percentage of assets vulnerable to physical risks."""
    high = report.batch["results"]["totals"]["high_level"]
    made = table(
        "At level high and above 높음 이상 (IFRS S2 29(c))", "", ">sites", ">% of sites", ">KRW", ">% of value"
    )
    for risk_type in report.batch["results"]["risk_types"]:
        made.add_row(report.risk_names[risk_type], *_high(high["by_risk"][risk_type]))
    made.add_section()
    made.add_row(_EVERY, *_high(high["total"]))
    console.print(made)


def _high(one: Row) -> tuple[str, str, str, str]:
    shares = (_percent(one["share_of_sites"], 1), _percent(one["share_of_asset_value"], 1))
    return f"{one['sites']:,.0f}", shares[0], _won(one["asset_value"]), shares[1]


def _render_decades(results: Row) -> None:
    """Decades down, scenarios across: AAL of the value, or its mean, and the share of sites at a high level."""
    say("")
    by_key = {(row["scenario"], row["horizon"]): row for row in results["projection_table"]}
    measure = "mean_aal" if results["asset_value"] is None else "aal"
    title = "AAL % and % of sites at level high and above, by decade and scenario 연대와 시나리오"
    made = table(title, "", *(f">{one}" for one in SCENARIOS))
    for horizon in dict.fromkeys(row["horizon"] for row in results["projection_table"]):
        # The past is one, whatever is emitted.
        scenarios = ("historical",) if horizon == "baseline" else SCENARIOS
        cells = [by_key[scenario, horizon] for scenario in scenarios]
        made.add_row(
            "baseline 기준" if horizon == "baseline" else horizon,
            *(
                f"{_percent(cell['losses']['sum']['all'][measure], 4)} "
                f"{_percent(cell['high_level']['total']['share_of_sites'], 1)}"
                for cell in cells
            ),
        )
    console.print(made)


def _render_worst(report: Report, worst: int) -> None:
    valued = report.batch["results"]["asset_value"] is not None
    measure = "expected_loss" if valued else "total_risk_score"
    known = [site for site in report.sites if site[measure] is not None]
    hit = sorted(known, key=lambda site: (-site[measure], site["site_no"]))[:worst]
    title = f"Sites worst hit 위험 상위 사업장, by {'expected loss' if valued else 'total score'}"
    made = table(title, ">site_no", "site", ">latitude", ">longitude", ">score", "level", ">AAL %", ">KRW a year")
    for site in hit:
        score = site["total_risk_score"]
        made.add_row(
            str(site["site_no"]),
            site["site_id"] or "",
            f"{site['latitude']:.4f}",
            f"{site['longitude']:.4f}",
            "–" if score is None else f"{score:.1f}",
            (site["risk_level"] or "–").replace("_", " "),
            _percent(site["total_aal"], 4),
            _won(site["expected_loss"]),
        )
    console.print(made)


def _percent(share: float | None, digits: int) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f}"


def _won(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"
