"""Typhoon: the curve, its integral over the bins, warming, places that no storm comes near."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from nine_risks import STORM_YEARS, YEARS, nine_risk_block
from scipy import integrate, stats

from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.climate import PROJECTIONS, SCENARIOS
from aiops.risks import find_risk
from aiops.risks.typhoon import EMANUEL, damage_by_wind, slope_of_damage
from aiops.stats.bins import estimate, probabilities
from aiops.stats.codes import Estimator, ResultStatus

TYPHOON = find_risk("typhoon")
EDGES = (17, 25, 33, 44)
LAST = 32
nan = math.nan


@pytest.mark.parametrize(
    ("wind", "expected"),
    [
        (0, 0), (22.6, 0),  # 22.6/.88 = 25.68 m/s, just below the threshold
        (0.88 * 25.7, 0), (0.88 * 108.1, 1 / 9),  # v = 1/2: 1/8 over 9/8
        (44, 0.0031956),  # v = (50 - 25.7)/164.8 = .14745
        (33, 0.00036696),
    ],
)  # fmt: skip
def test_the_curve_by_hand(wind: float, expected: float) -> None:
    assert damage_by_wind(np.array([wind]))[0] == pytest.approx(min(expected, EMANUEL.highest), rel=1e-4)


def test_the_slope_is_the_curves() -> None:
    w = np.linspace(20, 99, 80)
    assert slope_of_damage(w) == pytest.approx((damage_by_wind(w + 1e-4) - damage_by_wind(w - 1e-4)) / 2e-4, abs=1e-8)


@pytest.mark.parametrize("median", [24, 30, 38])
@pytest.mark.parametrize("spread", [0.15, 0.25, 0.4])
def test_the_steps_integrate_as_the_curve_does(median: float, spread: float) -> None:
    truth = stats.lognorm(spread, scale=median)
    exact = integrate.quad(lambda w: float(slope_of_damage(np.array([w]))[0]) * truth.sf(w), 22.616, 100, limit=200)[0]
    steps = (np.array(EMANUEL.rises) * truth.sf(EMANUEL.steps)).sum()
    assert steps == pytest.approx(exact, rel=0.01)


def test_a_bins_damage_rate_is_the_curves_mean_over_it() -> None:
    block = nine_risk_block()
    found = assess_probability(block, TYPHOON)
    x = block.values["max_site_wind"][0, STORM_YEARS, 1]
    assert found.probabilities[1, 0] == pytest.approx(probabilities(x, EDGES, "hurdle", closed="right"), abs=1e-15)
    # The same distribution in 2,000 narrow bins.
    narrow = np.concatenate([np.linspace(17, 44, 1001), np.linspace(44.05, 100, 1000)])
    p = probabilities(x, narrow, "hurdle", closed="right")[1:-1]
    loss = p * damage_by_wind((narrow[1:] + narrow[:-1]) / 2)
    for i, (low, high) in enumerate([(17, 25), (25, 33), (33, 44), (44, 101)], start=1):
        inside = (narrow[:-1] >= low - 1e-9) & (narrow[:-1] < high - 1e-9)
        # Nodes stand for the whole loss; where a tail runs out within a bin, its own mean is less exact.
        tolerance = {1: {"abs": 1e-6}, 4: {"rel": 0.1}}.get(i, {"rel": 0.02})
        assert found.damage_rates[1, 0, i] == pytest.approx(loss[inside].sum() / p[inside].sum(), **tolerance)
    assert found.aal[1, 0] == pytest.approx(loss.sum(), rel=0.01)
    assert found.damage_rates[1, 0, 0] == 0


def test_damage_rates_lie_within_their_bins_and_differ_by_projection() -> None:
    found = assess_probability(nine_risk_block(), TYPHOON)
    at_edges = damage_by_wind(np.array([0, *EDGES, 100.0]))
    assert (found.damage_rates >= at_edges[:-1] - 1e-15).all()
    assert (found.damage_rates <= at_edges[1:] + 1e-15).all()
    assert len({tuple(rates) for rates in found.damage_rates[0, 25:]}) == 8


def test_a_cell_far_from_any_track_has_no_storm_for_certain() -> None:
    block = nine_risk_block(1)
    block.values["max_site_wind"][0, STORM_YEARS] = 0.0
    found = assess_probability(block, TYPHOON)
    assert found.probabilities[0].tolist() == [[1, 0, 0, 0, 0]] * 33
    assert (found.aal == 0).all()
    assert (found.aal_low == 0).all()
    assert (found.aal_high == 0).all()
    assert (found.status == ResultStatus.OK).all()
    assert (found.estimator == Estimator.COUNT).all()
    assert (found.n_years == 30).all()


def test_the_closed_side_is_the_right_one() -> None:
    block = nine_risk_block(1)
    block.values["max_site_wind"][0, STORM_YEARS] = 0.0
    block.values["max_site_wind"][0, [3, 4]] = [[17.0], [25.0]]
    block.values["s_tc"][0, STORM_YEARS] = 0.0
    block.values["s_tc"][0, [3, 4]] = [[5.0], [16.0]]
    found = assess_probability(block, TYPHOON)
    assert found.probabilities[0, 0].tolist() == pytest.approx([29 / 30, 1 / 30, 0, 0, 0])
    old = assess_probability(block, TYPHOON, "reference")
    assert old.probabilities[0, 0].tolist() == pytest.approx([28 / 30, 1 / 30, 0, 1 / 30])
    assert old.aal[0, 0] == pytest.approx((0.02 + 0.30) / 30)


def test_counted_years_cost_what_the_curve_says_at_their_wind() -> None:
    winds = np.array([0.0, 20, 30, 0, 40, 0])  # six years: the best tracks at hand
    found = estimate(winds, EDGES, EMANUEL, Estimator.HURDLE, "right")
    assert found.status == ResultStatus.SHORT_RECORD
    assert found.probabilities == pytest.approx(np.array([3, 1, 1, 1, 0]) / 6)
    expected = [0, *damage_by_wind(np.array([20.0, 30, 40, 44]))]
    assert found.rates == pytest.approx(np.array(expected), rel=1e-12)


def test_the_future_is_the_past_with_more_wind() -> None:
    block = nine_risk_block()
    found = assess_probability(block, TYPHOON)
    assert block.warming is not None
    for projection, scenario, window in (
        (32, "ssp585", YEARS >= 2081),
        (3, "ssp126", (YEARS >= 2035) & (YEARS <= 2054)),
    ):
        degrees = block.warming[SCENARIOS.index(scenario), window].mean()
        winds = block.values["max_site_wind"][0, STORM_YEARS, 0] * (1 + 0.025 * degrees)
        p = probabilities(winds, EDGES, "hurdle", closed="right")
        assert found.probabilities[0, projection] == pytest.approx(p, abs=1e-14)
    assert (found.n_years == 30).all()
    assert (np.diff(found.aal[:, 25:], axis=1) > 0).all()
    assert not found.is_default.any()


def test_korean_warming_is_divided_and_the_result_says_so() -> None:
    block = nine_risk_block()
    regional = assess_probability(dataclasses.replace(block, warming_is_regional=True), TYPHOON)
    weaker = dataclasses.replace(block, warming=block.warming / 1.4)
    assert regional.probabilities == pytest.approx(assess_probability(weaker, TYPHOON).probabilities, abs=1e-13)
    assert regional.is_default.all()
    old = assess_probability(dataclasses.replace(block, warming_is_regional=True), TYPHOON, "reference")
    assert not old.is_default.any()  # S_tc stays, whatever the warming


def test_s_tc_stays_as_it_was() -> None:
    found = assess_probability(nine_risk_block(), TYPHOON, "reference")
    assert (found.probabilities == found.probabilities[:, :1]).all()
    assert (found.aal_change == 0).all()


def test_the_hazard_score_by_hand() -> None:
    block = nine_risk_block(1)
    block.values["s_tc"][0, STORM_YEARS] = 15.0
    block.values["max_site_wind"][0, STORM_YEARS] = 27.0
    found = assess_hazard(block, TYPHOON)
    assert found.score[0, 0] == pytest.approx(100 * (0.6 * 0.5 + 0.4 * 10 / 33))
    degrees = block.warming[4, YEARS >= 2081].mean()
    warm = 27 * (1 + 0.025 * degrees)
    assert found.score[0, LAST] == pytest.approx(100 * (0.6 * 0.5 + 0.4 * (warm - 17) / 33))


def test_a_scenario_is_present_with_rows_or_with_warming() -> None:
    block = nine_risk_block(1)
    block.present[1:] = False
    block.warming[2] = nan
    found = assess_probability(block, TYPHOON)
    by_scenario = {p.scenario: found.status[0, i] for i, p in enumerate(PROJECTIONS)}
    assert by_scenario == {"historical": 1, "ssp126": 1, "ssp245": 0, "ssp370": 1, "ssp585": 1}
    assert found.reason == [None]


def test_a_scenario_without_warming_says_so() -> None:
    block = nine_risk_block(1)
    for warming in (None, np.full((5, YEARS.size), nan)):
        found = assess_probability(dataclasses.replace(block, warming=warming), TYPHOON)
        assert found.status[0].tolist() == [ResultStatus.OK] + [ResultStatus.INSUFFICIENT_DATA] * 32
        assert found.reason == ["the global warming of ssp126 in the 2020s is unknown"]
    no_winds = dataclasses.replace(block, values={})
    assert assess_probability(no_winds, TYPHOON).reason == [
        "no year of max_site_wind in historical baseline; at least 5 are needed"
    ]
