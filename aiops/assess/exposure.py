"""Exposure E of sites to one risk: how much stands there, and how near the hazard comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from aiops.assess.sites import Sites
    from aiops.risks import Risk

LEAST_ASSET: Final = 0.1
"""However small, an asset counts for so much."""
VALUE_KRW: Final = 1e8
"""The asset value of 0, and three orders of magnitude above it that of 1."""
VALUE_ORDERS: Final = 3.0
FLOOR_AREA_M2: Final = 100.0
"""The floor area of 0, and two orders above it that of 1; it stands for an asset value that is not given."""
FLOOR_AREA_ORDERS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """Results by site, (sites,)."""

    normalized_asset_value: NDArray[np.float64]
    """0.1 to 1."""
    proximity_factor: NDArray[np.float64]
    """0 to 1."""
    exposure: NDArray[np.float64]
    """E = normalized_asset_value · proximity_factor, 0 to 1."""
    is_default: NDArray[np.bool_]
    """Whether a default stands for anything that it was made of."""
    defaulted: Mapping[str, NDArray[np.bool_]]
    """By attribute or field of the building: the sites for which a default stands."""


def assess_exposure(sites: Sites, risk: Risk) -> Exposure:
    """Exposure of every site.

    Raises:
        ValueError: the risk does not describe its proximity.
    """
    if risk.proximity is None:
        raise ValueError(f"{risk.name}: its proximity is not described")
    asset = normalized_asset_value(sites)
    proximity = np.broadcast_to(risk.proximity.at(sites), asset.shape)
    defaulted = sites.defaulted(risk.proximity.reads)
    unvalued = np.isnan(sites.asset_value)
    area = sites.buildings.defaulted.get("floor_area_m2")
    if area is not None and (area & unvalued).any():
        defaulted["floor_area_m2"] = area & unvalued
    return Exposure(asset, proximity, asset * proximity, sites.any_defaulted(defaulted), defaulted)


def normalized_asset_value(sites: Sites) -> NDArray[np.float64]:
    """What stands at a site on a logarithmic scale of 0.1 to 1: (sites,).

    clip(log10(value / 10⁸ KRW)/3, .1, 1), or without a value clip(log10(floor area / 100 m²)/2, .1, 1).
    """
    value = np.log10(np.maximum(sites.asset_value, VALUE_KRW) / VALUE_KRW) / VALUE_ORDERS
    area = np.log10(np.maximum(sites.buildings.floor_area_m2, FLOOR_AREA_M2) / FLOOR_AREA_M2) / FLOOR_AREA_ORDERS
    asset = np.where(np.isnan(value), area, value)
    return np.minimum(np.maximum(asset, LEAST_ASSET), 1.0)
