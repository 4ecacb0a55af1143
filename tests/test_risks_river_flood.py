"""What a river reaches, by distance and height."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aiops.risks import find_risk
from aiops.risks._distance import along_distance

nan = math.nan


def reach(distance: float, elevation: float = nan, river: float = nan) -> float:
    attributes = {
        "river_distance_m": np.array([distance]),
        "elevation_m": np.array([elevation]),
        "river_elevation_m": np.array([river]),
    }
    rule = find_risk("river_flood").reach
    assert rule is not None
    return float(rule.at(attributes, 1)[0])


@pytest.mark.parametrize(("distance", "expected"), [(0, 1), (300, 1), (1000, 0.3), (2000, 0), (2001, 0), (50_000, 0)])
def test_reach_at_its_knots_and_beyond(distance: float, expected: float) -> None:
    assert reach(distance) == pytest.approx(expected)


def test_reach_is_linear_in_the_logarithm_between_knots() -> None:
    assert reach(math.sqrt(300 * 1000)) == pytest.approx(0.65)
    assert reach(math.sqrt(1000 * 2000)) == pytest.approx(0.15)


def test_a_place_more_than_10_m_above_its_river_is_not_reached() -> None:
    assert reach(100, 30.0, 20.0) == 1
    assert reach(100, 30.1, 20.0) == 0
    assert reach(100, nan, 20.0) == 1  # one height unknown: the distance alone


def test_an_unknown_distance_is_unknown_and_not_a_number() -> None:
    assert math.isnan(reach(nan))
    rule = find_risk("river_flood").reach
    assert rule is not None
    assert np.isnan(rule.at({}, 3)).tolist() == [True] * 3
    assert rule.national_mean == 0.15


def test_beyond_the_last_knot_a_value_may_step() -> None:
    forest = ((30, 1.0), (100, 0.7), (500, 0.4), (1000, 0.1))
    values = along_distance(np.array([0.0, 30, 1000, 1001, nan]), forest, beyond=0.05)
    assert values[:4].tolist() == pytest.approx([1, 1, 0.1, 0.05])
    assert math.isnan(values[4])
