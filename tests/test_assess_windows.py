"""Which years a projection is read through."""

from __future__ import annotations

import math

import numpy as np
import pytest

from aiops.assess.variables import variables_of
from aiops.assess.windows import Windows
from aiops.climate import DECADES, PROJECTIONS, SCENARIOS, Block
from aiops.risks import Indicator, all_risks, find_risk
from aiops.stats.gev import fit

X = Indicator("x")


def block_of(first: int, last: int, cells: int = 1, history_until: int = 2014) -> Block:
    """A block of one variable whose value is its year; each scenario has the history in front."""
    years = np.arange(first, last + 1, dtype=np.int32)
    values = np.tile(years.astype(float)[:, None], (5, 1, cells))
    values[0, years > history_until] = math.nan
    return Block(np.arange(1, cells + 1, dtype=np.int32), years, {"x": values}, np.ones((5, cells), bool), {})


def years_of(window: np.ndarray) -> tuple[int, int, int]:
    """First and last year, and how many there are."""
    return int(np.nanmin(window)), int(np.nanmax(window)), int((~np.isnan(window)).sum())


def horizon(block: Block, scenario: str, decade: int) -> np.ndarray:
    projection = next(place for place, p in enumerate(PROJECTIONS) if (p.scenario, p.target_year) == (scenario, decade))
    return Windows(block).horizons(X).values[projection - 1, 0]


def test_a_decade_is_read_through_20_years_and_the_last_one_is_shifted() -> None:
    block = block_of(1981, 2100)
    for decade in DECADES[:-1]:
        assert years_of(horizon(block, "ssp245", decade)) == (decade - 5, decade + 14, 20)
    assert years_of(horizon(block, "ssp585", 2090)) == (2081, 2100, 20)


@pytest.mark.parametrize("last", [2099, 2100, 2104, 2110])
def test_all_decades_differ_wherever_the_data_end(last: int) -> None:
    windows = [years_of(horizon(block_of(1991, last), "ssp126", decade)) for decade in DECADES]
    assert len(set(windows)) == len(DECADES)
    assert all(n == 20 for *_, n in windows)


def test_a_decade_that_the_data_do_not_cover_is_not_read_from_another() -> None:
    block = block_of(1991, 2060)
    assert years_of(horizon(block, "ssp126", 2050)) == (2041, 2060, 20)
    assert years_of(horizon(block, "ssp126", 2060)) == (2055, 2060, 6)
    assert np.isnan(horizon(block, "ssp126", 2070)).all()


def test_each_cell_is_shifted_to_the_end_of_its_own_data() -> None:
    block = block_of(1991, 2100, cells=2)
    block.values["x"][:, block.years == 2100, 1] = math.nan
    found = Windows(block).horizons(X)
    assert years_of(found.values[7, 0]) == (2081, 2100, 20)
    assert years_of(found.values[7, 1]) == (2080, 2099, 20)
    assert found.n[7].tolist() == [20, 20]


def test_the_baseline_is_1991_2020_of_each_series() -> None:
    found = Windows(block_of(1961, 2100)).labelled_baselines(X)
    assert found.labels == ["1991-2020"]
    assert years_of(found.sample.values[0, 0]) == (1991, 2014, 24)  # the historical rows alone
    assert years_of(found.sample.values[SCENARIOS.index("ssp370"), 0]) == (1991, 2020, 30)


def test_with_fewer_than_20_of_these_years_it_is_the_first_30() -> None:
    found = Windows(block_of(2003, 2100, history_until=2100)).labelled_baselines(X)
    assert found.labels == ["first_30_years"]
    assert years_of(found.sample.values[0, 0]) == (2003, 2032, 30)

    gaps = block_of(1951, 2000)
    gaps.values["x"][:, ::2] = math.nan
    found = Windows(gaps).labelled_baselines(X)
    assert found.labels == ["first_25_years"]
    assert years_of(found.sample.values[0, 0]) == (1952, 2000, 25)


def test_with_fewer_than_30_it_is_all_there_are() -> None:
    found = Windows(block_of(2011, 2019, history_until=2019)).labelled_baselines(X)
    assert found.labels == ["first_9_years"]
    assert found.sample.n[0].tolist() == [9]


def test_20_of_these_years_are_enough_and_19_are_not() -> None:
    block = block_of(1951, 2100, cells=2)
    block.values["x"][:, block.years > 2010] = math.nan
    block.values["x"][:, block.years > 2009, 1] = math.nan
    found = Windows(block).labelled_baselines(X)
    assert found.labels == ["1991-2020", "first_30_years"]
    assert years_of(found.sample.values[0, 1]) == (1951, 1980, 30)


def test_a_cell_without_history_takes_the_name_of_its_scenarios_baseline() -> None:
    block = block_of(2015, 2100)
    block.values["x"][0] = math.nan
    assert Windows(block).labelled_baselines(X).labels == ["first_30_years"]
    block.values["x"][:] = math.nan
    assert Windows(block).labelled_baselines(X).labels == [None]


def test_means_leave_missing_years_out_and_need_5() -> None:
    block = block_of(1991, 2100, cells=2)
    block.values["x"][1, (block.years > 2019) & (block.years < 2030), 0] = math.nan
    block.values["x"][1, block.years > 2018, 1] = math.nan
    values, n = Windows(block).mean(X)
    # ssp126 2020s, 2015 to 2034: of the first cell 2020 to 2029 are missing, of the second all but four years.
    assert values[1, 0] == pytest.approx(np.mean([*range(2015, 2020), *range(2030, 2035)]))
    assert n[1].tolist() == [10, 4]
    assert math.isnan(values[1, 1])
    assert values[0].tolist() == pytest.approx([np.mean(range(1991, 2015))] * 2)


def test_a_gev_needs_15_years() -> None:
    block = block_of(1991, 2100, cells=2)
    block.values["x"][1, block.years > 2028, 1] = math.nan
    params, n = Windows(block).gev(X)
    assert n[1].tolist() == [20, 14]
    assert np.isnan(params.shape[1]).tolist() == [False, True]
    assert params.location[1, 0] == fit(np.arange(2015.0, 2035)).location


def test_infinite_values_and_unknown_variables_are_missing() -> None:
    block = block_of(1991, 2100)
    block.values["x"][:, block.years == 1999] = math.inf
    windows = Windows(block)
    assert windows.baselines(X).n[0, 0] == 23
    assert windows.baselines(Indicator("y")).n.tolist() == [[0]] * 5
    assert np.isnan(windows.horizons(Indicator("y")).values).all()


def test_an_indicator_may_turn_a_variable_round() -> None:
    turned = Indicator("x", np.negative)
    block = block_of(1991, 2100)
    assert np.array_equal(Windows(block).series(turned), -Windows(block).series(X), equal_nan=True)
    assert block.values["x"][1, 0, 0] == 1991  # what others read is untouched


def test_a_block_without_series_has_windows_without_years() -> None:
    block = Block(
        np.array([1, 2], np.int32), np.zeros(0, np.int32), {"x": np.zeros((5, 0, 2))}, np.zeros((5, 2), bool), {}
    )
    windows = Windows(block)
    assert windows.labelled_baselines(X).labels == [None, None]
    assert windows.horizons(X).n.sum() == 0
    assert np.isnan(windows.mean(X).values).all()
    assert np.isnan(windows.gev(X)[0].shape).all()


@pytest.mark.parametrize("kinds", [("hazard",), ("probability", "hazard")])
def test_the_sea_alone_sees_the_scenarios_that_it_sees_among_the_others(kinds):
    """It reads no series itself; whether a cell has a scenario follows from those of the others."""
    alone = set(variables_of([find_risk("sea_level_rise")], kinds, "calibrated"))
    others = set().union(*(risk.hazard_variables() for risk in all_risks().values()))
    assert others <= alone
    heat = find_risk("extreme_heat")
    assert set(variables_of([heat], ("hazard",), "calibrated")) == heat.hazard_variables()
