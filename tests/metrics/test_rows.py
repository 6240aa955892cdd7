"""Rows and their sources: distinct numbers."""

from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.rows import distinct


@pytest.mark.parametrize("values", [[], [4], [2, 2, -1, 5, 2]])
def test_distinct_values_are_numpys(values: list[int]) -> None:
    np.testing.assert_array_equal(distinct(np.array(values, int)), np.unique(np.array(values, int)))
