"""Damage curves, and the steps that integrate as they do.

A loss is ∫ f dF for a curve f that rises with the intensity, = f(∞) - ∫ f'(x)·F(x) dx. By Gauss and Legendre that
integral is a sum over few nodes: F weighed by what f rises around each node. The nodes are thus the edges of fine bins
whose rates are a staircase, and everything that holds for bins holds for curves: no loss falls outside the curve's
range, and the loss is still a mean over years.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Curve:
    """Damage rate by intensity."""

    at: Function
    """The curve itself: a fraction of the asset's value, not falling, elementwise; NaN for NaN."""
    steps: tuple[float, ...]
    """Where the staircase rises, ascending, in the unit of the intensity."""
    rises: tuple[float, ...]
    """By how much."""
    lowest: float
    """The rate below the first step."""

    @property
    def highest(self) -> float:
        """The rate above the last step."""
        return self.lowest + sum(self.rises)


def curve_of(at: Function, slope: Function, pieces: Sequence[tuple[float, float, int]]) -> Curve:
    """A curve with its steps: Gauss–Legendre nodes of each piece.

    Args:
        at: the curve; flat below the first piece, and taken to be flat above the last.
        slope: its derivative, elementwise.
        pieces: (from, to, nodes), ascending, next to each other; within a piece the curve is smooth.
    """
    steps: list[float] = []
    rises: list[float] = []
    for start, end, n_nodes in pieces:
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
        x = start + (end - start) * (nodes + 1) / 2
        first, last = at(np.array([start, end]))
        share = weights * slope(x)
        steps += x.tolist()
        # Held to the curve's own rise over the piece, so that the staircase ends where the curve does.
        rises += (share * ((last - first) / share.sum())).tolist()
    return Curve(at, tuple(steps), tuple(rises), float(at(np.array([pieces[0][0]]))[0]))


@dataclass(frozen=True, slots=True)
class FineBins:
    """The bins of a damage set, cut by the steps of a curve."""

    edges: NDArray[np.float64]
    """(fine,), ascending: the edges of the bins and the steps."""
    rates: NDArray[np.float64]
    """(fine + 1,): the staircase."""
    is_edge: NDArray[np.bool_]
    """(fine,): which of them are edges of the bins."""


def fine_bins(curve: Curve, edges: NDArray[np.float64]) -> FineBins:
    """Cut bins by the steps of a curve.

    Args:
        curve: the curve.
        edges: (k,), ascending.
    """
    positions = np.concatenate([edges, curve.steps])
    rises = np.concatenate([np.zeros(edges.size), curve.rises])
    order = np.argsort(positions, kind="stable")
    rates = curve.lowest + np.concatenate([[0.0], np.cumsum(rises[order])])
    return FineBins(positions[order], rates, order < edges.size)


def mean_rates(
    loss: NDArray[np.float64], probabilities: NDArray[np.float64], at_edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The damage rate of each bin: the mean of the curve over the bin.

    Args:
        loss: (..., bins), the integral of the curve over each bin.
        probabilities: (..., bins).
        at_edges: (..., bins + 1), the curve at the lower end of each bin, and at the upper end of the last.

    Returns:
        (..., bins), within the curve's values at the ends of the bin; of a bin without probability the lower one, its
        limit where a tail runs out. NaN where a probability is.
    """
    lower, upper = at_edges[..., :-1], at_edges[..., 1:]
    mean = np.array(np.broadcast_to(lower, probabilities.shape))
    np.divide(loss, probabilities, out=mean, where=probabilities > 0)
    return np.where(np.isnan(probabilities), np.nan, np.clip(mean, lower, upper))
