"""The different values of a column: a million rows often hold a few thousand, which are looked at once each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct(values: Any) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the number of each row's value, int64 ``[N]``, and the values in the order in which they first occur.

    Numbers of several types, as JSON Lines may hold them, are told apart by how they are written: 0, 0.0 and False are
    equal in Python.

    Args:
        values: a column of a table, or an array; missing values have the number -1.

    Raises:
        TypeError: for values that cannot be compared, such as lists.

    Example:
        >>> codes, values = distinct(np.array(["b", "a", None, "b"], object))
        >>> codes.tolist(), values.tolist()
        ([0, 1, -1, 0], ['b', 'a'])
    """
    import pandas as pd

    codes, found = pd.factorize(_written(values))
    return codes.astype(np.int64, copy=False), np.asarray(found, object)


_NUMBERS = frozenset({bool, int, float})


def _written(values: Any) -> Any:
    """Return values with a text in place of each number, if these have several types; else the values."""
    if values.dtype != object or len(_NUMBERS.intersection(map(type, values))) < 2:
        return values
    import pandas as pd

    found = np.array(values, object)
    known = np.flatnonzero(~pd.isna(found))  # a missing value may be NaN, a float
    if len(_NUMBERS.intersection(map(type, found[known]))) < 2:
        return values
    for row in known.tolist():
        if type(found[row]) in _NUMBERS:
            found[row] = str(found[row])
    return found
