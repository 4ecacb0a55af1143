"""Base losses by the damage curve of the building's use, where P(H) knew no building."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from aiops.risks import find_risk

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from aiops.assess.loss import BaseLoss
    from aiops.assess.sites import Sites
    from aiops.risks import Risk

    Convert = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def rates_of_use(risk_type: str, damage_set: str, use: str | None) -> Convert | None:
    """What makes the base damage rates of P(H) those of a building's use; None where they stand as they are.

    Args:
        risk_type: name or alias.
        damage_set: what P(H) was computed with.
        use: of the building; None: unknown, so that a default stands for it.
    """
    return None if use is None else _conversions(find_risk(risk_type), damage_set).get(use)


def _conversions(risk: Risk, damage_set: str) -> Mapping[str, Convert]:
    """By use, where it has a curve of its own."""
    return risk.by_use.convert if risk.by_use is not None and risk.by_use.damage_set == damage_set else {}


def base_by_use(risk: Risk, base: BaseLoss, sites: Sites, damage_set: str) -> BaseLoss:
    """The losses of sites whose use is known to have a curve of its own, by that curve; the others as they are.

    Rates are converted bin by bin. The AAL of a projection goes with Σ P·rates, and its bounds with it, at most 1.

    Raises:
        ValueError: there is such a site, and the bins of all projections are not given.
    """
    unknown = sites.buildings.defaulted.get("use")
    known = np.ones(sites.n_sites, dtype=np.bool_) if unknown is None else ~unknown
    for use, convert in _conversions(risk, damage_set).items():
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
