from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics.arrays import spread
from fairdistill.metrics.gap.true_gaps import over


def test_spread_and_over_worked_by_hand() -> None:
    shares = np.array([[0.5, 0.9, 0.4], [0.8, 0.9, np.nan], [0.6, 0.2, 0.4]])
    np.testing.assert_allclose(spread(shares), [0.3, 0.7, np.nan])
    gaps = np.array([[0.3, 0.7], [0.5, 0.1]])
    np.testing.assert_array_equal(over(gaps, "each"), gaps)
    np.testing.assert_allclose(over(gaps, "mean"), [0.5, 0.3])
    np.testing.assert_allclose(over(gaps, "max"), [0.7, 0.5])
    assert np.isnan(over(np.array([0.3, np.nan]), "max"))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=6, max_size=6), st.permutations(range(3)))
def test_spread_equals_all_pairs_of_groups_in_any_order(values: list[float], order: list[int]) -> None:
    shares = np.array(values).reshape(3, 2)
    expected = [max(abs(a - b) for a in column for b in column) for column in shares.T]
    np.testing.assert_array_equal(spread(shares), expected)
    np.testing.assert_array_equal(spread(shares[order]), expected)
