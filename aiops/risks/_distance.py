"""What fades with distance: knots, linear in the logarithm of the distance between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def along_distance(
    distance_m: NDArray[np.float64], knots: tuple[tuple[float, float], ...], beyond: float
) -> NDArray[np.float64]:
    """A value by distance.

    Args:
        distance_m: metres, at least 0; NaN unknown.
        knots: (metres, value), ascending in metres; nearer than the first has the first value.
        beyond: the value farther than the last knot (a step).

    Returns:
        The shape of the distance; NaN where it is unknown.
    """
    metres = np.array([knot[0] for knot in knots])
    values = np.array([knot[1] for knot in knots])
    nearest = np.maximum(distance_m, metres[0])
    return np.where(distance_m > metres[-1], beyond, np.interp(np.log(nearest), np.log(metres), values))
