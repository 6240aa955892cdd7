"""MFD without a teacher restated: features shifted and scaled by hand, then the slow MFD against their own copy."""

from __future__ import annotations

import torch
from torch import Tensor

from tests.reference.mfd import mfd_loss


def self_mfd_loss(
    student: Tensor, labels: Tensor, groups: Tensor, *, num_classes: int, num_groups: int, bandwidth: float = 1.0
) -> Tensor:
    """Return 1/(2G) * sum over cells of the biased MMD^2 to the constant features of the cell's class."""
    student = student.flatten(1)
    kept = [row for row, group in zip(student, groups, strict=True) if group >= 0]
    if len(kept) < 2:  # one row is its class
        return student.new_zeros(())
    mean = torch.stack(kept).sum(0) / len(kept)
    length = torch.stack([((row - mean) ** 2).sum() for row in kept]).sum() / len(kept)
    scaled = (student - mean) / length.sqrt()
    return (
        mfd_loss(
            scaled,
            scaled.detach(),
            labels,
            groups,
            num_classes=num_classes,
            num_groups=num_groups,
            bandwidth=bandwidth,
        )
        / num_groups
    )
