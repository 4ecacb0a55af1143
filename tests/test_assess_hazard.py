"""The Hazard score: weights, bounds, coverage, statuses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from aiops.assess.hazard import assess_hazard
from aiops.climate import PROJECTIONS, Block
from aiops.risks import Indicator, LossKind, Risk, Term, find_risk
from aiops.risks._shape import ReturnLevelOf, mean_of
from aiops.stats import gev
from aiops.stats.codes import ResultStatus

YEARS = np.arange(1991, 2101, dtype=np.int32)
HEAT, FLOOD = find_risk("extreme_heat"), find_risk("river_flood")


def block_of(cells: int = 1, **constants: float) -> Block:
    """Every series constant over its years; history ends in 2014."""
    values = {name: np.full((5, YEARS.size, cells), float(value)) for name, value in constants.items()}
    for array in values.values():
        array[0, YEARS > 2014] = math.nan
    return Block(np.arange(1, cells + 1, dtype=np.int32), YEARS, values, np.ones((5, cells), bool), {})


def test_heat_by_hand() -> None:
    # .3·30/120 + .3·45/90 + .2·7/70 + .2·(77.375 - 36.5)/163.5
    found = assess_hazard(block_of(wsdi=30, tx33=45, tn25=7, tx90p_days=77.375), HEAT)
    assert found.score[0] == pytest.approx([100 * (0.075 + 0.15 + 0.02 + 0.05)] * len(PROJECTIONS))
    assert found.coverage[0] == pytest.approx([1] * len(PROJECTIONS))
    assert (found.status == ResultStatus.OK).all()
    assert found.reason == [None]


def test_terms_are_bounded_each_for_itself() -> None:
    low = assess_hazard(block_of(wsdi=0, tx33=0, tn25=0, tx90p_days=10), HEAT)
    high = assess_hazard(block_of(wsdi=200, tx33=200, tn25=200, tx90p_days=300), HEAT)
    mixed = assess_hazard(block_of(wsdi=200, tx33=0, tn25=0, tx90p_days=0), HEAT)
    assert (low.score[0, 0], high.score[0, 0]) == (0, pytest.approx(100))
    assert mixed.score[0, 0] == pytest.approx(30)


def test_without_a_term_the_others_carry_the_score() -> None:
    found = assess_hazard(block_of(wsdi=60, tx33=45), HEAT)
    assert found.coverage[0, 0] == pytest.approx(0.6)
    assert found.score[0, 0] == pytest.approx(50)
    assert found.status[0, 0] == ResultStatus.OK


def test_three_tenths_of_the_weight_are_enough_and_less_is_not() -> None:
    enough = assess_hazard(block_of(wsdi=60), HEAT)
    assert enough.score[0, 0] == pytest.approx(50)
    lacking = assess_hazard(block_of(tn25=35), HEAT)
    assert lacking.coverage[0, 0] == pytest.approx(0.2)
    assert np.isnan(lacking.score).all()
    assert (lacking.status == ResultStatus.INSUFFICIENT_DATA).all()
    assert lacking.reason == ["no data, or fewer than 5 years, of wsdi, tx33, tx90p_days in historical baseline"]


def test_three_tenths_of_weights_whose_sum_is_rounded_up_are_three_tenths() -> None:
    weights = {"a": 0.3, "b": 0.1, "c": 0.2, "d": 0.3, "e": 0.1}
    assert weights["a"] / sum(weights.values()) < 0.3
    terms = tuple(Term(name, 0, 1, weight, mean_of(name)) for name, weight in weights.items())
    risk = Risk("r", (), LossKind.DIRECT, {}, terms)
    assert assess_hazard(block_of(a=1), risk).score[0, 0] == pytest.approx(100)


def test_fewer_than_5_years_are_no_data_and_fewer_than_10_a_short_record() -> None:
    block = block_of(cells=3, wsdi=60, tx33=45)
    history = np.flatnonzero(YEARS <= 2014)
    block.values["wsdi"][0, history[4:], 0] = math.nan
    block.values["wsdi"][0, history[9:], 1] = math.nan
    found = assess_hazard(block, HEAT)
    assert found.coverage[:, 0] == pytest.approx([0.3, 0.6, 0.6])
    assert found.status[:, 0].tolist() == [ResultStatus.OK, ResultStatus.SHORT_RECORD, ResultStatus.OK]


def test_the_100_year_rain_needs_15_years() -> None:
    rng = np.random.default_rng(5)
    block = block_of(cells=2, rx1day=0, rx5day=225)
    block.values["rx1day"][:] = rng.gumbel(150, 50, (5, YEARS.size, 2))
    block.values["rx1day"][0, 14:, 1] = math.nan
    block.values["rx1day"][0, YEARS > 2014] = math.nan
    found = assess_hazard(block, FLOOD)
    rain = block.values["rx1day"][0, :24, 0]
    share = (0.4 * 0.5, 0.4 * (rain.mean() - 50) / 250, 0.2 * (gev.return_level(gev.fit(rain), 100) - 100) / 400)
    assert found.score[0, 0] == pytest.approx(100 * sum(share))
    assert found.coverage[:, 0] == pytest.approx([1, 0.8])
    assert ReturnLevelOf(Indicator("rx1day"), 100).variables == {"rx1day"}


def test_a_scenario_that_a_cell_does_not_have_is_absent() -> None:
    block = block_of(cells=2, wsdi=60, tx33=45, tn25=7, tx90p_days=80)
    block.present[1, 0] = False
    found = assess_hazard(block, HEAT)
    assert (found.status[0, 1:9] == 0).all()
    assert np.isnan(found.score[0, 1:9]).all()
    assert np.isnan(found.coverage[0, 1:9]).all()
    assert found.reason == [None, None]
    assert not np.isnan(found.score[1]).any()


@given(
    values=hnp.arrays(np.float64, (4, YEARS.size, 3), elements=st.floats(-1e4, 1e4)),
    gaps=st.floats(0, 1),
    heat=st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_scores_lie_within_0_and_100_and_no_chunking_changes_a_bit(values: np.ndarray, gaps: float, heat: bool) -> None:
    values = np.where(np.random.default_rng(0).random(values.shape) < gaps, math.nan, values)
    names = ("wsdi", "tx33", "tn25", "tx90p_days") if heat else ("rx1day", "rx5day", "wsdi", "tn25")
    block = block_of(cells=3, **dict.fromkeys(names, 0.0))
    for name, series in zip(names, values, strict=True):
        block.values[name][:] = series
    for risk in (HEAT, FLOOD):
        found = assess_hazard(block, risk)
        scores = found.score[~np.isnan(found.score)]
        assert ((scores >= 0) & (scores <= 100 + 1e-12)).all()
        assert np.array_equal(np.isnan(found.score), np.isin(found.status, (0, ResultStatus.INSUFFICIENT_DATA)))
        for cell in range(3):
            alone = Block(
                block.grid_ids[cell : cell + 1],
                YEARS,
                {name: array[..., cell : cell + 1] for name, array in block.values.items()},
                block.present[:, cell : cell + 1],
                {},
            )
            assert np.array_equal(assess_hazard(alone, risk).score[0], found.score[cell], equal_nan=True)
