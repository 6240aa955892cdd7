"""Cuts a validation set from training data, subgroup by subgroup; rows made from the same image stay together."""

from __future__ import annotations

from collections import Counter

import torch

from fairdistill.data.dataset import GroupedDataset
from fairdistill.system.randomness import generator
from fairdistill.types import UNKNOWN_GROUP


def cut_validation(
    train: GroupedDataset, *, split_seed: int, fraction: float = 0.1
) -> tuple[GroupedDataset, GroupedDataset]:
    """Split ``train`` into a smaller training set and a validation set.

    From every subgroup, ``fraction`` of the rows (rounded, at least one) go to validation; rows of unknown group are
    drawn from each class in the same way. Rows made from the same image stay together, and no subgroup loses its last
    training row: a subgroup with a single row, or a single image, has no validation row.

    Args:
        train: the whole training set.
        split_seed: selects the rows; a student must use its teacher's.
        fraction: fraction of each subgroup, in (0, 1).

    Returns:
        The remaining training rows and the validation rows, each in the order of ``train``.

    Example:
        >>> from fairdistill.data import load
        >>> train, validation = cut_validation(load("digits-s", "train"), split_seed=0)
        >>> len(train) + len(validation), len(validation)
        (1000, 106)
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
