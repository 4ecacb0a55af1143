"""What the whole of a portfolio needs to know of a chunk: sums and counts over its answered sites.

Per projection and over all risks, so that ten thousand sites are concluded from forty summaries.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess import METHOD_VERSION
from aiops.assess.levels import LEVELS, level_indices
from workers.portfolio.rows import levels_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from workers.portfolio.answers import Answers

    Row = dict[str, Any]

HIGH = LEVELS.index("high")
"""Assets at this level and above are counted as vulnerable."""


def summary_of(answers: Answers | None, damage_set: str) -> Row:
    """The summary of a chunk, for `batch_chunks.summary`.

    Args:
        answers: of its sites; None: no site has climate data.
        damage_set: that P(H) was computed with.

    Returns:
        Counts, and under `sums` by part, subject and measure an array over projections. Parts are losses (`by_risk`,
        and by loss kind `sum` and `union`), and assets at the level high and above (`high`: by risk, and `total`).
    """
    whole: Row = {"method_version": METHOD_VERSION, "damage_set": damage_set}
    if answers is None:
        return whole
    kept = answers.answered
    value = answers.sites.whole.asset_value[kept]
    if not kept.all() and (trace := answers.first_trace()) is not None:
        whole["trace"] = trace
    asked = [one for one, is_answered in zip(answers.sites.asked, kept.tolist(), strict=True) if is_answered]
    defaulted = np.zeros(kept.size, dtype=np.bool_)
    for where in answers.sites.whole.buildings.defaulted.values():
        defaulted |= where
    total = answers.integrated.total_risk_score[kept, answers.projection]
    return {
        **whole,
        "valued": int(np.count_nonzero(~np.isnan(value))),
        "asset_value": float(np.nansum(value)),
        "stale": sum(bool(one.stale) for one in asked),
        "defaulted": int(np.count_nonzero(defaulted[kept])),
        "levels": {"total": dict(Counter(level for level in levels_of(total) if level is not None))},
        "statuses": _statuses(answers),
        "sums": _sums(answers, kept, value),
    }


def _statuses(answers: Answers) -> dict[str, dict[str, int]]:
    """By risk: how many of the answered sites have it with which status."""
    found = {}
    for risk, parts in zip(answers.risks, answers.parts, strict=True):
        counted: Counter[str] = Counter()
        for part in parts:
            names, _ = part.score_statuses(answers.projection)
            counted.update(
                name
                for name, is_answered in zip(names, answers.answered[part.places].tolist(), strict=True)
                if is_answered
            )
        found[risk.name] = dict(counted)
    return found


def _sums(answers: Answers, kept: NDArray[np.bool_], value: NDArray[np.float64]) -> Row:
    made = answers.integrated
    names = [risk.name for risk in answers.risks]
    score, aal = made.risk_score[kept], answers.aal[kept]
    return {
        "by_risk": {name: _losses(aal[:, place], value) for place, name in enumerate(names)},
        "sum": {kind: _losses(of_kind[kept], value) for kind, of_kind in made.aal_sum.items()},
        "union": {kind: _losses(of_kind[kept], value) for kind, of_kind in made.aal_union.items()},
        "high": {
            **{name: _high(score[:, place], value) for place, name in enumerate(names)},
            "total": _high(made.total_risk_score[kept], value),
        },
    }


def _losses(aal: NDArray[np.float64], value: NDArray[np.float64]) -> Row:
    """Losses of (sites, 33), a fraction of the asset's value a year, with values in KRW."""
    known = ~np.isnan(aal)
    valued = known & ~np.isnan(value)[:, None]
    return {
        "sites": _listed(known.sum(axis=0)),
        "fraction": _listed(np.where(known, aal, 0.0).sum(axis=0)),
        "valued": _listed(valued.sum(axis=0)),
        "value": _listed(np.where(valued, value[:, None], 0.0).sum(axis=0)),
        # As each site's expected loss is told: whole KRW.
        "loss": _listed(np.where(valued, np.rint(aal * value[:, None]), 0.0).sum(axis=0)),
    }


def _high(scores: NDArray[np.float64], value: NDArray[np.float64]) -> Row:
    """Sites and values at the level high and above, of (sites, 33) scores, and of how many it could be said."""
    known = ~np.isnan(scores)
    high = level_indices(scores) >= HIGH
    valued = ~np.isnan(value)[:, None]
    worth = np.where(valued, value[:, None], 0.0)
    return {
        "sites": _listed(high.sum(axis=0)),
        "value": _listed(np.where(high, worth, 0.0).sum(axis=0)),
        "of_sites": _listed(known.sum(axis=0)),
        "of_value": _listed(np.where(known, worth, 0.0).sum(axis=0)),
        "valued": _listed((known & valued).sum(axis=0)),
    }


def _listed(values: NDArray[Any]) -> list[float]:
    listed: list[float] = values.tolist()
    return listed
