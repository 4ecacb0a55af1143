"""Numbers as JSON has them: missing is null."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.climate import PROJECTIONS
from aiops.stats.codes import ResultStatus

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STATUS_NAMES = {0: "insufficient_data", **{int(status): status.name.lower() for status in ResultStatus}}


def plain(value: float | np.floating) -> float | None:
    """A number, or None for NaN."""
    number = float(value)
    return None if number != number else number  # noqa: PLR0124 (NaN alone differs from itself)


def plain_list(values: NDArray[np.float64]) -> list[float | None]:
    """(k,) as a list with None for NaN."""
    listed = values.tolist()
    return [None if value != value else value for value in listed]  # noqa: PLR0124


def status_name(code: int) -> str:
    """The word for a status; a cell without rows for a scenario lacks data."""
    return _STATUS_NAMES[code]


def reason_of(code: int, stored: str | None, projection: int) -> str | None:
    """Why there is no number, for a status code and the reason that is stored with it; None where there is one."""
    if code == 0:
        scenario = PROJECTIONS[projection].scenario
        return f"no yearly climate data of {scenario} in this cell (of daily data `aiops run indicators` makes them)"
    return stored if code >= ResultStatus.INSUFFICIENT_DATA else None
