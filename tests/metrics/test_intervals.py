from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from fairdistill.metrics.intervals import wilson


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_wilsons_interval_is_scipys(confidence: float) -> None:
    cases = [(0, 1), (1, 1), (0, 20), (7, 20), (20, 20), (499, 1000)]
    correct, rows = np.array(cases).T
    expected = [binomtest(k, n).proportion_ci(confidence_level=confidence, method="wilson") for k, n in cases]
    np.testing.assert_allclose(np.transpose(wilson(correct, rows, confidence=confidence)), expected, atol=1e-9)


def test_wilsons_interval_without_rows_is_undefined_and_keeps_the_shape() -> None:
    low, high = wilson(np.array([[0, 3], [1, 0]]), np.array([[0, 4], [2, 0]]))
    assert low.shape == high.shape == (2, 2)
    assert np.isnan([low[0, 0], high[0, 0], low[1, 1], high[1, 1]]).all()
    assert np.isfinite([low[0, 1], high[1, 0]]).all()
