"""Cutting a validation set from training data, cell by cell, without parting rows of one picture."""

from __future__ import annotations

import torch

from fairdistill.data.dataset import GroupedDataset
from fairdistill.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


def cut_validation(
    train: GroupedDataset, *, split_seed: int, fraction: float = 0.1
) -> tuple[GroupedDataset, GroupedDataset]:
    """Part ``train`` into a smaller training set and a validation set.

    Of every (class, group) cell, ``fraction`` of the rows (rounded, at least one) go to validation. A cell of a
    single row keeps it for training, since a cell that is never trained on cannot be judged either. Rows of
    unknown group are drawn per class in the same way. Rows made from one picture stay together.

    Args:
        train: the training set as its data set defines it.
        split_seed: which rows are drawn; a student must use its teacher's.
        fraction: share of each cell, in (0, 1).

    Returns:
        The training rows that are left, and the validation rows, each in the order of ``train``.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"Expected argument `fraction` to lie in (0, 1), but got {fraction}")
    draw = torch.randperm(len(train), generator=generator(split_seed, "validation split"))
    cell = train.labels * (train.num_groups + 1) + torch.where(
        train.groups == UNKNOWN_GROUP, train.num_groups, train.groups
    )
    chosen: set[str] = set()
    for rows in _rows_by_cell(cell[draw]):
        if len(rows) > 1:
            count = min(max(1, round(fraction * len(rows))), len(rows) - 1)
            chosen.update(train.source_ids[int(row)] for row in draw[rows[:count]])
    held_out = torch.tensor([source in chosen for source in train.source_ids])
    name = train.name.removesuffix("/train")
    return (
        train.subset((~held_out).nonzero().flatten(), name=f"{name}/train"),
        train.subset(held_out.nonzero().flatten(), name=f"{name}/val"),
    )


def _rows_by_cell(cell: torch.Tensor) -> tuple[torch.Tensor, ...]:
    order = torch.argsort(cell, stable=True)
    sizes = torch.bincount(cell)
    rows: tuple[torch.Tensor, ...] = order.split(sizes[sizes > 0].tolist())
    return rows
