"""Cold, wildfire, drought, water stress, urban flood: bins, rates and scores by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from nine_risks import YEARS, nine_risk_block

from aiops.assess.hazard import assess_hazard
from aiops.assess.probability import assess_probability
from aiops.climate import Block
from aiops.risks import find_risk
from aiops.stats import gev
from aiops.stats.bins import probabilities
from aiops.stats.codes import Estimator, ResultStatus

LAST = 32  # ssp585 2090s: 2081 to 2100
nan = math.nan


def constant(cells: int = 1, attributes: dict[str, np.ndarray] | None = None, **series: float) -> Block:
    values = {name: np.full((5, YEARS.size, cells), float(value)) for name, value in series.items()}
    return Block(np.arange(cells, dtype=np.int32) + 1, YEARS, values, np.ones((5, cells), bool), attributes or {})


SPECIFICATION = [
    (
        "extreme_cold", "csdi", "hurdle",
        (1, 7, 15), (0, 0.00005, 0.0001, 0.0003), (3, 7, 15), (0.0005, 0.002, 0.006, 0.015),
    ),
    (
        "wildfire", "fwi95", "shrunk",
        (18, 22, 26, 32), (0, 0.00005, 0.0001, 0.0002, 0.0005), (11.2, 21.3, 38, 50), (0, 0.01, 0.03, 0.10, 0.25),
    ),
    (
        "drought", "spei12_min", "shrunk",
        (1, 1.5, 2), (0, 0.00005, 0.0002, 0.0005), (1, 1.5, 2), (0, 0.02, 0.07, 0.20),
    ),
    (
        "water_stress", "wsi", "shrunk",
        (0.2, 0.4, 0.8), (0, 0.0001, 0.0003, 0.001), (0.2, 0.4, 0.8), (0.01, 0.03, 0.07, 0.15),
    ),
    (
        "urban_flood", "rain80", "count",
        (1, 3, 5, 8), (0, 0.00005, 0.00015, 0.0005, 0.0015), (1, 3, 5, 8), (0, 0.03, 0.10, 0.25, 0.45),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "variable", "estimator", "edges", "rates", "old_edges", "old_rates"), SPECIFICATION)
def test_p_and_aal_of_a_projection_by_hand(name, variable, estimator, edges, rates, old_edges, old_rates) -> None:
    block = nine_risk_block()
    x = block.values[variable][4, YEARS >= 2081, 2]
    x = np.clip(-x, -3.5, 3.5) if name == "drought" else x
    for damage_set, its_edges, its_rates in (("calibrated", edges, rates), ("reference", old_edges, old_rates)):
        found = assess_probability(block, find_risk(name), damage_set)
        reach = 1.0 if np.isnan(found.reach[2]) else found.reach[2]
        p = probabilities(x, its_edges, estimator)
        assert found.probabilities[2, LAST] == pytest.approx(p, abs=1e-15)
        assert found.damage_rates[2, LAST] == pytest.approx(np.array(its_rates) * reach, abs=1e-18)
        assert found.edges[2, LAST].tolist() == list(its_edges)
        assert found.aal[2, LAST] == pytest.approx((p * its_rates).sum() * reach)
        assert found.estimator[2, LAST] == Estimator.named(estimator)


@pytest.mark.parametrize("name", [row[0] for row in SPECIFICATION])
def test_only_wildfire_of_these_has_a_reach(name: str) -> None:
    assert (find_risk(name).reach is not None) == (name == "wildfire")


# --- Hazard scores ------------------------------------------------------------------------------------------


def test_cold_by_hand() -> None:
    # .3·5/20 + .3·6/30 + .2·60/120 + .2·(12/20): a TNn of −12 °C
    found = assess_hazard(constant(csdi=5, tnm12=6, fd=60, tnn=-12), find_risk("extreme_cold"))
    assert found.score[0] == pytest.approx([100 * (0.075 + 0.06 + 0.1 + 0.12)] * 33)
    mild = assess_hazard(constant(csdi=0, tnm12=0, fd=0, tnn=3), find_risk("extreme_cold"))
    assert mild.score[0].tolist() == [0] * 33


def test_wildfire_by_hand() -> None:
    found = assess_hazard(constant(fwi95=27.6, fwi21=15), find_risk("wildfire"))
    assert found.score[0] == pytest.approx([100 * (0.7 * 0.5 + 0.3 * 0.25)] * 33)


def test_drought_by_hand() -> None:
    found = assess_hazard(constant(spei12_min=-1.5, spei12_dry_share=0.2, cdd=30), find_risk("drought"))
    assert found.score[0] == pytest.approx([100 * (0.6 * 0.6 + 0.25 * 0.4 + 0.15 * 0.5)] * 33)


def test_water_stress_by_hand() -> None:
    assert assess_hazard(constant(wsi=0.35), find_risk("water_stress")).score[0] == pytest.approx([35] * 33)
    assert assess_hazard(constant(wsi=7), find_risk("water_stress")).score[0] == pytest.approx([100] * 33)


def test_urban_flood_by_hand() -> None:
    block = nine_risk_block(2)
    block.attributes["impervious_ratio"][:] = [0.8, nan]
    found = assess_hazard(block, find_risk("urban_flood"))
    rain, days = block.values["rx1day"][0, :24, 0], block.values["rain80"][0, :24]
    hourly = gev.return_level(gev.fit(rain), 20) * 0.30 * (0.3 + 0.6 * 0.8)
    share = (days[:, 0].mean() / 8, (hourly - 40) / 60)
    assert found.score[0, 0] == pytest.approx(100 * (0.5 * share[0] + 0.5 * min(max(share[1], 0), 1)))
    assert found.coverage[:, 0].tolist() == [1, 0.5]
    assert found.score[1, 0] == pytest.approx(100 * days[:, 1].mean() / 8)


# --- what is particular -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("distance", "expected"), [(0, 1), (30, 1), (100, 0.7), (500, 0.4), (1000, 0.1), (1001, 0.05), (90_000, 0.05)]
)
def test_a_fire_reaches_as_far_as_the_forest_is_near(distance: float, expected: float) -> None:
    block = nine_risk_block(1)
    block.attributes["forest_distance_m"][:] = distance
    found = assess_probability(block, find_risk("wildfire"))
    assert found.reach[0] == pytest.approx(expected)
    assert not found.is_default[0]


def test_an_unknown_forest_is_the_national_mean_and_marked() -> None:
    block = nine_risk_block(1)
    block.attributes["forest_distance_m"][:] = nan
    found = assess_probability(block, find_risk("wildfire"))
    assert found.reach[0] == 0.3
    assert found.is_default[0]


def test_a_drought_beyond_the_fitted_distribution_is_a_severe_one_and_not_missing() -> None:
    block = nine_risk_block(1)
    window = np.flatnonzero(YEARS >= 2081)
    block.values["spei12_min"][4, window[:3]] = -math.inf
    block.values["spei12_min"][4, window[3]] = -9.0
    block.values["spei12_min"][4, window[4]] = math.inf
    found = assess_probability(block, find_risk("drought"))
    assert found.n_years[0, LAST] == 20
    x = np.clip(-block.values["spei12_min"][4, window, 0], -3.5, 3.5)
    assert found.probabilities[0, LAST] == pytest.approx(probabilities(x, (1, 1.5, 2), "shrunk"), abs=1e-15)


def test_water_withdrawn_from_no_flow_is_missing_and_counted() -> None:
    block = nine_risk_block(1)
    block.values["wsi"][4, YEARS >= 2092] = math.inf
    found = assess_probability(block, find_risk("water_stress"))
    # Data end in 2091: the 2090s have their decade not covered, and fewer years.
    assert found.n_years[0, LAST] < 20


def test_a_day_count_on_an_edge_belongs_to_the_bin_above() -> None:
    block = constant(rain80=3)
    found = assess_probability(block, find_risk("urban_flood"))
    assert found.probabilities[0, 0].tolist() == [0, 0, 1, 0, 0]
    assert found.aal[0, 0] == 0.00015
    assert found.status[0, 0] == ResultStatus.OK


def test_years_without_a_cold_spell_cost_nothing() -> None:
    found = assess_probability(constant(csdi=0), find_risk("extreme_cold"))
    assert found.probabilities[0].tolist() == [[1, 0, 0, 0]] * 33
    assert (found.aal == 0).all()
    assert (found.aal_high == 0).all()
