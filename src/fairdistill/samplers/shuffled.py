"""Batches of all rows in random order."""

from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.errors import UsageError
from fairdistill.samplers.stream import Stream


class Shuffled:
    """Every row once per pass, in random order.

    Args:
        dataset: the data set to draw from.
        batch_size: number of rows in a batch.
        seed: the run's seed.
        drop_last: whether an epoch ends before an incomplete batch, as in the paper. Otherwise a batch
            continues into the next pass.

    Raises:
        UsageError: with ``drop_last``, if there are fewer rows than one batch.
    """

    def __init__(self, dataset: GroupedDataset, *, batch_size: int, seed: int, drop_last: bool = False) -> None:
        n = len(dataset)
        if drop_last and n < batch_size:
            raise UsageError(
                f"{dataset.name} has {n} samples, fewer than one batch of {batch_size}; use --protocol honest, whose "
                "batches go on in the next pass, or a smaller --batch-size"
            )
        self.batch_size = batch_size
        self.steps_per_epoch = n // batch_size if drop_last else -(-n // batch_size)
        self._stride = n if drop_last else None
        self._stream = Stream(torch.arange(n), seed=seed, name="all")

    def batch(self, step: int) -> Tensor:
        """Return the rows of batch ``step``, int64 on the CPU."""
        return self._stream.take(self._start(step), self.batch_size)

    def passes(self, step: int) -> Tensor:
        """Return how often each row of batch ``step`` was drawn before, int64 on the CPU.

        With ``drop_last``, a row counts as drawn in an epoch that ended before it.
        """
        start = self._start(step)
        return torch.arange(start, start + self.batch_size) // len(self._stream)

    def _start(self, step: int) -> int:
        if self._stride is None:
            return step * self.batch_size
        epoch, position = divmod(step, self.steps_per_epoch)
        return epoch * self._stride + position * self.batch_size
