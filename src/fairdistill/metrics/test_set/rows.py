"""The rows of a test set by cell, outcome and source, and the sources that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import coo_array, csr_array

from fairdistill.metrics.arrays import Floats, Ints
from fairdistill.metrics.test_set.canonical import Hashes, mixed, summed
from fairdistill.metrics.test_set.distinct import numbered


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
