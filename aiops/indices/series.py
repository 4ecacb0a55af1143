"""What every index does with its input first: make it columns, and refuse units that cannot be.

A check is by name and by value: `humidity: 104.2 …`. Values are refused, never corrected; the one exception
is the rounding of a packed float32, which is cut off at the bound it crossed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aiops.errors import BadInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True)
class Quantity:
    """What values of a physical quantity can be."""

    unit: str
    lowest: float
    highest: float
    hint: str
    """What a value beyond the bounds usually turns out to be."""


TEMPERATURE = Quantity("°C", -95.0, 70.0, "kelvin or a fill value")
RAIN = Quantity("mm", 0.0, 1e5, "a fill value or a trace code")
HUMIDITY = Quantity("%", 0.0, 100.0, "a fill value or supersaturation")
WIND = Quantity("a speed", 0.0, 500.0, "a component or a fill value")
RADIATION = Quantity("W/m²", 0.0, 1500.0, "a sum in J/m² or a fill value")
# The FWI grows with the wind without a bound: some 10⁶ at the strongest that WIND allows, with dry fuel.
FIRE_WEATHER = Quantity("FWI", 0.0, 1e7, "another index")
SUNSHINE = Quantity("hours", 0.0, 24.0, "minutes or a fill value")
LATITUDE = Quantity("degrees north", -66.0, 66.0, "a longitude or a polar place")
LONGITUDE = Quantity("degrees east", 0.0, 360.0, "a western longitude below 0")
ELEVATION = Quantity("m", -500.0, 9000.0, "a fill value")
VOLUME = Quantity("a volume", 0.0, 1e15, "a fill value")
HEIGHT = Quantity("m", -100.0, 9000.0, "a fill value, or cm")
EVAPOTRANSPIRATION = Quantity("mm", 0.0, 1e5, "a fill value")
_ROUNDING = 1e-3


def columns(name: str, values: ArrayLike, *, infinite: bool = False) -> NDArray[np.float64]:
    """Values as float64 (time, cells); 1-D becomes one column.

    Raises:
        BadInput: the values are not numbers, have no or more than two axes, or hold an infinity where none may be.
    """
    raw = np.asarray(values)
    if raw.dtype.kind not in "iuf":
        raise BadInput(f"{name}: {raw.dtype} given; allowed: numbers, NaN where missing")
    if raw.ndim not in (1, 2):
        raise BadInput(f"{name}: {raw.ndim} axes given; allowed: (time,) or (time, cells)")
    array = raw.astype(np.float64, copy=False)
    array = array[:, np.newaxis] if array.ndim == 1 else array
    if not infinite and np.isinf(extremes(array)).any():
        raise BadInput(f"{name}: an infinite value; allowed: numbers, NaN where missing")
    return array


def quantity(name: str, values: ArrayLike, kind: Quantity) -> NDArray[np.float64]:
    """Values as float64 (time, cells), after the check that they can be what they are said to be.

    Raises:
        BadInput: as `columns`, or a value lies outside what the quantity can be.
    """
    array = columns(name, values)
    low, high = extremes(array)
    if low < kind.lowest - _ROUNDING or high > kind.highest + _ROUNDING:
        worst = low if low < kind.lowest - _ROUNDING else high
        raise BadInput(
            f"{name}: {worst:g} cannot be in {kind.unit} ({kind.hint}?); "
            f"allowed: {kind.lowest:g} to {kind.highest:g} {kind.unit}"
        )
    if low < kind.lowest or high > kind.highest:
        return np.clip(array, kind.lowest, kind.highest)
    return array


def per_cell(name: str, values: ArrayLike, kind: Quantity, n_cells: int) -> NDArray[np.float64]:
    """A property of cells, given as one number or (cells,), as (cells,).

    Raises:
        BadInput: another shape, or a value outside what the quantity can be.
    """
    given = np.asarray(values)
    if given.ndim > 1 or given.size not in (1, n_cells):
        raise BadInput(f"{name}: shape {given.shape} given; allowed: a number or ({n_cells},)")
    return np.broadcast_to(quantity(name, given.reshape(-1), kind)[:, 0], (n_cells,))


def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of each lane along axis 0, NaN counting as 0.

    In the order of time whatever the number of lanes: numpy's own sum adds up a single column in another order than
    it adds several, and a cell's result would depend on the chunk it is computed in.
    """
    running: NDArray[np.float64] = np.cumsum(np.where(np.isnan(values), 0.0, values), axis=0)
    return running[-1] if values.shape[0] else np.zeros(values.shape[1:])


def extremes(array: NDArray[np.float64]) -> tuple[float, float]:
    """Least and greatest value, NaN left out; NaN, NaN where there is none."""
    if array.size == 0:
        return np.nan, np.nan
    return float(np.fmin.reduce(array, axis=None)), float(np.fmax.reduce(array, axis=None))


def like_input(result: NDArray[np.float64], values: ArrayLike) -> NDArray[np.float64]:
    """A result (time, cells), without its axis of cells where the input had none."""
    return result[:, 0] if np.ndim(values) == 1 else result


def same_shape(**arrays: NDArray[np.float64]) -> None:
    """Refuse inputs of one index that do not fit each other.

    Raises:
        BadInput: names the first array whose shape differs.
    """
    (first_name, first), *others = arrays.items()
    for name, array in others:
        if array.shape != first.shape:
            raise BadInput(f"{name}: shape {array.shape} given; allowed: {first.shape}, the shape of {first_name}")
