"""Counts of (group, true class, predicted class) of which only those above 0 are held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from fairdistill.metrics.arrays import Ints

Table = tuple[tuple[int, ...], ...]


class SparseCounts(Sequence[Table]):
    """What :func:`.group_counts` returns, as a sequence of one table ``[C][C]`` (true, predicted) for each group.

    With 1,000 classes and 50 groups, an array would take 400 MB, nearly all of it zeros. A table is made when it is
    asked for.

    Args:
        labels: int64 ``[N]`` true classes in ``[0, num_classes)``.
        predicted: int64 ``[N]`` predicted classes.
        groups: int64 ``[N]`` groups; samples of unknown group, -1, are left out.
        num_classes: number of classes C.
        num_groups: number of groups G.

    Attributes:
        rows: samples of each group and class, int64 ``[G, C]``.
        chosen: samples of each group that are predicted as each class, int64 ``[G, C]``.

    Example:
        >>> counts = SparseCounts(
        ...     *map(np.array, ([0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1])), num_classes=2, num_groups=2)
        >>> counts[0], counts.rows.tolist(), counts.chosen.tolist()
        (((1, 0), (0, 1)), [[1, 1], [1, 1]], [[1, 1], [0, 2]])
    """

    def __init__(self, labels: Ints, predicted: Ints, groups: Ints, *, num_classes: int, num_groups: int) -> None:
        known = groups >= 0
        labels, predicted, groups = labels[known], predicted[known], groups[known]
        self._classes, shape = num_classes, (num_groups, num_classes)
        self.rows, self.chosen = (
            np.bincount(groups * num_classes + of, minlength=num_groups * num_classes).reshape(shape)
            for of in (labels, predicted)
        )
        ordered = np.sort((groups * num_classes + labels) * num_classes + predicted)
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else ordered
        self._at, self._number = ordered[first], np.diff(np.append(first, len(ordered)))

    @property
    def empty(self) -> tuple[tuple[int, int], ...]:
        """The (group, class) of each subgroup without samples."""
        return tuple((group, label) for group, label in np.argwhere(self.rows == 0).tolist())

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, group: int) -> Table: ...

    @overload
    def __getitem__(self, group: slice) -> tuple[Table, ...]: ...

    def __getitem__(self, group: int | slice) -> Table | tuple[Table, ...]:
        if isinstance(group, slice):
            return tuple(self[at] for at in range(len(self))[group])
        size = self._classes**2
        start = range(len(self))[group] * size
        first, last = np.searchsorted(self._at, [start, start + size]).tolist()
        table = np.zeros(size, np.int64)
        table[self._at[first:last] - start] = self._number[first:last]
        return tuple(map(tuple, table.reshape(self._classes, self._classes).tolist()))

    def json_parts(self, line: str) -> Iterator[str]:
        """Yield the JSON text of all tables row by row, from the counts above 0; new lines start with ``line``."""
        columns, zeros = self._classes, "0, " * self._classes
        row, column = np.divmod(self._at, columns)
        ends = np.searchsorted(row, np.arange(len(self) * columns), side="right").tolist()
        columns_of, numbers = column.tolist(), self._number.tolist()
        start, opened = 0, "["
        for at, end in enumerate(ends):
            parts, filled = list[str](), 0
            for entry in range(start, end):
                parts += zeros[: 3 * (columns_of[entry] - filled)], f"{numbers[entry]}, "
                filled = columns_of[entry] + 1
            parts.append(zeros[: 3 * (columns - filled)])
            begin = f"{opened}{line} [" if at % columns == 0 else ","
            close = f"{line} ]" if at % columns == columns - 1 else ""
            yield f"{begin}{line}  [{''.join(parts)[:-2]}]{close}"
            start, opened = end, ","
        yield f"{line}]" if len(self) else "[]"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparseCounts):
            return isinstance(other, tuple) and tuple(self) == other
        return self.rows.shape == other.rows.shape and all(
            np.array_equal(own, of) for own, of in ((self._at, other._at), (self._number, other._number))
        )

    def __hash__(self) -> int:
        return hash((self.rows.shape, self._at.tobytes(), self._number.tobytes()))

    def __repr__(self) -> str:
        groups, classes = self.rows.shape
        return f"<counts of {int(self.rows.sum()):,} samples, [{groups}][{classes}][{classes}]>"
