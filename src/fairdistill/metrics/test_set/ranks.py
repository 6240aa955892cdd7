"""Groups and classes numbered by their rows alone, so that results do not depend on their names or order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairdistill.metrics.arrays import Ints
from fairdistill.metrics.test_set.canonical import Coloured, Facts, Hashes, mixed, summed
from fairdistill.metrics.test_set.distinct import numbered


@dataclass(frozen=True, eq=False)
class Ranks:
    """New numbers of groups and classes.

    Attributes:
        groups: int64 ``[G]``: the new number of each group.
        classes: int64 ``[C]``: the new number of each class.

    Example:
        >>> rows = np.arange(6)
        >>> facts = ranked(groups=rows % 2, classes=(rows // 4,), codes=rows % 3, sources=rows, shape=(2, 2))
        >>> turned = ranked(groups=1 - rows % 2, classes=(rows // 4,), codes=rows % 3, sources=rows, shape=(2, 2))
        >>> bool((facts.groups == turned.groups[::-1]).all())
        True
    """

    groups: Ints
    classes: Ints


def ranked(
    *, groups: Ints, classes: tuple[Ints, ...], codes: Ints, sources: Ints, shape: tuple[int, int], last: bool = False
) -> Ranks:
    """Number groups and classes.

    Args:
        groups: int64 ``[N]`` of each row.
        classes: int64 ``[N]`` each: the true class, perhaps the predicted one too.
        codes: int64 ``[N]``: anything else that tells rows apart.
        sources: int64 ``[N]``: the source of each row.
        shape: G, C.
        last: whether the last group keeps its number.
    """
    cell = groups
    for own in classes:
        cell = cell * shape[1] + own
    kinds, place = numbered_kinds(cell, shape[0] * shape[1] ** len(classes))
    parts = np.unravel_index(kinds, (shape[0], *[shape[1]] * len(classes)))
    group = np.asarray(parts[0], np.int64)
    content = summed(place, mixed(codes + 1), len(kinds))
    content += mixed(np.where(last & (group == shape[0] - 1), 1, 0))
    if len(classes) == 2:
        content += mixed(np.where(parts[1] == parts[2], 3, 2))

    def coloured(content: Hashes) -> Coloured:
        return Coloured.of(Facts(content, group, tuple(np.asarray(each, np.int64) for each in parts[1:]), *shape))

    found = coloured(content)
    owner = numbered(sources)
    if owner.max(initial=-1) + 1 < len(owner):  # what else a row's source has tells cells apart, too
        of_row = mixed(found.of_facts[place] ^ mixed(codes))
        together = mixed(summed(owner, of_row, int(owner.max()) + 1))[owner]
        found = coloured(content + summed(place, mixed(together ^ of_row), len(kinds)))
    of_group, of_class = found.orders()
    if last:
        of_group = np.append(of_group[of_group != shape[0] - 1], shape[0] - 1)
    return Ranks(np.argsort(of_group), np.argsort(of_class))


def numbered_kinds(values: Ints, stop: int) -> tuple[Ints, Ints]:
    """Return the distinct values below ``stop``, sorted, and the place of each value among them."""
    if stop < 4 * len(values) + 1000:
        often = np.bincount(values, minlength=stop)
        kinds = np.flatnonzero(often)
        return kinds, (np.cumsum(often > 0) - 1)[values]
    kinds, place = np.unique(values, return_inverse=True)
    return kinds, place.ravel()
