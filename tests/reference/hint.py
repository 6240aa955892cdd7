"""The hint restated: number by number."""

from __future__ import annotations

from torch import Tensor


def hint_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return half of the mean squared difference."""
    total = student.new_zeros(())
    for s, t in zip(student.reshape(-1), teacher.reshape(-1), strict=True):
        total = total + (s - t) * (s - t)
    return total / student.numel() / 2
