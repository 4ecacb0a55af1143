"""The data: which risks can be computed, for which scenarios, and what has to be loaded for the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from aiops.climate import SCENARIOS
from aiops.db.statements import statement
from aiops.risks import Driver, all_risks
from aiops.settings import settings
from workers.health.check import Check, failed, ok, warning

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiops.db.connect import Connection
    from aiops.risks import Risk

_DAILY = "aiops ingest asos, place or csv; netcdf or asc, and then aiops run indicators"
_WHOLE = 1.0


@dataclass(frozen=True, slots=True)
class Source:
    """Where a yearly variable comes from, if no file brings it itself."""

    variables: tuple[str, ...]
    """That it brings about."""
    remedy: str


SOURCES = (
    Source(("wsdi", "tx33", "tx90p_days"), f"load daily tasmax ({_DAILY})"),
    Source(("csdi", "fd", "tn25", "tnm12", "tnn"), f"load daily tasmin ({_DAILY})"),
    Source(("rx1day", "rx5day", "rain80", "cdd"), f"load daily pr ({_DAILY})"),
    Source(("spei12_min", "spei12_dry_share"), f"load daily pr, tasmax and tasmin ({_DAILY})"),
    Source(("fwi95", "fwi21"), f"load daily tasmax, hursmin, sfcWind and pr ({_DAILY})"),
    Source(("wsi",), "load river flow and water use (aiops ingest water), and basins (aiops ingest attributes)"),
    Source(("max_site_wind", "s_tc"), "load best tracks (aiops ingest tracks)"),
)
_WARMING = "load warming by year (aiops ingest warming)"
_TIDES = "load tide gauges (aiops ingest gauges)"
_RISE = "load the rise of the sea (aiops ingest sea-level)"

Coverage = dict[tuple[str, str], float]
"""By variable and scenario: the share of cells that have a series."""


def check_data(connection: Connection) -> tuple[Check, ...]:
    """Cells, scenarios and years; a line for each risk that cannot be computed everywhere; how old the results are."""
    with connection.cursor(row_factory=dict_row) as cursor:
        facts = cursor.execute(statement("data_facts")).fetchone()
    if facts is None:
        raise AssertionError("a SELECT without FROM gave no row")
    if not facts["cells"]:
        remedy = "load some (aiops ingest --help), or try with the synthetic sample: aiops ingest sample"
        return (failed("data", "no cell has climate data", remedy),)
    risks = all_risks().values()
    coverage = _coverage(connection, risks)
    scenarios = [one for one in SCENARIOS if any(share for (_, scenario), share in coverage.items() if scenario == one)]
    found = [check for risk in risks if (check := _risk_in_want(risk, coverage, facts, scenarios)) is not None]
    years = f", {facts['first_year']} to {facts['last_year']}" if facts["first_year"] is not None else ""
    whole = len(risks) - len(found)
    told = (
        f"{facts['cells']:,} cells{years}; {', '.join(scenarios) or 'no scenario'}; {whole} of {len(risks)} risks can "
        "be computed everywhere"
    )
    return (ok("data", told), *_scenarios(scenarios), *found, *_synthetic(facts), *_results(facts))


def _scenarios(known: Sequence[str]) -> tuple[Check, ...]:
    """One line for the scenarios that nobody has loaded, instead of one for each risk."""
    unknown = [one for one in SCENARIOS if one not in known]
    if not unknown or not known:
        return ()
    told = f"there are no series of {', '.join(unknown)}: results are of {', '.join(known)} alone"
    return (warning("data scenarios", told, "load them, if they are wanted (aiops ingest --help)"),)


def _coverage(connection: Connection, risks: Iterable[Risk]) -> Coverage:
    wanted = sorted({name for risk in risks for name in (*_of_probability(risk), *risk.hazard_variables())})
    rows = connection.execute(statement("input_coverage"), {"variables": wanted})
    return {(variable, scenario): share or 0.0 for variable, scenario, share in rows}


def _of_probability(risk: Risk) -> frozenset[str]:
    return risk.probability_variables(settings().damage_set)


def _risk_in_want(risk: Risk, coverage: Coverage, facts: Mapping[str, Any], known: Sequence[str]) -> Check | None:
    """What a risk lacks of the known scenarios, and which file brings it; None: nothing."""
    name = f"data {risk.name}"
    if risk.driver is Driver.SEA:
        return _sea_in_want(name, facts)
    wanted = sorted(_of_probability(risk) | risk.hazard_variables())
    past_only = risk.driver is Driver.WARMING
    scenarios = SCENARIOS[:1] if past_only else known or SCENARIOS
    lacking = {one: [v for v in wanted if not coverage[v, one]] for one in scenarios}
    without = [one for one, variables in lacking.items() if variables]
    if without:
        variables = sorted({v for one in without for v in lacking[one]})
        where = "at all" if len(without) == len(scenarios) else f"for {', '.join(without)}"
        return warning(
            name, f"cannot be computed in full {where}: there is no {', '.join(variables)}", remedy_for(variables)
        )
    if past_only:
        cold = [one for one in SCENARIOS[1:] if one not in facts["warming"] and not coverage[wanted[0], one]]
        if cold:
            return warning(name, f"cannot be computed for {', '.join(cold)}: no warming is known", _WARMING)
    thin = {v: min(coverage[v, one] for one in scenarios) for v in wanted}
    partial = {v: share for v, share in thin.items() if share < _WHOLE}
    if partial:
        shares = ", ".join(f"{v} {100 * share:.0f} %" for v, share in partial.items())
        return warning(name, f"some cells lack data; have it: {shares}", remedy_for(partial))
    return None


def _sea_in_want(name: str, facts: Mapping[str, Any]) -> Check | None:
    if not facts["has_tides"]:
        return warning(name, "cannot be computed: no tide gauge is known", _TIDES)
    dry = [one for one in SCENARIOS[1:] if one not in facts["rise"]]
    if dry:
        return warning(name, f"cannot be computed for {', '.join(dry)}: no rise of the sea is known", _RISE)
    return None


def remedy_for(variables: Iterable[str]) -> str:
    """Which files bring these variables."""
    wanted = set(variables)
    found = [source.remedy for source in SOURCES if wanted & set(source.variables)]
    rest = wanted - {name for source in SOURCES for name in source.variables}
    itself = f"load {', '.join(sorted(rest or wanted))} (aiops ingest csv)"
    return "; ".join((*found, *([itself] if rest else ()))) + ("" if rest else f"; or {itself}")


def _synthetic(facts: Mapping[str, Any]) -> tuple[Check, ...]:
    if not facts["synthetic"]:
        return ()
    mixed = " beside real ones" if facts["real"] else ""
    return (warning("synthetic", f"there are SYNTHETIC sample data{mixed}: not for decisions", "load real data"),)


def _results(facts: Mapping[str, Any]) -> tuple[Check, ...]:
    found = []
    for kind, remedy in (("probability", "aiops run probability"), ("hazard", "aiops run hazard")):
        at = facts[f"{kind}_at"]
        if at is None:
            found.append(warning("results", f"no {kind} batch has completed yet", f"run: {remedy}"))
        elif facts["loaded_at"] is not None and facts["loaded_at"] > at:
            told = f"data were loaded after the last {kind} batch began"
            found.append(warning("results", told, f"run: {remedy} (only cells that have changed are computed)"))
    return tuple(found) or (ok("results", "the last batches are younger than the data"),)
