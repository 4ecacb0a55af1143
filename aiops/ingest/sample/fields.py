"""The standard normal fields that the weather of the sample is made of, day by day over the cells."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import SCENARIOS
from aiops.ingest.sample.days import course_rows, dates_of
from aiops.ingest.sample.land import sample_cells
from aiops.ingest.sample.noise import Field, Stream, loadings, local_noise, mode_series
from aiops.ingest.sample.normals import monthly_to_daily

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Singles = NDArray[np.float32]

AIR_MASS = Field(
    Stream.AIR_MASS,
    national=0.72,
    local=0.0,
    quick=0.70,
    slow=0.94,
    # Summers persist: the heat of 1994 and 2018 lasted for weeks.
    slow_share=(0.16, 0.16, 0.14, 0.14, 0.16, 0.28, 0.42, 0.42, 0.20, 0.12, 0.12, 0.14),
)
"""How warm the air is."""
CLEAR_SKY = Field(Stream.CLEAR_SKY, national=0.5, local=0.0, quick=0.5, slow=0.9, slow_share=(0.2,) * 12)
"""How clear the sky is, apart from rain."""
RAIN = Field(Stream.RAIN, national=0.42, local=0.10, quick=0.45, slow=0.93, slow_share=(0.0,) * 12)
"""How near it is to rain, and how hard it rains."""
HUMIDITY = Field(Stream.HUMIDITY, national=0.6, local=0.10, quick=0.6, slow=0.93, slow_share=(0.1,) * 12)
"""How moist the air is, apart from rain."""
WIND = Field(Stream.WIND, national=0.45, local=0.25, quick=0.5, slow=0.9, slow_share=(0.1,) * 12)
"""How windy it is."""


_ROWS_AT_ONCE = 32
"""Days of one matrix product: so small that a linear algebra library starts no threads, which would only wait."""


class NormalField:
    """One field under one scenario at a set of cells: standard normal everywhere, correlated in space and time."""

    def __init__(self, field: Field, seed: int, scenario: str, grid_ids: Sequence[int]) -> None:
        self._modes = _modes(field, seed, scenario)
        self._loadings = _all_loadings(field)
        self._columns = _columns(tuple(grid_ids))

    def of(self, days: slice) -> Singles:
        """The field on some days: (days, cells), without the cells' own noise.

        All cells are multiplied, whichever were asked for: a matrix product of another width may round otherwise.
        """
        modes = self._modes[days]
        values = np.empty((len(modes), self._loadings.shape[1]), dtype=np.float32)
        for start in range(0, len(modes), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            np.matmul(modes[rows], self._loadings, out=values[rows])
        return np.asarray(values[:, self._columns])


def own_noise(
    stream: Stream, seed: int, scenario: str, dates: NDArray[np.datetime64], grid_ids: Sequence[int]
) -> Singles:
    """The cells' own standard normal noise, white in time: a view (days, cells)."""
    return local_noise(seed, stream, scenario, grid_ids, len(dates)).T


@lru_cache(maxsize=len(SCENARIOS) * 6)
def _modes(field: Field, seed: int, scenario: str) -> Singles:
    """Series of the modes of one of the fields above, some 2 MB; several of a scenario's variables share them."""
    return mode_series(field, seed, scenario, monthly_to_daily(field.slow_share)[course_rows(dates_of(scenario))])


@lru_cache(maxsize=8)
def _all_loadings(field: Field) -> Singles:
    """Weights of the modes at all sample cells."""
    cells = sample_cells()
    return loadings(field, [cell.latitude for cell in cells], [cell.longitude for cell in cells])


@lru_cache(maxsize=2)
def _columns(grid_ids: tuple[int, ...]) -> NDArray[np.intp]:
    """Positions of cells among all sample cells."""
    position = {cell.grid_id: column for column, cell in enumerate(sample_cells())}
    return np.array([position[grid_id] for grid_id in grid_ids], dtype=np.intp)
