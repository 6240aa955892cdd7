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


def check_cells(
    labels: NDArray[np.int64],
    groups: NDArray[np.int64],
    *,
    num_classes: int,
    num_groups: int,
    class_names: Sequence[str] | None,
    group_names: Sequence[str] | None,
) -> None:
    """Raise a DataError naming every subgroup without samples; a UsageError if the number of names is wrong."""
    if num_groups < 1:
        raise UsageError(f"Expected argument `num_groups` to be at least 1, but got {num_groups}")
    classes = _names("class_names", class_names, [f"class {label}" for label in range(num_classes)])
    names = _names("group_names", group_names, [str(group) for group in range(num_groups)])
    known = groups >= 0
    cell = groups[known] * num_classes + labels[known]
    rows = np.bincount(cell, minlength=num_groups * num_classes).reshape(num_groups, num_classes)
    empty = [f"{classes[label]} in group {names[group]}" for group, label in np.argwhere(rows == 0)]
    if empty:
        raise DataError(
            f"the validation set has no samples of {', '.join(empty)}; the post-hoc baselines need every class in "
            "every group: add validation samples, or leave out the group"
        )


def _names(argument: str, given: Sequence[str] | None, default: Sequence[str]) -> Sequence[str]:
    if given is not None and len(given) != len(default):
        raise UsageError(f"Expected argument `{argument}` to hold {len(default)} names, but got {len(given)}")
    return default if given is None else given
