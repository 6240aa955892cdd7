"""Counting sources: the pictures or people behind the samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.rows import distinct

Ints = NDArray[np.int64]


def sources_of(cell: Ints, sources: Ints, num_cells: int) -> Ints:
    """Return the number of different sources with samples in each cell, int64 ``[num_cells]``.

    Example:
        >>> sources_of(np.array([0, 0, 1]), np.array([5, 5, 5]), 3).tolist()
        [1, 1, 0]
    """
    pairs = distinct(sources.astype(np.int64) * num_cells + cell)
    return np.bincount(pairs % num_cells, minlength=num_cells)
