"""Counting sources: the pictures or people behind the samples."""

from __future__ import annotations

import numpy as np

from fairdistill.metrics.rows import Ints, distinct, numbered


def sources_of(cell: Ints, sources: Ints, num_cells: int) -> Ints:
    """Return the number of different sources with samples in each cell, int64 ``[num_cells]``.

    Example:
        >>> sources_of(np.array([0, 0, 1]), np.array([5, 5, 5]), 3).tolist()
        [1, 1, 0]
    """
    owner = numbered(sources)
    if owner.max(initial=-1) + 1 < len(owner):
        cell = distinct(owner * num_cells + cell) % num_cells
    return np.bincount(cell, minlength=num_cells)
