"""Checks of the data that both baselines are fitted on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from fairdistill.errors import DataError, UsageError


def check_lengths(**lengths: int) -> None:
    """Raise a UsageError if the named arguments differ in length."""
    if len(set(lengths.values())) > 1:
        names = " and ".join(f"`{name}`" for name in lengths)
        raise UsageError(
            f"Expected arguments {names} to have the same length, but got {', '.join(map(str, lengths.values()))}"
        )


def class_names_of(class_names: Sequence[str] | None, num_classes: int) -> Sequence[str]:
    """Return a name for each class, ``class 0`` and so on by default; raise a UsageError if their number is wrong."""
    if class_names is None:
        return [f"class {label}" for label in range(num_classes)]
    if len(class_names) != num_classes:
        raise UsageError(f"Expected argument `class_names` to hold {num_classes} names, but got {len(class_names)}")
    return class_names


def names_of(group_names: Sequence[str] | None, num_groups: int) -> Sequence[str]:
    """Return a name for each group, its index by default; raise a UsageError if their number is wrong."""
    if num_groups < 1:
        raise UsageError(f"Expected argument `num_groups` to be at least 1, but got {num_groups}")
    if group_names is None:
        return [str(g) for g in range(num_groups)]
    if len(group_names) != num_groups:
        raise UsageError(f"Expected argument `group_names` to hold {num_groups} names, but got {len(group_names)}")
    return group_names


def check_cells(
    labels: NDArray[np.int64], groups: NDArray[np.int64], *, classes: Sequence[str], names: Sequence[str]
) -> None:
    """Raise a DataError naming every subgroup without samples."""
    known, num_classes = groups >= 0, len(classes)
    cell = groups[known] * num_classes + labels[known]
    rows = np.bincount(cell, minlength=len(names) * num_classes).reshape(len(names), num_classes)
    empty = [f"{classes[label]} in group {names[group]}" for group, label in np.argwhere(rows == 0)]
    if empty:
        raise DataError(
            f"the validation set has no samples of {', '.join(empty)}; the post-hoc baselines need every class in "
            "every group: add validation samples, or leave out the group"
        )
