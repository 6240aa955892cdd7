"""Attention transfer restated: position by position."""

from __future__ import annotations

import torch
from torch import Tensor


def attention_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Return half of the mean squared difference of the normalised attentions."""
    total = student_map.new_zeros(())
    count = 0
    for student, teacher in zip(student_map, teacher_map, strict=True):
        for a, b in zip(attention(student), attention(teacher), strict=True):
            total = total + (a - b) ** 2
            count += 1
    return total / count / 2


def attention(feature_map: Tensor) -> list[Tensor]:
    """Return mean_c F_c^2 of each position of one image, divided by the l2 norm over positions."""
    channels, height, width = feature_map.shape
    raw = []
    for row in range(height):
        for column in range(width):
            squares = [feature_map[channel, row, column] ** 2 for channel in range(channels)]
            raw.append(torch.stack(squares).sum() / channels)
    norm = torch.stack([a**2 for a in raw]).sum().sqrt()
    return [a / norm for a in raw]
