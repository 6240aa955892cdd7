"""Cells with so many rows of so many outcomes that what drawn rows add up to is normal.

The number of right answers of several models among n rows drawn with replacement has the covariance of n rows, and is
close to normal once every model has some dozens of right and of wrong answers. A normal number for each model replaces
one for each outcome, of which there are up to 2^M.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.bootstrap.normal import root_of
from fairdistill.metrics.test_set.rows import placed

_FEWEST = 20  # right and wrong answers of each model
_FEW_OUTCOMES = 8


def large_cells(counts: Ints, values: Floats) -> Flags:
    """Return the cells in which every model has at least 20 right and 20 wrong answers, ``[cells]``.

    None of them if there are at most 8 outcomes, as of three models: these are counted as quickly.

    Args:
        counts: int64 ``[cells, codes]``: rows of each outcome.
        values: float64 ``[codes, M]``: 1 for the models that are right.

    Example:
        >>> values = (np.arange(16)[:, None] >> np.arange(4) & 1).astype(float)
        >>> large_cells(np.array([np.full(16, 3), np.full(16, 2)]), values).tolist()
        [True, False]
    """
    if len(values) <= _FEW_OUTCOMES:
        return np.zeros(len(counts), bool)
    fewest = np.minimum(counts @ values, counts @ (1 - values)).min(axis=1)
    return np.asarray(fewest >= _FEWEST)


@dataclass(frozen=True, eq=False)
class NormalSums:
    """What the rows of large cells add up to, as types of sources: the mean row, and what the sums vary by.

    Attributes:
        types: int64 ``[cells]``: types of each cell: one more than its sums vary by.
        table: sparse float64 ``[T, all cells * M]``: what one of each type adds to the values of each cell.
        row_table: sparse float64 ``[T, all cells]``: 1 for the mean row.
    """

    types: Ints
    table: csr_array
    row_table: csr_array

    @classmethod
    def of(cls, cells: Ints, weight: Floats, values: Floats, num_cells: int) -> NormalSums:
        """Return them for some cells.

        Args:
            cells: int64 ``[L]``: the cells.
            weight: float64 ``[L, codes]``: of each outcome.
            values: float64 ``[codes, M]``.
            num_cells: number of all cells.

        Example:
            >>> found = NormalSums.of(np.array([1]), np.array([[1.0, 3.0]]), np.array([[0.0], [1.0]]), 2)
            >>> found.table.toarray().round(3).tolist(), found.row_table.toarray().tolist()
            ([[0.0, 0.75], [0.0, 0.433]], [[0.0, 1.0], [0.0, 0.0]])
        """
        models = values.shape[1]
        blocks = [_mean_and_variation(each, values) for each in weight]
        types = np.array([len(block) for block in blocks], np.int64)
        added = np.concatenate([np.zeros((0, models)), *blocks])
        first = np.cumsum(types) - types
        table = placed(np.arange(len(added)), np.repeat(cells, types), added, (len(added), num_cells * models))
        return cls(types, table, placed(first, cells, np.ones(len(cells)), (len(added), num_cells)))


def _mean_and_variation(weight: Floats, values: Floats) -> Floats:
    """Return the mean of a drawn row, and what its covariance is the sum of the squares of, ``[1 + used, M]``."""
    chance = weight / weight.sum()
    mean = chance @ values
    apart = values - mean
    return np.vstack([mean, root_of(apart.T @ (apart * chance[:, None])).T])
