"""The outcomes of independently drawn pictures, and new test sets drawn from them.

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
from scipy.sparse import csr_array, vstack

from fairdistill.metrics.arrays import Flags, Floats, Ints
from fairdistill.metrics.bootstrap.large_cells import NormalSums, large_cells
from fairdistill.metrics.bootstrap.multinomial import multinomial
from fairdistill.metrics.test_set.rows import Rows, TestSets, placed
from fairdistill.metrics.test_set.samples import Design

_ALL_CODES = 16
_MANY_STRATA = 50
_FEWEST = 20  # sources for a separate stratum
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


def outcomes_of(rows: Rows, *, smooth: bool = True, pool: Ints | None = None, ends: bool = False) -> Outcomes:
    """Gather rows into types of sources.

    Args:
        rows: of the test set.
        smooth: whether a source may be added to each stratum, see :class:`Outcomes`.
        pool: int64 ``[cells]``, for example the group of each cell: if fewer than 20 sources of several rows share the
            same cells, they are drawn together with others of the same pool; None: every stratum by itself.
        ends: whether the first outcome is all wrong and the last all right; then a source is also added to strata of
            sources with several rows, spread over all right, all wrong and one row wrong.
    """
    cell, values, num_cells = rows.cell, rows.values, rows.num_cells
    codes = len(values)
    smooth = smooth and codes <= _ALL_CODES
    key = cell * codes + rows.code
    often = np.bincount(rows.owner, minlength=rows.num_sources)
    parts: list[_Part] = []
    left: list[tuple[Ints, Ints]] = []
    large, in_large = np.zeros(0, np.int64), np.zeros((0, codes), np.int64)
    lengths = np.unique(often).tolist()
    if 1 in lengths:
        alone = key if lengths == [1] else key[often[rows.owner] == 1]
        counts = np.bincount(alone, minlength=num_cells * codes).reshape(-1, codes)
        large = np.flatnonzero(large_cells(counts, values)) if ends else large
        in_large, counts[large] = counts[large], 0
        parts.append(_single(counts, pool, smooth=smooth))
    for sequences in _sequences(key, rows.owner, often):
        kinds, counts = np.unique(sequences, axis=0, return_counts=True)
        if pool is not None:
            few = _few(kinds // codes, counts)
            left.append((kinds[few], counts[few]))
            kinds, counts = kinds[~few], counts[~few]
        if len(kinds):
            parts.append(_several(kinds, counts, codes, pool, smooth=smooth and ends))
    pooled = any(len(kinds) for kinds, _ in left)
    if pooled and pool is not None:
        parts.append(_pooled([each for each in left if len(each[0])], codes, pool, smooth=smooth and ends))
    if not parts:
        nothing = np.zeros(0, np.int64)
        table, row_table = (csr_array((0, num_cells * columns)) for columns in (values.shape[1], 1))
        none = np.zeros(num_cells, np.int64)
        return Outcomes(
            np.zeros(0), nothing, nothing, table, row_table, none, pooled=False, pool=nothing,
            normal=nothing.astype(bool), independent=True,
        )  # fmt: skip
    entries = [np.stack([part.type + at, part.key]) for part, at in zip(parts, _offsets(parts), strict=True)]
    type_, of_row = np.concatenate(entries, axis=1)
    counted = sum(len(part.weight) for part in parts)
    table = placed(type_, of_row // codes, values[of_row % codes], (counted, num_cells * values.shape[1]))
    row_table = placed(type_, of_row // codes, np.ones(len(of_row)), (counted, num_cells))
    sums = NormalSums.of(large, in_large.astype(np.float64) + (1 / codes if smooth else 0.0), values, num_cells)
    types, sources = np.concatenate([*(part.types for part in parts), sums.types]), in_large.sum(axis=1)
    first = np.cumsum(types) - types
    weight = np.concatenate([*(part.weight for part in parts), np.zeros(int(sums.types.sum()))])
    weight[first[len(first) - len(large) :]] = sources
    return Outcomes(
        weight=weight,
        sources=np.concatenate([*(part.sources for part in parts), sources]),
        first=first,
        table=csr_array(vstack([table, sums.table], format="csr")),
        row_table=csr_array(vstack([row_table, sums.row_table], format="csr")),
        rows=np.bincount(cell, minlength=num_cells),
        pooled=pooled,
        pool=np.concatenate([*(part.pool for part in parts), np.full(len(large), -1) if pool is None else pool[large]]),
        normal=np.arange(len(first)) >= len(first) - len(large),
        independent=rows.independent,
    )


def _sequences(key: Ints, owner: Ints, often: Ints) -> Iterator[Ints]:
    """Yield the sorted keys of the rows of each source, ``[sources, length]``, for each length above 1."""
    several = often[owner] > 1
    key, owner = key[several], owner[several]
    order = np.lexsort((key, owner))
    key, often = key[order], often[often > 1]
    starts = np.cumsum(often) - often
    for length in np.unique(often).tolist():
        yield key[starts[often == length][:, None] + np.arange(length)]


@dataclass(frozen=True)
class _Part:
    """Types of sources with the same number of rows; a row of a type is given by its key, cell * codes + code."""

    weight: Floats  # of each type
    type: Ints  # of each row of all types
    key: Ints  # of the same
    types: Ints  # of each stratum
    sources: Ints  # of each stratum
    pool: Ints  # of each stratum


def _single(counts: Ints, pool: Ints | None, *, smooth: bool) -> _Part:
    """Return the types of sources with one row, ``counts`` ``[cells, codes]`` of them: a stratum is a cell."""
    num_cells, codes = counts.shape
    sources = counts.sum(axis=1)
    weight = counts + (1 / codes if smooth else 0.0) * (sources > 0)[:, None]
    found = np.flatnonzero(weight)
    types = np.bincount(found // codes, minlength=num_cells)
    filled = np.flatnonzero(sources)
    of_pool = np.full(len(filled), -1) if pool is None else pool[filled]
    return _Part(weight.ravel()[found], np.arange(len(found)), found, types[filled], sources[filled], of_pool)


def _few(cells: Ints, counts: Ints) -> Flags:
    """Return which kinds of sources are in cells shared by fewer than 20 sources."""
    stratum = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    return np.asarray(np.bincount(stratum, weights=counts)[stratum] < _FEWEST)


def _several(kinds: Ints, counts: Ints, codes: int, pool: Ints | None, *, smooth: bool) -> _Part:
    """Return the types of sources with several rows, each given by the sorted keys of its rows."""
    cells, stratum = np.unique(kinds // codes, axis=0, return_inverse=True)
    sources = np.bincount(stratum.ravel(), weights=counts).astype(np.int64)
    weights = counts.astype(np.float64)
    if smooth:
        added, share = zip(*(_added(of, codes) for of in cells), strict=True)
        stratum = np.append(stratum.ravel(), np.repeat(np.arange(len(cells)), [len(each) for each in share]))
        kinds, weights = np.concatenate([kinds, *added]), np.concatenate([weights, *share])
    order = np.argsort(stratum.ravel(), kind="stable")
    kinds, weights = kinds[order], weights[order]
    return _Part(
        weights,
        np.repeat(np.arange(len(kinds)), kinds.shape[1]),
        kinds.ravel(),
        np.bincount(stratum.ravel(), minlength=len(cells)),
        sources,
        np.full(len(cells), -1) if pool is None else _pool_of(pool[cells]),
    )


def _pooled(groups: list[tuple[Ints, Ints]], codes: int, pool: Ints, *, smooth: bool) -> _Part:
    """Return the types of sources that are drawn together with others of the same pool, whatever their cells."""
    places, weights, rows = [], [], []
    for kinds, counts in groups:
        places.append(_pool_of(pool[kinds // codes]))
        weights.append(counts.astype(np.float64))
        rows += list(kinds)
    place, weight = np.concatenate(places), np.concatenate(weights)
    names = np.unique(place)
    sources = np.array([int(weight[place == name].sum()) for name in names], np.int64)
    if smooth:
        for name in names:
            members = np.flatnonzero(place == name)
            typical = sorted((rows[at] for at in members), key=len)[len(members) // 2]
            added, share = _added(typical // codes, codes)
            rows += list(added)
            place, weight = np.append(place, np.full(len(share), name)), np.append(weight, share)
    order = np.argsort(place, kind="stable")
    rows = [rows[at] for at in order]
    return _Part(
        weight[order],
        np.repeat(np.arange(len(rows)), [len(row) for row in rows]),
        np.concatenate(rows),
        np.array([int((place == name).sum()) for name in names], np.int64),
        sources,
        names,
    )


def _pool_of(of_row: Ints) -> Ints:
    """Return the pool of sources whose rows are in these pools, ``[sources, rows]``; -1 if they are in several."""
    return np.asarray(np.where((of_row == of_row[:, :1]).all(axis=1), of_row[:, 0], -1))


def _added(cells: Ints, codes: int) -> tuple[Ints, Floats]:
    """Return the kinds of one added source in these cells, and their weights: all wrong, all right, one row wrong."""
    right = np.tile(cells * codes + codes - 1, (len(cells) + 2, 1))
    right[0] = cells * codes
    at = np.arange(len(cells))
    right[at + 2, at] = cells * codes
    return right, np.array([0.25, 0.25, *np.full(len(cells), 0.5 / len(cells))])


def _offsets(parts: list[_Part]) -> list[int]:
    sizes = [len(part.weight) for part in parts]
    return [sum(sizes[:at]) for at in range(len(sizes))]


def _sums(shares: Floats, rows: Ints) -> Floats:
    return np.asarray(np.nan_to_num(shares) * rows[:, None])


def _shares(sums: Floats, rows: Ints | Floats) -> Floats:
    """Return sums ``[..., cells * V]`` per row, ``[..., cells, V]``; NaN for a cell without rows."""
    by_cell = sums.reshape(*sums.shape[:-1], rows.shape[-1], -1)
    shares: Floats = by_cell / np.where(rows > 0, rows, np.nan)[..., None]
    return shares
