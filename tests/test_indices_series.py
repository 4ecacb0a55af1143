from __future__ import annotations

import numpy as np
import pytest

from aiops.errors import BadInput
from aiops.indices import series
from aiops.indices.series import HUMIDITY, RAIN, TEMPERATURE, columns, per_cell, quantity


@pytest.mark.parametrize(
    ("kind", "value"),
    [(TEMPERATURE, 288.15), (TEMPERATURE, -999.0), (RAIN, -0.1), (RAIN, -99.0), (HUMIDITY, 104.0), (HUMIDITY, -9.0)],
)
def test_a_unit_that_cannot_be_is_refused_by_name(kind: series.Quantity, value: float) -> None:
    with pytest.raises(BadInput, match=r"^weather: .*allowed: ") as refused:
        quantity("weather", [10.0, value, np.nan], kind)
    assert f"{value:g}" in str(refused.value)


def test_the_rounding_of_a_packed_value_is_no_reason_to_refuse() -> None:
    humidity = quantity("humidity", np.array([100.00001, 55.0], dtype=np.float32), HUMIDITY)
    assert humidity[0, 0] == 100.0
    assert humidity.dtype == np.float64


def test_missing_values_pass() -> None:
    assert np.isnan(quantity("rain", [np.nan, np.nan], RAIN)).all()


def test_an_infinite_value_is_refused() -> None:
    with pytest.raises(BadInput, match="rain: an infinite value"):
        quantity("rain", [0.0, np.inf], RAIN)


def test_text_and_cubes_are_refused() -> None:
    with pytest.raises(BadInput, match="allowed: numbers"):
        columns("rain", ["a", "b"])
    with pytest.raises(BadInput, match="3 axes given"):
        columns("rain", np.zeros((2, 2, 2)))


def test_a_property_of_cells_may_be_one_number_for_all() -> None:
    assert list(per_cell("elevation", 12.0, series.ELEVATION, 3)) == [12.0] * 3
    with pytest.raises(BadInput, match="elevation: shape"):
        per_cell("elevation", [1.0, 2.0], series.ELEVATION, 3)
