"""The rows of a test set by cell, outcome and source, and the sources that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from fairdistill.metrics.arrays import Floats, Ints
from fairdistill.metrics.test_set.canonical import Hashes, mixed, summed


@dataclass(frozen=True, kw_only=True, eq=False)
class Rows:
    """The cell, outcome and source of each row of a test set.

    Attributes:
        cell: int64 ``[N]``: the cell of each row.
        code: int64 ``[N]``: its outcome, an index of ``values``.
        values: float64 ``[codes, V]``: what a row of each outcome adds to its cell.
        sources: int64 ``[N]``: the source of each row.
        num_cells: number of cells.
    """

    cell: Ints
    code: Ints
    values: Floats
    sources: Ints
    num_cells: int

    @cached_property
    def owner(self) -> Ints:
        """The source of each row as a number below the number of sources, int64 ``[N]``."""
        return numbered(self.sources)

    @cached_property
    def num_sources(self) -> int:
        """Number of sources."""
        return int(self.owner.max(initial=-1)) + 1

    @property
    def independent(self) -> bool:
        """Whether every source has a single row."""
        return self.num_sources == len(self.sources)

    @cached_property
    def content(self) -> Hashes:
        """A hash of the rows of each source, equal for equal ones, uint64 ``[S]``."""
        return summed(self.owner, mixed(self.cell * len(self.values) + self.code), self.num_sources)

    def pools(self, pool: Ints) -> Ints:
        """Return the pool of each source, int64 ``[S]``, given that of each cell; one more if it is in several."""
        several = int(pool.max(initial=-1)) + 1
        of_row = pool[self.cell]
        first = np.zeros(self.num_sources, np.int64)
        first[self.owner] = of_row
        found = first.copy()
        found[self.owner[of_row != first[self.owner]]] = several
        return found


@dataclass(frozen=True)
class TestSets:
    """Drawn test sets.

    Attributes:
        shares: float64 ``[B, cells, V]``: mean value of a row of each cell; NaN for a cell without rows.
        sums: float64 ``[B, cells, V]``: what the rows of each cell add up to in test sets of the wanted design.
        rows: float64 ``[B, cells]``: how many there are.
    """

    __test__ = False  # not a class of tests

    shares: Floats
    sums: Floats
    rows: Floats | Ints


def numbered(sources: Ints) -> Ints:
    """Return any numbers as numbers from 0 without gaps; equal ones stay equal.

    Example:
        >>> numbered(np.array([7, 3, 7])).tolist()
        [1, 0, 1]
    """
    if not len(sources):
        return sources
    if (sources[1:] > sources[:-1]).all():
        return np.arange(len(sources))
    low, high = int(sources.min()), int(sources.max())
    if high - low < 4 * len(sources):
        seen = np.zeros(high - low + 1, bool)
        seen[sources - low] = True
        return np.asarray((np.cumsum(seen) - 1)[sources - low])
    return np.unique(sources, return_inverse=True)[1].ravel().astype(np.int64)


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """Return the distinct values, sorted; NumPy 2.4 uses a hash table, 15 times slower for 1,000,000 of them.

    Example:
        >>> distinct(np.array([3, 1, 3])).tolist()
        [1, 3]
    """
    found = np.sort(values)
    return found[np.append(True, found[1:] != found[:-1])] if len(found) else found


def sources_per_cell(cell: Ints, sources: Ints, num_cells: int) -> Ints:
    """Return the number of different sources with samples in each cell, int64 ``[num_cells]``.

    Example:
        >>> sources_per_cell(np.array([0, 0, 1]), np.array([5, 5, 5]), 3).tolist()
        [1, 1, 0]
    """
    owner = numbered(sources)
    if owner.max(initial=-1) + 1 < len(owner):
        cell = distinct(owner * num_cells + cell) % num_cells
    return np.bincount(cell, minlength=num_cells)


def divided(part: Floats | Ints, whole: Floats | Ints) -> Floats:
    """Return ``part / whole``; NaN where there is nothing to divide by.

    Example:
        >>> divided(np.array([1, 0]), np.array([4, 0])).tolist()
        [0.25, nan]
    """
    return np.asarray(part / np.where(whole > 1e-9, whole, np.nan))


def placed(owner: Ints, column: Ints, added: Floats, shape: tuple[int, int]) -> csr_array:
    """Return what each source adds to each column, sparse ``shape``, from what each row adds, ``[N]`` or ``[N, V]``.

    The V values of a row go to columns ``column * V`` and following.
    """
    width = 1 if added.ndim == 1 else added.shape[1]
    columns = (column[:, None] * width + np.arange(width)).ravel() if width > 1 else column
    rows = np.repeat(owner, width) if width > 1 else owner
    data = added.ravel()
    used = data != 0
    return coo_array((data[used], (rows[used], columns[used])), shape=shape).tocsr()
