"""Losses of an asset: vulnerability, insurance, the curve of its use, change, rare years."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nine_risks import nine_risk_block
from places import many_sites, nan, one_site, taken

from aiops.assess.loss import BaseLoss, EveryBin, ScaledLoss, scale_loss
from aiops.assess.probability import ProbabilityBlock, assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS
from aiops.risks import Driver, Risk, all_risks, find_risk
from aiops.risks.sea_level_rise import commercial_rates, damage_by_depth
from aiops.stats.codes import ResultStatus

EVERY_RISK = pytest.mark.parametrize("risk", all_risks().values(), ids=lambda risk: risk.name)
N = len(PROJECTIONS)
CHOSEN = 12
RIVER, SEA, STORM = find_risk("river_flood"), find_risk("sea_level_rise"), find_risk("typhoon")
ONE = np.array([50.0])
"""V of 50: the factor is 1."""


def base_loss(p=(0.9, 0.06, 0.04), rates=(0, 0.01, 0.1), low: float = 0.002, high: float = 0.009) -> BaseLoss:
    """The same in every projection, but that the last costs twice as much."""
    p = np.tile(np.array(p, float), (1, N, 1))
    rates = np.tile(np.array(rates, float), (1, N, 1))
    rates[:, -1] = np.minimum(2 * rates[:, -1], 1)
    aal = (p * rates).sum(axis=-1)
    low, high = (np.full((1, N), bound) * np.where(np.arange(N) == N - 1, 2, 1) for bound in (low, high))
    return BaseLoss.of((aal, low, high), np.full((1, N), ResultStatus.OK), p, rates, N - 1)


def of_block(found: ProbabilityBlock, chosen: int = CHOSEN) -> BaseLoss:
    return BaseLoss.of(
        (found.aal, found.aal_low, found.aal_high), found.status, found.probabilities, found.damage_rates, chosen
    )


def base_of(base: BaseLoss, places: slice) -> BaseLoss:
    return BaseLoss(
        *(getattr(base, name)[places] for name in ("aal", "aal_low", "aal_high", "status", "probabilities", "rates")),
        EveryBin(base.every_bin.probabilities[places], base.every_bin.rates[places]),
    )


# --- scaling ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("vulnerability", "factor"), [(0, 0.9), (50, 1.0), (75, 1.05), (100, 1.1)])
def test_vulnerability_moves_a_loss_by_a_tenth_at_most(vulnerability: float, factor: float) -> None:
    found = scale_loss(RIVER, base_loss(), one_site(), np.array([vulnerability]))
    assert found.vulnerability_factor[0] == pytest.approx(factor)
    assert found.final_aal[0, 0] == pytest.approx(0.0046 * factor)
    assert (found.final_aal_low[0, 0], found.final_aal_high[0, 0]) == pytest.approx((0.002 * factor, 0.009 * factor))
    assert np.array_equal(found.base_aal, base_loss().aal)


@pytest.mark.parametrize(("rate", "share"), [(0, 1), (0.3, 0.7), (1, 0)])
def test_what_is_insured_is_not_lost(rate: float, share: float) -> None:
    found = scale_loss(RIVER, base_loss(), one_site(insurance_rate=rate), ONE)
    assert found.final_aal[0, 0] == pytest.approx(0.0046 * share)
    assert found.return_period_losses[0, 0].tolist() == pytest.approx([0, 0.01 * share, *[0.1 * share] * 3])


def test_the_loss_in_won_is_whole_and_unknown_without_a_value() -> None:
    found = scale_loss(RIVER, base_loss(), one_site(asset_value=123_456_789), np.array([75.0]))
    assert found.expected_loss[0, 0] == round(0.0046 * 1.05 * 123_456_789) == 596_296
    assert np.isnan(scale_loss(RIVER, base_loss(), one_site(), ONE).expected_loss).all()


@EVERY_RISK
@given(seed=st.integers(0, 1_000), gaps=st.sampled_from([0.0, 0.5, 0.9]))
@settings(max_examples=6, deadline=None)
def test_final_losses_are_the_formula_to_the_bit(risk: Risk, seed: int, gaps: float) -> None:
    found = assess_probability(nine_risk_block(6, seed, gaps), risk)
    sites = many_sites(6, seed)
    vulnerability = np.random.default_rng(seed).uniform(0, 100, 6)
    scaled = scale_loss(risk, of_block(found), sites, vulnerability)
    factor = 0.9 + vulnerability / 100 * 0.2
    expected = scaled.base_aal * factor[:, None] * (1 - sites.insurance_rate)[:, None]
    assert np.array_equal(scaled.final_aal, expected, equal_nan=True)
    assert np.array_equal(np.isnan(scaled.final_aal), np.isnan(found.aal))
    money = scaled.expected_loss - expected * sites.asset_value[:, None]
    assert np.nanmax(np.abs(money), initial=0) <= 0.5
    assert np.array_equal(np.isnan(money), np.isnan(expected) | np.isnan(sites.asset_value)[:, None])
    if risk.by_use is None:
        assert np.array_equal(scaled.base_aal, found.aal, equal_nan=True)


def test_an_unknown_vulnerability_leaves_the_loss_unknown() -> None:
    found = scale_loss(RIVER, base_loss(), one_site(asset_value=1e9), np.array([nan]))
    for name in ("final_aal", "final_aal_low", "final_aal_high", "expected_loss", "change", "return_period_losses"):
        assert np.isnan(getattr(found, name)).all(), name
    assert not np.isnan(found.base_aal).any()


# --- change against the baseline ----------------------------------------------------------------------------


def test_the_change_of_independent_samples_adds_their_distances_as_errors() -> None:
    found = scale_loss(RIVER, base_loss(), one_site(insurance_rate=0.5), ONE)
    assert RIVER.driver is Driver.SERIES
    # .0046 (.002 to .009) against twice that, half of both insured.
    assert found.change[0, -1] == pytest.approx(0.0046 / 2)
    assert found.change_low[0, -1] == pytest.approx((0.0046 - math.hypot(0.0092 - 0.004, 0.009 - 0.0046)) / 2)
    assert found.change_high[0, -1] == pytest.approx((0.0046 + math.hypot(0.018 - 0.0092, 0.0046 - 0.002)) / 2)


@pytest.mark.parametrize("risk", [SEA, STORM])
def test_the_bounds_of_one_and_the_same_years_move_together(risk: Risk) -> None:
    found = scale_loss(risk, base_loss(), one_site(), ONE)
    assert found.change_low[0, -1] == pytest.approx(0.002)
    assert found.change_high[0, -1] == pytest.approx(0.009)
    assert found.change_low[0, 5] == found.change[0, 5] == found.change_high[0, 5] == 0


@pytest.mark.parametrize("risk", [RIVER, SEA])
def test_the_baseline_differs_from_itself_by_exactly_nothing(risk: Risk) -> None:
    base = base_loss()
    base.aal_low[:] = base.aal_high[:] = nan
    for given_base in (base, base_loss()):
        found = scale_loss(risk, given_base, one_site(), np.array([83.0]))
        assert found.change[0, 0] == found.change_low[0, 0] == found.change_high[0, 0] == 0


@pytest.mark.parametrize("risk", [RIVER, SEA])
@pytest.mark.parametrize("bound", ["aal_low", "aal_high"])
@pytest.mark.parametrize("projection", [0, N - 1])
def test_a_change_with_an_unknown_bound_has_no_interval(risk: Risk, bound: str, projection: int) -> None:
    base = base_loss()
    base.aal_low[0, projection] = base.aal_high[0, projection] = nan
    found = scale_loss(risk, base, one_site(), ONE)
    assert found.change[0, -1] == pytest.approx(0.0046)
    assert np.isnan([found.change_low[0, -1], found.change_high[0, -1]]).all()


def test_without_a_baseline_there_is_no_change() -> None:
    base = base_loss()
    base.aal[0, 0] = nan
    found = scale_loss(RIVER, base, one_site(), ONE)
    assert np.isnan(found.change).all()
    assert not np.isnan(found.final_aal[0, 1:]).any()


@EVERY_RISK
def test_the_change_is_that_of_the_stored_losses_scaled(risk: Risk) -> None:
    found = assess_probability(nine_risk_block(5, 3), risk)
    sites = dataclasses.replace(many_sites(5, 3), insurance_rate=np.full(5, 0.25))
    sites.buildings.use[:] = "residential"
    scaled = scale_loss(risk, of_block(found), sites, np.full(5, 50.0))
    for name in ("change", "change_low", "change_high"):
        stored = getattr(found, f"aal_{name}")
        assert np.allclose(getattr(scaled, name), 0.75 * stored, rtol=1e-9, atol=1e-15, equal_nan=True), name


# --- rare years ---------------------------------------------------------------------------------------------


def test_rare_years_of_the_baseline_and_of_the_projection_that_was_asked_for() -> None:
    found = scale_loss(RIVER, base_loss(), one_site(), np.array([100.0]))
    # P(loss > 0) = .1, P(loss > .01) = .04: once in 10 years nothing, in 20 a small, from 25 on a large one.
    assert found.return_period_losses[0, 0] == pytest.approx([0, 0.011, 0.11, 0.11, 0.11])
    assert found.return_period_losses[0, 1] == pytest.approx([0, 0.022, 0.22, 0.22, 0.22])
    assert found.exceedance.losses[0, 0] == pytest.approx([0, 0.011, 0.11])
    assert found.exceedance.exceedance[0, 0] == pytest.approx([0.1, 0.04, 0])


def test_where_nothing_can_be_lost_no_loss_is_exceeded() -> None:
    for base, site in ((base_loss(rates=(0, 0, 0)), one_site()), (base_loss(), one_site(insurance_rate=1.0))):
        found = scale_loss(RIVER, base, site, ONE)
        assert not found.exceedance.losses.any()
        assert not found.exceedance.exceedance.any()
        assert not found.return_period_losses.any()


@EVERY_RISK
@given(seed=st.integers(0, 1_000))
@settings(max_examples=6, deadline=None)
def test_rare_losses_do_not_fall_with_rarity_and_the_area_is_the_final_aal(risk: Risk, seed: int) -> None:
    found = assess_probability(nine_risk_block(6, seed, 0.3), risk)
    sites = many_sites(6, seed)
    scaled = scale_loss(risk, of_block(found), sites, np.full(6, 70.0))
    known = ~np.isnan(scaled.final_aal[:, [0, CHOSEN]])
    losses, exceedance = (part[known] for part in scaled.exceedance)
    rare = scaled.return_period_losses[known]
    assert (np.diff(rare) >= 0).all()
    assert (rare >= 0).all()
    assert (np.diff(losses) >= 0).all()
    assert (np.diff(exceedance) <= 1e-15).all()
    area = losses[:, 0] + (np.diff(losses) * exceedance[:, :-1]).sum(axis=-1)
    assert area == pytest.approx(scaled.final_aal[:, [0, CHOSEN]][known], rel=1e-9, abs=1e-15)
    assert np.isnan(scaled.return_period_losses[~known]).all()


# --- the curve by use ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("depth", "commercial"),
    [
        (0, 0), (0.25, 0.1885), (0.5, 0.377), (0.75, 0.4575), (1, 0.538), (1.5, 0.659), (2, 0.763), (3, 0.884),
        (4, 0.942), (5, 0.981), (5.5, 0.9905), (6, 1), (9, 1),
    ],
)  # fmt: skip
def test_a_shop_at_the_depth_at_which_a_dwelling_has_the_rate(depth: float, commercial: float) -> None:
    assert commercial_rates(damage_by_depth(np.array([depth])))[0] == pytest.approx(commercial, abs=1e-12)


def test_the_rate_that_is_unknown_stays_so() -> None:
    assert np.isnan(commercial_rates(np.array([nan])))[0]


FLOODS = {"p": (0.9, 0.06, 0.04), "rates": (0, 0.327, 0.494)}
DWELLING, SHOP = 0.06 * 0.327 + 0.04 * 0.494, 0.06 * 0.377 + 0.04 * 0.538


@pytest.mark.parametrize("use", ["office", "retail", "hotel"])
def test_an_office_by_the_sea_is_lost_by_the_commercial_curve(use: str) -> None:
    base = base_loss(**FLOODS, low=0.01, high=0.2)
    found = scale_loss(SEA, base, one_site(use=use), ONE)
    assert base.aal[0, 0] == pytest.approx(DWELLING)
    assert found.base_aal[0, :-1] == pytest.approx([SHOP] * (N - 1))
    assert found.base_aal_low[0, 0] == found.final_aal_low[0, 0] == pytest.approx(0.01 * SHOP / DWELLING)
    assert found.base_aal_high[0, 0] == found.final_aal_high[0, 0] == pytest.approx(0.2 * SHOP / DWELLING)
    assert found.exceedance.losses[0, 0] == pytest.approx([0, 0.377, 0.538])
    last = np.array([0.06 * 0.654, 0.04 * 0.988])
    at_last = 0.06 * np.interp(0.654, [0.617, 0.721], [0.659, 0.763]) + 0.04 * np.interp(0.988, [0.984, 1], [0.981, 1])
    assert base.aal[0, -1] == pytest.approx(last.sum())
    assert found.base_aal[0, -1] == pytest.approx(at_last)
    assert found.change[0, -1] == pytest.approx(at_last - SHOP)


@pytest.mark.parametrize("use", ["residential", "factory", "school", "other", None])
def test_a_dwelling_and_an_unknown_building_keep_the_curve_of_the_base_loss(use: str | None) -> None:
    base = base_loss(**FLOODS)
    found = scale_loss(SEA, base, one_site(use=use), ONE)
    assert np.array_equal(found.base_aal, base.aal)
    assert found.exceedance.losses[0, 0] == pytest.approx([0, 0.327, 0.494])


def test_rates_that_are_no_curve_are_not_converted() -> None:
    base = base_loss(**FLOODS)
    assert np.array_equal(scale_loss(SEA, base, one_site(use="office"), ONE, "reference").base_aal, base.aal)
    assert np.array_equal(scale_loss(RIVER, base, one_site(use="office"), ONE).base_aal, base.aal)


def test_only_sites_of_that_use_are_converted_and_what_was_given_stays() -> None:
    found = assess_probability(nine_risk_block(4), SEA)
    base = of_block(found)
    before = [getattr(base, name).copy() for name in ("aal", "aal_low", "aal_high", "rates")]
    sites = many_sites(4, unknown=0.0)
    sites.buildings.use[:] = ["residential", "office", "hotel", "school"]
    scaled = scale_loss(SEA, base, sites, np.full(4, 50.0))
    assert np.array_equal(scaled.base_aal[[0, 3]], found.aal[[0, 3]], equal_nan=True)
    assert (scaled.base_aal[[1, 2]] >= found.aal[[1, 2]]).all()
    assert (scaled.base_aal[[1, 2]] > found.aal[[1, 2]]).any()
    for name, values in zip(("aal", "aal_low", "aal_high", "rates"), before, strict=True):
        assert np.array_equal(getattr(base, name), values, equal_nan=True)


def test_no_loss_is_more_than_all_and_none_stays_none() -> None:
    dry = base_loss(p=(1, 0, 0), rates=(0, 0.3, 0.6), low=0, high=0)
    assert scale_loss(SEA, dry, one_site(use="office"), ONE).base_aal.tolist() == [[0] * N]
    deep = base_loss(p=(0, 0.5, 0.5), rates=(0, 0.327, 0.494), low=0.3, high=0.99)
    found = scale_loss(SEA, deep, one_site(use="office"), ONE)
    assert found.final_aal_high.max() <= 1
    assert (found.final_aal_low <= found.final_aal).all()
    assert (found.final_aal <= found.final_aal_high).all()


def test_a_curve_by_use_needs_the_bins_of_every_projection() -> None:
    base = dataclasses.replace(base_loss(**FLOODS), every_bin=None)
    with pytest.raises(ValueError, match="sea_level_rise: the curve by use needs the bins of all projections"):
        scale_loss(SEA, base, one_site(use="office"), ONE)
    assert not np.isnan(scale_loss(SEA, base, one_site(use="factory"), ONE).final_aal).any()
    assert not np.isnan(scale_loss(RIVER, base, one_site(use="office"), ONE).final_aal).any()


def test_rates_may_be_stored_once_for_all_projections() -> None:
    whole = base_loss(**FLOODS)
    p, rates = whole.every_bin.probabilities, whole.every_bin.rates[:, :1]
    once = BaseLoss.of((whole.aal, whole.aal_low, whole.aal_high), whole.status, p, rates, CHOSEN)
    found = scale_loss(SEA, once, one_site(use="office"), ONE)
    assert found.base_aal[0, :-1] == pytest.approx([SHOP] * (N - 1))
    assert found.exceedance.losses[0] == pytest.approx(np.array([[0, 0.377, 0.538]] * 2))


# --- for all ------------------------------------------------------------------------------------------------


def row_of(found: ScaledLoss, site: int) -> list[np.ndarray]:
    fields = [getattr(found, field.name) for field in dataclasses.fields(found) if field.name != "exceedance"]
    return [part[site] for part in (*fields, *found.exceedance)]


@EVERY_RISK
def test_one_site_has_the_bits_that_it_has_among_many(risk: Risk) -> None:
    block, sites = nine_risk_block(250, 5, 0.2), many_sites(250, 5)
    base = of_block(assess_probability(block, risk, windows=Windows(block)))
    vulnerability = np.random.default_rng(5).uniform(0, 100, 250)
    whole = scale_loss(risk, base, sites, vulnerability)
    for site in range(0, 250, 9):
        part = slice(site, site + 1)
        alone = scale_loss(risk, base_of(base, part), taken(sites, part), vulnerability[part])
        for mine, theirs in zip(row_of(alone, 0), row_of(whole, site), strict=True):
            assert np.array_equal(mine, theirs, equal_nan=True)
