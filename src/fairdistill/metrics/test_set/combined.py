"""Groups that are combinations of attributes, told by their names; without SciPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

JOINED = ", "
"""What the names of a combination of attributes are joined with, see :func:`fairdistill.tables.columns.cross`."""


def attributes_of(names: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the level of each attribute in each group, one array ``[G]`` each; empty if groups are no combinations.

    Example:
        >>> [levels.tolist() for levels in attributes_of(["black, f", "black, m", "white, f", "white, m"])]
        [[0, 0, 1, 1], [0, 1, 0, 1]]
        >>> attributes_of(["f", "m"])
        []
    """
    parts = [name.split(JOINED) for name in names]
    if not parts or len({len(each) for each in parts}) != 1 or len(parts[0]) < 2:
        return []
    levels = [np.unique(each, return_inverse=True)[1] for each in zip(*parts, strict=True)]
    combined = all(1 < level.max() + 1 < len(names) for level in levels)
    return [np.asarray(level, np.int64) for level in levels] if combined else []
