"""The MFD loss restated: loops over classes and groups, all pairs, autograd; the form of the paper's released code."""

from __future__ import annotations

import torch
from torch import Tensor


def mfd_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    num_classes: int,
    num_groups: int,
    bandwidth: float = 1.0,
) -> Tensor:
    """Return 1/2 * sum over cells of the biased MMD^2 to the teacher's class."""
    known = groups >= 0
    student, teacher = student.flatten(1)[known], teacher.flatten(1)[known]
    labels, groups = labels[known], groups[known]
    m = squared_distances(teacher, student).mean().detach()
    loss = student.new_zeros(())
    for label in range(num_classes):
        of_class = teacher[labels == label]
        for group in range(num_groups):
            of_cell = student[(labels == label) & (groups == group)]
            if len(of_class) == 0 or len(of_cell) == 0:
                continue
            loss = loss + (
                rbf(of_class, of_class, bandwidth * m).mean()
                + rbf(of_cell, of_cell, bandwidth * m).mean()
                - 2 * rbf(of_class, of_cell, bandwidth * m).mean()
            )
    return loss / 2


def rbf(a: Tensor, b: Tensor, variance: Tensor) -> Tensor:
    """Return exp(-|a_i - b_j|^2 / (2 variance))."""
    return torch.exp(-squared_distances(a, b) / (2 * variance))


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """Return |a_i - b_j|^2 for all pairs."""
    length_a = a.pow(2).sum(1).unsqueeze(1)
    length_b = b.pow(2).sum(1).unsqueeze(0)
    return (length_a + length_b - 2 * a @ b.T).clamp(min=0)
