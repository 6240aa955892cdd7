"""What independently drawn pictures came to, and new test sets drawn from them.

A test set is not always made of independent rows: on CIFAR-10S each picture is there in grey and in colour, and a
person may be on many photographs. What was drawn independently is the picture, or person: the *source*. Sources whose
rows lie in the same cells and came to the same outcomes are one *type*; a test set is how often each type occurs. All
resampling happens on these few numbers: 1,000,000 independent rows of 20 cells are 40 types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

_ALL_CODES = 16
_CHUNK_BYTES = 2**26


@dataclass(frozen=True)
class Outcomes:
    """Types of sources, in strata of sources whose rows lie in the same cells.

    Attributes:
        weight: float64 ``[T]``: sources of each type. Where rows are independent and outcomes few, one source is added
            to each stratum, spread over all outcomes, so that a cell without errors is not taken for one that can make
            none; ``sources`` says how many there really are.
        sources: int64 ``[S]``: sources of each stratum.
        first: int64 ``[S]``: the first type of each stratum; types are in the order of their strata.
        table: sparse float64 ``[T, cells * V]``: what a source of this type adds to each value of each cell.
        rows: int64 ``[cells]``: rows of each cell, the same in every test set that is drawn.
        independent: whether every source has one row.
    """

    weight: NDArray[np.float64]
    sources: NDArray[np.int64]
    first: NDArray[np.int64]
    table: csr_array
    rows: NDArray[np.int64]
    independent: bool

    @property
    def _stops(self) -> NDArray[np.int64]:
        return np.append(self.first, len(self.weight))[1:]

    @property
    def share(self) -> NDArray[np.float64]:
        """Mean value of a row of each cell when test sets are drawn from ``weight``, float64 ``[cells, V]``."""
        scale = np.repeat(self.sources / np.add.reduceat(self.weight, self.first), self._stops - self.first)
        return _shares((self.weight * scale) @ self.table, self.rows)

    def drawn(self, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
        """Draw test sets with as many sources in each stratum; give their shares, ``[some, cells, V]`` at a time."""
        generator = np.random.default_rng(seed)
        chunk = max(1, min(draws, _CHUNK_BYTES // (8 * max(self.table.shape))))
        for start in range(0, draws, chunk):
            size = min(chunk, draws - start)
            drawn = np.empty((size, len(self.weight)))
            for n, low, high in zip(self.sources.tolist(), self.first.tolist(), self._stops.tolist(), strict=True):
                chance = self.weight[low:high] / self.weight[low:high].sum()
                drawn[:, low:high] = generator.multinomial(n, chance, size=size)
            yield _shares(drawn @ self.table, self.rows)

    def swapped(self, draws: int, seed: int) -> Iterator[NDArray[np.float64]]:
        """Swap the two values of each source with probability one half; give the shares, ``[some, cells, 2]``."""
        generator = np.random.default_rng(seed)
        weight = np.floor(self.weight).astype(np.int64)  # without the added ones
        apart = self.table[:, 1::2] - self.table[:, 0::2]
        as_is = (weight @ self.table).reshape(-1, 2)
        chunk = max(1, min(draws, _CHUNK_BYTES // (8 * max(apart.shape))))
        for start in range(0, draws, chunk):
            size = min(chunk, draws - start)
            moved = generator.binomial(weight, 0.5, size=(size, len(weight))) @ apart
            yield _shares((as_is + np.stack([moved, -moved], axis=2)).reshape(size, -1), self.rows)


def outcomes_of(
    cell: NDArray[np.int64],
    code: NDArray[np.int64],
    values: NDArray[np.float64],
    sources: NDArray[np.int64],
    *,
    num_cells: int,
    smooth: bool = True,
) -> Outcomes:
    """Gather rows into types of sources.

    Args:
        cell: int64 ``[N]``: the cell of each row.
        code: int64 ``[N]``: its outcome, an index of ``values``.
        values: float64 ``[codes, V]``: what a row of each outcome adds to its cell.
        sources: int64 ``[N]``: the source of each row.
        num_cells: number of cells.
        smooth: whether a source may be added to each stratum, see :class:`Outcomes`.
    """
    codes = len(values)
    smooth = smooth and codes <= _ALL_CODES
    key = cell * codes + code
    order = np.lexsort((key, sources))
    key, owner = key[order], sources[order]
    starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, np.int64)
    lengths = np.diff(np.append(starts, len(owner)))
    parts = []
    for length in np.unique(lengths).tolist():
        sequences = key[starts[lengths == length][:, None] + np.arange(length)]
        if length == 1:
            parts.append(_single(sequences[:, 0], num_cells, codes, smooth=smooth))
        else:
            parts.append(_several(sequences, codes))
    if not parts:
        nothing = np.zeros(0, np.int64)
        table = csr_array((0, num_cells * values.shape[1]))
        return Outcomes(np.zeros(0), nothing, nothing, table, np.zeros(num_cells, np.int64), True)
    types = np.concatenate([part.types for part in parts])
    entries = [np.stack([part.type + at, part.key]) for part, at in zip(parts, _offsets(parts), strict=True)]
    type_, of_row = np.concatenate(entries, axis=1)
    columns = (of_row // codes)[:, None] * values.shape[1] + np.arange(values.shape[1])
    added = values[of_row % codes]
    table = coo_array(
        (added.ravel(), (np.repeat(type_, values.shape[1]), columns.ravel())),
        shape=(int(types.sum()), num_cells * values.shape[1]),
    )
    return Outcomes(
        weight=np.concatenate([part.weight for part in parts]),
        sources=np.concatenate([part.sources for part in parts]),
        first=np.cumsum(types) - types,
        table=table.tocsr(),
        rows=np.bincount(cell, minlength=num_cells),
        independent=bool((lengths == 1).all()),
    )


@dataclass(frozen=True)
class _Part:
    """Types of sources of equally many rows; a row of a type is given by its key, cell * codes + code."""

    weight: NDArray[np.float64]  # of each type
    type: NDArray[np.int64]  # of each row of all types
    key: NDArray[np.int64]  # of the same
    types: NDArray[np.int64]  # of each stratum
    sources: NDArray[np.int64]  # of each stratum


def _single(key: NDArray[np.int64], num_cells: int, codes: int, *, smooth: bool) -> _Part:
    """Return the types of sources of one row: a stratum is a cell."""
    counts = np.bincount(key, minlength=num_cells * codes).reshape(num_cells, codes)
    sources = counts.sum(axis=1)
    weight = counts + (1 / codes if smooth else 0.0) * (sources > 0)[:, None]
    found = np.flatnonzero(weight)
    types = np.bincount(found // codes, minlength=num_cells)
    return _Part(weight.ravel()[found], np.arange(len(found)), found, types[sources > 0], sources[sources > 0])


def _several(sequences: NDArray[np.int64], codes: int) -> _Part:
    """Return the types of sources of several rows, given by the sorted keys of their rows."""
    kinds, counts = np.unique(sequences, axis=0, return_counts=True)
    order = np.lexsort((kinds // codes).T[::-1])  # a stratum's types become neighbours
    kinds, counts = kinds[order], counts[order]
    cells = kinds // codes
    first = np.flatnonzero(np.r_[True, (cells[1:] != cells[:-1]).any(axis=1)])
    return _Part(
        counts.astype(np.float64),
        np.repeat(np.arange(len(kinds)), kinds.shape[1]),
        kinds.ravel(),
        np.diff(np.append(first, len(kinds))),
        np.add.reduceat(counts, first),
    )


def _offsets(parts: list[_Part]) -> list[int]:
    sizes = [len(part.weight) for part in parts]
    return [sum(sizes[:at]) for at in range(len(sizes))]


def _shares(sums: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return sums ``[..., cells * V]`` a row, ``[..., cells, V]``; NaN for a cell without rows."""
    by_cell = sums.reshape(*sums.shape[:-1], len(rows), -1)
    shares: NDArray[np.float64] = by_cell / np.where(rows > 0, rows, np.nan)[:, None]
    return shares
