"""Sizes of subgroups for the tests of samplers, and what was drawn from them."""

from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.data import GroupedDataset
from fairdistill.samplers import Sampler

UNEVEN = [[7, 3], [1, 20], [4, 4]]
TWELVE_CELLS = [[5, 1, 2], [9, 3, 3], [2, 2, 17], [1, 1, 1]]


def cells_of(data: GroupedDataset, rows: Tensor) -> Tensor:
    """Return the rows drawn from each cell, int64 [cells]; the last entry is the unknown group."""
    cell = data.labels[rows] * data.num_groups + data.groups[rows]
    cells = data.num_classes * data.num_groups
    return torch.bincount(torch.where(data.groups[rows] < 0, cells, cell), minlength=cells + 1)


def drawn(sampler: Sampler, steps: int) -> list[Tensor]:
    """Return the first batches of a sampler."""
    return [sampler.batch(step) for step in range(steps)]
