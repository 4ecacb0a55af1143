"""Each year's own distribution function: what the estimators shrunk, hurdle, kde and count are means of.

F(e) = mean_j G_j(e), where G_j is a normal distribution around year j (shrunk, kde), around its logarithm
(hurdle), or a step (count). The same G_j give the interval of the loss, so they are kept as an array.
Everything here is by rows: (rows, years), a row being one cell of one projection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import ndtr

from aiops.stats.codes import Estimator
from aiops.stats.samples import has_spread, masked, total, total_of_products

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

Closed = Literal["left", "right"]
"""The side on which a bin holds its edge: left is [e_i, e_i+1), right is (e_i, e_i+1]."""

_FLAT = 8.3
"""Beyond so many standard deviations a normal distribution function is 1, or less than 1e-16."""
_MOSTLY = 0.7
"""Above this share it is faster to compute all than to pick out."""
MIN_POSITIVE_YEARS = 5
"""A hurdle needs so many years above zero."""


@dataclass(frozen=True, slots=True)
class Kernels:
    """A normal kernel for each year of each row."""

    centres: NDArray[np.float64]
    """(rows, years): on the scale of X, or of ln X. +inf for a missing year and -inf for a year of zero:
    their distribution functions are 0 and 1 everywhere, which is what their share in a mean shall be."""
    width: NDArray[np.float64]
    """(rows,): the standard deviation of the kernels. NaN where a row has no spread to set it by."""
    squeeze: NDArray[np.float64]
    """(rows,): what deviations from the mean were multiplied by; 1 where nothing was shrunk."""
    logarithmic: bool
    """Whether the scale is ln X."""

    def take(self, rows: NDArray[np.bool_]) -> Kernels:
        """The kernels of some rows."""
        if rows.all():
            return self
        return Kernels(self.centres[rows], self.width[rows], self.squeeze[rows], self.logarithmic)

    def unshrunk(self, contribution: NDArray[np.float64]) -> NDArray[np.float64]:
        """What each year adds to a mean, as it would vary had the years not been drawn together.

        A year moves its own kernel by c of its deviation, and all kernels by the rest, through the mean. The
        spread of the contributions shows the first part alone; divided by c it is that of both, exactly for
        contributions that are linear in X.

        Args:
            contribution: (rows, years).
        """
        own = np.isfinite(self.centres)
        count = np.maximum(np.count_nonzero(own, axis=-1), 1)
        mean = (total(masked(contribution, own)) / count)[:, None]
        spread_out = mean + (contribution - mean) / self.squeeze[:, None]
        return spread_out if own.all() else np.where(own, spread_out, contribution)


def kernels_of(x: NDArray[np.float64], n: NDArray[np.int64], estimator: Estimator) -> Kernels:
    """Centres and widths of the kernels of one estimator.

    Args:
        x: (rows, years), NaN missing.
        n: (rows,), the valid years of each row.
        estimator: KDE, SHRUNK or HURDLE.

    The plain form has h = s·n^(-1/5) around each year (Scott 1992). The shrunk form pulls years and kernels
    together by c = 1/sqrt(1 + n^(-2/5)), so that the variance of the mixture is the sample's own
    (Silverman 1986, section 3.4.2, the smoothed bootstrap's rescaling).
    """
    if estimator is not Estimator.HURDLE:
        parts = _centres_and_width(x, ~np.isnan(x), n, shrink=estimator is Estimator.SHRUNK)
        return Kernels(*parts, logarithmic=False)
    positive = x > 0
    n_positive = np.count_nonzero(positive, axis=-1)
    logarithms = np.log(np.where(positive, x, 1.0))
    centres, width, squeeze = _centres_and_width(logarithms, positive, n_positive, shrink=True)
    centres[x <= 0] = -np.inf
    width[n_positive < MIN_POSITIVE_YEARS] = np.nan
    return Kernels(centres, width, squeeze, logarithmic=True)


def _centres_and_width(
    x: NDArray[np.float64], valid: NDArray[np.bool_], n: NDArray[np.int64], *, shrink: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    count = np.maximum(n, 2)
    mean = total(masked(x, valid)) / count
    centres = masked(x - mean[:, None], valid)
    spread = np.sqrt(total_of_products(centres, centres) / (count - 1))
    scott = count**-0.2
    squeeze = 1.0 / np.sqrt(1.0 + scott * scott) if shrink else np.ones_like(scott)
    width = spread * scott * squeeze
    width[~has_spread(spread, mean)] = np.nan
    centres *= squeeze[:, None]
    centres += mean[:, None]
    if not valid.all():
        centres[~valid] = np.inf
    return centres, width, squeeze


def smooth_cdf(
    kernels: Kernels, x: NDArray[np.float64], edges: NDArray[np.float64], closed: Closed
) -> Iterator[NDArray[np.float64]]:
    """G_j(e) by kernels, edge by edge.

    Args:
        kernels: of these rows; every width is a number.
        x: (rows, years), NaN missing; ascending years are computed faster; decides alone where ln cannot reach.
        edges: (rows or 1, k).
        closed: the closed side of the bins; it matters where X has an atom, at 0 of a hurdle.

    Yields:
        k times (rows, years), 0 in missing years; the receiver may write into it, and the next takes its place.
    """
    layer = np.empty(x.shape)
    inverse = (1.0 / kernels.width)[:, None]
    # Years of zero stand in front where they ascend: those that all rows have are below every edge.
    zeros = int(np.argmin(np.append(np.isneginf(kernels.centres).all(axis=0), False)))
    centres, smooth = kernels.centres[:, zeros:], layer[:, zeros:]
    for edge in np.moveaxis(edges, -1, 0)[..., None]:
        level = np.log(np.where(edge > 0, edge, 1.0)) if kernels.logarithmic else edge
        np.subtract(level, centres, out=smooth)
        np.multiply(smooth, inverse, out=smooth)
        _ndtr_in_place(smooth)
        layer[:, :zeros] = 1.0
        if kernels.logarithmic and np.any(edge <= 0):
            layer[...] = np.where(edge <= 0, _below(x, edge, closed), layer)
        yield layer


def _ndtr_in_place(z: NDArray[np.float64]) -> None:
    """The normal distribution function, in place of its argument; what lies in its flat ends is not computed.

    Half of the years of a typical row lie there: edges are far from them, or they are years of zero or missing.
    """
    inside = np.abs(z) < _FLAT
    n_inside = np.count_nonzero(inside)
    if n_inside == z.size:
        ndtr(z, out=z)
    elif n_inside > _MOSTLY * z.size:
        # The same values as below, whatever rows they stand among.
        z[...] = np.where(inside, ndtr(z), z > 0)
    else:
        values = ndtr(z[inside])
        z[...] = z > 0
        z[inside] = values


def count_cdf(x: NDArray[np.float64], edges: NDArray[np.float64], closed: Closed) -> Iterator[NDArray[np.float64]]:
    """G_j(e) as a step: 1 where the year lies below the edge. Edge by edge, as `smooth_cdf`.

    Args:
        x: (rows, years), NaN missing.
        edges: (rows or 1, k).
        closed: left counts X < e, right counts X ≤ e.

    Yields:
        k times (rows, years); 0 in missing years.
    """
    for edge in np.moveaxis(edges, -1, 0)[..., None]:
        yield _below(x, edge, closed).astype(np.float64)


def _below(x: NDArray[np.float64], edge: NDArray[np.float64], closed: Closed) -> NDArray[np.bool_]:
    return x < edge if closed == "left" else x <= edge
