"""From a score to a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LEVELS: Final = ("very_low", "low", "medium", "high", "very_high")
"""In rising order."""
CUTS: Final = (20.0, 40.0, 60.0, 80.0)
"""The least score of each level but the first."""


def level_of(score: float) -> str | None:
    """The level of a score of 0 to 100; None for NaN."""
    index = int(level_indices(score))
    return None if index < 0 else LEVELS[index]


def level_indices(scores: ArrayLike) -> NDArray[np.int8]:
    """Positions in LEVELS of many scores; -1 for NaN."""
    values = np.asarray(scores, dtype=np.float64)
    indices = np.searchsorted(np.asarray(CUTS), values, side="right")
    return np.where(np.isnan(values), -1, indices).astype(np.int8)
