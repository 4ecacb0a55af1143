"""Sites as the science takes them, from what the database says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aiops.assess.sites import Buildings, Sites

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Row = dict[str, Any]


def sites_of(questions: Sequence[Row], surroundings: Sequence[Row], buildings: Sequence[Row]) -> Sites:
    """Sites, each made of a question, its cell's attributes and its building; all three of the same length."""
    names = surroundings[0].keys()
    return Sites(
        latitude=_column(questions, "latitude"),
        longitude=_column(questions, "longitude"),
        attributes={name: _column(surroundings, name) for name in names},
        buildings=Buildings.of(buildings),
        asset_value=_column(questions, "asset_value"),
        insurance_rate=_column(questions, "insurance_rate"),
    )


def _column(records: Sequence[Row], name: str) -> NDArray[np.float64]:
    return np.array([record.get(name) for record in records], dtype=np.float64)
