"""Counts of rows whose groups are exchanged at random, whole sources at a time: the hypothesis of no gap."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from fairdistill.metrics.arrays import Ints

_FEWEST = 20  # sources with the same combination of strata that exchange their groups among themselves
_SECONDS = 1.5  # about, for all draws
_LEAST = 200  # draws, unless they take ten times as long
_CHUNK = 2**22  # counts at a time


@dataclass(frozen=True, eq=False)
class Exchanges:
    """Rows by how they exchange their groups; see :class:`fairdistill.metrics.gap.grouped.GroupedRows`.

    Attributes:
        single: int64 ``[G, S, K]``: sources of one row.
        several: for each number of rows k above 1, int64 ``[sources, k]``: the sorted cells of each source's rows, as
            indices of ``single``.
    """

    single: Ints
    several: list[Ints]

    def drawn(self, draws: int, generator: np.random.Generator) -> Iterator[Ints]:
        """Yield counts ``[some, G, S, K]`` of random exchanges; fewer if they would take long, but at least 100."""
        shape = self.single.shape
        _, strata, codes = shape
        single, whole, pairs, mixed, fixed = self._parts()
        work = single.size * 6e-8 * (codes - 1) + sum(each.size * 3e-8 for each in [*whole, *mixed]) + 1e-6
        draws = min(draws, max(int(_SECONDS / work), min(_LEAST, max(_LEAST // 2, int(10 * _SECONDS / work)))))
        people = _People.of(whole, strata, codes)
        chunk = max(1, min(draws, _CHUNK // single.size))
        for start in range(0, draws, chunk):
            size = min(chunk, draws - start)
            counts = _dealt(single, size, generator) + fixed
            flat = counts.reshape(size, -1)
            for rows in pairs:
                flat += _swapped(rows, codes, flat.shape[1], size, generator)
            for at in range(size):
                if people is not None:
                    flat[at] += people.dealt(flat.shape[1], generator)
                for rows in mixed:
                    flat[at] += _shuffled(rows, codes, flat.shape[1], generator)
            yield counts

    def _parts(self) -> tuple[Ints, list[Ints], list[Ints], list[Ints], Ints]:
        """Return single rows, sources of one group, pairs of two groups, other mixed sources, and what stays."""
        strata, codes = self.single.shape[1:]
        single, fixed = self.single.copy(), np.zeros_like(self.single)
        whole: list[Ints] = []
        pairs: list[Ints] = []
        mixed: list[Ints] = []
        for rows in self.several:
            group = rows // (strata * codes)
            one = (group == group[:, :1]).all(axis=1)
            if one.any():
                whole.append(rows[one])
            for part in _by_stratum(rows[~one], strata, codes):
                group = part // (strata * codes)
                if part.shape[1] == 1:
                    np.add.at(single.reshape(-1), part[:, 0], 1)
                    continue
                one = (group == group[:, :1]).all(axis=1)
                if one.any():
                    whole.append(part[one])
                code = part[~one] % codes
                same = (code == code[:, :1]).all(axis=1)
                np.add.at(fixed.reshape(-1), part[~one][same].ravel(), 1)
                if not same.all():
                    (pairs if part.shape[1] == 2 else mixed).append(part[~one][~same])
        return single, whole, pairs, mixed, fixed


def _by_stratum(rows: Ints, strata: int, codes: int) -> list[Ints]:
    """Return the rows of each source and stratum, ``[sources, k]`` for each number k of them."""
    if not len(rows):
        return []
    stratum = rows // codes % strata
    if (stratum == stratum[:, :1]).all():
        return [rows]
    owner = np.repeat(np.arange(len(rows)), rows.shape[1])
    order = np.lexsort((rows.ravel(), stratum.ravel(), owner))
    unit = owner[order] * strata + stratum.ravel()[order]
    starts = np.flatnonzero(np.r_[True, unit[1:] != unit[:-1]])
    lengths = np.diff(np.append(starts, len(unit)))
    sorted_rows = rows.ravel()[order]
    return [
        sorted_rows[starts[lengths == length][:, None] + np.arange(length)] for length in np.unique(lengths).tolist()
    ]


def _dealt(counts: Ints, size: int, generator: np.random.Generator) -> Ints:
    """Return the rows ``[G, S, K]`` dealt to as many groups of the same sizes at random, ``[size, G, S, K]``."""
    groups, strata, codes = counts.shape
    left = np.broadcast_to(counts.sum(axis=0), (size, strata, codes)).copy()
    rows = counts.sum(axis=2)
    found = np.zeros((size, groups, strata, codes), np.int64)
    for group in range(groups - 1):
        wanted = np.broadcast_to(rows[group], (size, strata)).copy()
        rest = left.sum(axis=2)
        for code in range(codes - 1):
            rest = rest - left[:, :, code]
            drawn = generator.hypergeometric(left[:, :, code], rest, wanted)
            found[:, group, :, code] = drawn
            wanted -= drawn
        found[:, group, :, codes - 1] = wanted
        left -= found[:, group]
    found[:, groups - 1] = left
    return found


def _swapped(rows: Ints, codes: int, cells: int, size: int, generator: np.random.Generator) -> Ints:
    """Return the counts ``[size, cells]`` of pairs of rows that swap their outcomes with probability one half."""
    kinds, number = np.unique(rows, axis=0, return_counts=True)
    turned = kinds // codes * codes + kinds[:, ::-1] % codes
    kind = np.repeat(np.arange(len(kinds)), 2)
    size_of = (len(kinds), cells)
    as_is = csr_array((np.ones(kinds.size, np.int64), (kind, kinds.ravel())), shape=size_of)
    swapped = csr_array((np.ones(kinds.size, np.int64), (kind, turned.ravel())), shape=size_of)
    often = generator.binomial(number, 0.5, size=(size, len(number)))
    return np.asarray(often @ (swapped - as_is) + number @ as_is)


def _shuffled(rows: Ints, codes: int, cells: int, generator: np.random.Generator) -> Ints:
    """Return the counts ``[cells]`` of sources that shuffle the outcomes of their rows ``[sources, k]``."""
    outcome = generator.permuted(rows % codes, axis=1)
    return np.bincount((rows // codes * codes + outcome).ravel(), minlength=cells)


def shuffled_within(block: Ints, generator: np.random.Generator) -> Ints:
    """Return a random order of places that mixes only those of the same block; blocks are numbered and sorted."""
    order = generator.permutation(len(block))
    if not len(block) or block[0] == block[-1]:
        return order
    small = block.astype(np.uint16) if block[-1] < 2**16 else block  # 16 bits are sorted in linear time
    return order[np.argsort(small[order], kind="stable")]


@dataclass(frozen=True, eq=False)
class _People:
    """Sources of one group with several rows, in blocks that exchange groups.

    Attributes:
        group: int64 ``[U]``: the group of each source, sorted by block.
        block: int64 ``[U]``.
        owner: int64 ``[rows]``: the source of each row.
        rest: int64 ``[rows]``: its stratum and outcome, ``stratum * K + outcome``.
        per_group: S * K.
    """

    group: Ints
    block: Ints
    owner: Ints
    rest: Ints
    per_group: int

    @classmethod
    def of(cls, whole: list[Ints], strata: int, codes: int) -> _People | None:
        """Gather sources; None without any."""
        if not whole:
            return None
        per_group = strata * codes
        group, block, rest, number = [], [], [], 0
        for rows in whole:
            group.append(rows[:, 0] // per_group)
            rest.append(rows % per_group)
            _, kind, often = np.unique(rows % per_group // codes, axis=0, return_inverse=True, return_counts=True)
            kind = kind.reshape(-1)
            block.append(np.where(often[kind] >= _FEWEST, number + 1 + kind, 0))
            number += len(often)
        lengths = np.concatenate([np.full(len(rows), rows.shape[1]) for rows in whole])
        blocks = np.concatenate(block)
        order = np.argsort(blocks, kind="stable")
        place = np.argsort(order)
        return cls(
            group=np.concatenate(group)[order],
            block=blocks[order],
            owner=np.repeat(place, lengths),
            rest=np.concatenate([part.ravel() for part in rest]),
            per_group=per_group,
        )

    def dealt(self, cells: int, generator: np.random.Generator) -> Ints:
        """Return the counts ``[cells]`` after a random exchange of groups within each block."""
        order = shuffled_within(self.block, generator)
        return np.bincount(self.group[order][self.owner] * self.per_group + self.rest, minlength=cells)
