"""Flooding by the sea: the annual highest water of a gauge, lifted by the rise of the sea, against ground and defence.

Heights are metres above one datum, mean sea level at Incheon. The distribution of the annual maximum comes from
outside (`aiops.stats.gev`), as a function; nothing is sampled: bins are differences of that function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.series import HEIGHT, columns, like_input, per_cell, quantity, total

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

REFERENCE = (1995, 2014)
"""The years that a scenario's sea level rise is counted from."""
FEWEST_FOR_TREND = 10
"""A shorter record shows the tides' own swing rather than a trend: it is left as it is."""


def has_trend(maxima: Floats) -> NDArray[np.bool_]:
    """Whether a trend is taken out of the maxima of each gauge, (years, gauges): (gauges,)."""
    long: NDArray[np.bool_] = np.count_nonzero(~np.isnan(maxima), axis=0) >= FEWEST_FOR_TREND
    return long


def detrended_maxima(
    maxima: ArrayLike, years: ArrayLike, datum_offset: ArrayLike = 0.0, trend: NDArray[np.bool_] | None = None
) -> Floats:
    """Annual maxima as they would have been at the mean sea level of 1995–2014: the input of the distribution's fit.

    The straight line of least squares through a gauge's maxima is taken out, and nothing at the middle of 1995–2014.

    Args:
        maxima: highest still water level (tide and surge) of each year, m above the gauge's zero, (years, gauges)
            or (years,).
        years: (years,).
        datum_offset: height of the gauge's zero above mean sea level at Incheon, m, a number or (gauges,).
        trend: whether to take a trend out, (gauges,), for samples of longer records; None: by `has_trend`.

    Returns:
        m above mean sea level, the shape of `maxima`; NaN where it is.

    Raises:
        BadInput: shapes that do not fit, heights that cannot be.
    """
    level = quantity("maxima", maxima, HEIGHT)
    calendar = np.asarray(years)
    if calendar.shape != (level.shape[0],):
        raise BadInput(f"years: shape {calendar.shape} given; allowed: ({level.shape[0]},)")
    offset = per_cell("datum_offset", datum_offset, HEIGHT, level.shape[1])
    since = (calendar - sum(REFERENCE) / 2.0)[:, np.newaxis]
    present = ~np.isnan(level)
    n = np.count_nonzero(present, axis=0)
    divisor = np.maximum(n, 1)
    with_trend = has_trend(level) if trend is None else trend
    centred = np.where(present, since - total(since * present) / divisor, 0.0)
    spread = total(centred**2)
    rise = total(centred * (level - total(level) / divisor))
    slope = np.divide(rise, spread, out=np.zeros(n.shape), where=with_trend & (spread > 0.0))
    return like_input(level - slope * since + offset, maxima)


def flood_depth(water: ArrayLike, ground: ArrayLike, crest: ArrayLike) -> Floats:
    """Depth of water behind a defence, m: nothing up to the crest, and then all of it.

    Args:
        water: still water level, m.
        ground: height of the ground, m.
        crest: height of the defence, m; below the ground it means nothing.

    Returns:
        m, ≥ 0, in the shape that the three make together; NaN where one is missing.
    """
    level, floor, wall = (np.asarray(values, dtype=np.float64) for values in (water, ground, crest))
    over = level > np.maximum(floor, wall)
    depth = np.where(over, level - floor, 0.0)
    return np.where(np.isnan(level + floor + wall), np.nan, depth)


def depth_probabilities(
    edges: ArrayLike,
    ground: ArrayLike,
    crest: ArrayLike,
    rise: ArrayLike,
    not_exceeded: Callable[[Floats], Floats],
) -> Floats:
    """P of each bin of the year's greatest flood depth, averaged over the years of a horizon.

    Bins are (e_i, e_i+1], so that "no flood" is the first of them where the first edge is 0. Behind a defence depths
    up to its height above the ground do not occur: their bins have P = 0.

    Args:
        edges: m, ascending, from 0 on, (k,).
        ground: m above mean sea level, a number or (cells,).
        crest: m above mean sea level, a number or (cells,).
        rise: sea level of each year of the horizon, m above 1995–2014, (years,) or (years, cells); years that are NaN
            are left out.
        not_exceeded: distribution function of the detrended annual maximum: gets levels, m, (years, edges, cells),
            gives probabilities of the same shape.

    Returns:
        (cells, k + 1), or (k + 1,) for a ground that is one number; the sum over bins is 1. NaN where ground or crest
        is, or where no year has a rise.

    Raises:
        BadInput: edges that do not ascend from 0 on, shapes that do not fit.
    """
    depths = np.asarray(edges, dtype=np.float64)
    if depths.ndim != 1 or depths.size == 0 or not (depths[0] >= 0.0 and np.all(np.diff(depths) > 0.0)):
        raise BadInput("edges: allowed: depths in m, ascending, from 0 on")
    n_cells = max(np.size(ground), np.size(crest))
    floor = per_cell("ground", ground, HEIGHT, n_cells)
    wall = per_cell("crest", crest, HEIGHT, n_cells)
    lifted = columns("rise", rise)
    if lifted.shape[1] not in (1, n_cells):
        raise BadInput(f"rise: shape {np.shape(rise)} given; allowed: (years,) or (years, {n_cells})")
    # A depth of at most e means a level of at most ground + e, or one that the defence holds.
    level = np.maximum(floor + depths[:, np.newaxis], wall)
    years = not_exceeded(level - lifted[:, np.newaxis, :])
    present = np.broadcast_to(~np.isnan(lifted)[:, np.newaxis, :], years.shape)
    n_years = np.count_nonzero(present, axis=0)
    unknown = np.isnan(floor + wall) | (n_years == 0)
    below = np.where(unknown, np.nan, total(np.where(present, years, 0.0)) / np.maximum(n_years, 1))
    bins: Floats = np.diff(below, axis=0, prepend=0.0, append=1.0).T
    return bins[0] if np.ndim(ground) == 0 and np.ndim(crest) == 0 else bins
