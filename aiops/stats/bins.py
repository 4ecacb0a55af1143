"""Probabilities of bins: differences of one distribution function.

With F(e_0) = 0 and F(e_k+1) = 1 the bins sum to 1 by construction; nothing is renormalised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.stats import intervals
from aiops.stats.codes import Estimator, ResultStatus
from aiops.stats.curves import Curve, FineBins, fine_bins, mean_rates
from aiops.stats.fitting import GEV_YEARS, fit_rows, rows_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from aiops.stats.fitting import Fitted, Rows
    from aiops.stats.kernels import Closed

__all__ = ["FULL_YEARS", "GEV_YEARS", "MIN_YEARS", "Estimate", "estimate", "probabilities"]

MIN_YEARS = 5
"""With fewer there is no estimate."""
FULL_YEARS = 10
"""With fewer the record is short, and years are counted."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bin probabilities and how they came about, by row."""

    probabilities: NDArray[np.float64]
    """(..., bins); NaN where not computed."""
    rates: NDArray[np.float64]
    """(..., bins): damage rates; those given, or a curve's mean over each bin."""
    error: NDArray[np.float64]
    """(...): standard error of Σ P·rates; NaN with fewer than 10 years, with fewer than 15 where a GEV is wanted."""
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
    rows = rows_of(years_last, edges, None)
    fitted = fit_rows(rows, wanted, closed, counted=np.zeros(len(rows.n), dtype=np.bool_), least=1)
    return _differences(fitted.cdf).reshape(*years_last.shape[:-1], fitted.cdf.shape[-1] + 1)


def estimate(
    x: NDArray[np.float64],
    edges: ArrayLike,
    rates: ArrayLike | Curve,
    estimator: Estimator,
    closed: Closed = "left",
) -> Estimate:
    """P of each bin with the rules for short records, and the standard error of the loss.

    Fewer than 5 years, or an edge that is NaN: insufficient data. 5 to 9 years are counted, 5 to 14 in place of a GEV:
    a short record.

    Args:
        x: (..., years); NaN is a missing year.
        edges: (k,) or (..., k), ascending; (k,) for a curve.
        rates: damage rates of the bins, (k + 1,) or (..., k + 1); or a curve, integrated over the bins.
        estimator: SHRUNK, HURDLE, COUNT, GEV or KDE.
        closed: as in `probabilities`.
    """
    if isinstance(rates, Curve):
        fine = fine_bins(rates, np.asarray(edges, dtype=np.float64))
        rows = rows_of(x, fine.edges, fine.rates)
        fitted = fit_rows(rows, estimator, closed, counted=rows.n < FULL_YEARS, least=MIN_YEARS)
        p = _differences(fitted.cdf[:, fine.is_edge])
        bin_rates = _integrate(rates, fine, rows, fitted, closed)
    else:
        rows = rows_of(x, edges, rates)
        fitted = fit_rows(rows, estimator, closed, counted=rows.n < FULL_YEARS, least=MIN_YEARS)
        p = _differences(fitted.cdf)
        bin_rates = np.broadcast_to(np.asarray(rows.rates), p.shape)
    done = fitted.estimator > 0
    # Levels of a GEV are rarer than what so few years would show: that none was seen says nothing.
    full = GEV_YEARS if estimator is Estimator.GEV else FULL_YEARS
    status = np.where(rows.n < full, ResultStatus.SHORT_RECORD, ResultStatus.OK)
    status = np.where(done, status, ResultStatus.INSUFFICIENT_DATA)
    error = np.where(done & (rows.n >= max(full, intervals.MIN_YEARS)), fitted.error, np.nan)
    shape = x.shape[:-1]
    return Estimate(
        probabilities=p.reshape(*shape, p.shape[-1]),
        rates=bin_rates.reshape(*shape, p.shape[-1]),
        error=error.reshape(shape),
        estimator=fitted.estimator.reshape(shape),
        status=status.astype(np.int16).reshape(shape),
        n_years=rows.n.astype(np.int16).reshape(shape),
    )


def _integrate(curve: Curve, fine: FineBins, rows: Rows, fitted: Fitted, closed: Closed) -> NDArray[np.float64]:
    """The mean of a curve over each bin, (rows, bins), and into `fitted` what a curve's error needs besides.

    Where years were counted, the mean is that of the years themselves.
    """
    first = np.concatenate([[0], np.flatnonzero(fine.is_edge) + 1])
    p_fine = _differences(fitted.cdf)
    loss = np.add.reduceat(p_fine * fine.rates, first, axis=-1)
    p = np.add.reduceat(p_fine, first, axis=-1)
    hurdle = fitted.estimator == Estimator.HURDLE
    if hurdle.any():
        relative = intervals.relative_error_of_hurdle(rows.x[hurdle], rows.n[hurdle], fine.edges, fine.rates)
        fitted.error[hurdle] = np.maximum(fitted.error[hurdle], relative * loss[hurdle].sum(axis=-1))
    edges = fine.edges[fine.is_edge]
    counted = fitted.estimator == Estimator.COUNT
    if counted.any():
        x, n = rows.x[counted], rows.n[counted]
        valid = ~np.isnan(x)
        damage = np.where(valid, curve.at(np.where(valid, x, edges[0])), 0.0)
        fitted.error[counted] = intervals.error_of_mean(damage, valid, n)
        bins = np.searchsorted(edges, x, side="right" if closed == "left" else "left")
        in_bin = bins[..., None] == np.arange(edges.size + 1)
        loss[counted] = (damage[..., None] * in_bin).sum(axis=1) / n[:, None]
    ends = np.concatenate([[curve.lowest], curve.at(edges), [curve.highest]])
    return mean_rates(loss, p, ends)


def _differences(cdf: NDArray[np.float64]) -> NDArray[np.float64]:
    """P from F at the edges, with 0 before and 1 behind them."""
    p = np.empty((len(cdf), cdf.shape[-1] + 1))
    p[:, 0] = cdf[:, 0]
    np.subtract(cdf[:, 1:], cdf[:, :-1], out=p[:, 1:-1])
    np.subtract(1.0, cdf[:, -1], out=p[:, -1])
    return p
