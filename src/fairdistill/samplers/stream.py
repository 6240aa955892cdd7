"""Rows in random order without end."""

from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.system.randomness import generator


class Stream:
    """An endless sequence of rows, reshuffled on every pass, so that no row is ever more than one pass ahead.

    Args:
        rows: int64 row numbers, at least one.
        seed: the run's seed.
        name: distinguishes the streams of a run.
    """

    def __init__(self, rows: Tensor, *, seed: int, name: str) -> None:
        self._rows = rows
        self._seed = seed
        self._name = name
        self._pass = -1
        self._order = rows

    def take(self, start: int, count: int) -> Tensor:
        """Return the rows at the positions ``start`` to ``start + count``."""
        parts = []
        while count > 0:
            passed, offset = divmod(start, len(self._rows))
            part = self._shuffled(passed)[offset : offset + count]
            parts.append(part)
            start += len(part)
            count -= len(part)
        return torch.cat(parts)

    def __len__(self) -> int:
        """Return the number of rows in a pass."""
        return len(self._rows)

    def _shuffled(self, passed: int) -> Tensor:
        if passed != self._pass:
            draw = generator(self._seed, f"sampler/{self._name}", passed)
            self._order = self._rows[torch.randperm(len(self._rows), generator=draw)]
            self._pass = passed
        return self._order
