"""What holds for every risk and both damage sets, on one block that feeds all nine."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nine_risks import YEARS, nine_risk_block, taken

from aiops.assess.hazard import HazardBlock, assess_hazard
from aiops.assess.probability import ProbabilityBlock, assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS, Block
from aiops.risks import Risk, all_risks, find_risk, range_of
from aiops.stats.codes import Estimator, ResultStatus

RISKS = pytest.mark.parametrize("risk", all_risks().values(), ids=lambda risk: risk.name)
SETS = ("calibrated", "reference")
SSP585 = slice(25, 33)


def equal_bits(one: ProbabilityBlock | HazardBlock, other: ProbabilityBlock | HazardBlock, part: slice) -> None:
    """`one` is that part of `other`."""
    for field in dataclasses.fields(one):
        mine, whole = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            assert np.array_equal(mine, whole[part], equal_nan=mine.dtype.kind == "f"), field.name
        elif isinstance(mine, list):
            assert mine == whole[part], field.name


def test_there_are_nine() -> None:
    assert set(all_risks()) == {
        "extreme_heat", "extreme_cold", "wildfire", "drought", "water_stress", "sea_level_rise", "river_flood",
        "urban_flood", "typhoon",
    }  # fmt: skip


@RISKS
@pytest.mark.parametrize("damage_set", SETS)
@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.2, 0.6, 0.9]))
@settings(max_examples=8, deadline=None)
def test_bins_sum_to_one_and_losses_lie_within_their_rates(risk: Risk, damage_set: str, seed: int, gaps: float) -> None:
    found = assess_probability(nine_risk_block(3, seed, gaps), risk, damage_set)
    done = np.isin(found.status, (ResultStatus.OK, ResultStatus.SHORT_RECORD))
    assert np.array_equal(done, ~np.isnan(found.aal))
    assert np.array_equal(done, found.estimator > 0)
    p, rates, aal = found.probabilities[done], found.damage_rates[done], found.aal[done]
    assert np.abs(p.sum(axis=-1) - 1).max(initial=0) <= 1e-12
    assert (p >= -1e-15).all()
    assert (np.diff(rates, axis=-1) >= 0).all()
    lowest, highest = range_of(risk.damage_set(damage_set).rates)
    assert ((rates >= 0) & (rates <= highest)).all()
    assert ((aal >= 0) & (aal <= highest)).all()
    assert lowest <= highest
    sure = done & (found.n_years >= (15 if risk.name == "river_flood" else 10))
    assert np.array_equal(sure, ~np.isnan(found.aal_low))
    assert (found.aal_low[sure] <= found.aal[sure] * (1 + 1e-9) + 1e-15).all()
    assert (found.aal[sure] <= found.aal_high[sure] * (1 + 1e-9) + 1e-15).all()
    assert all((why is None) == bool(ok) for why, ok in zip(found.reason, done.all(axis=1), strict=True))


@RISKS
@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.3, 0.8]), size=st.integers(1, 6))
@settings(max_examples=5, deadline=None)
def test_any_chunking_of_cells_gives_the_same_bits(risk: Risk, seed: int, gaps: float, size: int) -> None:
    block = nine_risk_block(7, seed, gaps)
    hazard = assess_hazard(block, risk)
    for damage_set in SETS:
        whole = assess_probability(block, risk, damage_set)
        for start in range(0, 7, size):
            part = slice(start, min(start + size, 7))
            equal_bits(assess_probability(taken(block, part), risk, damage_set), whole, part)
            equal_bits(assess_hazard(taken(block, part), risk), hazard, part)


@RISKS
def test_rows_beyond_one_slab_are_computed_as_those_within(risk: Risk) -> None:
    block = nine_risk_block(70)  # 70 cells × 32 projections are more than two slabs of 1024 rows
    whole = assess_probability(block, risk)
    equal_bits(assess_probability(taken(block, slice(60, 62)), risk), whole, slice(60, 62))


@RISKS
@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.5, 0.9]))
@settings(max_examples=5, deadline=None)
def test_hazard_scores_lie_within_0_and_100(risk: Risk, seed: int, gaps: float) -> None:
    found = assess_hazard(nine_risk_block(3, seed, gaps), risk)
    scores = found.score[~np.isnan(found.score)]
    assert ((scores >= 0) & (scores <= 100 + 1e-12)).all()
    assert np.array_equal(np.isnan(found.score), np.isin(found.status, (0, ResultStatus.INSUFFICIENT_DATA)))


@RISKS
def test_no_probability_is_constant_over_the_decades(risk: Risk) -> None:
    found = assess_probability(nine_risk_block(), risk)
    for cell in range(4):
        assert len({tuple(p) for p in found.probabilities[cell, SSP585]}) == 8
    assert len({tuple(p.ravel()) for p in found.probabilities}) == 4


@RISKS
def test_each_projection_has_its_estimator_and_a_baseline(risk: Risk) -> None:
    found = assess_probability(nine_risk_block(), risk)
    by_name = {
        "extreme_heat": Estimator.HURDLE,
        "extreme_cold": Estimator.HURDLE,
        "typhoon": Estimator.HURDLE,
        "river_flood": Estimator.GEV,
        "urban_flood": Estimator.COUNT,
        "sea_level_rise": Estimator.ANALYTIC,
    }
    assert (found.estimator == by_name.get(risk.name, Estimator.SHRUNK)).all()
    assert found.baseline == ["1991-2020"] * 4
    assert (found.status == ResultStatus.OK).all()


@RISKS
def test_windows_are_shared_between_risks_without_a_trace(risk: Risk) -> None:
    block = nine_risk_block()
    windows = Windows(block)
    for other in all_risks().values():
        assess_probability(block, other, windows=windows)
        assess_hazard(block, other, windows)
    equal_bits(assess_probability(block, risk, windows=windows), assess_probability(block, risk), slice(None))
    equal_bits(assess_hazard(block, risk, windows), assess_hazard(block, risk), slice(None))


@RISKS
def test_a_block_without_anything_has_results_without_numbers(risk: Risk) -> None:
    empty = Block(np.array([7], np.int32), np.zeros(0, np.int32), {}, np.zeros((5, 1), bool), {})
    assert (assess_probability(empty, risk).status == 0).all()
    assert (assess_hazard(empty, risk).status == 0).all()
    nobody = taken(nine_risk_block(), slice(0, 0))
    assert assess_probability(nobody, risk).aal.shape == (0, len(PROJECTIONS))
    assert assess_hazard(nobody, risk).score.shape == (0, len(PROJECTIONS))
    bare = Block(np.array([7], np.int32), YEARS, {}, np.ones((5, 1), bool), {})
    found = assess_probability(bare, risk)
    assert (found.status == ResultStatus.INSUFFICIENT_DATA).all()
    assert found.reason[0]


def test_a_warmer_scenario_is_a_change_with_bounds() -> None:
    for name in ("typhoon", "sea_level_rise", "extreme_heat"):
        found = assess_probability(nine_risk_block(), find_risk(name))
        assert np.array_equal(found.aal_change, found.aal - found.aal[:, :1])
        assert (found.aal_change_low <= found.aal_change).all()
        assert (found.aal_change <= found.aal_change_high).all()
        assert (found.aal_change_low[:, 0] == 0).all()
        assert (found.aal_change_high[:, 0] == 0).all()


def test_changes_that_stand_on_the_same_years_are_surer_than_their_parts() -> None:
    found = assess_probability(nine_risk_block(), find_risk("typhoon"))
    change = found.aal_change_high - found.aal_change_low
    assert (change[:, 1:] < (found.aal_high - found.aal_low)[:, 1:]).all()
    assert (found.aal_change_low[:, SSP585] > 0).all()  # more wind is more loss, whatever the past was
