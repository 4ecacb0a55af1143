"""Base losses by the damage curve of the building's use, where P(H) knew no building."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from aiops.assess.loss import BaseLoss
    from aiops.assess.sites import Sites
    from aiops.risks import Risk

    Convert = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def base_by_use(risk: Risk, base: BaseLoss, sites: Sites, damage_set: str) -> BaseLoss:
    """The losses of sites whose use is known to have a curve of its own, by that curve; the others as they are.

    Rates are converted bin by bin. The AAL of a projection goes with Σ P·rates, and its bounds with it, at most 1.

    Raises:
        ValueError: there is such a site, and the bins of all projections are not given.
    """
    if risk.by_use is None or risk.by_use.damage_set != damage_set:
        return base
    unknown = sites.buildings.defaulted.get("use")
    known = np.ones(sites.n_sites, dtype=np.bool_) if unknown is None else ~unknown
    for use, convert in risk.by_use.convert.items():
        where = np.flatnonzero(known & (sites.buildings.use == use))
        if where.size:
            base = _converted(base, where, convert, risk.name)
    return base


def _converted(base: BaseLoss, where: NDArray[np.intp], convert: Convert, name: str) -> BaseLoss:
    if base.every_bin is None:
        raise ValueError(f"{name}: the curve by use needs the bins of all projections")
    p, rates = base.every_bin.probabilities[where], base.every_bin.rates[where]
    before, after = (p * rates).sum(axis=-1), (p * convert(rates)).sum(axis=-1)
    ratio = np.ones_like(before)
    np.divide(after, before, out=ratio, where=before > 0)
    bins = base.rates.copy()
    bins[where] = convert(bins[where])
    return dataclasses.replace(
        base,
        aal=_times(base.aal, where, ratio),
        aal_low=_times(base.aal_low, where, ratio),
        aal_high=_times(base.aal_high, where, ratio),
        rates=bins,
    )


def _times(values: NDArray[np.float64], where: NDArray[np.intp], ratio: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = values.copy()
    scaled[where] = np.minimum(values[where] * ratio, 1.0)
    return scaled
