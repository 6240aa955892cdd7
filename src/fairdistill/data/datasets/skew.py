"""Which training images of a skewed data set belong to group 0: the colouring rule of CIFAR-10S."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def skewed_groups(labels: Tensor, order: Tensor, *, skew: float, num_classes: int) -> Tensor:
    """Return the group of each image: 0 for most of the lower classes, 1 for most of the higher ones.

    In the given order, the first ``skew`` of the images of each class below ``num_classes // 2``, and the first
    ``1 - skew`` of each other class, are in group 0 (paper, section 5.1, and its released code).

    Args:
        labels: int64 ``[N]``.
        order: int64 ``[N]``, a permutation of the rows.
        skew: share of a class that is in the group of its half, in [0, 1].
        num_classes: number of classes.

    Returns:
        int64 ``[N]`` of zeros and ones.
    """
    groups = torch.ones_like(labels)
    for label in range(num_classes):
        rows = order[labels[order] == label]
        share = skew if label < num_classes // 2 else 1 - skew
        groups[rows[: round(share * len(rows))]] = 0
    return groups


def legacy_permutation(n: int, seed: int) -> Tensor:
    """Return the shuffle of ``n`` rows that NumPy's legacy generator gives for ``seed``, int64 ``[n]``."""
    # np.random.RandomState is frozen by NumPy's compatibility policy: the same seed gives the same colouring
    # as the paper's code, now and later.
    return torch.from_numpy(np.random.RandomState(seed).permutation(n))
