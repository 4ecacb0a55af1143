"""Numbers by decade and scenario, as tables, and the totals over the risks of a place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from aiops.climate import PROJECTIONS, SCENARIOS
from aiops.report.numbers import NONE, number, percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


class DecadeRow(NamedTuple):
    """A decade, or the baseline, which has one value for all scenarios."""

    horizon: str
    fields: tuple[str, ...]
    """One a scenario; one in all for the baseline."""


class Gap(NamedTuple):
    """A risk that totals leave out, wholly or for some sites, where they hold it elsewhere."""

    risk: int
    """Its place among the risks."""
    decades: tuple[tuple[str, tuple[str, ...]], ...]
    """Horizon, and the scenarios of which that is so."""


def gaps_of(counted: NDArray[np.bool_] | NDArray[np.int64]) -> list[Gap]:
    """What totals of some projections lack that those of others have: they are not to be compared unsaid.

    Args:
        counted: (risks, 33), for how many sites the risk is in the total. Projections without any risk are no gap.
    """
    has_any = counted.any(axis=0)
    fewer = (counted < counted.max(axis=1, initial=0, keepdims=True)) & has_any
    found = []
    for risk in np.flatnonzero(fewer.any(axis=1)).tolist():
        by_horizon: dict[str, list[str]] = {}
        for place in np.flatnonzero(fewer[risk]).tolist():
            by_horizon.setdefault(PROJECTIONS[place].horizon, []).append(PROJECTIONS[place].scenario)
        found.append(Gap(risk, tuple((horizon, tuple(scenarios)) for horizon, scenarios in by_horizon.items())))
    return found


def decade_rows(show: Callable[[int], str]) -> list[DecadeRow]:
    """Decades down, scenarios across.

    Args:
        show: the text of a projection, by its place in `PROJECTIONS`.
    """
    at = {(one.scenario, one.horizon): place for place, one in enumerate(PROJECTIONS)}
    rows = []
    for horizon in dict.fromkeys(one.horizon for one in PROJECTIONS):
        scenarios = ("historical",) if horizon == "baseline" else SCENARIOS[1:]
        rows.append(DecadeRow(horizon, tuple(show(at[scenario, horizon]) for scenario in scenarios)))
    return rows


def percents(values: NDArray[np.float64]) -> list[DecadeRow]:
    """Of fractions, (33,)."""
    return decade_rows(lambda place: NONE if np.isnan(values[place]) else percent(float(values[place])))


def numbers(values: NDArray[np.float64]) -> list[DecadeRow]:
    """Of scores, (33,)."""
    return decade_rows(lambda place: NONE if np.isnan(values[place]) else number(float(values[place])))


def totals_of(
    scores: NDArray[np.float64], aal: NDArray[np.float64], not_applicable: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Total score and summed AAL by projection, NaN where no risk is computed and not all are known to be none.

    Args:
        scores: (risks, 33); NaN for risks that do not count, 0 for those that cannot be.
        aal: (risks, 33), likewise, but NaN for those that cannot be.
        not_applicable: (risks, 33): they cannot be, so that their loss counts as 0.
    """
    counted = ~np.isnan(scores)
    squares = np.where(counted, scores, 0.0) ** 2
    known = ~np.isnan(aal) | not_applicable
    n = np.where(_says_something(counted, not_applicable), counted.sum(axis=0), np.nan)
    losses = np.where(_says_something(known, not_applicable), np.nansum(aal, axis=0), np.nan)
    return np.sqrt(squares.sum(axis=0) / n), losses


def _says_something(counted: NDArray[np.bool_], not_applicable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """As the answer's own totals: risks that cannot be are 0 beside others, or where none was left out."""
    computed = np.any(counted & ~not_applicable, axis=0)
    says: NDArray[np.bool_] = computed | (np.all(counted, axis=0) & np.any(not_applicable, axis=0))
    return says
