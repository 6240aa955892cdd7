"""Attention transfer: Zagoruyko and Komodakis, *Paying More Attention to Attention* (ICLR 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_map_sizes, check_maps
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def attention_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Return half of the mean squared difference between the attention of two networks.

    The attention of a map is a = mean over channels of F^2, flattened and divided by its l2 norm (an
    all-zero map has attention 0). The loss is 1/2 * mean (a_student - a_teacher)^2 over the batch and the
    positions (Zagoruyko and Komodakis 2017, equation 2; the mean instead of the norm, as released).

    Args:
        student_map: floating point ``[N, C, H, W]``; computed in at least float32.
        teacher_map: floating point ``[N, C', H, W]``; the channels may differ. A constant, no gradient reaches it.

    Returns:
        Scalar.

    Raises:
        ValueError: if N, H or W differ.

    Example:
        >>> import torch
        >>> left, right = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]])
        >>> attention_loss(left, right).item()
        0.5
    """
    check_maps(student_map, teacher_map)
    student, teacher = at_least_float32(student_map, teacher_map.detach())
    return F.mse_loss(_attention(student), _attention(teacher)) / 2


def _attention(feature_map: Tensor) -> Tensor:
    return F.normalize(feature_map.pow(2).mean(dim=1).flatten(1))


class AttentionLoss(nn.Module):
    """:func:`attention_loss` as a module: attention transfer between two maps.

    Example:
        >>> import torch
        >>> left, right = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]])
        >>> AttentionLoss()(left, right).item()
        0.5
    """

    def forward(self, student_map: Tensor, teacher_map: Tensor) -> Tensor:
        """Return the scalar loss of maps ``[N, C, H, W]``."""
        return attention_loss(student_map, teacher_map)


@dataclass(frozen=True, kw_only=True)
class AttentionTransfer:
    """Settings of attention transfer."""

    name: ClassVar[str] = "at"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"map"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"map"})

    strength: float = 1.0
    """Factor of the loss: lambda in the supplement's Table 1."""

    def build(self, context: TermContext) -> Term:
        """Return the term.

        Raises:
            TeacherError: if the maps of student and teacher differ in height or width.
        """
        check_map_sizes(context.student_shapes["map"], context.teacher_shapes["map"])
        return AttentionTerm(self)


class AttentionTerm(Term):
    """:func:`attention_loss` of the last maps."""

    capturable = True
    reads_labels = False

    def __init__(self, spec: AttentionTransfer) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return self.spec.strength * attention_loss(view.student["map"], view.teacher["map"])
