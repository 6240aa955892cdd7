"""The sufficient statistic of group fairness: how often each class of each group is predicted as each class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]


def group_counts(y_true: Any, y_pred: Any, groups: Any, *, num_classes: int, num_groups: int) -> Counts:
    """Count the samples of each (group, true class, predicted class).

    Counts of parts of a data set add up to the counts of the whole, over batches and over processes.

    Args:
        y_true: integer ``[N]`` classes in ``[0, num_classes)``; an array, a list, or a tensor on any device.
        y_pred: integer ``[N]`` predicted classes, of the same kind.
        groups: integer ``[N]`` groups in ``[0, num_groups)``; samples of unknown group, -1, are left out.
        num_classes: number of classes C.
        num_groups: number of groups G.

    Returns:
        int64 ``[G, C, C]``: ``counts[g, t, p]`` samples of group g and class t were predicted as p.

    Raises:
        ValueError: if the lengths differ, or a value is not an integer in range; the row is named.

    Example:
        >>> group_counts([0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1], num_classes=2, num_groups=2).tolist()
        [[[1, 0], [0, 1]], [[0, 1], [0, 1]]]
    """
    check_whole("num_classes", num_classes, least=1)
    check_whole("num_groups", num_groups, least=0)
    true = checked_indices(y_true, "y_true", low=0, high=num_classes)
    pred = checked_indices(y_pred, "y_pred", low=0, high=num_classes)
    group = checked_indices(groups, "groups", low=-1, high=num_groups)
    if not len(true) == len(pred) == len(group):
        raise ValueError(
            "Expected arguments `y_true`, `y_pred` and `groups` to have the same length, "
            f"but got {len(true)}, {len(pred)} and {len(group)}"
        )
    return counted(true, pred, group, num_classes=num_classes, num_groups=num_groups)


def counted(
    true: NDArray[np.int64], pred: NDArray[np.int64], group: NDArray[np.int64], *, num_classes: int, num_groups: int
) -> Counts:
    """Return the counts of indices that have been checked; see :func:`group_counts`."""
    known = group >= 0
    cell = (group[known] * num_classes + true[known]) * num_classes + pred[known]
    counts = np.bincount(cell, minlength=num_groups * num_classes**2)
    return counts.reshape(num_groups, num_classes, num_classes)


def as_array(values: Any) -> NDArray[Any]:
    """Return an array, a list, or a tensor on any device as a NumPy array; torch is not imported."""
    if hasattr(values, "detach"):  # a torch tensor
        if values.is_floating_point() and values.element_size() <= 2:  # NumPy has no bfloat16
            values = values.float()
        values = values.detach().cpu().numpy()
    return np.asarray(values)


def checked_indices(values: Any, name: str, *, low: int, high: int) -> NDArray[np.int64]:
    """Return a vector of integers in ``[low, high)`` as int64; False is 0, True is 1.

    Args:
        values: an array, a list, or a tensor on any device.
        name: the argument's name, for messages.
        low: smallest value.
        high: the value after the largest.

    Raises:
        ValueError: if they are not a vector of integers, or one is out of range; the row is named.

    Example:
        >>> checked_indices([0, 2], "labels", low=0, high=3).tolist()
        [0, 2]
    """
    array = as_array(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iub":
        raise ValueError(
            f"Expected argument `{name}` to be a vector of integers, but got {array.dtype} of shape {array.shape}"
        )
    if array.size and (array.min() < low or array.max() >= high):
        row = int(((array < low) | (array >= high)).argmax())
        raise ValueError(f"Expected argument `{name}` to lie in [{low}, {high - 1}], but row {row} is {array[row]}")
    return array.astype(np.int64, copy=False)


def check_whole(name: str, value: object, *, least: int) -> None:
    """Raise a ValueError unless an argument is a whole number of at least ``least``."""
    if not isinstance(value, int | np.integer) or value < least:
        raise ValueError(f"Expected argument `{name}` to be a whole number of at least {least}, but got {value!r}")


def checked_counts(counts: Any) -> NDArray[Any]:
    """Return counts ``[G, C, C]`` as an array.

    Raises:
        ValueError: if they have another shape.
    """
    array = as_array(counts)
    if array.ndim != 3 or array.shape[1] != array.shape[2]:
        raise ValueError(
            "Expected argument `counts` to be [G, C, C] (group, true, predicted), as group_counts returns them, "
            f"but got shape {array.shape}"
        )
    return array
