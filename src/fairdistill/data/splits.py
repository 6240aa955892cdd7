"""Cutting a validation set from training data, cell by cell, without parting rows of one picture."""

from __future__ import annotations

from collections import Counter

import torch

from fairdistill.data.dataset import GroupedDataset
from fairdistill.system.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


def cut_validation(
    train: GroupedDataset, *, split_seed: int, fraction: float = 0.1
) -> tuple[GroupedDataset, GroupedDataset]:
    """Part ``train`` into a smaller training set and a validation set.

    Of every (class, group) cell, ``fraction`` of the rows (rounded, at least one) go to validation; rows of unknown
    group are drawn per class in the same way. Rows made from one picture stay together, and no cell loses its last
    training row: a cell of a single row, or a single picture, is not validated.

    Args:
        train: the training set as its data set defines it.
        split_seed: which rows are drawn; a student must use its teacher's.
        fraction: share of each cell, in (0, 1).

    Returns:
        The training rows that are left, and the validation rows, each in the order of ``train``.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"Expected argument `fraction` to lie in (0, 1), but got {fraction}")
    cells = train.labels * (train.num_groups + 1) + torch.where(
        train.groups == UNKNOWN_GROUP, train.num_groups, train.groups
    )
    pictures: dict[str, list[int]] = {}
    for source, cell in zip(train.source_ids, cells.tolist(), strict=True):
        pictures.setdefault(source, []).append(cell)
    left = Counter(cells.tolist())
    wanted = {cell: max(1, round(fraction * size)) for cell, size in left.items()}
    chosen: set[str] = set()
    names = list(pictures)
    for at in torch.randperm(len(names), generator=generator(split_seed, "validation split")).tolist():
        taken = Counter(pictures[names[at]])
        if all(wanted[cell] > 0 and left[cell] > rows for cell, rows in taken.items()):
            chosen.add(names[at])
            for cell, rows in taken.items():
                left[cell] -= rows
                wanted[cell] -= rows
    held_out = torch.tensor([source in chosen for source in train.source_ids], dtype=torch.bool)
    name = train.name.removesuffix("/train")
    return (
        train.subset((~held_out).nonzero().flatten(), name=f"{name}/train"),
        train.subset(held_out.nonzero().flatten(), name=f"{name}/val"),
    )
