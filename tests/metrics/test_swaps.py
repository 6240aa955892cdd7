from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array

from fairdistill.metrics import swaps
from fairdistill.metrics.swaps import Swaps


def test_many_types_together_move_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(0)
    apart = draw.integers(-1, 2, (400, 3)).astype(float)
    apart[5:, 2] = 0  # few sources have rows in the last cell
    weight = draw.integers(1, 5, 400)
    one_by_one = Swaps.of(csr_array(apart), weight)
    monkeypatch.setattr(swaps, "_FEW_TYPES", 100)
    together = Swaps.of(csr_array(apart), weight)
    assert len(one_by_one.weight) > 300
    assert 0 < len(together.weight) <= 5
    first, second = (each.drawn(20_000, np.random.default_rng(1)) for each in (one_by_one, together))
    np.testing.assert_allclose(second.mean(axis=0), first.mean(axis=0), atol=0.3)
    np.testing.assert_allclose(np.cov(second.T), np.cov(first.T), atol=0.04 * np.var(first, axis=0).max())
    assert set(np.unique(second[:, 2])) == set(np.unique(first[:, 2]))  # drawn one by one
