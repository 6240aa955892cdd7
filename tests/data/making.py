"""Small data sets whose every row is different, for the tests."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fairdistill.data import GroupedDataset, Recipe
from fairdistill.types import UNKNOWN_GROUP

MIRRORED = Recipe(size=5, flip=True, mean=(0.1, 0.5, 0.9), std=(0.2, 0.3, 0.4))
PLAIN = Recipe(size=5)


def dataset(
    labels: Sequence[int] | Tensor,
    groups: Sequence[int] | Tensor,
    *,
    num_classes: int = 2,
    num_groups: int = 2,
    sources: Sequence[str] | None = None,
    recipe: Recipe = PLAIN,
) -> GroupedDataset:
    labels, groups = torch.as_tensor(labels), torch.as_tensor(groups)
    n = len(labels)
    ids = tuple(f"id-{row}" for row in range(n))
    draw = torch.Generator().manual_seed(0)
    return GroupedDataset(
        name="made/train",
        images=torch.randint(0, 256, (n, 3, 5, 5), dtype=torch.uint8, generator=draw),
        labels=labels,
        groups=groups,
        ids=ids,
        source_ids=ids if sources is None else tuple(sources),
        class_names=tuple(f"class {c}" for c in range(num_classes)),
        group_names=tuple(f"group {g}" for g in range(num_groups)),
        recipe=recipe,
    )


def dataset_of_sizes(sizes: Sequence[Sequence[int]], *, unknown: Sequence[int] = ()) -> GroupedDataset:
    """Rows in mixed order: ``sizes[class][group]`` of each cell, ``unknown[class]`` of no known group."""
    cells = [(label, group, n) for label, row in enumerate(sizes) for group, n in enumerate(row)]
    cells += [(label, UNKNOWN_GROUP, n) for label, n in enumerate(unknown)]
    label, group, repeats = torch.tensor(cells).unbind(1)
    order = torch.randperm(int(repeats.sum()), generator=torch.Generator().manual_seed(1))
    return dataset(
        label.repeat_interleave(repeats)[order],
        group.repeat_interleave(repeats)[order],
        num_classes=len(sizes),
        num_groups=len(sizes[0]),
    )


def numpy_shuffle(n: int, seed: int) -> np.ndarray:
    """The order in which the paper's released code walks the rows: NumPy's global generator, seeded."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002
    order = np.arange(n)
    np.random.shuffle(order)  # noqa: NPY002
    np.random.set_state(before)  # noqa: NPY002
    return order


def walked_groups(labels: np.ndarray, order: np.ndarray, *, skew: float, num_classes: int) -> np.ndarray:
    """The colouring rule, row by row: grey until the class has had its share."""
    groups = np.ones(len(labels), dtype=np.int64)
    for label in range(num_classes):
        left = round((skew if label < num_classes // 2 else 1 - skew) * int((labels == label).sum()))
        for row in order:
            if labels[row] == label and left > 0:
                groups[row] = 0
                left -= 1
    return groups
