from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.errors import BadInput
from aiops.indices.sea_level import depth_probabilities, detrended_maxima, flood_depth

EDGES = (0.0, 0.3, 1.0)


def gumbel(level: np.ndarray) -> np.ndarray:
    """Annual maxima around 4.6 m, 100-year level 5.06 m."""
    return np.exp(-np.exp(-(level - 4.6) / 0.1))


HUNDRED_YEARS = 4.6 - 0.1 * np.log(-np.log(0.99))


def test_a_rising_sea_is_taken_back_to_1995_2014() -> None:
    years = np.arange(1980, 2021)
    maxima = 4.0 + 0.01 * (years - 2004.5)
    np.testing.assert_allclose(detrended_maxima(maxima, years), 4.0)


def test_gaps_and_datum_of_each_gauge() -> None:
    years = np.arange(1980, 2021)
    maxima = np.column_stack([4.0 + 0.01 * (years - 2004.5), np.full(years.size, 1.0)])
    maxima[5, 0] = np.nan
    levels = detrended_maxima(maxima, years, datum_offset=[-0.5, 0.2])
    assert np.isnan(levels[5, 0])
    np.testing.assert_allclose(np.delete(levels[:, 0], 5), 3.5)
    np.testing.assert_allclose(levels[:, 1], 1.2)


def test_a_short_record_keeps_its_swing() -> None:
    years = np.arange(2001, 2010)
    maxima = np.linspace(4.0, 4.4, 9)
    np.testing.assert_array_equal(detrended_maxima(maxima, years), maxima)


def test_a_sample_of_a_longer_record_loses_the_trend_as_the_record_does() -> None:
    years = np.arange(2001, 2010)
    maxima = np.column_stack([4.0 + 0.05 * (years - 2004.5)] * 2)
    levels = detrended_maxima(maxima, years, trend=np.array([True, False]))
    np.testing.assert_allclose(levels[:, 0], 4.0)
    np.testing.assert_array_equal(levels[:, 1], maxima[:, 1])


@pytest.mark.parametrize(
    ("water", "ground", "crest", "depth"),
    [
        (5.0, 4.0, 4.5, 1.0),  # overtopped: all of it comes in
        (4.5, 4.0, 4.5, 0.0),  # up to the crest it holds
        (4.4, 4.0, 4.5, 0.0),
        (4.4, 4.0, 3.0, 0.4),  # no defence to speak of
        (3.9, 4.0, 3.0, 0.0),
    ],
)
def test_a_defence_holds_up_to_its_crest(water: float, ground: float, crest: float, depth: float) -> None:
    assert flood_depth(water, ground, crest) == pytest.approx(depth)


def test_an_unknown_height_has_no_depth() -> None:
    assert np.isnan(flood_depth([5.0, 5.0], [np.nan, 4.0], [4.5, np.nan])).all()


def test_bins_are_differences_of_the_distribution() -> None:
    p = depth_probabilities(EDGES, ground=4.7, crest=0.0, rise=[0.0], not_exceeded=gumbel)
    at = [gumbel(np.array(4.7 + e)) for e in EDGES]
    np.testing.assert_allclose(p, [at[0], at[1] - at[0], at[2] - at[1], 1.0 - at[2]], atol=1e-15)


def test_behind_a_defence_of_the_100_year_level_one_year_in_a_hundred_floods() -> None:
    p = depth_probabilities(EDGES, ground=3.0, crest=HUNDRED_YEARS, rise=[0.0], not_exceeded=gumbel)
    np.testing.assert_allclose(p, [0.99, 0.0, 0.0, 0.01], atol=1e-12)


def test_a_place_far_above_the_sea_never_floods() -> None:
    p = depth_probabilities(EDGES, ground=40.0, crest=HUNDRED_YEARS, rise=[0.0], not_exceeded=gumbel)
    np.testing.assert_allclose(p, [1.0, 0.0, 0.0, 0.0], atol=1e-12)


def test_p_is_the_mean_over_the_horizons_years() -> None:
    rises = [0.2, 0.3, np.nan]
    p = depth_probabilities(EDGES, 4.7, HUNDRED_YEARS, rises, gumbel)
    single = [depth_probabilities(EDGES, 4.7, HUNDRED_YEARS, [rise], gumbel) for rise in rises[:2]]
    np.testing.assert_allclose(p, np.mean(single, axis=0))
    assert np.isnan(depth_probabilities(EDGES, 4.7, HUNDRED_YEARS, [np.nan], gumbel)).all()


@given(
    ground=st.lists(st.floats(-2.0, 8.0), min_size=1, max_size=4),
    crest=st.floats(-1.0, 8.0),
    rise=st.floats(-0.2, 2.0),
)
def test_p_sums_to_one_and_floods_more_with_a_higher_sea(ground: list[float], crest: float, rise: float) -> None:
    cells = np.array(ground)
    p = depth_probabilities(EDGES, cells, crest, [rise], gumbel)
    assert p.shape == (cells.size, 4)
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-12)
    assert (p >= 0.0).all()
    higher = depth_probabilities(EDGES, cells, crest, [rise + 0.1], gumbel)
    assert (np.cumsum(higher, axis=1) <= np.cumsum(p, axis=1) + 1e-12).all()
    for cell in range(cells.size):
        np.testing.assert_array_equal(depth_probabilities(EDGES, cells[cell], crest, [rise], gumbel), p[cell])


def test_a_cell_of_unknown_height_has_no_p_and_its_neighbour_has() -> None:
    p = depth_probabilities(EDGES, [np.nan, 4.7], [5.0, 5.0], [0.0], gumbel)
    assert list(np.isnan(p).all(axis=1)) == [True, False]


def test_what_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match="edges"):
        depth_probabilities((0.0, 1.0, 0.5), 4.7, 5.0, [0.0], gumbel)
    with pytest.raises(BadInput, match="crest: shape"):
        depth_probabilities(EDGES, [4.7] * 3, [5.0] * 2, [0.0], gumbel)
    with pytest.raises(BadInput, match="rise: shape"):
        depth_probabilities(EDGES, [4.7] * 3, 5.0, np.zeros((5, 2)), gumbel)
    with pytest.raises(BadInput, match="maxima: -999 cannot be"):
        detrended_maxima([-999.0], [2001])
    with pytest.raises(BadInput, match="years: shape"):
        detrended_maxima([4.0], [2001, 2002])
