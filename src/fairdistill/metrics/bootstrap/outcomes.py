"""Types of independently drawn pictures or persons, and new test sets drawn from them.

The rows of a test set are not always independent: CIFAR-10S shows each picture in grey and in colour, and a person may
appear in many photographs. What was drawn independently is the picture or the person: the *source*. Sources with rows
in the same cells (subgroups) and the same outcomes are one *type*, and a test set is described by how often each type
occurs. All resampling works on these few numbers: 1,000,000 independent rows in 20 cells are 40 types.

Test sets are drawn stratum by stratum. When sources have many rows, few of them lie in exactly the same cells, and a
stratum of a single source would never vary: if fewer than 20 sources share the same combination of cells, they are
resampled together with the rest of their group.

Where a test set was sampled at random, another one would also have other numbers of sources in each stratum of a
group. Shares within subgroups hardly depend on them, but accuracies over several classes do.

Many models have hundreds of outcomes. What drawn rows of a large cell add up to is then normal (`large_cells.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.bootstrap.multinomial import multinomial
from fairdistill.metrics.test_set.rows import TestSets
from fairdistill.metrics.test_set.samples import Design

_MANY_STRATA = 50
_CHUNK_BYTES = 2**24


@dataclass(frozen=True)
class Outcomes:
    """Types of sources, in strata of sources with rows in the same cells.

    Attributes:
        weight: float64 ``[T]``: sources of each type. If there are few outcomes, one source is added to each stratum,
            spread over the outcomes, so that a cell without errors is not taken to be free of them; ``sources`` holds
            the real numbers.
        sources: int64 ``[S]``: sources of each stratum.
        first: int64 ``[S]``: the first type of each stratum; types are in the order of their strata.
        table: sparse float64 ``[T, cells * V]``: what a source of this type adds to each value of each cell.
        row_table: sparse float64 ``[T, cells]``: how many rows of each cell a source of this type has.
        rows: int64 ``[cells]``: rows of each cell, also in drawn test sets unless sources are ``pooled``.
        pooled: whether sources with rows in different cells are drawn together.
        pool: int64 ``[S]``: the pool of each stratum, for example its group; -1 for several pools or none.
        normal: bool ``[S]``: strata whose first type has all sources, and the others normal numbers around 0.
        independent: whether every source has a single row.
    """

    weight: Floats
    sources: Ints
    first: Ints
    table: csr_array
    row_table: csr_array
    rows: Ints
    pooled: bool
    pool: Ints
    normal: Flags
    independent: bool

    @property
    def _stops(self) -> Ints:
        return np.append(self.first, len(self.weight))[1:]

    @property
    def share(self) -> Floats:
        """Mean value of a row of each cell in test sets drawn from ``weight``, float64 ``[cells, V]``."""
        if not len(self.weight):
            return _shares(np.zeros(self.table.shape[1]), self.rows)
        weight = self.expected
        return _shares(weight @ self.table, weight @ self.row_table if self.pooled else self.rows)

    def test_sets(self, draws: int, seed: int, design: Design) -> Iterator[TestSets]:
        """Draw test sets; those of both designs have the same shares."""
        for drawn, sized in self.types_drawn(draws, seed, design):
            rows = drawn @ self.row_table if self.pooled else self.rows
            added = drawn @ self.table
            shares = _shares(added, rows)
            if self.pooled:  # a cell may have no rows in any drawn source
                shares = np.where(np.isnan(shares), self.share, shares)
            if design == "balanced":
                sums = _sums(shares, self.rows) if self.pooled else added.reshape(shares.shape)
                yield TestSets(shares, sums, np.broadcast_to(self.rows, (len(drawn), len(self.rows))))
                continue
            sums = (sized @ self.table).reshape(len(drawn), len(self.rows), -1)
            yield TestSets(shares, sums, sized @ self.row_table)

    def types_drawn(self, draws: int, seed: int, design: Design) -> Iterator[tuple[Floats, Floats]]:
        """Draw sources: how many of each type, ``[some, T]``, with as many in each stratum, and in a random design."""
        generator, of_sizes = np.random.default_rng(seed), np.random.default_rng([seed, 2])
        chunk = max(1, min(draws, _CHUNK_BYTES // (8 * max(len(self.weight), len(self.rows)))))
        for start in range(0, draws, chunk):
            size = min(chunk, draws - start)
            drawn = self._types(generator, size)
            if design == "balanced":
                yield drawn, drawn
                continue
            factor = self._sizes(of_sizes, size) / self.sources
            yield drawn, drawn * np.repeat(factor, self._stops - self.first, axis=1)

    @property
    def expected(self) -> Floats:
        """Expected sources of each type in drawn test sets, float64 ``[T]``."""
        scale = self.sources / np.add.reduceat(self.weight, self.first)
        return np.asarray(self.weight * np.repeat(scale, self._stops - self.first))

    def _types(self, generator: np.random.Generator, size: int) -> Floats:
        """Draw the number of sources of each type, ``[size, T]``, as many in each stratum."""
        drawn = np.empty((len(self.weight), size))
        stops = self._stops
        pairs = (stops - self.first == 2) & ~self.normal  # right and wrong
        at, n = self.first[pairs], self.sources[pairs]
        chance = self.weight[at] / (self.weight[at] + self.weight[at + 1])
        drawn[at] = generator.binomial(n[:, None], chance[:, None], (len(n), size))
        drawn[at + 1] = n[:, None] - drawn[at]
        for stratum in np.flatnonzero(~pairs).tolist():
            own = slice(self.first[stratum], stops[stratum])
            if self.normal[stratum]:
                drawn[own.start] = self.sources[stratum]
                varied = generator.standard_normal((own.stop - own.start - 1, size))
                drawn[own.start + 1 : own.stop] = np.sqrt(self.sources[stratum]) * varied
                continue
            drawn[own] = multinomial(self.weight[own], int(self.sources[stratum]), size, generator)
        return drawn.T

    def _sizes(self, generator: np.random.Generator, size: int) -> Floats:
        """Draw the number of sources in each stratum, ``[size, S]``, as many in each pool; of many strata normal."""
        sizes = np.empty((size, len(self.sources)))
        for name in np.unique(self.pool).tolist():
            own = self.pool == name
            n = self.sources[own]
            if len(n) <= _MANY_STRATA:
                sizes[:, own] = generator.multinomial(n.sum(), n / n.sum(), size=size)
                continue
            noise = np.sqrt(n) * generator.standard_normal((size, len(n)))
            sizes[:, own] = np.maximum(n + noise - n / n.sum() * noise.sum(axis=1, keepdims=True), 0)
        return sizes


def _sums(shares: Floats, rows: Ints) -> Floats:
    return np.asarray(np.nan_to_num(shares) * rows[:, None])


def _shares(sums: Floats, rows: Ints | Floats) -> Floats:
    """Return sums ``[..., cells * V]`` per row, ``[..., cells, V]``; NaN for a cell without rows."""
    by_cell = sums.reshape(*sums.shape[:-1], rows.shape[-1], -1)
    shares: Floats = by_cell / np.where(rows > 0, rows, np.nan)[..., None]
    return shares
