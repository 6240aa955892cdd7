"""Similarity-preserving distillation restated: one pair of samples after the other."""

from __future__ import annotations

import torch
from torch import Tensor


def sp_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return the mean over pairs of the squared difference of the normalised similarities."""
    s, t = similarities(student.flatten(1)), similarities(teacher.flatten(1))
    n = len(s)
    loss = student.new_zeros(())
    for i in range(n):
        for j in range(n):
            loss = loss + (t[i][j] - s[i][j]) ** 2 / n**2
    return loss


def similarities(rows: Tensor) -> list[list[Tensor]]:
    """Return each sample's products with all samples, divided by the root of the sum of their squares."""
    found = []
    for one in rows:
        products = [(one * other).sum() for other in rows]
        length = torch.stack(products).square().sum().sqrt() if any(products) else one.new_ones(())
        found.append([product / length for product in products])
    return found
