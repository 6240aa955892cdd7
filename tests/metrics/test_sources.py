from __future__ import annotations

import numpy as np

from fairdistill.metrics.sources import sources_of


def test_sources_are_counted_once_in_each_cell() -> None:
    cell, source = np.array([0, 0, 0, 2, 2, 2]), np.array([7, 7, 3, 7, 8, 9])
    assert sources_of(cell, source, 4).tolist() == [2, 0, 3, 0]
