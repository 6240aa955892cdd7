"""A learned projection of the student's feature to the shape of the teacher's; dropped after training."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.errors import TeacherError


class Projector(nn.Module):
    """Project a student feature to the teacher's shape; the identity if the shapes already agree.

    Only the student's feature is projected, so the target stays the teacher's own feature.

    ==============  ==================  ================================================================
    student         teacher             projection
    ==============  ==================  ================================================================
    ``[D]``         ``[D']``            linear
    ``[C, H, W]``   ``[C', H', W']``    resampled to H' x W' if needed, then a 1x1 convolution
    ``[C, H, W]``   ``[D']``            global average, linear
    ``[D]``         ``[C', H', W']``    linear to C' * H' * W', reshaped
    ==============  ==================  ================================================================

    An axis that shrinks is averaged over adaptive windows; one that grows is interpolated linearly.

    Args:
        student: shape of one student feature, without the batch dimension.
        teacher: the same for the teacher.

    Raises:
        TeacherError: if the shapes differ and one is neither a vector nor a map.

    Example:
        >>> Projector((8, 4, 4), (16, 7, 7))(torch.rand(2, 8, 4, 4)).shape
        torch.Size([2, 16, 7, 7])
    """

    def __init__(self, student: Sequence[int], teacher: Sequence[int]) -> None:
        super().__init__()
        student, teacher = tuple(student), tuple(teacher)
        self.resample: nn.Module = nn.Identity()
        self.layer: nn.Module = nn.Identity()
        if student == teacher:
            return
        if not {len(student), len(teacher)} <= {1, 3}:
            raise TeacherError(
                f"the student's feature has shape {student} and the teacher's {teacher}: only vectors [D] "
                "and maps [C, H, W] can be projected; choose other features with --tap and --teacher-tap"
            )
        if len(teacher) == 1:
            if len(student) == 3:
                self.resample = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
            self.layer = nn.Linear(student[0], teacher[0])
        elif len(student) == 1:
            self.layer = nn.Sequential(nn.Linear(student[0], prod(teacher)), nn.Unflatten(1, teacher))
        else:
            if student[1:] != teacher[1:]:
                self.resample = _Resize(student[1:], teacher[1:])
            self.layer = nn.Conv2d(student[0], teacher[0], 1)

    def forward(self, feature: Tensor) -> Tensor:
        """Return the projected feature."""
        projected: Tensor = self.layer(self.resample(feature))
        return projected


class _Resize(nn.Module):
    """Resample ``[N, C, H, W]`` along each axis by a fixed matrix.

    Matrix products make the gradient reproducible; PyTorch's own pooling and interpolation sum theirs in varying order
    on a GPU.
    """

    rows: Tensor
    columns: Tensor

    def __init__(self, before: Sequence[int], after: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("rows", _resampling(before[0], after[0]), persistent=False)
        self.register_buffer("columns", _resampling(before[1], after[1]), persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        return self.rows.to(maps.dtype) @ maps @ self.columns.to(maps.dtype).T


def _resampling(before: int, after: int) -> Tensor:
    """Return the matrix ``[after, before]`` that averages over windows or interpolates."""
    units = torch.eye(before).unsqueeze(0)
    if after <= before:
        return F.adaptive_avg_pool1d(units, after)[0].T.contiguous()
    return F.interpolate(units, size=after, mode="linear", align_corners=False)[0].T.contiguous()
