"""Random halves of a test set, split by source within each cell: one to choose on, the other to measure on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Ints
from fairdistill.metrics.gap.exchanges import shuffled_within

_FEWEST = 4  # sources with the same combination of cells that are halved among themselves
_SECONDS = 0.8  # about, for all splits
_LEAST = 30  # splits, whatever they take
_CHUNK = 2**22  # counts at a time


@dataclass(frozen=True, eq=False)
class Halves:
    """Rows by the source they are split with; attributes as of :class:`fairdistill.metrics.gap.exchanges.Exchanges`."""

    single: Ints
    several: list[Ints]

    def drawn(self, splits: int, generator: np.random.Generator) -> Iterator[Ints]:
        """Yield the counts of one half, ``[some, G, S, K]``; fewer if they would take long, but at least 30."""
        codes = self.single.shape[2]
        work = self.single.size * 6e-8 * (codes - 1) + sum(rows.size * 3e-8 for rows in self.several) + 1e-6
        splits = min(splits, max(_LEAST, int(_SECONDS / work)))
        block, owner, cell = self._sources(codes)
        sizes = np.bincount(block)
        chunk = max(1, min(splits, _CHUNK // self.single.size))
        for start in range(0, splits, chunk):
            size = min(chunk, splits - start)
            counts = _halved(self.single, size, generator)
            flat = counts.reshape(size, -1)
            for at in range(size if len(block) else 0):
                # every second one of each block in a random order, starting with the first or the second
                order = shuffled_within(block, generator)
                rank = np.arange(len(block)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
                rank += np.repeat(generator.integers(0, 2, len(sizes)), sizes)
                chosen = np.zeros(len(block), bool)
                chosen[order] = rank % 2 == 0
                flat[at] += np.bincount(cell[chosen[owner]], minlength=flat.shape[1])
            yield counts

    def _sources(self, codes: int) -> tuple[Ints, Ints, Ints]:
        """Return the block of each source of several rows (sorted), and the source and the cell of each row."""
        if not self.several:
            return (np.zeros(0, np.int64),) * 3
        per_group = self.single.shape[1] * codes
        blocks, number = [], self.single.shape[0]
        for rows in self.several:
            _, kind, often = np.unique(rows // codes, axis=0, return_inverse=True, return_counts=True)
            kind = kind.reshape(-1)
            blocks.append(np.where(often[kind] >= _FEWEST, number + kind, rows[:, 0] // per_group))
            number += len(often)
        lengths = np.concatenate([np.full(len(rows), rows.shape[1]) for rows in self.several])
        block = np.concatenate(blocks)
        order = np.argsort(block, kind="stable")
        owner = np.repeat(np.argsort(order), lengths)
        return block[order], owner, np.concatenate([rows.ravel() for rows in self.several])


def _halved(counts: Ints, size: int, generator: np.random.Generator) -> Ints:
    """Return half of the rows of each cell ``[G, S, K]``, drawn without replacement, ``[size, G, S, K]``."""
    rows = counts.sum(axis=2)
    wanted = (rows + generator.integers(0, 2, (size, *rows.shape))) // 2
    rest = rows
    found = np.zeros((size, *counts.shape), np.int64)
    for code in range(counts.shape[2] - 1):
        rest = rest - counts[:, :, code]
        drawn = generator.hypergeometric(counts[:, :, code], rest, wanted)
        found[..., code] = drawn
        wanted = wanted - drawn
    found[..., -1] = wanted
    return found
