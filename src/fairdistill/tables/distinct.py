"""The different values of a column: a million rows often hold a few thousand, which are looked at once each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct(values: Any) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """Return the number of each row's value, int64 ``[N]``, and the values in the order in which they first occur.

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

    codes, found = pd.factorize(values)
    return codes.astype(np.int64, copy=False), np.asarray(found, object)
