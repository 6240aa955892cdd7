"""Neuron selectivity transfer restated: kernel by kernel, over all pairs of channels."""

from __future__ import annotations

import torch
from torch import Tensor


def nst_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Return the mean over images of the biased MMD^2 between the channels of both maps."""
    total = student_map.new_zeros(())
    for student, teacher in zip(student_map, teacher_map, strict=True):
        s, t = unit_channels(student), unit_channels(teacher)
        total = total + mean_kernel(s, s) + mean_kernel(t, t) - 2 * mean_kernel(s, t)
    return total / len(student_map)


def unit_channels(feature_map: Tensor) -> list[Tensor]:
    """Return each channel of one image, flattened and divided by its l2 norm."""
    return [channel.reshape(-1) / (channel**2).sum().sqrt() for channel in feature_map]


def mean_kernel(left: list[Tensor], right: list[Tensor]) -> Tensor:
    """Return the mean of (x . y)^2 over all pairs."""
    return torch.stack([(x * y).sum() ** 2 for x in left for y in right]).mean()
