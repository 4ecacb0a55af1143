"""Why a cell has no number, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aiops.climate import PROJECTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray


def reasons_of(failed: NDArray[np.bool_], explain: Callable[[int, int], str]) -> list[str | None]:
    """One reason per cell: that of its first projection that was not computed.

    Args:
        failed: (33, cells).
        explain: called with (projection, cell) of the cells that need one.
    """
    reasons: list[str | None] = [None] * failed.shape[1]
    first = np.argmax(failed, axis=0)
    for cell in np.flatnonzero(failed.any(axis=0)).tolist():
        reasons[cell] = explain(int(first[cell]), cell)
    return reasons


def years_missing(n_years: int, least: int, variable: str, projection: int, purpose: str = "are needed") -> str:
    """Says how many years there are, of what, where, and how many it takes."""
    window = PROJECTIONS[projection]
    years = "no year" if n_years == 0 else f"{n_years} year{'s' if n_years > 1 else ''}"
    return f"{years} of {variable} in {window.scenario} {window.horizon}; at least {least} {purpose}"


def warming_missing(projection: int) -> str:
    """Says whose warming is unknown."""
    window = PROJECTIONS[projection]
    return f"the global warming of {window.scenario} in the {window.horizon} is unknown"
