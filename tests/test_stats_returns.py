"""Return-period losses and the exceedance curve follow from the bins' own P."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aiops.stats.returns import PERIODS, exceedance_curve, return_period_losses

FLOOD_P = np.array([0.95, 0.03, 0.01, 0.005, 0.005])
FLOOD_RATES = np.array([0, 0.0005, 0.005, 0.03, 0.10])

weights = hnp.arrays(np.float64, 5, elements=st.floats(0, 1)).filter(lambda w: w.sum() > 1e-3)
rates = hnp.arrays(np.float64, 5, elements=st.floats(0, 1))


def test_each_loss_of_the_baseline_flood_is_that_of_its_return_period() -> None:
    losses = return_period_losses(np.diff([0, 0.95, 0.98, 0.99, 0.995, 1]), FLOOD_RATES, [10, 20, 50, 100, 200])
    assert losses.tolist() == [0, 0, 0.0005, 0.005, 0.03]
    assert return_period_losses(FLOOD_P, FLOOD_RATES, [201]).tolist() == [0.10]


def test_the_curve_by_hand() -> None:
    curve = exceedance_curve([0.5, 0.25, 0.25], [0.02, 0.0, 0.3])
    assert curve.losses.tolist() == [0.0, 0.02, 0.3]
    assert curve.exceedance.tolist() == [0.75, 0.25, 0.0]


@given(w=weights, r=rates)
@settings(max_examples=100, deadline=None)
def test_the_area_under_the_curve_is_the_mean_loss(w: np.ndarray, r: np.ndarray) -> None:
    p = w / w.sum()
    curve = exceedance_curve(p, r)
    area = curve.losses[0] + (np.diff(curve.losses) * curve.exceedance[:-1]).sum()
    assert area == pytest.approx((p * r).sum(), abs=1e-12)


@given(w=weights, r=rates)
@settings(max_examples=100, deadline=None)
def test_losses_do_not_fall_with_the_period_and_are_never_negative(w: np.ndarray, r: np.ndarray) -> None:
    p = w / w.sum()
    losses = return_period_losses(p, r)
    assert (np.diff(losses) >= 0).all()
    assert (losses >= 0).all()
    assert (np.diff(exceedance_curve(p, r).exceedance) <= 0).all()


def test_what_was_not_computed_stays_so() -> None:
    p = np.stack([FLOOD_P, np.full(5, np.nan)])
    losses = return_period_losses(p, FLOOD_RATES)
    assert losses.shape == (2, len(PERIODS))
    assert not np.isnan(losses[0]).any()
    assert np.isnan(losses[1]).all()
    assert np.isnan(exceedance_curve(p, FLOOD_RATES).exceedance[1]).all()
