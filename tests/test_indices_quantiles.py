from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.indices.quantiles import moving_quantile, quantile

NUMPY_NAMES = {7: "linear", 8: "median_unbiased"}

with_gaps = arrays(
    np.float64,
    st.tuples(st.integers(1, 12), st.integers(1, 4)),
    elements=st.one_of(st.floats(-50.0, 50.0), st.just(np.nan)),
)


@pytest.mark.parametrize("method", [7, 8])
@given(values=with_gaps, probability=st.floats(0.0, 1.0))
def test_each_lane_has_numpys_quantile_of_the_values_it_has(
    method: int, values: np.ndarray, probability: float
) -> None:
    result, counts = quantile(values, probability, method)
    for lane, got, n in zip(values.T, result, counts, strict=True):
        there = lane[~np.isnan(lane)]
        assert n == there.size
        if n == 0:
            assert np.isnan(got)
        else:
            expected = np.quantile(there, probability, method=NUMPY_NAMES[method])
            assert got == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**32 - 1),
    probability=st.sampled_from([0.02, 0.1, 0.5, 0.9, 0.98]),
    share_missing=st.sampled_from([0.0, 0.3, 0.9]),
)
def test_a_moving_quantile_is_the_quantile_of_each_windows_values(
    seed: int, probability: float, share_missing: float
) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(9, 3, 7)).round(1)
    values[rng.random(values.shape) < share_missing] = np.nan
    pooled = np.stack([np.moveaxis(values[d : d + 5], 1, -1).reshape(-1, 3) for d in range(5)], axis=1)
    expected, expected_counts = quantile(pooled, probability, 8)
    result, counts = moving_quantile(values.copy(), 5, probability, 8)
    np.testing.assert_array_equal(counts, expected_counts)
    np.testing.assert_array_equal(result, expected)
