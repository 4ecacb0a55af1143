"""Monthly rain and evapotranspiration become the drought index SPEI-12 and its yearly figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import Cadence
from aiops.indices.drought import dry_share, spei, spei_minimum
from aiops.ingest.aligned import align, by_baseline
from aiops.ingest.evapotranspiration import PET
from aiops.ingest.months import monthly_sum, whole_years

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiops.climate import Series

RAIN = "pr_month"
DROUGHT_INDICATORS = ("spei12", "spei12_min", "spei12_dry_share")
_BEYOND = 10.0
"""What is stored for an SPEI beyond the fitted distribution, which is infinite."""


def monthly_rain(daily: Iterable[Series]) -> Iterator[Series]:
    """`pr_month` of every cell and scenario with daily rain; a month needs all its days.

    Args:
        daily: series of `pr` (others are passed over).
    """
    for some in align(daily, ("pr",), Cadence.DAILY, with_history=False):
        yield from some.series(RAIN, some.years, monthly_sum(some.values["pr"], some.dates), 12)


def drought_indicators(monthly: Iterable[Series]) -> Iterator[Series]:
    """`spei12` (monthly), `spei12_min` and `spei12_dry_share` of every cell and scenario with rain and PET.

    A scenario is measured against the baseline of its history and itself (`baseline_years`, over years with all 12
    months). A calendar month needs 15 years of baseline: cells with fewer are left out.

    Args:
        monthly: series of `pr_month` and `pet_month` (others are passed over), of any cells and scenarios.
    """
    for some in align(monthly, (RAIN, PET), Cadence.MONTHLY, needed=(RAIN, PET)):
        balance = some.values[RAIN] - some.values[PET]
        index = np.full(balance.shape, np.nan)
        for baseline, cells in by_baseline(some.years, whole_years(balance)):
            index[:, cells] = spei(balance[:, cells], 12, baseline.years, first_year=some.first_year)
        yield from some.series("spei12", some.years, np.clip(index, -_BEYOND, _BEYOND), 12)
        yield from some.series("spei12_min", *spei_minimum(index, some.first_year))
        yield from some.series("spei12_dry_share", *dry_share(index, some.first_year))
