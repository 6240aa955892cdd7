"""Sums over the samples of each subgroup (one class of one group)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from torch import Tensor


def subgroup_sums(values: Tensor, labels: Tensor, groups: Tensor, *, shape: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the sum of values in each subgroup and its number of samples, ``[C, G]`` in the dtype of the values.

    No shape depends on the data, so a GPU never waits.

    Args:
        values: floating point ``[N]``.
        labels: int64 ``[N]`` classes in ``[0, C)``.
        groups: int64 ``[N]`` groups in ``[0, G)``; samples of group -1 (unknown) are left out.
        shape: C, G.

    Example:
        >>> import torch
        >>> sums, rows = subgroup_sums(
        ...     torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0, 0, 1]), torch.tensor([1, 1, -1]), shape=(2, 2))
        >>> sums.tolist(), rows.tolist()
        ([[0.0, 3.0], [0.0, 0.0]], [[0.0, 2.0], [0.0, 0.0]])
    """
    known = (groups >= 0).to(values.dtype)
    subgroup = labels * shape[1] + groups.clamp_min(0)
    none = values.new_zeros(prod(shape))
    sums, rows = (none.index_add(0, subgroup, each).view(tuple(shape)) for each in (values * known, known))
    return sums, rows
