"""Bins and damage rates of all projections, from a sample of years or in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.assess._reasons import warming_missing, years_missing
from aiops.assess.windows import SERIES_OF_PROJECTION
from aiops.climate import PROJECTIONS
from aiops.risks import ReturnLevels
from aiops.stats import gev
from aiops.stats.bins import FULL_YEARS, GEV_YEARS, MIN_YEARS, estimate
from aiops.stats.codes import Estimator, ResultStatus
from aiops.stats.intervals import MIN_YEARS as INTERVAL_YEARS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from aiops.assess.windows import Windows
    from aiops.risks import AnalyticSet, DamageSet, Sample
    from aiops.stats.bins import Estimate

N_PROJECTIONS: Final = len(PROJECTIONS)


@dataclass(frozen=True, slots=True)
class Losses:
    """By projection and cell, before reach and exclusion."""

    probabilities: NDArray[np.float64]
    """(33, cells, bins); NaN where not computed."""
    rates: NDArray[np.float64]
    """(33, cells, bins)."""
    edges: NDArray[np.float64]
    """(33, cells, bins - 1)."""
    error: NDArray[np.float64]
    """(33, cells): standard error of Σ P·rates; NaN without an interval."""
    estimator: NDArray[np.uint8]
    """(33, cells); 0 for none."""
    status: NDArray[np.int16]
    """(33, cells): a ResultStatus."""
    n_years: NDArray[np.int16]
    """(33, cells)."""
    is_default: NDArray[np.bool_]
    """(cells,)."""
    baseline: list[str | None]
    """(cells,)."""
    of_the_same_years: bool
    """Whether every projection stands on the years of the baseline."""
    missing: Callable[[int, int], str]
    """Why there is none for a projection and cell."""


def sampled(damage: DamageSet, reader: Windows) -> Losses:
    """From years of an indicator."""
    indicator = damage.indicator
    baselines, horizons = reader.labelled_baselines(indicator), reader.horizons(indicator)
    edges = _edges(damage, baselines.sample, reader.n_cells)
    parts = _estimate(damage, edges, (baselines.sample, horizons))
    n_years = np.concatenate([part.n_years for part in parts])
    regional = indicator.warmed is not None and reader.warming().is_regional

    def missing(projection: int, cell: int) -> str:
        if projection and indicator.warmed is not None and baselines.sample.n[0, cell] >= MIN_YEARS:
            return warming_missing(projection)
        return _years_missing(damage, n_years[projection, cell], baselines.sample, projection, cell)

    return Losses(
        probabilities=np.concatenate([part.probabilities for part in parts]),
        rates=np.concatenate([part.rates for part in parts]),
        edges=edges,
        error=np.concatenate([part.error for part in parts]),
        estimator=np.concatenate([part.estimator for part in parts]),
        status=np.concatenate([part.status for part in parts]),
        n_years=n_years,
        is_default=np.full(reader.n_cells, regional),
        baseline=baselines.labels,
        of_the_same_years=indicator.past_only,
        missing=missing,
    )


def analytic(damage: AnalyticSet, reader: Windows) -> Losses:
    """From what the risk knows in closed form."""
    found = damage.estimate(reader, damage)
    done = ~np.isnan(found.probabilities).any(axis=-1) & (found.n_years >= MIN_YEARS)
    status = np.where(found.n_years < FULL_YEARS, ResultStatus.SHORT_RECORD, ResultStatus.OK)
    return Losses(
        probabilities=found.probabilities,
        rates=found.rates,
        edges=np.broadcast_to(np.asarray(damage.edges, np.float64), (*done.shape, len(damage.edges))),
        error=np.where(found.n_years >= INTERVAL_YEARS, found.error, np.nan),
        estimator=np.where(done, Estimator.ANALYTIC, 0).astype(np.uint8),
        status=np.where(done, status, ResultStatus.INSUFFICIENT_DATA).astype(np.int16),
        n_years=found.n_years.astype(np.int16),
        is_default=found.is_default,
        baseline=found.baseline,
        of_the_same_years=True,
        missing=found.missing,
    )


def _edges(damage: DamageSet, baselines: Sample, n_cells: int) -> NDArray[np.float64]:
    """(33, cells, k); NaN where the levels of a cell cannot be fitted."""
    if not isinstance(damage.edges, ReturnLevels):
        return np.broadcast_to(np.asarray(damage.edges, np.float64), (N_PROJECTIONS, n_cells, len(damage.edges)))
    moments = gev.weighted_moments(baselines.values)
    moments[:, baselines.n < GEV_YEARS] = np.nan
    levels = gev.return_level(gev.from_moments(moments), damage.edges.years)
    return levels[list(SERIES_OF_PROJECTION)]


def _estimate(damage: DamageSet, edges: NDArray[np.float64], parts: tuple[Sample, Sample]) -> tuple[Estimate, Estimate]:
    """The first projection from the baselines' first series, the others from the horizons."""
    baselines, horizons = parts
    fixed = None if isinstance(damage.edges, ReturnLevels) else damage.edges
    first, others = (
        estimate(values, own if fixed is None else fixed, damage.rates, damage.estimator, damage.closed)
        for values, own in ((baselines.values[:1], edges[:1]), (horizons.values, edges[1:]))
    )
    return first, others


def _years_missing(damage: DamageSet, n_years: int, baselines: Sample, projection: int, cell: int) -> str:
    variable = damage.indicator.variable
    if n_years < MIN_YEARS:
        return years_missing(int(n_years), MIN_YEARS, variable, projection)
    n_baseline = int(baselines.n[SERIES_OF_PROJECTION[projection], cell])
    if n_baseline >= GEV_YEARS:
        return f"{variable} does not vary over the baseline: its return levels cannot be fitted"
    return years_missing(n_baseline, GEV_YEARS, variable, 0, "are needed for the return levels of its bins")
