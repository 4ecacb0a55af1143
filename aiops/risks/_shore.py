"""The sea at the cells of a block: the annual highest water of their gauges, lifted by the rise of the sea.

The annual maximum is a Gumbel distribution, F(x) = exp(−exp(−(x − ξ − rise)/α)). With q = exp(−(x − ξ)/α) and the
year's R = exp(rise/α) that is exp(−q·R): the levels and the years are apart, and a mean over the years of a horizon
takes one exponential each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.indices.sea_level import detrended_maxima, has_trend
from aiops.risks._reader import attribute
from aiops.stats import gev
from aiops.stats.samples import masked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.risks._reader import Reader, Sea

GUMBEL: Final = (0.0, 0.0)
"""Shapes that are allowed: the gauges' records are too short for a third parameter."""
DEFAULT_CREST_YEARS: Final = 100.0
"""A defence of unknown height holds the water of so many years."""
FEWEST: Final = 5
"""Years, of the gauge and of the rise."""
_LARGEST = 300.0
"""exp(±300) is nothing or plenty, and its square still a number."""
_NOTHING = 1e-17
_TINY = 1e-300
_ITERATIONS = 5
"""Each squares the error, from a few percent on."""


@dataclass(frozen=True, slots=True)
class Shore:
    """Cells and their gauges; NaN where unknown."""

    has_gauge: NDArray[np.bool_]
    """(cells,)."""
    location: NDArray[np.float64]
    """(cells,): ξ at the sea level of 1995–2014, m above mean sea level at Incheon."""
    scale: NDArray[np.float64]
    """(cells,): α, m."""
    covariance: NDArray[np.float64]
    """(cells, 2, 2) of ξ and α, m²."""
    gauge_years: NDArray[np.int64]
    """(cells,)."""
    ground: NDArray[np.float64]
    """(cells,), m."""
    crest: NDArray[np.float64]
    """(cells,), m."""
    crest_is_default: NDArray[np.bool_]
    """(cells,)."""
    gauge: NDArray[np.int64]
    """(cells,): a place in the axis of gauges of `rise`."""
    rise: tuple[NDArray[np.float64], NDArray[np.float64]]
    """Of the baseline and of the horizons, (1 or 32, gauges, years), m."""
    rise_years: NDArray[np.int64]
    """(33, cells)."""
    baseline: list[str | None]
    """(cells,)."""

    @property
    def known(self) -> NDArray[np.bool_]:
        """(33, cells): whether water, ground and rise are."""
        return (self.rise_years >= FEWEST) & ~np.isnan(self.scale) & ~np.isnan(self.ground)


def shore_of(reader: Reader) -> Shore:
    """Fit the gauges that the cells of a block look to."""
    sea = reader.sea()
    of_cell = np.full(reader.n_cells, -1) if sea is None else sea.of_cell
    has_gauge = of_cell >= 0
    ground = attribute(reader.attributes, "elevation_m", reader.n_cells)
    if sea is None or not has_gauge.any():
        nothing = np.full(reader.n_cells, np.nan)
        zero = np.zeros((len(PROJECTIONS), reader.n_cells), dtype=np.int64)
        return Shore(
            has_gauge, nothing, nothing, np.full((reader.n_cells, 2, 2), np.nan), zero[0], ground, nothing,
            np.zeros(reader.n_cells, dtype=np.bool_), zero[0],
            (np.full((1, 1, 1), np.nan), np.full((len(zero) - 1, 1, 1), np.nan)), zero, [None] * reader.n_cells,
        )  # fmt: skip
    gauges, place = np.unique(np.where(has_gauge, of_cell, of_cell.max()), return_inverse=True)
    fit = _fit_gauges(sea.maxima[:, gauges], sea.maxima_years)
    rise, labels = _rise(sea, gauges)
    level = gev.return_level(gev.Gev(fit.location, fit.scale, np.zeros(gauges.size)), DEFAULT_CREST_YEARS)
    known_crest = attribute(reader.attributes, "crest_m", reader.n_cells)
    default = has_gauge & np.isnan(known_crest)
    return Shore(
        has_gauge=has_gauge,
        location=np.where(has_gauge, fit.location[place], np.nan),
        scale=np.where(has_gauge, fit.scale[place], np.nan),
        covariance=fit.covariance[place],
        gauge_years=np.where(has_gauge, fit.n[place], 0),
        ground=ground,
        crest=np.where(default, level[place], known_crest),
        crest_is_default=default,
        gauge=place,
        rise=rise,
        rise_years=np.where(has_gauge, np.concatenate([_count(part) for part in rise])[:, place], 0),
        baseline=[labels[gauge] if has else None for gauge, has in zip(place, has_gauge, strict=True)],
    )


class _Fit(NamedTuple):
    location: NDArray[np.float64]
    scale: NDArray[np.float64]
    covariance: NDArray[np.float64]
    n: NDArray[np.int64]


def _fit_gauges(maxima: NDArray[np.float64], years: NDArray[np.int32]) -> _Fit:
    """Gumbel by L-moments of the detrended maxima; the covariance by the jackknife, the trend's part with it.

    Args:
        maxima: (years, gauges), m.
        years: (years,).
    """
    n = np.count_nonzero(~np.isnan(maxima), axis=0)
    n_years, n_gauges = maxima.shape
    # The record, and once more without each of its years: (years, 1 + years, gauges).
    samples = np.repeat(maxima[:, None, :], n_years + 1, axis=1)
    samples[np.arange(n_years), np.arange(n_years) + 1] = np.nan
    # A sample has the trend taken out where the record has, also where it is shorter than a record has to be for that.
    trend = np.tile(has_trend(maxima), n_years + 1)
    detrended = detrended_maxima(samples.reshape(n_years, -1), years, trend=trend)
    params = gev.fit(detrended, shape=GUMBEL)
    location, scale = (part.reshape(n_years + 1, n_gauges) for part in params[:2])
    enough = n >= FEWEST
    location, scale = np.where(enough, location, np.nan), np.where(enough, scale, np.nan)
    # Years last and side by side, as everywhere: sums are then the same for a gauge among any others.
    valid = np.ascontiguousarray(~np.isnan(maxima).T)
    without = np.ascontiguousarray(np.stack([location[1:].T, scale[1:].T]))  # (2, gauges, years)
    mean = np.where(valid, without, 0.0).sum(axis=-1) / np.maximum(n, 1)
    deviation = np.where(valid, without - mean[..., None], 0.0)
    factor = (n - 1) / np.maximum(n, 1)
    products = (deviation[:, None] * deviation[None, :]).sum(axis=-1) * factor  # (2, 2, gauges)
    covariance = np.moveaxis(products, -1, 0)
    return _Fit(location[0], scale[0], covariance, n)


def _rise(
    sea: Sea, gauges: NDArray[np.int64]
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], list[str | None]]:
    """The rise at some gauges; the maxima are those of 1995–2014, so a baseline without a rise of its own has none.

    Years too few for a result are none: a single row must not take away what stands without it.
    """
    baseline, horizons = (part[:, gauges] for part in sea.rise)
    labels = [sea.baseline[gauge] for gauge in gauges.tolist()]
    for place in np.flatnonzero(_count(baseline[0]) < FEWEST).tolist():
        baseline[0, place] = np.nan
        baseline[0, place, :FEWEST] = 0.0
        labels[place] = "1995-2014"
    return (baseline, horizons), labels


def _count(values: NDArray[np.float64]) -> NDArray[np.int64]:
    n: NDArray[np.int64] = np.count_nonzero(~np.isnan(values), axis=-1)
    return n


class Mean(NamedTuple):
    """Means over the years of each projection, (33, cells, levels)."""

    not_exceeded: NDArray[np.float64]
    """F, the probability that a year's highest water stays at or below the level."""
    by_location: NDArray[np.float64]
    """∂F/∂ξ, per m."""
    by_scale: NDArray[np.float64]
    """∂F/∂α, per m."""


def mean_distribution(shore: Shore, levels: NDArray[np.float64]) -> Mean:
    """The distribution of a year's highest water, averaged over the years of each projection.

    Args:
        shore: the cells.
        levels: (cells, levels), m.

    Returns:
        NaN where anything is unknown.
    """
    shape = (*shore.rise_years.shape, levels.shape[-1])
    mean = Mean(np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan))
    z = (levels - shore.location[:, None]) / shore.scale[:, None]
    q = np.exp(np.clip(-z, -_LARGEST, _LARGEST))
    known = shore.known
    for p, rise in enumerate(itertools.chain(*shore.rise)):
        cells = np.flatnonzero(known[p])
        lift = rise[shore.gauge[cells]] / shore.scale[cells, None]
        valid = ~np.isnan(lift)
        lift = masked(np.minimum(lift, _LARGEST), valid)
        r = np.exp(lift)
        # Where no water comes near, F is 1 to the last digit.
        wet = q[cells].max(axis=-1, initial=0.0) * r.max(axis=-1, initial=0.0) > _NOTHING
        for part, value in zip(mean, (1.0, 0.0, 0.0), strict=True):
            part[p, cells[~wet]] = value
        cells, lift, valid, r = cells[wet], lift[wet], valid[wet], r[wet]
        weights = np.stack([valid, valid * lift], axis=1) / shore.rise_years[p, cells, None, None]
        u = np.minimum(r[:, :, None] * q[cells, None, :], _LARGEST)  # (cells, years, levels)
        f = np.exp(-u)
        mean.not_exceeded[p, cells] = (weights[:, :1] @ f)[:, 0]
        u *= f
        slope, lifted = np.moveaxis(weights @ u, 1, 0)
        scale = shore.scale[cells, None]
        mean.by_location[p, cells] = -slope / scale
        mean.by_scale[p, cells] = -(z[cells] * slope - lifted) / scale
    return mean


def level_of_period(shore: Shore, years: float) -> NDArray[np.float64]:
    """The water level that is exceeded once in so many years, in the mean over each projection's years: (33, cells), m.

    mean exp(−q·R) falls with q and is convex, and q = (1/T)/mean R lies short of the solution: Newton's iteration
    comes to it from one side.
    """
    # Of each gauge once; all its cells have one and the same distribution.
    _, first, gauge = np.unique(shore.gauge, return_index=True, return_inverse=True)
    lifts = [part[:, shore.gauge[first]] / shore.scale[first, None] for part in shore.rise]
    reduced = np.concatenate([_reduced_level(lift, 1 / years) for lift in lifts])
    level = shore.location[first] + shore.scale[first] * reduced
    return np.where(shore.known, level[:, gauge], np.nan)


def _reduced_level(lift: NDArray[np.float64], rarity: float) -> NDArray[np.float64]:
    """The x with mean exp(−exp(lift − x)) = 1 − rarity over the last axis."""
    valid = ~np.isnan(lift)
    # R relative to its largest; that one is put back at the end.
    largest = np.where(valid, lift, -np.inf).max(axis=-1, initial=-_LARGEST, keepdims=True)
    r = np.where(valid, np.exp(np.where(valid, lift, -np.inf) - largest), 0.0)
    n = np.maximum(_count(lift), 1)
    q = n * rarity / np.maximum(r.sum(axis=-1), _TINY)
    for _ in range(_ITERATIONS):
        f = np.where(valid, np.exp(-q[..., None] * r), 0.0)
        q = q + (f.sum(axis=-1) - n * (1 - rarity)) / np.maximum((r * f).sum(axis=-1), _TINY)
    reduced: NDArray[np.float64] = largest[..., 0] - np.log(np.maximum(q, _TINY))
    return reduced
