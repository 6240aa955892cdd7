"""Rows in groups and strata: their groups permuted at random, and the rows split into random halves.

What is independent is the *source* (a picture or a person): its rows move together. Under the hypothesis of no gap, the
groups of a stratum (for DEO: a class) are exchangeable:

* A source whose rows are all of one group, a person, exchanges its group with another source that has rows in the same
  strata; sources whose combination of strata is shared by fewer than 20 exchange theirs with each other.
* A source with rows in several groups, a picture shown in grey and in colour, exchanges the groups of its own rows of
  each stratum.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from fairdistill.metrics.arrays import Ints
from fairdistill.metrics.gap.exchanges import Exchanges
from fairdistill.metrics.gap.halves import Halves
from fairdistill.metrics.test_set.canonical import canonical_order
from fairdistill.metrics.test_set.distinct import numbered, sources_per_cell

Sources = list[Ints]
Drawn = Callable[[int, np.random.Generator], Iterator[Ints]]


@dataclass(frozen=True, kw_only=True, eq=False)
class GroupedRows:
    """N rows, each of a group, a stratum, an outcome and a source.

    Attributes:
        groups: int64 ``[N]`` in ``[0, G)``; leave out rows of unknown group.
        strata: int64 ``[N]`` in ``[0, S)``: groups are exchanged within a stratum only, for example a class.
        codes: int64 ``[N]`` in ``[0, K)``: the outcomes, for example wrong and right.
        sources: int64 ``[N]``: rows of one number move together.
        shape: G, S, K.

    Example:
        >>> rows = np.arange(8)
        >>> given = GroupedRows(groups=rows % 2, strata=rows // 4, codes=rows % 2, sources=rows, shape=(2, 2, 2))
        >>> given.counts.tolist()
        [[[2, 0], [2, 0]], [[0, 2], [0, 2]]]
        >>> drawn = np.concatenate(list(given.permuted(100, seed=0)))
        >>> drawn.shape, bool((drawn.sum(axis=3) == 2).all())  # as many rows of each group and stratum
        ((100, 2, 2, 2), True)
    """

    groups: Ints
    strata: Ints
    codes: Ints
    sources: Ints
    shape: tuple[int, int, int]

    @cached_property
    def counts(self) -> Ints:
        """Rows of each outcome in each cell, int64 ``[G, S, K]``."""
        groups, strata, codes = self.shape
        cell = (self.groups * strata + self.strata) * codes + self.codes
        return np.bincount(cell, minlength=groups * strata * codes).reshape(self.shape)

    @property
    def independent(self) -> bool:
        """Whether every source has a single row."""
        return int(numbered(self.sources).max(initial=-1)) + 1 == len(self.sources)

    @cached_property
    def independent_rows(self) -> Ints:
        """Number of different sources of each cell, int64 ``[G, S]``: its independent rows."""
        groups, strata, _ = self.shape
        cell = self.groups * strata + self.strata
        return sources_per_cell(cell, self.sources, groups * strata).reshape(groups, strata)

    def permuted(self, draws: int, seed: int) -> Iterator[Ints]:
        """Yield the counts with the groups exchanged at random, int64 ``[some, G, S, K]`` at a time.

        Draws fewer than asked, but at least 100, if there are many cells or many sources of several rows.
        """
        return self._restored(Exchanges(*self._sorted).drawn, draws, [seed, 2])

    def halved(self, splits: int, seed: int) -> Iterator[Ints]:
        """Yield the counts of a random half of the sources of each cell, int64 ``[some, G, S, K]`` at a time."""
        return self._restored(Halves(*self._sorted).drawn, splits, [seed, 3])

    def _restored(self, drawn: Drawn, draws: int, seed: list[int]) -> Iterator[Ints]:
        """Yield what is drawn, with groups and strata where they were."""
        groups, strata = (np.argsort(order) for order in self._order)
        for counts in drawn(draws, np.random.default_rng(seed)):
            yield counts[:, groups][:, :, strata]

    @cached_property
    def _order(self) -> tuple[Ints, Ints]:
        return canonical_order(self.counts)

    @cached_property
    def _sorted(self) -> tuple[Ints, Sources]:
        """Return single rows as counts ``[G, S, K]`` and sources of several rows, in an order of their content."""
        groups, strata, codes = self.shape
        group_at, stratum_at = (np.argsort(order) for order in self._order)
        cell = (group_at[self.groups] * strata + stratum_at[self.strata]) * codes + self.codes
        order = np.lexsort((cell, self.sources))
        cell, owner = cell[order], self.sources[order]
        starts = np.flatnonzero(np.r_[True, owner[1:] != owner[:-1]]) if len(owner) else np.zeros(0, np.int64)
        lengths = np.diff(np.append(starts, len(owner)))
        single = cell[starts[lengths == 1]]
        several = []
        for length in np.unique(lengths[lengths > 1]).tolist():
            rows = cell[starts[lengths == length][:, None] + np.arange(length)]
            several.append(rows[np.lexsort(rows.T[::-1])])
        counts = np.bincount(single, minlength=groups * strata * codes)
        return counts.reshape(self.shape), several
