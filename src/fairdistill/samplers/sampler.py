"""What the trainer asks of a sampler."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Sampler(Protocol):
    """Returns the rows of each step's batch."""

    @property
    def batch_size(self) -> int:
        """Number of rows in every batch."""
        ...

    @property
    def steps_per_epoch(self) -> int:
        """Number of steps in which the data (when balanced: the largest subgroup) is seen once."""
        ...

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        ...

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before, int64 on the CPU."""
        ...
