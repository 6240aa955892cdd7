"""Balanced batches as a sampler of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.utils import data

from fairdistill.metrics.counts import as_array
from fairdistill.samplers.balanced import BalancedRows
from fairdistill.types import UNKNOWN_GROUP


class BalancedBatchSampler(data.Sampler[list[int]]):
    """Balanced batches for any PyTorch data loader: the same number of samples of every subgroup in every batch.

    Every subgroup (one class of one group) that has samples gets ``batch_size // subgroups`` places in each batch;
    :class:`BalancedRows` describes the details. Each pass over the loader is a new epoch, shuffled differently;
    ``set_epoch`` picks the epoch of the next pass, for example after a restart.

    Args:
        labels: integer ``[N]`` classes from 0; a tensor, an array, a column of pandas or a list.
        groups: integer ``[N]`` groups from 0, -1 where unknown.
        batch_size: maximum number of samples in a batch.
        seed: seed of the shuffling.

    Raises:
        ValueError: if they do not hold integers, one is out of range, the lengths differ, no sample has a known group,
            or a batch is too small.

    Example:
        >>> sampler = BalancedBatchSampler(labels=[0, 0, 0, 1, 1], groups=[0, 0, 1, 0, 1], batch_size=4)
        >>> images = torch.randn(5, 3, 8, 8)
        >>> loader = data.DataLoader(data.TensorDataset(images), batch_sampler=sampler)
        >>> [len(batch) for (batch,) in loader]
        [4, 4]
    """

    def __init__(
        self,
        labels: Tensor | ArrayLike,
        groups: Tensor | ArrayLike,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        labels, groups = _integers("labels", labels, low=0), _integers("groups", groups, low=UNKNOWN_GROUP)
        if not isinstance(batch_size, int | np.integer):
            raise ValueError(f"Expected argument `batch_size` to be a whole number, but got {batch_size!r}")
        if labels.ndim != 1 or labels.shape != groups.shape:
            raise ValueError(
                "Expected arguments `labels` and `groups` to be vectors of the same length, "
                f"but got shapes {tuple(labels.shape)} and {tuple(groups.shape)}"
            )
        if not (groups >= 0).any():
            raise ValueError("Expected argument `groups` to hold at least one known group, but all are -1")
        self._rows = BalancedRows(labels, groups, batch_size=batch_size, seed=seed)
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass that of epoch ``epoch``, from 0."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[list[int]]:
        """Yield the indices of each batch of one epoch."""
        first = self._epoch * len(self)
        self._epoch += 1
        for step in range(first, first + len(self)):
            yield self._rows.batch(step).tolist()

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self._rows.steps_per_epoch


def _integers(name: str, values: Tensor | ArrayLike, *, low: int) -> Tensor:
    given = as_array(values)
    if given.size and given.dtype.kind not in "iub":
        raise ValueError(f"Expected argument `{name}` to hold integers, but got {given.dtype}")
    if given.size and given.min() < low:
        row = int(given.argmin())
        raise ValueError(f"Expected argument `{name}` to be at least {low}, but row {row} is {given.flat[row]}")
    return torch.from_numpy(given.astype(np.int64))
