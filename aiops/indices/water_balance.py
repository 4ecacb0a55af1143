"""Water that a place has and water that it takes: Budyko's long-term balance, river flow, the water stress index.

Source: Budyko, M. I. (1974): Climate and Life. Academic Press. The curve is meant for years and longer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput
from aiops.indices.series import EVAPOTRANSPIRATION, RAIN, VOLUME, like_input, per_cell, quantity, same_shape, total

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

ENVIRONMENTAL_SHARE = 0.37
"""Share of the flow that a river keeps for itself."""
_TRACE = 1e-6  # mm; less than this is nothing, and its ratios are not numbers one can compute with


def evaporation(precipitation: ArrayLike, potential: ArrayLike) -> Floats:
    """Actual evaporation of a year: E = P·√(φ·tanh(1/φ)·(1 − e^−φ)), φ = PET/P (Budyko 1974).

    Args:
        precipitation: P, mm a year, (years, cells) or (years,).
        potential: potential evapotranspiration, PET, mm a year, same shape.

    Returns:
        mm a year, the same shape: at most P, at most PET; 0 without rain.

    Raises:
        BadInput: shapes that do not fit, amounts below 0.
    """
    water = quantity("precipitation", precipitation, RAIN)
    energy = quantity("potential", potential, EVAPOTRANSPIRATION)
    same_shape(precipitation=water, potential=energy)
    some = (water > _TRACE) & (energy > _TRACE)
    dryness = np.divide(energy, water, out=np.ones_like(water), where=some)
    share = np.sqrt(dryness * np.tanh(1.0 / dryness) * -np.expm1(-dryness))
    missing = np.isnan(water) | np.isnan(energy)
    return like_input(np.where(missing, np.nan, np.where(some, water * share, 0.0)), precipitation)


def runoff(precipitation: ArrayLike, potential: ArrayLike) -> Floats:
    """Water that runs off in a year, P − E, mm, never below 0. Arguments, shapes and errors as `evaporation`."""
    evaporated = evaporation(precipitation, potential)
    return np.maximum(np.asarray(precipitation, dtype=np.float64) - evaporated, 0.0)


def scaled_flow(runoff: ArrayLike, years: ArrayLike, gauged: ArrayLike, baseline: tuple[int, int]) -> Floats:
    """River flow of each year: runoff, scaled so that its mean over the baseline is the gauged flow.

    Args:
        runoff: mm a year, (years, cells) or (years,).
        years: (years,).
        gauged: mean flow over the baseline, in any unit of volume a year, a number or (cells,).
        baseline: first and last year, both included; years without runoff are left out.

    Returns:
        Flow in the unit of `gauged`, the shape of `runoff`; NaN where the baseline has no runoff.

    Raises:
        BadInput: shapes that do not fit, amounts below 0, a baseline outside the years.
    """
    water = quantity("runoff", runoff, RAIN)
    calendar = np.asarray(years)
    if calendar.shape != (water.shape[0],):
        raise BadInput(f"years: shape {calendar.shape} given; allowed: ({water.shape[0]},)")
    inside = (calendar >= baseline[0]) & (calendar <= baseline[1])
    if not inside.any():
        raise BadInput(f"baseline: {baseline[0]} to {baseline[1]} lies outside the years given")
    flow = per_cell("gauged", gauged, VOLUME, water.shape[1])
    sample = water[inside]
    present = np.count_nonzero(~np.isnan(sample), axis=0)
    water_of_baseline = total(sample)
    factor = np.divide(
        flow * present, water_of_baseline, out=np.full(flow.shape, np.nan), where=water_of_baseline > 0.0
    )
    return like_input(water * factor, runoff)


def water_stress(withdrawal: ArrayLike, flow: ArrayLike, reserved: float = ENVIRONMENTAL_SHARE) -> Floats:
    """WSI: water withdrawn over the water that may be, W / (Q·(1 − 0.37)).

    Args:
        withdrawal: of each year, (years, cells) or (years,).
        flow: `scaled_flow(…)`, in the unit of `withdrawal`, same shape.
        reserved: share of the flow that stays in the river, 0 to below 1.

    Returns:
        The ratio, the same shape; infinite where water is withdrawn from no flow.

    Raises:
        BadInput: shapes that do not fit, amounts below 0, a share outside 0 to 1.
    """
    if not 0.0 <= reserved < 1.0:
        raise BadInput(f"reserved: {reserved} given; allowed: 0 to below 1")
    used = quantity("withdrawal", withdrawal, VOLUME)
    supply = quantity("flow", flow, VOLUME) * (1.0 - reserved)
    same_shape(withdrawal=used, flow=supply)
    with np.errstate(divide="ignore", invalid="ignore"):  # nothing of nothing is not a number, and stays so
        return like_input(used / supply, withdrawal)
