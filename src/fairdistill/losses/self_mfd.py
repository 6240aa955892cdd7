"""Fair feature distillation without a teacher: each group's features against the student's own of the whole class.

From the released code of Jung et al., *Fair Feature Distillation for Visual Recognition* (CVPR 2021), where it is
called scratch_mmd; the paper does not report it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from fairdistill.losses.checks import (
    BANDWIDTHS,
    at_least_float32,
    check_positive,
    check_setting,
    check_tensors,
    checked_count,
    checked_rows,
    no_autocast,
)
from fairdistill.losses.mfd import mfd_loss
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def self_mfd_loss(
    student: Tensor, labels: Tensor, groups: Tensor, *, num_classes: int, num_groups: int, bandwidth: float = 1.0
) -> Tensor:
    """Return how far each group's features are from all features of the same class, averaged over the G groups.

    :func:`~fairdistill.losses.mfd.mfd_loss` with the student as its own teacher: 1/(2G) * sum over classes c and
    groups g of MMD^2(S_c, S_cg), where the features S_c of all samples of the class are held constant, so that the
    groups move towards the class and not the class towards them.

    It differs from the released code in three ways. The kernel has one bandwidth for the whole batch, as in MFD,
    instead of one per subgroup. A negative MMD^2 is not clipped, since the biased estimate is negative only by
    rounding. And the features are first centred and scaled to a mean square length of 1, with the scale part of the
    gradient. The scaling does not change the value, because the bandwidth follows the scale. But if the scale were held
    constant, with no teacher to hold the features in place, they would shrink, their gradient would grow, and all would
    collapse.

    Args:
        student: floating point ``[N, ...]``, flattened to ``[N, D]``; computed in at least float32.
        labels: int64 ``[N]`` classes in ``[0, num_classes)``.
        groups: int64 ``[N]`` groups in ``[0, num_groups)``; rows of group -1 (unknown) are ignored.
        num_classes: number of classes C.
        num_groups: number of groups G.
        bandwidth: factor of the kernel's bandwidth.

    Returns:
        Scalar. Empty subgroups and classes add nothing; a class with one group is 0.

    Raises:
        ValueError: if shapes do not fit, the bandwidth is not positive, or labels or groups are not integers; on a CPU
            also if one is out of range.

    Example:
        >>> feature, labels = torch.tensor([[0.0], [2.0]]), torch.tensor([0, 0])
        >>> self_mfd_loss(feature, labels, torch.tensor([0, 0]), num_classes=1, num_groups=2).item()
        0.0
        >>> round(self_mfd_loss(feature, labels, torch.tensor([0, 1]), num_classes=1, num_groups=2).item(), 4)
        0.158
    """
    check_tensors(student=student)
    if student.ndim < 2:
        raise ValueError(f"Expected argument `student` to be [N, ...], but got {tuple(student.shape)}")
    labels, groups = checked_rows(len(student), labels, groups, num_classes=num_classes, num_groups=num_groups)
    (features,) = at_least_float32(student.flatten(1))
    with no_autocast(features):
        known = (groups >= 0).to(features.dtype)
        share = known / known.sum().clamp_min(1)
        centred = features - share @ features
        length = share @ centred.square().sum(1)
        rounding = (10 * torch.finfo(length.dtype).eps) ** 2 * (share @ features.square().sum(1))
        spread = length > rounding  # otherwise all features are equal
        scaled = centred * (spread / torch.where(spread, length, 1.0).sqrt())
    loss = mfd_loss(scaled, scaled, labels, groups, num_classes=num_classes, num_groups=num_groups, bandwidth=bandwidth)
    return loss / num_groups


class SelfMFDLoss(nn.Module):
    """:func:`self_mfd_loss` as a module: fair feature distillation without a teacher.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.
        bandwidth: factor of the kernel's bandwidth.

    Example:
        >>> loss = SelfMFDLoss(num_classes=1, num_groups=2)
        >>> round(loss(torch.tensor([[0.0], [2.0]]), torch.tensor([0, 0]), torch.tensor([0, 1])).item(), 4)
        0.158
    """

    def __init__(self, *, num_classes: int, num_groups: int, bandwidth: float = 1.0) -> None:
        super().__init__()
        check_positive("bandwidth", bandwidth)
        self.num_classes = checked_count("num_classes", num_classes)
        self.num_groups = checked_count("num_groups", num_groups)
        self.bandwidth = bandwidth

    def forward(self, student: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of features ``[N, ...]``, labels ``[N]`` and groups ``[N]``."""
        return self_mfd_loss(
            student,
            labels,
            groups,
            num_classes=self.num_classes,
            num_groups=self.num_groups,
            bandwidth=self.bandwidth,
        )

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"num_classes={self.num_classes}, num_groups={self.num_groups}, bandwidth={self.bandwidth}"


@dataclass(frozen=True, kw_only=True)
class SelfMFD:
    """Settings of fair feature distillation without a teacher."""

    name: ClassVar[str] = "mfd-self"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"feature"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    strength: float = 1.0
    """Factor of the loss (the released code's default; no other is published)."""
    bandwidth: float = 1.0
    """Factor of the kernel's bandwidth."""

    def __post_init__(self) -> None:
        check_setting("mfd-self.bandwidth", self.bandwidth, BANDWIDTHS)

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return SelfMFDTerm(self)


class SelfMFDTerm(Term):
    """:func:`self_mfd_loss` of the student's feature, over the whole batch; the trainer raises its strength gently."""

    whole_batch = True
    capturable = True

    def __init__(self, spec: SelfMFD) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        loss = self_mfd_loss(
            view.gather(view.student["feature"]),
            view.gather(view.labels),
            view.gather(view.groups),
            num_classes=view.num_classes,
            num_groups=view.num_groups,
            bandwidth=self.spec.bandwidth,
        )
        return self.spec.strength * view.ramp / view.world.size * loss
