"""A column of classes as integer codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class CodedClasses:
    """A column of classes as codes, and the class that each code means.

    Attributes:
        name: of the column.
        codes: int64 ``[N]``.
        names: the class of each code.
    """

    name: str
    codes: NDArray[np.int64]
    names: tuple[str, ...]

    def first(self, name: str) -> int:
        """Return the first row that has a class."""
        return int(np.flatnonzero(self.codes == self.names.index(name))[0])

    def indices(self, order: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each row's class in ``order``, int64 ``[N]``."""
        return _places(self.names, order)[self.codes]

    def renamed(self, meant: Mapping[str, str]) -> CodedClasses:
        """Return the column with other names for some of its classes; two of them may become one."""
        named = [meant.get(name, name) for name in self.names]
        different = tuple(dict.fromkeys(named))
        return CodedClasses(self.name, _places(named, different)[self.codes], different)


def _places(names: Sequence[str], order: Sequence[str]) -> NDArray[np.int64]:
    at = {name: place for place, name in enumerate(order)}
    return np.array([at[name] for name in names], np.int64)
