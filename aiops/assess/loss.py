"""What a risk costs the asset at a site in a mean year: base AAL, scaled by vulnerability and insurance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from aiops.assess._curve_by_use import base_by_use, rates_of_use
from aiops.risks import Driver
from aiops.stats.intervals import Bounded, difference
from aiops.stats.returns import PERIODS, ExceedanceCurve, exceedance_curve, losses_of_periods

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from aiops.assess.sites import Sites
    from aiops.risks import Risk

FACTOR_OF_0: Final = 0.9
"""The share of the base AAL at V = 0."""
FACTOR_PER_100: Final = 0.2
"""What is added to it up to V = 100."""

__all__ = ["PERIODS", "BaseLoss", "EveryBin", "ScaledLoss", "rates_of_use", "scale_loss"]


@dataclass(frozen=True, slots=True)
class EveryBin:
    """The bins of all projections."""

    probabilities: NDArray[np.float64]
    """(sites, 33, bins)."""
    rates: NDArray[np.float64]
    """(sites, 33, bins), or (sites, 1, bins) where they are those of every projection."""


@dataclass(frozen=True, slots=True)
class BaseLoss:
    """P(H) of the cells of some sites; NaN unknown."""

    aal: NDArray[np.float64]
    """(sites, 33), fraction of the asset's value a year."""
    aal_low: NDArray[np.float64]
    """(sites, 33): 5 % bound."""
    aal_high: NDArray[np.float64]
    """(sites, 33): 95 % bound."""
    status: NDArray[np.integer]
    """(sites, 33): a ResultStatus; 0 where the cell has no rows for the scenario."""
    probabilities: NDArray[np.float64]
    """(sites, 2, bins): of the baseline and of the projection that was asked for."""
    rates: NDArray[np.float64]
    """(sites, 2, bins): base damage rates."""
    every_bin: EveryBin | None = None
    """What a curve by use is applied through; needed where the risk has one (`Risk.by_use`), not read elsewhere."""

    @classmethod
    def of(
        cls,
        aal: Sequence[NDArray[np.float64]],
        status: NDArray[np.integer],
        probabilities: NDArray[np.float64],
        rates: NDArray[np.float64],
        projection: int,
    ) -> BaseLoss:
        """From the bins of all projections.

        Args:
            aal: AAL, its 5 % and its 95 % bound, (sites, 33) each.
            status: (sites, 33).
            probabilities: (sites, 33, bins).
            rates: (sites, 33, bins), or (sites, 1, bins) where they are those of every projection.
            projection: the place in `PROJECTIONS` of the one that was asked for.
        """
        two = [0, projection]
        mean, low, high = aal
        return cls(
            aal=mean,
            aal_low=low,
            aal_high=high,
            status=status,
            probabilities=probabilities[:, two],
            rates=rates[:, two] if rates.shape[1] > 1 else np.repeat(rates, 2, axis=1),
            every_bin=EveryBin(probabilities, rates),
        )


@dataclass(frozen=True, slots=True)
class ScaledLoss:
    """Losses of the asset by site; fractions of its value a year unless said otherwise, NaN unknown."""

    vulnerability_factor: NDArray[np.float64]
    """(sites,): .9 + .2·V/100."""
    base_aal: NDArray[np.float64]
    """(sites, 33): that of P(H), by the curve of the building's use where the risk has one."""
    base_aal_low: NDArray[np.float64]
    """(sites, 33): 5 % bound."""
    base_aal_high: NDArray[np.float64]
    """(sites, 33): 95 % bound."""
    final_aal: NDArray[np.float64]
    """(sites, 33): base_aal · vulnerability_factor · (1 − insurance rate)."""
    final_aal_low: NDArray[np.float64]
    """(sites, 33): 5 % bound."""
    final_aal_high: NDArray[np.float64]
    """(sites, 33): 95 % bound."""
    expected_loss: NDArray[np.float64]
    """(sites, 33), KRW a year, whole; NaN without an asset value."""
    change: NDArray[np.float64]
    """(sites, 33): final_aal less that of the baseline."""
    change_low: NDArray[np.float64]
    """(sites, 33): 5 % bound."""
    change_high: NDArray[np.float64]
    """(sites, 33): 95 % bound."""
    return_period_losses: NDArray[np.float64]
    """(sites, 2, 5): loss of a year that is exceeded once in 10, 20, 50, 100, 200; baseline and chosen projection."""
    exceedance: ExceedanceCurve
    """(sites, 2, bins) each: losses of a year, ascending, and the probability to exceed them."""


def scale_loss(
    risk: Risk,
    base: BaseLoss,
    sites: Sites,
    vulnerability: NDArray[np.float64],
    damage_set: str = "calibrated",
) -> ScaledLoss:
    """Scale the losses of P(H) to the asset.

    Vulnerability and insurance are the same in every projection and taken as known: the interval is that of the base
    AAL, scaled. The change gets its own from both (`aiops.stats.intervals.difference`); risks whose projections stand
    on the years of the baseline have bounds that move together.

    Args:
        risk: whose losses they are.
        base: P(H) of the sites' cells.
        sites: the sites.
        vulnerability: (sites,), V of 0 to 100; NaN unknown.
        damage_set: what P(H) was computed with.

    Raises:
        ValueError: the risk has a curve by use, a site is of such a use, and the bins of all projections are not given.
    """
    factor = FACTOR_OF_0 + FACTOR_PER_100 * (vulnerability / 100)
    kept = 1 - sites.insurance_rate
    base = base_by_use(risk, base, sites, damage_set)
    by_site, kept_by_site = factor[:, None], kept[:, None]
    final = Bounded(*(part * by_site * kept_by_site for part in (base.aal, base.aal_low, base.aal_high)))
    change = difference(
        final, Bounded(*(part[:, :1] for part in final)), of_the_same_years=risk.driver is not Driver.SERIES
    )
    # The baseline differs from itself by nothing, and that is certain.
    change.low[:, 0] = change.high[:, 0] = change.mean[:, 0]
    curve = exceedance_curve(base.probabilities, base.rates * (factor * kept)[:, None, None])
    return ScaledLoss(
        vulnerability_factor=factor,
        base_aal=base.aal,
        base_aal_low=base.aal_low,
        base_aal_high=base.aal_high,
        final_aal=final.mean,
        final_aal_low=final.low,
        final_aal_high=final.high,
        expected_loss=np.rint(final.mean * sites.asset_value[:, None]),
        change=change.mean,
        change_low=change.low,
        change_high=change.high,
        return_period_losses=losses_of_periods(curve),
        exceedance=curve,
    )
