"""P, damage rates and AAL of a block: hand-computed cells, statuses and reasons, properties of any block."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.assess.probability import ProbabilityBlock, assess_probability
from aiops.assess.windows import Windows
from aiops.climate import PROJECTIONS, Block
from aiops.errors import BadInput
from aiops.risks import DamageSet, all_risks, find_risk
from aiops.stats import gev
from aiops.stats.bins import probabilities
from aiops.stats.codes import Estimator, ResultStatus

HEAT, FLOOD = find_risk("extreme_heat"), find_risk("river_flood")
YEARS = np.arange(1991, 2101, dtype=np.int32)
LAST = len(PROJECTIONS) - 1


def block_of(cells: int = 4, seed: int = 1, gaps: float = 0.0) -> Block:
    """A climate that warms and gets wetter, more so by scenario; history ends in 2014."""
    rng = np.random.default_rng(seed)
    trend = np.linspace(0, 1, YEARS.size)[:, None]
    values = {"wsdi": np.empty((5, YEARS.size, cells)), "rx1day": np.empty((5, YEARS.size, cells))}
    past = {"wsdi": rng.gamma(1, 12, (YEARS.size, cells)) - 4, "rx1day": rng.gumbel(120, 40, (YEARS.size, cells))}
    for variable, array in values.items():
        for scenario in range(5):
            future = past[variable] * (1 + 0.3 * scenario * trend)
            array[scenario] = np.where(YEARS[:, None] < 2015, past[variable], future)
        array[0, YEARS > 2014] = math.nan
        np.maximum(array, 0, out=array)
        array[:, rng.random((YEARS.size, cells)) < gaps] = math.nan
    attributes = {"river_distance_m": rng.uniform(100, 2500, cells)}
    return Block(np.arange(1, cells + 1, dtype=np.int32), YEARS, values, np.ones((5, cells), bool), attributes)


def taken(block: Block, cells: slice) -> Block:
    return Block(
        block.grid_ids[cells],
        block.years,
        {name: values[..., cells] for name, values in block.values.items()},
        block.present[:, cells],
        {name: values[cells] for name, values in block.attributes.items()},
    )


def assert_equal(one: ProbabilityBlock, other: ProbabilityBlock) -> None:
    for field in dataclasses.fields(ProbabilityBlock):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            assert np.array_equal(a, b, equal_nan=a.dtype.kind == "f"), field.name
        else:
            assert a == b, field.name


# --- numbers ------------------------------------------------------------------------------------------------


def test_heat_of_one_projection_by_hand() -> None:
    block = block_of()
    found = assess_probability(block, HEAT)
    ssp585_2050s = next(i for i, p in enumerate(PROJECTIONS) if (p.scenario, p.horizon) == ("ssp585", "2050s"))
    window = (YEARS >= 2045) & (YEARS <= 2064)
    expected = probabilities(block.values["wsdi"][4, window, 2], [1, 10, 30, 80], "hurdle")
    assert found.probabilities[2, ssp585_2050s].tolist() == expected.tolist()
    assert found.damage_rates[2, ssp585_2050s].tolist() == [0, 0.0001, 0.0003, 0.0007, 0.0015]
    assert found.edges[2, ssp585_2050s].tolist() == [1, 10, 30, 80]
    assert found.aal[2, ssp585_2050s] == (expected * [0, 0.0001, 0.0003, 0.0007, 0.0015]).sum()
    assert found.estimator[2, ssp585_2050s] == Estimator.HURDLE
    assert found.n_years[2, ssp585_2050s] == 20
    assert np.isnan(found.reach).all()
    assert not found.is_default.any()


def test_the_baseline_is_computed_on_the_historical_rows_alone() -> None:
    block = block_of()
    found = assess_probability(block, HEAT)
    expected = probabilities(block.values["wsdi"][0, :24, 1], [1, 10, 30, 80], "hurdle")
    assert found.probabilities[1, 0].tolist() == expected.tolist()
    assert found.n_years[1, 0] == 24
    assert found.baseline == ["1991-2020"] * 4


def test_a_flood_at_baseline_is_defined_by_its_return_periods() -> None:
    found = assess_probability(block_of(), FLOOD)
    assert found.probabilities[:, 0] == pytest.approx(np.tile([0.95, 0.03, 0.01, 0.005, 0.005], (4, 1)), abs=1e-12)
    assert (found.estimator[:, 0] == Estimator.GEV).all()


def test_flood_levels_are_those_of_the_scenarios_own_baseline() -> None:
    block = block_of()
    found = assess_probability(block, FLOOD)
    baseline = YEARS <= 2020
    for projection, scenario in ((0, 0), (3, 1), (LAST, 4)):
        rain = block.values["rx1day"][scenario, baseline]
        levels = gev.return_level(gev.fit(rain), [20, 50, 100, 200])
        assert found.edges[:, projection] == pytest.approx(levels, rel=1e-12)


def test_a_flood_of_a_wetter_future_is_that_of_its_own_gev_against_the_old_levels() -> None:
    block = block_of()
    found = assess_probability(block, FLOOD)
    rain = block.values["rx1day"][4, YEARS >= 2081]
    below = [gev.cdf(gev.Gev(*(p[cell] for p in gev.fit(rain))), found.edges[cell, LAST]) for cell in range(4)]
    assert np.cumsum(found.probabilities[:, LAST], axis=-1)[:, :-1] == pytest.approx(np.array(below), abs=1e-12)
    assert (found.aal[:, LAST] >= found.aal[:, 0]).all()


def test_reach_scales_the_damage_rates_and_an_unknown_river_is_a_marked_default() -> None:
    block = block_of(cells=3)
    block.attributes["river_distance_m"][:] = [300, 1000, math.nan]
    found = assess_probability(block, FLOOD)
    assert found.reach.tolist() == pytest.approx([1, 0.3, 0.15])
    assert found.is_default.tolist() == [False, False, True]
    for cell, reach in enumerate(found.reach):
        assert found.damage_rates[cell, 0] == pytest.approx(reach * np.array([0, 0.0005, 0.005, 0.03, 0.10]))
    assert found.aal[:, 0] == pytest.approx(found.reach * 7.15e-4)


def test_the_interval_is_scaled_by_the_reach_as_the_aal_is() -> None:
    block = block_of(cells=2)
    block.values["rx1day"][..., 1] = block.values["rx1day"][..., 0]
    block.attributes["river_distance_m"][:] = [300, 1000]
    found = assess_probability(block, FLOOD)
    for bound in (found.aal, found.aal_low, found.aal_high, found.aal_change_low, found.aal_change_high):
        assert bound[1] == pytest.approx(0.3 * bound[0], rel=1e-9)


def test_a_place_out_of_reach_loses_nothing_and_that_is_computed() -> None:
    block = block_of(cells=1)
    block.attributes["river_distance_m"][:] = 5000
    found = assess_probability(block, FLOOD)
    assert (found.aal == 0).all()
    assert (found.aal_high == 0).all()
    assert (found.status == ResultStatus.OK).all()


def test_the_change_is_against_the_historical_baseline() -> None:
    found = assess_probability(block_of(), HEAT)
    assert np.array_equal(found.aal_change, found.aal - found.aal[:, :1])
    assert (found.aal_change_low <= found.aal_change).all()
    assert (found.aal_change <= found.aal_change_high).all()
    assert (found.aal_change_low[:, 0] == 0).all()
    assert (found.aal_change_high[:, 0] == 0).all()


def test_the_reference_set_has_its_own_bins_and_rates() -> None:
    found = assess_probability(block_of(), FLOOD, "reference")
    assert found.damage_set == "reference"
    assert found.probabilities[0, 0] == pytest.approx([0.8, 0.15, 0.04, 0.01], abs=1e-12)
    with pytest.raises(BadInput, match="damage set: 'none'"):
        assess_probability(block_of(), FLOOD, "none")


# --- what is missing ----------------------------------------------------------------------------------------


def test_nine_years_are_a_short_record_of_heat_and_too_few_for_flood_levels() -> None:
    block = block_of(cells=2)
    keep = (YEARS >= 2011) & (YEARS <= 2014)
    for values in block.values.values():
        values[1:] = math.nan
        values[0, ~keep & (YEARS != 2001) & (YEARS > 1995)] = math.nan
        values[0, YEARS < 1992] = math.nan
    block.present[1:] = False

    heat = assess_probability(block, HEAT)
    assert heat.n_years[:, 0].tolist() == [9, 9]
    assert heat.status[:, 0].tolist() == [ResultStatus.SHORT_RECORD] * 2
    assert heat.estimator[:, 0].tolist() == [Estimator.COUNT] * 2
    assert heat.baseline == ["first_9_years"] * 2
    assert not np.isnan(heat.aal[:, 0]).any()
    assert np.isnan(heat.aal_low[:, 0]).all()
    assert heat.reason == [None, None]

    flood = assess_probability(block, FLOOD)
    assert flood.status[:, 0].tolist() == [ResultStatus.INSUFFICIENT_DATA] * 2
    assert (
        flood.reason
        == ["9 years of rx1day in historical baseline; at least 15 are needed for the return levels of its bins"] * 2
    )


def test_a_scenario_that_a_cell_does_not_have_is_absent_and_not_insufficient() -> None:
    block = block_of()
    block.present[2, 1] = False
    block.values["wsdi"][2, :, 1] = math.nan
    found = assess_probability(block, HEAT)
    absent = np.array([p.scenario == "ssp245" for p in PROJECTIONS])
    assert (found.status[1, absent] == 0).all()
    assert (found.status[1, ~absent] == ResultStatus.OK).all()
    assert np.isnan(found.probabilities[1, absent]).all()
    assert np.isnan(found.aal[1, absent]).all()
    assert (found.n_years[1, absent] == 0).all()
    assert (found.estimator[1, absent] == 0).all()
    assert found.reason == [None] * 4


def test_too_few_years_say_how_many_of_what_and_where() -> None:
    block = block_of(cells=3)
    block.values["wsdi"][0, 4:, 0] = math.nan
    block.values["wsdi"][3, YEARS > 2015, 1] = math.nan
    found = assess_probability(block, HEAT)
    assert found.reason == [
        "4 years of wsdi in historical baseline; at least 5 are needed",
        "1 year of wsdi in ssp370 2020s; at least 5 are needed",
        None,
    ]
    assert found.status[0, 0] == ResultStatus.INSUFFICIENT_DATA
    for name in ("probabilities", "damage_rates", "edges", "aal", "aal_low", "aal_high", "aal_change"):
        assert np.isnan(getattr(found, name)[0, 0]).all(), name


def test_a_variable_that_nobody_has_is_insufficient_data() -> None:
    block = block_of(cells=1)
    del block.values["wsdi"]
    found = assess_probability(block, HEAT)
    assert (found.status == ResultStatus.INSUFFICIENT_DATA).all()
    assert found.reason == ["no year of wsdi in historical baseline; at least 5 are needed"]
    assert found.baseline == [None]


def test_rain_that_never_varies_has_no_flood_levels() -> None:
    block = block_of(cells=1)
    block.values["rx1day"][:] = 80.0
    found = assess_probability(block, FLOOD)
    assert (found.status == ResultStatus.INSUFFICIENT_DATA).all()
    assert found.reason == ["rx1day does not vary over the baseline: its return levels cannot be fitted"]


def test_a_window_too_short_for_a_gev_is_counted_against_the_baselines_levels() -> None:
    block = block_of(cells=1)
    block.values["rx1day"][4, (YEARS >= 2081) & (YEARS < 2093)] = math.nan
    found = assess_probability(block, FLOOD)
    assert found.n_years[0, LAST] == 8
    assert found.estimator[0, LAST] == Estimator.COUNT
    assert found.status[0, LAST] == ResultStatus.SHORT_RECORD
    rain = block.values["rx1day"][4, YEARS >= 2093, 0]
    assert found.probabilities[0, LAST] == pytest.approx(probabilities(rain, found.edges[0, LAST], "count"))


def test_a_place_that_cannot_have_the_risk_says_why() -> None:
    inland = dataclasses.replace(
        HEAT, inapplicable=lambda attributes, n: (attributes["river_distance_m"] > 1000, "too far away")
    )
    block = block_of(cells=2)
    block.attributes["river_distance_m"][:] = [500, 5000]
    block.present[4, 1] = False
    found = assess_probability(block, inland)
    assert (found.status[0] == ResultStatus.OK).all()
    assert (found.status[1, :25] == ResultStatus.NOT_APPLICABLE).all()
    assert (found.status[1, 25:] == 0).all()
    assert np.isnan(found.aal[1]).all()
    assert found.reason == [None, "too far away"]


def test_blocks_without_series_and_without_cells_have_results_without_numbers() -> None:
    empty = Block(np.array([7], np.int32), np.zeros(0, np.int32), {}, np.zeros((5, 1), bool), {})
    for risk in all_risks().values():
        found = assess_probability(empty, risk)
        assert found.status.tolist() == [[0] * len(PROJECTIONS)]
        assert found.reason == [None]
        nobody = assess_probability(taken(block_of(), slice(0, 0)), risk)
        assert nobody.aal.shape == (0, len(PROJECTIONS))


# --- properties of any block --------------------------------------------------------------------------------


@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.1, 0.5, 0.8]))
@settings(max_examples=25, deadline=None)
def test_what_holds_for_any_block(seed: int, gaps: float) -> None:
    block = block_of(cells=3, seed=seed, gaps=gaps)
    for risk in (HEAT, FLOOD):
        found = assess_probability(block, risk)
        done = np.isin(found.status, (ResultStatus.OK, ResultStatus.SHORT_RECORD))
        assert np.array_equal(done, ~np.isnan(found.aal))
        assert np.array_equal(done, found.estimator > 0)
        p, rates, aal = found.probabilities[done], found.damage_rates[done], found.aal[done]
        assert np.abs(p.sum(axis=-1) - 1).max(initial=0) <= 1e-12
        assert (p >= 0).all()
        assert np.array_equal(aal, (p * rates).sum(axis=-1))
        assert (aal >= rates.min(axis=-1, initial=0) - 1e-15).all()
        assert (aal <= rates.max(axis=-1, initial=0) + 1e-15).all()
        enough = done & (found.n_years >= (15 if risk is FLOOD else 10))
        assert np.array_equal(enough, ~np.isnan(found.aal_low))
        assert (found.aal_low[enough] <= found.aal[enough] + 1e-15).all()
        assert (found.aal[enough] <= found.aal_high[enough] + 1e-15).all()
        assert all((why is None) == bool(ok) for why, ok in zip(found.reason, done.all(axis=1), strict=True))


@given(seed=st.integers(0, 10_000), gaps=st.sampled_from([0.0, 0.3, 0.8]), size=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_any_chunking_of_cells_gives_the_same_bits(seed: int, gaps: float, size: int) -> None:
    block = block_of(cells=7, seed=seed, gaps=gaps)
    for risk in (HEAT, FLOOD):
        whole = assess_probability(block, risk)
        for start in range(0, 7, size):
            part = slice(start, min(start + size, 7))
            cut = {
                field.name: getattr(whole, field.name)[part]
                for field in dataclasses.fields(ProbabilityBlock)
                if field.name not in ("risk_type", "damage_set")
            }
            assert_equal(assess_probability(taken(block, part), risk), dataclasses.replace(whole, **cut))


def test_years_outside_of_all_windows_change_nothing() -> None:
    block = block_of()
    longer = Block(
        block.grid_ids,
        np.arange(1971, 2121, dtype=np.int32),
        {name: np.pad(v, ((0, 0), (20, 20), (0, 0)), constant_values=math.nan) for name, v in block.values.items()},
        block.present,
        block.attributes,
    )
    for risk in (HEAT, FLOOD):
        assert_equal(assess_probability(longer, risk), assess_probability(block, risk))


def test_windows_may_be_shared_between_risks() -> None:
    block = block_of()
    windows = Windows(block)
    for risk in (HEAT, FLOOD):
        assert_equal(assess_probability(block, risk, windows=windows), assess_probability(block, risk))


def test_no_probability_is_constant_over_the_decades() -> None:
    for risk in (HEAT, FLOOD):
        found = assess_probability(block_of(), risk)
        for cell in range(4):
            assert len({tuple(p) for p in found.probabilities[cell, 25:]}) == 8


def test_fixed_edges_and_rates_are_those_of_the_damage_set() -> None:
    damage = HEAT.damage_set("calibrated")
    assert isinstance(damage, DamageSet)
    other = dataclasses.replace(
        HEAT, damage_sets={"calibrated": dataclasses.replace(damage, edges=(0.0, 5.0), rates=(0.0, 0.1, 0.2))}
    )
    found = assess_probability(block_of(), other)
    assert found.edges[0, 0].tolist() == [0, 5]
    # Closed on the left, bin 0 is X < 0: a year without a warm spell belongs to the bin of 0 to 5 days.
    assert (found.probabilities[..., 0] == 0).all()
