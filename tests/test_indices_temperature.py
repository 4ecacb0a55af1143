from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import numpy as np
import pytest

from aiops.climate import calendar_days
from aiops.errors import BadInput
from aiops.indices.temperature import fd, tn25, tnm12, tnn, tx33, txx

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DATES = calendar_days(2011, 1)


def with_days(usual: float, *days: float) -> np.ndarray:
    """A year of one temperature, with others on the days from 1 March."""
    values = np.full(DATES.size, usual)
    values[59 : 59 + len(days)] = days
    return values


@pytest.mark.parametrize(
    ("index", "usual", "days", "expected"),
    [
        (tx33, 20.0, (33.0, 32.9, 40.1), 2.0),
        (tn25, 10.0, (25.0, 24.9, 28.0), 2.0),
        (tnm12, 0.0, (-12.0, -11.9, -20.0), 2.0),
        (fd, 5.0, (0.0, -0.1, -20.0), 2.0),
        (txx, 20.0, (33.0, 41.2, np.nan), 41.2),
        (tnn, 5.0, (-3.0, np.nan, -17.5), -17.5),
    ],
)
def test_each_index_keeps_its_bound(
    index: Callable[..., tuple[np.ndarray, np.ndarray]], usual: float, days: tuple[float, ...], expected: float
) -> None:
    years, values = index(with_days(usual, *days), DATES)
    assert list(years) == [2011]
    assert list(values) == [expected]


@pytest.mark.parametrize("index", [tx33, tn25, tnm12, fd, txx, tnn])
def test_a_year_may_miss_fifteen_days_and_no_more(index: Callable[..., tuple[np.ndarray, np.ndarray]]) -> None:
    _, values = index(np.column_stack([with_days(5.0, *[np.nan] * n) for n in (15, 16, 365 - 59)]), DATES)
    assert list(np.isnan(values[0])) == [False, True, True]


def test_kelvin_is_refused() -> None:
    with pytest.raises(BadInput, match=r"tasmin: 278\.15 cannot be in °C"):
        tnn(with_days(278.15), DATES)


@pytest.mark.oracle
def test_daegu_has_many_hot_days_and_ulleungdo_about_one(shared_data: Path) -> None:
    with gzip.open(shared_data / "asos_daily_31_stations_2011_2019.csv.gz", "rt", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    mean = {}
    for station in {row["stnId"] for row in rows}:
        own = [row for row in rows if row["stnId"] == station]
        _, values = tx33([float(row["maxTa"] or "nan") for row in own], [row["tm"] for row in own])
        mean[station] = np.mean(values[~np.isnan(values)])
    assert mean["143"] == pytest.approx(32.0, abs=2.0)
    assert mean["115"] == pytest.approx(1.0, abs=1.0)
    assert mean["115"] < mean["143"]
