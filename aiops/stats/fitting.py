"""Fitting: each row of years by the estimator that it allows.

Rows are independent of each other; they are taken in slabs that fit a processor's cache.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.stats import gev, intervals
from aiops.stats.codes import Estimator
from aiops.stats.kernels import count_cdf, kernels_of, smooth_cdf
from aiops.stats.samples import total

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from aiops.stats.kernels import Closed, Kernels

GEV_YEARS: Final = 15
"""With fewer no GEV is fitted."""
_SLAB: Final = 1024
"""Rows at a time: with 30 years, 240 kB a matrix."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Series side by side, whatever axes they came in."""

    x: NDArray[np.float64]
    """(rows, years)."""
    n: NDArray[np.int64]
    """(rows,), valid years."""
    edges: NDArray[np.float64]
    """(rows or 1, k)."""
    rates: NDArray[np.float64] | None
    """(rows or 1, k + 1); None where nobody asks for an error."""

    def take(self, rows: NDArray[np.bool_] | slice) -> Rows:
        """Some of the rows."""
        if not isinstance(rows, slice) and rows.all():
            return self
        edges = self.edges if len(self.edges) == 1 else self.edges[rows]
        rates = self.rates if self.rates is None or len(self.rates) == 1 else self.rates[rows]
        return Rows(self.x[rows], self.n[rows], edges, rates)


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit gives, by row."""

    cdf: NDArray[np.float64]
    """(rows, k), F below each edge."""
    error: NDArray[np.float64]
    """(rows,), standard error of Σ P·rates."""
    estimator: NDArray[np.uint8]
    """(rows,); 0 for none."""

    def take(self, rows: slice) -> Fitted:
        """Some of the rows, as a view."""
        return Fitted(self.cdf[rows], self.error[rows], self.estimator[rows])


def rows_of(x: NDArray[np.float64], edges: ArrayLike, rates: ArrayLike | None) -> Rows:
    """Put series side by side.

    Args:
        x: (..., years).
        edges: (k,) or (..., k).
        rates: (k + 1,) or (..., k + 1).

    Raises:
        ValueError: shapes that do not fit.
    """

    def by_row(values: ArrayLike, name: str) -> NDArray[np.float64]:
        array = np.asarray(values, dtype=np.float64)
        if array.ndim <= 1:
            return np.atleast_2d(array)
        if array.shape[:-1] != x.shape[:-1]:
            raise ValueError(f"{name}: one set, or one per series {x.shape[:-1]}; got {array.shape[:-1]}")
        return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])

    rows = np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), x.shape[-1])
    n = np.count_nonzero(~np.isnan(rows), axis=-1)
    return Rows(rows, n, by_row(edges, "edges"), None if rates is None else by_row(rates, "rates"))


def fit_rows(rows: Rows, wanted: Estimator, closed: Closed, *, counted: NDArray[np.bool_], least: int) -> Fitted:
    """Fit each row by the estimator that it allows.

    Args:
        rows: the series.
        wanted: what to fit by where the row allows it; years are counted where it does not.
        closed: the closed side of the bins.
        counted: (rows,), rows whose years are counted in any case.
        least: with fewer years there is no fit.
    """
    fitted = Fitted(
        cdf=np.full((len(rows.x), rows.edges.shape[-1]), np.nan),
        error=np.full(len(rows.x), np.nan),
        estimator=np.zeros(len(rows.x), dtype=np.uint8),
    )
    for start in range(0, len(rows.x), _SLAB):
        slab = slice(start, start + _SLAB)
        _fit_slab(fitted.take(slab), rows.take(slab), wanted, closed, counted=counted[slab], least=least)
    return fitted


def _fit_slab(
    fitted: Fitted, rows: Rows, wanted: Estimator, closed: Closed, *, counted: NDArray[np.bool_], least: int
) -> None:
    usable = (rows.n >= least) & ~np.isnan(rows.edges).any(axis=-1)
    left = usable
    if wanted is not Estimator.COUNT:
        # A GEV needs the years in order; kernels are computed a third faster where neighbours are alike.
        rows = Rows(np.sort(rows.x, axis=-1), rows.n, rows.edges, rows.rates)
        fitting = _fit_gev if wanted is Estimator.GEV else _fit_kernels
        left = usable & ~fitting(fitted, rows, usable & ~counted, wanted, closed)
    if left.any():
        part = rows.take(left)
        _store_mean(fitted, left, part, count_cdf(part.x, part.edges, closed), Estimator.COUNT)


def _fit_kernels(
    fitted: Fitted, rows: Rows, allowed: NDArray[np.bool_], wanted: Estimator, closed: Closed
) -> NDArray[np.bool_]:
    """Store what kernels give; returns the rows that it is given for."""
    kernels = kernels_of(rows.x, rows.n, wanted)
    chosen = allowed & ~np.isnan(kernels.width)
    if chosen.any():
        part = rows.take(chosen)
        kernels = kernels.take(chosen)
        _store_mean(fitted, chosen, part, smooth_cdf(kernels, part.x, part.edges, closed), wanted, kernels)
    return chosen


def _fit_gev(
    fitted: Fitted, rows: Rows, allowed: NDArray[np.bool_], wanted: Estimator, _closed: Closed
) -> NDArray[np.bool_]:
    """Store what a GEV gives (no atom, so no closed side); returns the rows that it is given for."""
    params = gev.from_moments(gev.weighted_moments(rows.x, is_sorted=True))
    chosen: NDArray[np.bool_] = allowed & (rows.n >= GEV_YEARS) & ~np.isnan(params.shape)
    if chosen.any():
        part = rows.take(chosen)
        params = gev.Gev(*(values[chosen] for values in params))
        fitted.cdf[chosen] = gev.cdf(gev.Gev(*(values[:, None] for values in params)), part.edges)
        fitted.estimator[chosen] = wanted
        if part.rates is not None:
            fitted.error[chosen] = intervals.error_of_gev(part.x, params, part.edges, part.rates)
    return chosen


def _store_mean(
    fitted: Fitted,
    chosen: NDArray[np.bool_],
    part: Rows,
    layers: Iterator[NDArray[np.float64]],
    used: Estimator,
    kernels: Kernels | None = None,
) -> None:
    """Store F, the mean of the years' own distribution functions, and the error of the loss.

    Args:
        fitted: takes the result.
        chosen: (rows,), where in it.
        part: these rows.
        layers: by edge (rows, years), each year's distribution function.
        used: the estimator.
        kernels: those of the years, where they have any.
    """
    cdf = np.empty((len(part.x), part.edges.shape[-1]))
    contribution = np.zeros(part.x.shape)
    # Σ r[i]·(G[i+1] - G[i]) = r[last] - Σ (r[i+1] - r[i])·G[i+1]; a constant has no error.
    steps = np.zeros(1) if part.rates is None else np.diff(part.rates, axis=-1)
    for place, layer in enumerate(layers):
        np.divide(total(layer), part.n, out=cdf[:, place])
        if part.rates is not None and np.any(steps[:, place]):
            contribution -= np.multiply(layer, steps[:, place, None], out=layer)
    fitted.cdf[chosen] = cdf
    fitted.estimator[chosen] = used
    if part.rates is not None:
        if kernels is not None:
            contribution = kernels.unshrunk(contribution)
        fitted.error[chosen] = intervals.error_of_mean(contribution, ~np.isnan(part.x), part.n)
