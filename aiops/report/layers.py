"""The layers of a batch's map: results in one byte each, packed so that a browser can unpack them.

A layer is one measure of one risk: a byte for each projection and cell. 0 is no result: nothing is drawn there. The
bytes of a projection are differences from those of the one before it (modulo 256), which deflate better; the whole is
base64 inside the page. Where that would be too much for a page, cells are drawn together in squares of 2 × 2, 3 × 3 …
and a square has the mean of its cells.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from aiops.climate import PROJECTIONS
from aiops.grid import FRAME

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aiops.db.reports import StoredMeasure

_N: Final = len(PROJECTIONS)
_STEPS: Final = 254
"""Codes 1 to 255: the scale in as many steps."""
_MOST_BYTES: Final = 17_000_000
"""Of all layers before they are packed, which leaves two thirds to nine tenths of it."""
_LEAST_SHARE: Final = 1e-4
"""The logarithmic scale of the losses reaches from its end down to this part of it."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One measure of one risk on the map's squares."""

    risk_type: str
    measure: str
    """`hazard` or `aal`."""
    codes: NDArray[np.uint8]
    """(33, squares)."""
    low: float
    """What code 1 stands for; of losses also what is less, 0 among it."""
    high: float
    """What code 255 stands for; a Hazard score, or a fraction a year."""

    def packed(self) -> str:
        """For the page."""
        differences = np.diff(self.codes, axis=0, prepend=np.uint8(0)).astype(np.uint8)
        return base64.b64encode(zlib.compress(differences.tobytes(), 9)).decode()


@dataclass(frozen=True, slots=True)
class Squares:
    """What the map is drawn of."""

    side: int
    """Cells along a side of a square."""
    columns: NDArray[np.int64]
    """(squares,), from the west, in squares."""
    rows: NDArray[np.int64]
    """(squares,), from the south."""
    of_cell: NDArray[np.int64]
    """(cells,): the square that each of the cells lies in."""
    spread: int
    """How many times its side a square is drawn, so that scattered cells can be seen."""

    @classmethod
    def of(cls, grid_ids: NDArray[np.int32], side: int) -> Squares:
        """The squares that some cells (ascending) lie in."""
        row, column = np.divmod(grid_ids.astype(np.int64) - 1, FRAME.columns)
        across = -(-FRAME.columns // side)
        keys, of_cell = np.unique(row // side * across + column // side, return_inverse=True)
        rows, columns = np.divmod(keys, across)
        return cls(side, columns, rows, of_cell.reshape(-1), _spread(rows, columns))

    def mean(self, values: NDArray[np.float32], places: NDArray[np.int64]) -> NDArray[np.float32]:
        """(33, squares) of (cells, 33); NaN where no cell of a square has a value.

        Args:
            values: of the cells.
            places: (cells,): the square of each.
        """
        if self.side == 1 and places.size == self.rows.size:
            return values.T
        out = np.full((_N, self.rows.size), np.nan, dtype=np.float32)
        for projection in range(_N):
            known = ~np.isnan(values[:, projection])
            n = np.bincount(places[known], minlength=self.rows.size)
            sums = np.bincount(places[known], values[known, projection].astype(np.float64), self.rows.size)
            np.divide(sums, n, out=out[projection], where=n > 0, casting="unsafe")
        return out

    def packed(self) -> dict[str, Any]:
        """For the page: places are differences, for they come in order."""
        keys = self.rows * 1000 + self.columns
        return {
            "side": self.side,
            "spread": self.spread,
            "n": int(keys.size),
            "places": base64.b64encode(zlib.compress(np.diff(keys, prepend=0).astype("<u4").tobytes(), 9)).decode(),
        }


def _spread(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> int:
    """About half the way to the nearest neighbour: cells that touch are drawn as they are."""
    if rows.size < 2:
        return 9
    from scipy.spatial import KDTree  # noqa: PLC0415  a tenth of a second

    points = np.stack([rows, columns], axis=-1)
    distance = np.asarray(KDTree(points).query(points, k=2)[0])
    return max(1, min(15, round(0.75 * float(np.median(distance[:, 1])))))


def hazard_codes(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    """Scores of 0 to 100 in even steps."""
    return _coded(values / 100), 0.0, 100.0


def aal_codes(values: NDArray[np.float32]) -> tuple[NDArray[np.uint8], float, float]:
    """Losses on a logarithmic scale up to the largest there is; what is less than its lower end has the first code."""
    known = values[~np.isnan(values)]
    high = float(known.max()) if known.size and known.max() > 0 else 1e-4
    low = high * _LEAST_SHARE
    with np.errstate(divide="ignore"):
        share = np.log(values / low) / np.log(high / low)
    return _coded(share), low, high


def layer_of(stored: StoredMeasure, measure: str, risk_type: str, squares: Squares, cells: NDArray[np.int32]) -> Layer:
    """A layer of what is stored.

    Args:
        stored: of some of the map's cells.
        measure: `hazard` or `aal`.
        risk_type: its name.
        squares: of all of the map's cells.
        cells: those cells, ascending.
    """
    places = squares.of_cell[np.searchsorted(cells, stored.grid_ids)]
    values = squares.mean(stored.values, places)
    codes, low, high = hazard_codes(values) if measure == "hazard" else aal_codes(values)
    return Layer(risk_type, measure, codes, low, high)


def side_of(grid_ids: NDArray[np.int32], layers: int) -> int:
    """Cells along a side of a square, so that a page with so many layers stays small enough."""
    side = 1
    while Squares.of(grid_ids, side).rows.size * _N * layers > _MOST_BYTES:
        side += 1
    return side


def _coded(share: NDArray[Any]) -> NDArray[np.uint8]:
    """0 where there is none; else 1 to 255 for 0 to 1."""
    with np.errstate(invalid="ignore"):
        codes = np.rint(1 + _STEPS * np.clip(share, 0, 1))
    return np.where(np.isnan(share), 0, codes).astype(np.uint8)
