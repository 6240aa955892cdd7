"""Neuron selectivity transfer: Huang and Wang, *Like What You Like* (2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_map_sizes, check_maps, no_autocast
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def nst_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    """Return how differently the channels of two maps select positions, as an MMD^2.

    Each channel, flattened over space and divided by its l2 norm, is one sample. With the polynomial kernel
    k(x, y) = (x . y)^2 the biased MMD^2 of one image is

        mean_cc' k(s_c, s_c') + mean_cc' k(t_c, t_c') - 2 mean_cc' k(s_c, t_c')

    and the loss is its mean over the batch (Huang and Wang 2017, equation 9 with d = 2, c = 0). Since k is the
    inner product of outer products x x^T, this equals |S^T S / C - T^T T / C'|^2 (Frobenius norm), which costs one
    matrix product of the map; with more positions than channels, the kernels are summed instead.

    Args:
        student_map: floating point ``[N, C, H, W]``; computed in at least float32.
        teacher_map: floating point ``[N, C', H, W]``; a constant, no gradient reaches it.

    Returns:
        Scalar.

    Raises:
        ValueError: if N, H or W differ.

    Example:
        >>> left, right = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]])
        >>> nst_loss(left, right).item()
        2.0
    """
    check_maps(student_map, teacher_map)
    student, teacher = at_least_float32(student_map, teacher_map.detach())
    with no_autocast(student):
        s = F.normalize(student.flatten(2), dim=2)
        t = F.normalize(teacher.flatten(2), dim=2)
        if s.shape[2] <= s.shape[1] + t.shape[1]:
            difference = s.mT @ s / s.shape[1] - t.mT @ t / t.shape[1]
            return difference.square().sum(dim=(1, 2)).mean()
        both = torch.cat([s / s.shape[1] ** 0.5, t / t.shape[1] ** 0.5], dim=1)
        kernel = (both @ both.mT).square()
        sign = torch.ones(both.shape[1], dtype=both.dtype, device=both.device)
        sign[s.shape[1] :] = -1
        return (sign @ kernel @ sign).mean()


class NSTLoss(nn.Module):
    """:func:`nst_loss` as a module: neuron selectivity transfer between two maps.

    Example:
        >>> left, right = torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]])
        >>> NSTLoss()(left, right).item()
        2.0
    """

    def forward(self, student_map: Tensor, teacher_map: Tensor) -> Tensor:
        """Return the scalar loss of maps ``[N, C, H, W]``."""
        return nst_loss(student_map, teacher_map)


@dataclass(frozen=True, kw_only=True)
class NeuronSelectivity:
    """Settings of neuron selectivity transfer."""

    name: ClassVar[str] = "nst"
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
        return NeuronSelectivityTerm(self)


class NeuronSelectivityTerm(Term):
    """:func:`nst_loss` of the last maps.

    The paper's released code feeds it vectors on CIFAR-10S, where every "map" is one number and the gradient is
    exactly zero; here it always reads the last map.
    """

    capturable = True
    reads_labels = False

    def __init__(self, spec: NeuronSelectivity) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return self.spec.strength * nst_loss(view.student["map"], view.teacher["map"])
