from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.test_set.distinct import distinct, sources_per_cell


@pytest.mark.parametrize("values", [[], [4], [2, 2, -1, 5, 2]])
def test_distinct_values_are_numpys(values: list[int]) -> None:
    np.testing.assert_array_equal(distinct(np.array(values, int)), np.unique(np.array(values, int)))


def test_sources_are_counted_once_in_each_cell() -> None:
    cell, source = np.array([0, 0, 0, 2, 2, 2]), np.array([7, 7, 3, 7, 8, 9])
    assert sources_per_cell(cell, source, 4).tolist() == [2, 0, 3, 0]
