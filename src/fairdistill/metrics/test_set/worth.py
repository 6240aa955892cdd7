"""How many independent rows those of a set are worth if some of them come from one source."""

from __future__ import annotations

import numpy as np
from scipy.special import stdtrit

from fairdistill.metrics.arrays import Floats, Ints, divided
from fairdistill.metrics.test_set.distinct import numbered


def worth_of(values: Floats, cell: Ints, sources: Ints, num_cells: int, *, confidence: float = 0.95) -> Floats:
    """Return how many independent rows would give means as precise, float64 ``[K]``; 1 to the rows of a cell.

    ``n * v0 / v``: the variance of a mean if its rows were independent, by that of its sources (Kish's design effect).
    It is at least that of all cells together, since few sources may look independent by chance. If no row differs from
    the mean of its cell, the rows of a source count as copies of each other: ``n^2 / sum of squared sizes``. Both are
    reduced by :func:`for_few_sources`.

    Args:
        values: float64 ``[N]``: what the means are of.
        cell: int64 ``[N]``.
        sources: int64 ``[N]``.
        num_cells: K.
        confidence: of the interval that is wanted, two-sided.

    Example:
        >>> rows = np.arange(8)
        >>> worth_of((rows % 2).astype(float), rows // 4, rows, 2).tolist()
        [4.0, 4.0]
        >>> bool((worth_of((rows // 2 % 2).astype(float), rows // 4, rows // 2, 2) <= 2).all())
        True
    """
    rows = np.bincount(cell, minlength=num_cells).astype(np.float64)
    owner = numbered(sources)
    number = int(owner.max(initial=-1)) + 1
    if number == len(cell):
        return rows
    residual = values - divided(np.bincount(cell, values, num_cells), rows)[cell]
    pair, at = np.unique(cell * number + owner, return_inverse=True)
    home = pair // number
    size = np.bincount(at).astype(np.float64)
    clustered = np.bincount(home, np.bincount(at, residual) ** 2, num_cells)
    alone = np.bincount(cell, residual**2, num_cells)
    if alone.sum() > 0:
        pooled = float(clustered.sum() / alone.sum())
        found = rows / np.maximum(np.nan_to_num(divided(clustered, alone)), max(1.0, pooled))
    else:
        found = np.nan_to_num(divided(rows**2, np.bincount(home, size**2, num_cells)))
    return for_few_sources(np.nan_to_num(found), rows, np.bincount(home, minlength=num_cells), confidence)


def for_few_sources(worth: Floats, rows: Floats | Ints, sources: Ints, confidence: float) -> Floats:
    """Return a number of independent rows, 1 to n, times ``(t(n - 1) / t(S - 1))^2`` for n rows of S sources.

    The quantiles of Student's t make up for a variance that few sources leave uncertain.
    """
    level = (1 + confidence) / 2
    few, many = stdtrit(np.maximum(sources - 1, 1), level), stdtrit(np.maximum(rows - 1, 1), level)
    found = np.where(sources < rows, worth * (many / few) ** 2, worth)
    return np.asarray(np.clip(found, np.minimum(rows, 1), rows), np.float64)
