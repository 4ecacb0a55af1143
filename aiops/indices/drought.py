"""Drought: the Standardized Precipitation–Evapotranspiration Index and its yearly figures.

Sources: Vicente-Serrano, S. M., Beguería, S. & López-Moreno, J. I. (2010): A multiscalar drought index sensitive to
global warming. J. Climate 23, 1696–1718; Beguería, S. et al. (2014): SPEI revisited. Int. J. Climatol. 34,
3001–3023 (unbiased probability-weighted moments); Hosking, J. R. M. (1990), J. R. Stat. Soc. B 52, 105–124.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from aiops.errors import BadInput
from aiops.indices.series import columns, like_input

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    YearsAndValues = tuple[NDArray[np.int64], Floats]

FEWEST_VALUES = 15
"""A calendar month with fewer years in the baseline has no distribution."""
DRY = -1.0
EXTENT = 3.5
"""Beyond this the log-logistic of some decades says no more than `beyond all that was seen`."""
_MONTHS = 12
_NO_SKEW = 1e-8
_SLAB_VALUES = 65_536  # a handful of working arrays of this size stay in the processor's caches


def spei(
    balance: ArrayLike,
    scale: int = 12,
    baseline: tuple[int, int] | None = None,
    *,
    first_year: int | None = None,
) -> Floats:
    """SPEI: the climatic water balance, summed over months, in standard deviations of its calendar month.

    For each calendar month a log-logistic distribution (three parameters, unbiased probability-weighted moments) is
    fitted to the sums of the baseline and applied to all. Sums outside the fitted distribution's support are −inf
    or +inf. Missing: sums with a missing month, calendar months with fewer than 15 sums or no spread.

    Args:
        balance: precipitation less potential evapotranspiration, mm a month, (months, cells) or (months,), every
            month in order; rows 12 apart are the same calendar month.
        scale: number of months in a sum.
        baseline: first and last year of the fit, both included; None fits on all. A sum belongs to the year of its
            last month.
        first_year: the year of the first 12 rows, which must start in January; needed with a baseline.

    Returns:
        (months, cells) or (months,).

    Raises:
        BadInput: values that are no numbers, a scale below 1, a baseline without `first_year` or outside the record.
    """
    values = columns("balance", balance)
    if scale < 1:
        raise BadInput(f"scale: {scale} given; allowed: 1 month or more")
    n_months = values.shape[0]
    years_of_fit = _years_of_fit(baseline, first_year, -(-n_months // _MONTHS))
    index = np.empty(values.shape)
    per_slab = max(1, _SLAB_VALUES // max(n_months, 1))
    for first in range(0, values.shape[1], per_slab):
        cells = slice(first, first + per_slab)
        by_month = _by_calendar_month(values[:, cells], scale)
        _standardise(by_month, *_log_logistic(by_month[years_of_fit.start : years_of_fit.stop]))
        index[:, cells] = by_month.reshape(-1, index[:, cells].shape[1])[:n_months]
    return like_input(index, balance)


def spei_minimum(index: ArrayLike, first_year: int) -> YearsAndValues:
    """The year's lowest SPEI, within −3.5 and 3.5; NaN in a year without 12 values.

    Args:
        index: SPEI from January on, (months, cells) or (months,).
        first_year: the year of the first row.

    Returns:
        The years (years,) and the minimum (years, cells) or (years,).

    Raises:
        BadInput: values that are no numbers.
    """
    years, by_month, complete = _by_year(index, first_year)
    lowest = np.min(np.clip(by_month, -EXTENT, EXTENT), axis=1)
    return years, like_input(np.where(complete, lowest, np.nan), index)


def dry_share(index: ArrayLike, first_year: int) -> YearsAndValues:
    """Share of the year's months with an SPEI of −1 or less, 0 to 1. The rest as `spei_minimum`."""
    years, by_month, complete = _by_year(index, first_year)
    share = np.mean(by_month <= DRY, axis=1)
    return years, like_input(np.where(complete, share, np.nan), index)


def clipped_months(index: ArrayLike, first_year: int) -> YearsAndValues:
    """Months of the year whose SPEI lies beyond ±3.5 or is infinite. The rest as `spei_minimum`."""
    years, by_month, complete = _by_year(index, first_year)
    clipped = np.count_nonzero(np.abs(by_month) > EXTENT, axis=1)
    return years, like_input(np.where(complete, clipped, np.nan), index)


def _years_of_fit(baseline: tuple[int, int] | None, first_year: int | None, n_years: int) -> range:
    """The years of the fit among all, counted from 0."""
    if baseline is None:
        return range(n_years)
    if first_year is None:
        raise BadInput("first_year: none given; allowed: the year of the first row, which a baseline needs")
    first, last = baseline[0] - first_year, baseline[1] - first_year
    if last < max(first, 0) or first >= n_years:
        raise BadInput(
            f"baseline: {baseline[0]} to {baseline[1]} given; "
            f"allowed: years within {first_year} to {first_year + n_years - 1}, the first before the last"
        )
    return range(max(first, 0), last + 1)


def _by_calendar_month(values: Floats, scale: int) -> Floats:
    """Sums of `scale` months, each at its last month: (years, 12 × cells), a lane for each calendar month and cell.

    NaN before the first sum and behind the last.
    """
    n_months, n_cells = values.shape
    n_years = -(-n_months // _MONTHS)
    sums = np.empty((n_years * _MONTHS, n_cells))
    first = min(scale - 1, n_months)
    sums[:first] = np.nan
    sums[n_months:] = np.nan
    if first < n_months:
        sums[first:n_months] = _running_sums(values, scale)
    return sums.reshape(n_years, _MONTHS * n_cells)


def _running_sums(values: Floats, length: int) -> Floats:
    """Sums of `length` rows on end, (rows − length + 1, cells), from sums of 1, 2, 4, 8 … rows."""
    n_sums = values.shape[0] - length + 1
    total_so_far: Floats | None = None
    done, width, sums_of_width = 0, 1, values
    while True:
        if length & width:
            part = sums_of_width[done : done + n_sums]
            total_so_far = part if total_so_far is None else total_so_far + part
            done += width
        if done == length:
            return total_so_far if total_so_far is not None else values
        sums_of_width = sums_of_width[:-width] + sums_of_width[width:]
        width *= 2


def _log_logistic(sample: Floats) -> tuple[Floats, Floats, Floats]:
    """Location, scale and shape of a generalised logistic distribution of each lane of (years, lanes).

    Unbiased probability-weighted moments give L-moments, these the parameters (Hosking 1990; his sign of shape).
    NaN where there are too few values, no spread, or an L-skewness that no sample of numbers has.
    """
    in_order = np.sort(sample, axis=0)  # NaN goes last
    missing = np.isnan(in_order)
    n = (sample.shape[0] - np.count_nonzero(missing, axis=0)).astype(np.float64)
    n[n < FEWEST_VALUES] = np.nan
    np.copyto(in_order, 0.0, where=missing)
    rank = np.arange(sample.shape[0], dtype=np.float64)[:, np.newaxis]
    # There are twelve lanes at least, so numpy adds up year after year, whatever the number of cells.
    b0 = in_order.sum(axis=0) / n
    in_order *= rank
    b1 = in_order.sum(axis=0) / (n * (n - 1.0))
    in_order *= rank - 1.0
    b2 = in_order.sum(axis=0) / (n * (n - 1.0) * (n - 2.0))
    l2 = 2.0 * b1 - b0
    # A constant series leaves rounding, not spread.
    has_spread = l2 > 1e-12 * np.maximum(np.abs(b0), 1.0)
    l2[~has_spread] = np.nan
    shape = -(6.0 * b2 - 6.0 * b1 + b0) / l2
    shape[np.abs(shape) >= 1.0] = np.nan
    straight = np.abs(shape) < _NO_SKEW
    bend = np.pi * np.where(straight, 0.5, shape)
    sine = np.sin(bend)
    spread = np.where(straight, l2, l2 * sine / bend)
    location = b0 - np.where(straight, 0.0, spread * (np.pi / bend - np.pi / sine))
    return location, spread, np.where(straight, 0.0, shape)


def _standardise(sums: Floats, location: Floats, spread: Floats, shape: Floats) -> None:
    """Turn (years, lanes) into normal quantiles of their generalised logistic probability, in place.

    ±inf beyond the distribution's support.
    """
    straight = shape == 0.0
    own = (sums[:, straight] - location[straight]) / spread[straight]  # the logit of a distribution without skew
    # 1 − k (x − ξ)/α, as one product and one sum
    slope = -shape / spread
    sums *= slope
    sums += 1.0 - slope * location
    # log 0 is the end of the support; exp(∞) the probability 0 beyond it.
    with np.errstate(divide="ignore", over="ignore"):
        np.maximum(sums, 0.0, out=sums)
        np.log(sums, out=sums)
        sums *= -1.0 / np.where(straight, np.nan, shape)
        sums[:, straight] = own
        # The smaller of the two tails keeps its digits: there the quantile is taken, and given its sign back.
        tail = np.abs(sums)
        np.exp(tail, out=tail)
    tail += 1.0
    np.divide(1.0, tail, out=tail)
    ndtri(tail, out=tail)
    np.copysign(tail, sums, out=sums)


def _by_year(index: ArrayLike, first_year: int) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    """Years, SPEI as (years, 12, cells), and which years have all 12 values."""
    months = columns("index", index, infinite=True)
    n_years = -(-months.shape[0] // _MONTHS)
    padded = np.full((n_years * _MONTHS, months.shape[1]), np.nan)
    padded[: months.shape[0]] = months
    by_month = padded.reshape(n_years, _MONTHS, months.shape[1])
    complete: NDArray[np.bool_] = np.all(~np.isnan(by_month), axis=1)
    return np.arange(first_year, first_year + n_years), by_month, complete
