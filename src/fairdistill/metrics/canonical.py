"""One order of groups and classes, whatever they are called: results must not depend on how a table is sorted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

_ROUNDS = 3


def canonical_order(counts: Ints) -> tuple[Ints, Ints]:
    """Return an order of the groups and one of the strata that depend on the counts alone, not on their places.

    Groups are sorted by their counts, whatever the order of the strata, and strata likewise; ties are then broken by
    where the cells lie in that order, as in the colour refinement of graphs (Weisfeiler and Leman, 1968). What is still
    tied is, but for rare symmetric tables, interchangeable.

    Args:
        counts: int64 ``[G, S, K]``: rows of each outcome in each cell.

    Returns:
        ``group_order`` ``[G]`` and ``stratum_order`` ``[S]``: ``counts[group_order][:, stratum_order]`` is the same
        for every order of the groups and of the strata.

    Example:
        >>> counts = np.array([[[5, 1], [4, 2]], [[3, 3], [6, 0]]])
        >>> groups, strata = canonical_order(counts)
        >>> turned = counts[::-1, ::-1]
        >>> again, too = canonical_order(turned)
        >>> bool((counts[groups][:, strata] == turned[again][:, too]).all())
        True
    """
    groups, strata, codes = counts.shape
    cell = _rank(counts.reshape(groups * strata, codes)).reshape(groups, strata)
    of_group, of_stratum = np.zeros(groups, np.int64), np.zeros(strata, np.int64)
    for _ in range(_ROUNDS):
        of_group, of_stratum = _rank(np.sort(cell, axis=1)), _rank(np.sort(cell, axis=0).T)
        places = np.broadcast_arrays(cell, of_group[:, None], of_stratum[None])
        cell = _rank(np.stack(places, axis=-1).reshape(-1, 3)).reshape(groups, strata)
    return np.argsort(of_group, kind="stable"), np.argsort(of_stratum, kind="stable")


def _rank(rows: Ints) -> Ints:
    """Return the rank of each row among the distinct ones."""
    if not len(rows):
        return np.zeros(0, np.int64)
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1).astype(np.int64)
