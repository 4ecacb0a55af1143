"""From a score to a word."""

from __future__ import annotations

import math

import pytest

from aiops.assess.levels import LEVELS, level_indices, level_of


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (0, "very_low"), (19.999, "very_low"), (20, "low"), (40, "medium"), (59.9, "medium"), (60, "high"),
        (80, "very_high"), (100, "very_high"), (math.nan, None),
    ],
)  # fmt: skip
def test_a_level_starts_at_its_cut(score: float, level: str | None) -> None:
    assert level_of(score) == level


def test_many_scores_at_once() -> None:
    assert [LEVELS[i] for i in level_indices([5, 45, 95])] == ["very_low", "medium", "very_high"]
    assert level_indices([[math.nan]]).tolist() == [[-1]]
