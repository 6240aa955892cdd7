from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics.test_set.canonical import canonical_order


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(st.integers(0, 2), min_size=12, max_size=12), st.permutations(range(3)), st.permutations(range(2)))
def test_the_order_depends_on_the_counts_alone(cells: list[int], group_at: list[int], stratum_at: list[int]) -> None:
    counts = np.array(cells).reshape(3, 2, 2)
    turned = counts[group_at][:, stratum_at]
    groups, strata = canonical_order(counts)
    again, too = canonical_order(turned)
    assert sorted(groups) == [0, 1, 2]
    assert sorted(strata) == [0, 1]
    np.testing.assert_array_equal(counts[groups][:, strata], turned[again][:, too])
