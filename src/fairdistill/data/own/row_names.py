"""The names of images inside a table that has no paths for them: the numbers of their rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_PREFIX = "row "


def numbered(rows: int) -> NDArray[np.object_]:
    """Return a name for each row, object ``[N]``.

    Example:
        >>> numbered(2).tolist()
        ['row 1', 'row 2']
    """
    return np.array([f"{_PREFIX}{row}" for row in range(1, rows + 1)], object)


class RowsByName:
    """Rows by their names; those of :func:`numbered` need no memory.

    Args:
        names: one name a row, all different.

    Example:
        >>> RowsByName(numbered(3)).get("row 3"), RowsByName(numbered(3)).get("row 4")
        (2, None)
    """

    def __init__(self, names: NDArray[np.object_]) -> None:
        self._count = len(names)
        is_numbered = all(name == f"{_PREFIX}{row}" for row, name in enumerate(names, 1))
        self._rows = None if is_numbered else {name: row for row, name in enumerate(names.tolist())}

    def get(self, name: str) -> int | None:
        """Return the row of a name, None if there is none."""
        if self._rows is not None:
            return self._rows.get(name)
        digits = name.removeprefix(_PREFIX)
        if not (digits.isascii() and digits.isdecimal()) or not 1 <= int(digits) <= self._count:
            return None
        row = int(digits)
        return row - 1 if name == f"{_PREFIX}{row}" else None
