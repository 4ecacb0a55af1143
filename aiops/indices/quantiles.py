"""Sample quantiles by Hyndman & Fan's types 7 and 8, missing values left out.

Source: Hyndman, R. J. & Fan, Y. (1996): Sample quantiles in statistical packages. Am. Stat. 50, 361–365.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ranks = NDArray[np.intp]

_PLOTTING_POSITION = {7: 1.0, 8: 1.0 / 3.0}
"""α = β of the types: 7 is the default of R and numpy, 8 is median-unbiased."""


def quantile(values: Floats, probability: float, method: Literal[7, 8]) -> tuple[Floats, Ranks]:
    """Quantile of each lane along axis 0.

    Args:
        values: (n, …), NaN where missing.
        probability: 0 to 1.
        method: Hyndman & Fan's type.

    Returns:
        The quantiles (…), NaN where a lane has no value, and the number of values of each lane (…).
    """
    counts = _present(values)
    below, weight = _rank(counts, probability, method)
    in_order = np.sort(values, axis=0)  # NaN goes last
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    return _between(_take(in_order, below), _take(in_order, above), weight), counts


def moving_quantile(values: Floats, window: int, probability: float, method: Literal[7, 8]) -> tuple[Floats, Ranks]:
    """Quantile of all samples of `window` neighbouring days together.

    The same as `quantile` of each window, without sorting every value as often as it stands in a window: the
    few extreme values that a high or low quantile depends on are among the extreme values of its single days.

    Args:
        values: (days, cells, samples), NaN where missing; sorted in place.
        window: number of days.
        probability: 0 to 1.
        method: Hyndman & Fan's type.

    Returns:
        The quantiles (days − window + 1, cells) and the number of values of each, the same shape.
    """
    n_days, n_cells, n_samples = values.shape
    n_windows = n_days - window + 1
    present = _present(values, axis=-1)
    counts = np.zeros((n_windows, n_cells), dtype=np.intp)
    for ahead in range(window):
        counts += present[ahead : ahead + n_windows]
    below, weight = _rank(counts, probability, method)
    above = np.minimum(below + 1, np.maximum(counts - 1, 0))
    if probability > 0.5:
        # Missing values go to the low end; what is kept of a day and a rank's place count from the high end.
        np.copyto(values, -np.inf, where=np.isnan(values))
        kept = min(n_samples, int(np.max(counts - below, initial=1)))
        # A lane without values has no rank; it takes the last place, and is masked below.
        below = np.minimum(below + window * kept - counts, window * kept - 1)
        above = np.minimum(above + window * kept - counts, window * kept - 1)
        values.sort(axis=-1)
        tails = values[..., n_samples - kept :]
    else:
        kept = min(n_samples, int(np.max(above, initial=0)) + 1)
        values.sort(axis=-1)
        tails = values[..., :kept]
    low, high = np.empty(counts.shape), np.empty(counts.shape)
    same_ranks = np.all(counts == counts[:, :1], axis=1)
    by_day = np.empty((n_cells, window, kept))
    union = by_day.reshape(n_cells, window * kept)
    for first in range(n_windows):
        by_day[:] = np.moveaxis(tails[first : first + window], 0, 1)
        union.sort(axis=-1)
        if same_ranks[first]:
            low[first] = union[:, below[first, 0]]
            high[first] = union[:, above[first, 0]]
        else:
            low[first] = _take(union.T, below[first])
            high[first] = _take(union.T, above[first])
    return np.where(counts > 0, _between(low, high, weight), np.nan), counts


def _present(values: Floats, axis: int = 0) -> Ranks:
    """Number of values that are not NaN, at most 65,535, which a narrow sum counts fast."""
    counts: NDArray[np.uint16] = np.sum((~np.isnan(values)).view(np.uint8), axis=axis, dtype=np.uint16)
    return counts.astype(np.intp)


def _rank(counts: Ranks, probability: float, method: Literal[7, 8]) -> tuple[Ranks, Floats]:
    """The lower of the two order statistics, counted from 0, and the weight of the upper one."""
    position = _PLOTTING_POSITION[method]
    index = counts * probability + (position + probability * (1.0 - 2.0 * position)) - 1.0
    index = np.clip(index, 0.0, np.maximum(counts - 1, 0))
    below = np.floor(index).astype(np.intp)
    return below, index - below


def _take(in_order: Floats, ranks: Ranks) -> Floats:
    """The value of the given rank of each lane along axis 0."""
    taken: Floats = np.take_along_axis(in_order, ranks[np.newaxis], axis=0)[0]
    return taken


def _between(low: Floats, high: Floats, weight: Floats) -> Floats:
    """Linear interpolation from the nearer end: monotone in the weight, and exact at both ends."""
    with np.errstate(invalid="ignore"):  # −∞ − (−∞) stands where a lane has no value, and is masked there
        step = high - low
        return np.where(weight < 0.5, low + step * weight, high - step * (1.0 - weight))
