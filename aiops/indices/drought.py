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
    n_months, n_cells = values.shape
    n_years = -(-n_months // _MONTHS)
    sums = np.full((n_years * _MONTHS, n_cells), np.nan)
    if n_months >= scale:
        sums[scale - 1 : n_months] = _moving_sum(values, scale)
    by_month = sums.reshape(n_years, _MONTHS, n_cells)
    location, spread, shape = _log_logistic(by_month[_baseline_rows(baseline, first_year, n_years)])
    index = _standardised(by_month, location, spread, shape)
    return like_input(index.reshape(n_years * _MONTHS, n_cells)[:n_months], balance)


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


def _baseline_rows(baseline: tuple[int, int] | None, first_year: int | None, n_years: int) -> slice:
    """The years of the fit among all."""
    if baseline is None:
        return slice(None)
    if first_year is None:
        raise BadInput("first_year: none given; allowed: the year of the first row, which a baseline needs")
    first, last = baseline[0] - first_year, baseline[1] - first_year
    if last < max(first, 0) or first >= n_years:
        raise BadInput(
            f"baseline: {baseline[0]} to {baseline[1]} given; "
            f"allowed: years within {first_year} to {first_year + n_years - 1}, the first before the last"
        )
    return slice(max(first, 0), last + 1)


def _log_logistic(sample: Floats) -> tuple[Floats, Floats, Floats]:
    """Location, scale and shape of a generalised logistic distribution of each lane of (years, 12, cells).

    Unbiased probability-weighted moments give L-moments, these the parameters (Hosking 1990; his sign of shape).
    NaN where there are too few values, no spread, or an L-skewness that no sample of numbers has.
    """
    in_order = np.sort(sample, axis=0)  # NaN goes last
    present = ~np.isnan(in_order)
    n = np.count_nonzero(present, axis=0).astype(np.float64)
    n[n < FEWEST_VALUES] = np.nan
    in_order = np.where(present, in_order, 0.0)
    rank = np.arange(sample.shape[0], dtype=np.float64)[:, np.newaxis, np.newaxis]
    b0 = np.sum(in_order, axis=0) / n
    b1 = np.sum(rank * in_order, axis=0) / (n * (n - 1.0))
    b2 = np.sum(rank * (rank - 1.0) * in_order, axis=0) / (n * (n - 1.0) * (n - 2.0))
    l2 = 2.0 * b1 - b0
    # A constant series leaves rounding, not spread.
    has_spread = l2 > 1e-12 * np.maximum(np.abs(b0), 1.0)
    l2 = np.where(has_spread, l2, np.nan)
    shape = -(6.0 * b2 - 6.0 * b1 + b0) / l2
    shape = np.where(np.abs(shape) < 1.0, shape, np.nan)
    straight = np.abs(shape) < _NO_SKEW
    bend = np.pi * np.where(straight, 0.5, shape)
    spread = np.where(straight, l2, l2 * np.sin(bend) / bend)
    location = b0 - np.where(straight, 0.0, spread * (np.pi / bend - np.pi / np.sin(bend)))
    return location, spread, np.where(straight, 0.0, shape)


def _standardised(values: Floats, location: Floats, spread: Floats, shape: Floats) -> Floats:
    """Normal quantile of the generalised logistic probability of (years, 12, cells); ±inf beyond its support."""
    index = np.empty_like(values)
    # 1 − k (x − ξ)/α, as one product and one sum; a distribution without skew has the logit (x − ξ)/α itself.
    straight = shape == 0.0
    slope = np.where(straight, 1.0, -shape) / spread
    start = np.where(straight, 0.0, 1.0) - slope * location
    sign = -1.0 / np.where(straight, -1.0, shape)
    # log 0 is the end of the support; exp(∞) the probability 0 beyond it.
    with np.errstate(divide="ignore", over="ignore"):
        for month in range(_MONTHS):  # what one month needs stays in the processor's caches
            logit = values[:, month] * slope[month]
            logit += start[month]
            if straight[month].any():
                logit[:, ~straight[month]] = np.log(np.maximum(logit[:, ~straight[month]], 0.0))
            else:
                np.log(np.maximum(logit, 0.0, out=logit), out=logit)
            logit *= sign[month]
            # The smaller of the two tails keeps its digits: there the quantile is taken, and given its sign back.
            tail = np.exp(np.abs(logit))
            tail += 1.0
            np.divide(1.0, tail, out=tail)
            np.copysign(ndtri(tail, out=tail), logit, out=index[:, month])
    return index


def _moving_sum(values: Floats, length: int) -> Floats:
    """Sums of `length` rows on end, by doubling: (rows − length + 1, cells)."""
    rows = values.shape[0] - length + 1
    total = np.zeros((rows, values.shape[1]))
    doubled, width, done = values, 1, 0
    while done < length:
        if length & width:
            total += doubled[done : done + rows]
            done += width
        if done < length:
            doubled = doubled[:-width] + doubled[width:]
            width *= 2
    return total


def _by_year(index: ArrayLike, first_year: int) -> tuple[NDArray[np.int64], Floats, NDArray[np.bool_]]:
    """Years, SPEI as (years, 12, cells), and which years have all 12 values."""
    months = columns("index", index, infinite=True)
    n_years = -(-months.shape[0] // _MONTHS)
    padded = np.full((n_years * _MONTHS, months.shape[1]), np.nan)
    padded[: months.shape[0]] = months
    by_month = padded.reshape(n_years, _MONTHS, months.shape[1])
    complete: NDArray[np.bool_] = np.all(~np.isnan(by_month), axis=1)
    return np.arange(first_year, first_year + n_years), by_month, complete
