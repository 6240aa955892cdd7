"""Exact tests of whether two models differ: swap them at random for each source.

If two models do not differ, either could have given each source's outcomes. The p-value is the chance that random swaps
give a difference at least as large as observed. For independent samples this is McNemar's exact test; in general the
distribution is that of a sum of signed numbers, which is computed, not drawn: a p-value may be as small as it likes, so
that one of thousands of subgroups can be found.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import bdtr, gammaln, stdtr

from fairdistill.metrics.arrays import Floats, Ints

_SHORT = 500  # terms up to which the plain sum is fast


@dataclass(frozen=True)
class Signs:
    """By how many correct predictions the two models differ on each source that they differ on, by cell.

    Attributes:
        cell: int64 ``[D]``, ascending.
        apart: int64 ``[D]``: the second model's correct predictions minus the first's, not 0.
        num_cells: number of cells.
    """

    cell: Ints
    apart: Ints
    num_cells: int

    @classmethod
    def of(cls, cell: Ints, sources: Ints, apart: Ints, num_cells: int) -> Signs:
        """Gather the differences of rows, each ``[N]``, into those of sources."""
        rows = np.flatnonzero(apart)
        order = rows[np.lexsort((sources[rows], cell[rows]))]
        cell, sources, apart = cell[order], sources[order], apart[order]
        starts = np.flatnonzero(np.r_[True, (cell[1:] != cell[:-1]) | (sources[1:] != sources[:-1])][: len(cell)])
        sums = np.add.reduceat(apart, starts) if len(starts) else apart
        return cls(cell[starts][sums != 0], sums[sums != 0], num_cells)

    def p_values(self, error: Floats | None = None, seeds: int = 1) -> Floats:
        """Return the two-sided p-value of each cell; 1 where no source differs.

        Args:
            error: float64 ``[cells]``: standard error of each sum over the seeds, which is added as Student's t.
            seeds: their number.
        """
        first, last = (np.searchsorted(self.cell, np.arange(self.num_cells), side) for side in ("left", "right"))
        sums = np.bincount(self.cell, weights=self.apart, minlength=self.num_cells)
        if error is not None and seeds > 1:
            return np.array([
                _with_seeds(_distribution(np.abs(self.apart[low:high])), abs(total), own, seeds)
                for low, high, total, own in zip(first, last, sums, error, strict=True)
            ])  # fmt: skip
        size = np.abs(self.apart)
        steps = np.maximum(np.bincount(self.cell, weights=size, minlength=self.num_cells), 1)
        squares = np.bincount(self.cell, weights=size**2, minlength=self.num_cells)
        alike = squares * (last - first) == steps**2  # all of one size: a binomial distribution
        unit = steps / np.maximum(last - first, 1)
        count = np.where(alike, last - first, 0)
        found = 2 * bdtr((count - np.where(alike, np.abs(sums) / unit, 0)) / 2, count, 0.5)
        for at in np.flatnonzero(~alike & (last > first)):
            chance = _distribution(size[first[at] : last[at]])
            found[at] = 2 * chance[: int(len(chance) - 1 - abs(sums[at])) // 2 + 1].sum()
        return np.asarray(np.where(last > first, np.minimum(found, 1.0), 1.0))


def _distribution(sizes: Ints) -> Floats:
    """Return the distribution of the sum of those sizes whose sign is positive: float64 ``[sum + 1]``."""
    chance = np.ones(1)
    for size, count in zip(*np.unique(sizes, return_counts=True), strict=True):
        added = np.zeros(size * count + 1)
        heads = np.arange(count + 1)
        ways = gammaln(count + 1) - gammaln(heads + 1) - gammaln(count - heads + 1)
        added[::size] = np.exp(ways - count * np.log(2))
        chance = _convolved(chance, added)
    return np.maximum(chance, 0.0)


def _convolved(one: Floats, other: Floats) -> Floats:
    if min(len(one), len(other)) <= _SHORT:
        return np.convolve(one, other)
    length = len(one) + len(other) - 1
    size = 1 << (length - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size), size)[:length]


def _with_seeds(chance: Floats, total: float, error: float, seeds: int) -> float:
    """Return the p-value of a sum whose signs are random and to which Student's t, times ``error``, is added."""
    sums = 2 * np.arange(len(chance)) - (len(chance) - 1)
    if not error > 0:
        return min(1.0, float(chance[np.abs(sums) >= total - 1e-9].sum()))
    above, below = (stdtr(seeds - 1, (-total + side * sums) / error) for side in (1, -1))
    return min(1.0, float(chance @ (above + below)))


def holm(p_values: Floats) -> Floats:
    """Return p-values corrected for multiple testing.

    Holm, *A Simple Sequentially Rejective Multiple Test Procedure* (1979).

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03])).tolist()
        [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values)
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(steps, 1.0)
    return corrected
