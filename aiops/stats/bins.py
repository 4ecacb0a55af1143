"""Probabilities of bins: differences of one distribution function.

With F(e_0) = 0 and F(e_k+1) = 1 the bins sum to 1 by construction; nothing is renormalised.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.stats import gev, intervals
from aiops.stats.codes import Estimator, ResultStatus
from aiops.stats.kernels import count_cdf, kernels_of, smooth_cdf

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from aiops.stats.kernels import Closed, Kernels

MIN_YEARS = 5
"""With fewer there is no estimate."""
FULL_YEARS = 10
"""With fewer the record is short, and years are counted."""
GEV_YEARS = 15
"""With fewer no GEV is fitted."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bin probabilities and how they came about, by row."""

    probabilities: NDArray[np.float64]
    """(..., bins); NaN where not computed."""
    error: NDArray[np.float64]
    """(...): standard error of Σ P·rates; NaN with fewer than 10 years."""
    estimator: NDArray[np.uint8]
    """(...): the Estimator that was used; 0 for none."""
    status: NDArray[np.int16]
    """(...): a ResultStatus."""
    n_years: NDArray[np.int16]
    """(...): the years that are not NaN."""


def probabilities(
    x: ArrayLike, edges: ArrayLike, estimator: str | Estimator, axis: int = 0, closed: Closed = "left"
) -> NDArray[np.float64]:
    """P of each bin in a year, by one estimator, however few the years are.

    Where an estimator has nothing to set its parameters by (no spread, fewer than 5 positive years of a
    hurdle, fewer than 15 of a GEV), years are counted: the limit of kernels without width.

    Args:
        x: yearly values, finite; NaN is a missing year.
        edges: (k,) ascending, or one set per series: the shape of x without the years, and k.
        estimator: kde, shrunk, hurdle, count or gev.
        axis: the axis of the years.
        closed: left for bins [e_i, e_i+1), right for (e_i, e_i+1].

    Returns:
        The shape of x without the years, and k + 1 bins; NaN where there is no year, or an edge is NaN.

    Raises:
        ValueError: an estimator, a closed side, or a shape that cannot be.
    """
    wanted = Estimator.named(estimator)
    if wanted is Estimator.ANALYTIC:
        raise ValueError("estimator: analytic has no sample; allowed: kde shrunk hurdle count gev")
    if closed not in ("left", "right"):
        raise ValueError(f"closed: {closed!r}; allowed: left right")
    years_last = np.moveaxis(np.asarray(x, dtype=np.float64), axis, -1)
    if np.isinf(years_last).any():
        raise ValueError("x: infinite; allowed: finite values, and NaN for a missing year")
    rows = _rows_of(years_last, edges, None)
    fitted = _fit(rows, wanted, closed, counted=np.zeros(len(rows.n), dtype=np.bool_), least=1)
    return _differences(fitted.cdf).reshape(*years_last.shape[:-1], fitted.cdf.shape[-1] + 1)


def estimate(
    x: NDArray[np.float64], edges: ArrayLike, rates: ArrayLike, estimator: Estimator, closed: Closed = "left"
) -> Estimate:
    """P of each bin with the rules for short records, and the standard error of the loss.

    Fewer than 5 years, or an edge that is NaN: insufficient data. 5 to 9 years are counted.

    Args:
        x: (..., years); NaN is a missing year.
        edges: (k,) or (..., k), ascending.
        rates: damage rates of the bins, (k + 1,) or (..., k + 1).
        estimator: SHRUNK, HURDLE, COUNT, GEV or KDE.
        closed: as in `probabilities`.
    """
    shape = x.shape[:-1]
    rows = _rows_of(x, edges, rates)
    fitted = _fit(rows, estimator, closed, counted=rows.n < FULL_YEARS, least=MIN_YEARS)
    done = fitted.estimator > 0
    status = np.where(rows.n < FULL_YEARS, ResultStatus.SHORT_RECORD, ResultStatus.OK)
    status = np.where(done, status, ResultStatus.INSUFFICIENT_DATA)
    error = np.where(done & (rows.n >= intervals.MIN_YEARS), fitted.error, np.nan)
    return Estimate(
        probabilities=_differences(fitted.cdf).reshape(*shape, fitted.cdf.shape[-1] + 1),
        error=error.reshape(shape),
        estimator=fitted.estimator.reshape(shape),
        status=status.astype(np.int16).reshape(shape),
        n_years=rows.n.astype(np.int16).reshape(shape),
    )


@dataclass(frozen=True, slots=True)
class _Rows:
    """Series side by side, whatever axes they came in."""

    x: NDArray[np.float64]
    """(rows, years)."""
    n: NDArray[np.int64]
    """(rows,), valid years."""
    edges: NDArray[np.float64]
    """(rows or 1, k)."""
    rates: NDArray[np.float64] | None
    """(rows or 1, k + 1); None where nobody asks for an error."""

    def take(self, rows: NDArray[np.bool_]) -> _Rows:
        if rows.all():
            return self
        edges = self.edges if len(self.edges) == 1 else self.edges[rows]
        rates = self.rates if self.rates is None or len(self.rates) == 1 else self.rates[rows]
        return _Rows(self.x[rows], self.n[rows], edges, rates)


@dataclass(frozen=True, slots=True)
class _Fitted:
    cdf: NDArray[np.float64]
    """(rows, k), F below each edge."""
    error: NDArray[np.float64]
    """(rows,)."""
    estimator: NDArray[np.uint8]
    """(rows,); 0 for none."""


def _rows_of(x: NDArray[np.float64], edges: ArrayLike, rates: ArrayLike | None) -> _Rows:
    def by_row(values: ArrayLike, name: str) -> NDArray[np.float64]:
        array = np.asarray(values, dtype=np.float64)
        if array.ndim <= 1:
            return np.atleast_2d(array)
        if array.shape[:-1] != x.shape[:-1]:
            raise ValueError(f"{name}: one set, or one per series {x.shape[:-1]}; got {array.shape[:-1]}")
        return array.reshape(math.prod(array.shape[:-1]), array.shape[-1])

    rows = np.ascontiguousarray(x).reshape(math.prod(x.shape[:-1]), x.shape[-1])
    n = np.count_nonzero(~np.isnan(rows), axis=-1)
    return _Rows(rows, n, by_row(edges, "edges"), None if rates is None else by_row(rates, "rates"))


def _fit(rows: _Rows, wanted: Estimator, closed: Closed, *, counted: NDArray[np.bool_], least: int) -> _Fitted:
    """Fit each row by the estimator that it allows; `counted` rows have years counted in any case."""
    fitted = _Fitted(
        cdf=np.full((len(rows.x), rows.edges.shape[-1]), np.nan),
        error=np.full(len(rows.x), np.nan),
        estimator=np.zeros(len(rows.x), dtype=np.uint8),
    )
    usable = (rows.n >= least) & ~np.isnan(rows.edges).any(axis=-1)
    left = usable
    if wanted is not Estimator.COUNT:
        fitting = _fit_gev if wanted is Estimator.GEV else _fit_kernels
        left = usable & ~fitting(fitted, rows, usable & ~counted, wanted, closed)
    if left.any():
        part = rows.take(left)
        yearly = count_cdf(part.x, part.edges, closed)
        _store_mean(fitted, left, part, yearly, Estimator.COUNT)
    return fitted


def _fit_kernels(
    fitted: _Fitted, rows: _Rows, allowed: NDArray[np.bool_], wanted: Estimator, closed: Closed
) -> NDArray[np.bool_]:
    """Store what kernels give; returns the rows that it is given for."""
    kernels = kernels_of(rows.x, rows.n, wanted)
    chosen = allowed & ~np.isnan(kernels.width)
    if chosen.any():
        part = rows.take(chosen)
        kernels = kernels.take(chosen)
        yearly = smooth_cdf(kernels, part.x, part.edges, closed)
        _store_mean(fitted, chosen, part, yearly, wanted, kernels)
    return chosen


def _fit_gev(
    fitted: _Fitted, rows: _Rows, allowed: NDArray[np.bool_], wanted: Estimator, _closed: Closed
) -> NDArray[np.bool_]:
    """Store what a GEV gives (no atom, so no closed side); returns the rows that it is given for."""
    x_sorted = np.sort(rows.x, axis=-1)
    params = gev.from_moments(gev.weighted_moments(x_sorted, is_sorted=True))
    chosen: NDArray[np.bool_] = allowed & (rows.n >= GEV_YEARS) & ~np.isnan(params.shape)
    if chosen.any():
        part = rows.take(chosen)
        params = gev.Gev(*(values[chosen] for values in params))
        fitted.cdf[chosen] = gev.cdf(gev.Gev(*(values[:, None] for values in params)), part.edges)
        fitted.estimator[chosen] = wanted
        if part.rates is not None:
            fitted.error[chosen] = intervals.error_of_gev(x_sorted[chosen], params, part.edges, part.rates)
    return chosen


def _store_mean(
    fitted: _Fitted,
    chosen: NDArray[np.bool_],
    part: _Rows,
    yearly: NDArray[np.float64],
    used: Estimator,
    kernels: Kernels | None = None,
) -> None:
    fitted.cdf[chosen] = (yearly.sum(axis=-1) / part.n).T
    fitted.estimator[chosen] = used
    if part.rates is not None:
        contribution = intervals.contributions(yearly, part.rates)
        if kernels is not None:
            contribution = kernels.unshrunk(contribution)
        fitted.error[chosen] = intervals.error_of_mean(contribution, ~np.isnan(part.x), part.n)


def _differences(cdf: NDArray[np.float64]) -> NDArray[np.float64]:
    """P from F at the edges, with 0 before and 1 behind them."""
    p = np.empty((len(cdf), cdf.shape[-1] + 1))
    p[:, 0] = cdf[:, 0]
    np.subtract(cdf[:, 1:], cdf[:, :-1], out=p[:, 1:-1])
    np.subtract(1.0, cdf[:, -1], out=p[:, -1])
    return p
