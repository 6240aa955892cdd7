"""Strata of sources with the same number of rows: their types, and how many sources each has.

A source is a picture or a person. A row of it has a *key*, ``cell * codes + code``: its cell (a subgroup) and its
outcome.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Flags, Floats, Ints

_FEWEST = 20  # sources for a separate stratum


@dataclass(frozen=True, kw_only=True, eq=False)
class Strata:
    """Some strata, whose types are in the order of their strata.

    Attributes:
        weight: float64 ``[T]``: sources of each type, and what is added to them.
        type: int64: the type of each row of all types.
        key: int64: the key of the same.
        types: int64 ``[S]``: types of each stratum.
        sources: int64 ``[S]``: sources of each stratum.
        pool: int64 ``[S]``: the pool of each stratum; -1 for several pools or none.
        pooled: whether sources with rows in different cells are in one stratum.
    """

    weight: Floats
    type: Ints
    key: Ints
    types: Ints
    sources: Ints
    pool: Ints
    pooled: bool = False


def of_single_rows(counts: Ints, pool: Ints | None, *, smooth: bool) -> Strata:
    """Return the strata of sources with one row, of which there are ``counts`` ``[cells, codes]``: the cells."""
    num_cells, codes = counts.shape
    sources = counts.sum(axis=1)
    weight = counts + (1 / codes if smooth else 0.0) * (sources > 0)[:, None]
    found = np.flatnonzero(weight)
    types = np.bincount(found // codes, minlength=num_cells)
    filled = np.flatnonzero(sources)
    of_pool = np.full(len(filled), -1) if pool is None else pool[filled]
    return Strata(
        weight=weight.ravel()[found],
        type=np.arange(len(found)),
        key=found,
        types=types[filled],
        sources=sources[filled],
        pool=of_pool,
    )


def of_several_rows(key: Ints, owner: Ints, codes: int, pool: Ints | None, *, smooth: bool) -> list[Strata]:
    """Return the strata of sources with more rows: those in the same cells, or in the same pool if these are few.

    Args:
        key: int64 ``[N]``: the key of each row.
        owner: int64 ``[N]``: its source.
        codes: number of outcomes.
        pool: int64 ``[cells]``, or None: then no strata are put together.
        smooth: whether a source is added to each stratum, spread over all wrong, all right and one row wrong.
    """
    strata: list[Strata] = []
    left: list[tuple[Ints, Ints]] = []
    for sequences in _sequences(key, owner):
        kinds, counts = np.unique(sequences, axis=0, return_counts=True)
        few = _few(kinds // codes, counts) & (pool is not None)
        if few.any():
            left.append((kinds[few], counts[few]))
        if not few.all():
            strata.append(_of_same_cells(kinds[~few], counts[~few], codes, pool, smooth=smooth))
    if pool is not None and left:
        strata.append(_of_pools(left, codes, pool, smooth=smooth))
    return strata


def _sequences(key: Ints, owner: Ints) -> Iterator[Ints]:
    """Yield the sorted keys of the rows of each source, ``[sources, length]``, for each length above 1."""
    often = np.bincount(owner)
    several = often[owner] > 1
    key, owner = key[several], owner[several]
    order = np.lexsort((key, owner))
    key, often = key[order], often[often > 1]
    starts = np.cumsum(often) - often
    for length in np.unique(often).tolist():
        yield key[starts[often == length][:, None] + np.arange(length)]


def _few(cells: Ints, counts: Ints) -> Flags:
    """Return which kinds of sources are in cells shared by fewer than 20 sources."""
    stratum = np.unique(cells, axis=0, return_inverse=True)[1].ravel()
    return np.asarray(np.bincount(stratum, weights=counts)[stratum] < _FEWEST)


def _of_same_cells(kinds: Ints, counts: Ints, codes: int, pool: Ints | None, *, smooth: bool) -> Strata:
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
    return Strata(
        weight=weights,
        type=np.repeat(np.arange(len(kinds)), kinds.shape[1]),
        key=kinds.ravel(),
        types=np.bincount(stratum.ravel(), minlength=len(cells)),
        sources=sources,
        pool=np.full(len(cells), -1) if pool is None else _pool_of(pool[cells]),
    )


def _of_pools(groups: list[tuple[Ints, Ints]], codes: int, pool: Ints, *, smooth: bool) -> Strata:
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
    return Strata(
        weight=weight[order],
        type=np.repeat(np.arange(len(rows)), [len(row) for row in rows]),
        key=np.concatenate(rows),
        types=np.array([int((place == name).sum()) for name in names], np.int64),
        sources=sources,
        pool=names,
        pooled=True,
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
