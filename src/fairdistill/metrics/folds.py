"""Parts of a data set that keep the samples of a source together and spread every subgroup evenly."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fairdistill.metrics.arrays import Ints


def even_folds(labels: Ints, groups: Ints, sources: Ints, *, folds: int, seed: int = 0) -> Ints:
    """Return the fold of each sample, int64 ``[N]`` in ``[0, folds)``.

    The sources, in a random order, go where there are the fewest samples of their subgroups so far, then where there
    are the fewest samples. The order of the samples does not matter, and neither does that of classes and groups.

    Args:
        labels: int64 ``[N]`` classes.
        groups: int64 ``[N]`` groups; -1 (unknown) is spread like a group.
        sources: int64 ``[N]``; samples with the same number are in the same fold.
        folds: number of folds K.
        seed: of the order of the sources.

    Example:
        >>> one = np.zeros(4, dtype=np.int64)
        >>> even_folds(one, one, np.array([5, 5, 7, 9]), folds=2).tolist() in ([0, 0, 1, 1], [1, 1, 0, 0])
        True
    """
    rows_of: dict[int, list[int]] = {}
    for row, source in enumerate(sources.tolist()):
        rows_of.setdefault(source, []).append(row)
    cells = list(zip(labels.tolist(), groups.tolist(), strict=True))
    seen: list[Counter[tuple[int, int]]] = [Counter() for _ in range(folds)]
    sizes = [0] * folds
    fold = np.empty(len(cells), dtype=np.int64)
    named = sorted(rows_of)
    for place in np.random.default_rng(seed).permutation(len(named)).tolist():
        rows = rows_of[named[place]]
        at = min(range(folds), key=lambda k: (sum(seen[k][cells[row]] for row in rows), sizes[k], k))
        fold[rows] = at
        sizes[at] += len(rows)
        seen[at].update(cells[row] for row in rows)
    return fold
