"""The single attributes that groups are combinations of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fairdistill.metrics.test_set.combined import JOINED, attributes_of


class GroupAttribute(NamedTuple):
    """A group attribute of N samples.

    Attributes:
        name: of its column.
        codes: int64 ``[N]``, -1 where unknown.
        names: of its values.
    """

    name: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]


def group_attributes(
    given: tuple[GroupAttribute, ...], groups: NDArray[np.int64], names: Sequence[str]
) -> tuple[GroupAttribute, ...]:
    """Return the attributes of groups; if only the names of the groups tell them, they are numbered.

    Args:
        given: the attributes, if they are known.
        groups: int64 ``[N]``, -1 where unknown.
        names: of the groups.

    Example:
        >>> found = group_attributes((), np.array([0, 3, -1]), ("A, f", "A, m", "B, f", "B, m"))
        >>> [(each.names, each.codes.tolist()) for each in found]
        [(('A', 'B'), [0, 1, -1]), (('f', 'm'), [0, 1, -1])]
    """
    if given:
        return given
    levels = attributes_of(names)
    if not levels:
        return (GroupAttribute("group", groups, tuple(names)),)
    parts = list(zip(*(name.split(JOINED) for name in names), strict=True))
    found = []
    for number, (level, values) in enumerate(zip(levels, parts, strict=True), 1):
        codes = np.where(groups < 0, -1, level[groups])
        found.append(GroupAttribute(f"attribute {number}", codes, tuple(np.unique(values).tolist())))
    return tuple(found)
