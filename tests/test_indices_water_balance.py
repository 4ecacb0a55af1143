from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import BadInput
from aiops.indices.water_balance import evaporation, runoff, scaled_flow, water_stress

amounts = st.floats(0.0, 5000.0)


def test_budykos_curve_where_rain_and_energy_are_equal() -> None:
    assert evaporation([1000.0], [1000.0])[0] == pytest.approx(1000.0 * np.sqrt(np.tanh(1.0) * (1.0 - np.exp(-1.0))))


def test_a_korean_year_evaporates_about_half_its_rain() -> None:
    assert 0.4 < evaporation([1300.0], [900.0])[0] / 1300.0 < 0.6


@given(rain=amounts, energy=amounts)
def test_evaporation_has_two_limits(rain: float, energy: float) -> None:
    evaporated = evaporation([rain], [energy])[0]
    assert 0.0 <= evaporated <= min(rain, energy) * (1.0 + 1e-12)
    assert runoff([rain], [energy])[0] == pytest.approx(rain - evaporated, abs=1e-9)


def test_no_rain_and_no_energy_are_no_evaporation() -> None:
    assert list(evaporation([0.0, 800.0], [900.0, 0.0])) == [0.0, 0.0]
    assert list(runoff([0.0, 800.0], [900.0, 0.0])) == [0.0, 800.0]


def test_missing_rain_or_energy_is_missing_water() -> None:
    assert np.isnan(runoff([np.nan, 800.0], [900.0, np.nan])).all()


def test_flow_has_the_gauged_mean_over_the_baseline() -> None:
    years = np.arange(2001, 2011)
    water = np.column_stack([np.arange(400.0, 500.0, 10.0), np.full(10, 300.0)])
    water[2, 0] = np.nan
    flow = scaled_flow(water, years, [80.0, 20.0], (2001, 2005))
    np.testing.assert_allclose(np.nanmean(flow[:5], axis=0), [80.0, 20.0])
    np.testing.assert_allclose(flow[9] / flow[0], water[9] / water[0])
    assert np.isnan(flow[2, 0])


def test_a_baseline_without_runoff_has_no_scale() -> None:
    years = np.arange(2001, 2004)
    assert np.isnan(scaled_flow([np.nan, np.nan, 300.0], years, 80.0, (2001, 2002))).all()
    assert np.isnan(scaled_flow([0.0, 0.0, 300.0], years, 80.0, (2001, 2002))).all()


def test_wsi_leaves_the_river_its_share() -> None:
    assert water_stress([63.0], [100.0])[0] == pytest.approx(1.0)
    assert water_stress([50.0], [100.0], reserved=0.0)[0] == pytest.approx(0.5)


def test_water_from_no_flow_is_infinite_stress() -> None:
    assert water_stress([1.0], [0.0])[0] == np.inf


def test_what_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="precipitation: -1 cannot be"):
        runoff([-1.0], [900.0])
    with pytest.raises(BadInput, match="potential: shape"):
        runoff([1.0], [900.0, 900.0])
    with pytest.raises(BadInput, match=r"reserved: 1\.5 given"):
        water_stress([1.0], [1.0], reserved=1.5)
    with pytest.raises(BadInput, match="baseline: 1991 to 2000"):
        scaled_flow([1.0], [2001], 1.0, (1991, 2000))
    with pytest.raises(BadInput, match="years: shape"):
        scaled_flow([1.0], [2001, 2002], 1.0, (2001, 2002))
