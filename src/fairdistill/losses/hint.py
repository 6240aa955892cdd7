"""The hint of FitNets: Romero et al., *FitNets: Hints for Thin Deep Nets* (ICLR 2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_same_shape
from fairdistill.losses.projector import Projector
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def hint_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return half of the mean squared difference of two features.

    1/2 * mean (student - teacher)^2 over all elements of the batch (Romero et al. 2015, equation 3, the mean in
    place of the sum).

    Args:
        student: floating point ``[N, ...]``; computed in at least float32.
        teacher: floating point of the same shape; a constant, no gradient reaches it.

    Returns:
        Scalar.

    Raises:
        ValueError: if the shapes differ.

    Example:
        >>> import torch
        >>> hint_loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item()
        1.0
    """
    check_same_shape(student, teacher)
    student, teacher = at_least_float32(student, teacher.detach())
    return F.mse_loss(student, teacher) / 2


class HintLoss(nn.Module):
    """:func:`hint_loss` as a module: half of the mean squared difference of two features.

    Where the two differ in shape, project the student's first, for example with :class:`~fairdistill.losses.Projector`.

    Example:
        >>> import torch
        >>> HintLoss()(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 4.0]])).item()
        1.0
    """

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the scalar loss of features ``[N, ...]``."""
        return hint_loss(student, teacher)


@dataclass(frozen=True, kw_only=True)
class Hint:
    """Settings of the hint."""

    name: ClassVar[str] = "hint"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"feature"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"feature"})

    strength: float = 1.0
    """Factor of the loss (supplement 1.2: fixed to 1)."""

    def build(self, context: TermContext) -> Term:
        """Return the term, with a regressor if the student's feature has another shape."""
        return HintTerm(self, Projector(context.student_shapes["feature"], context.teacher_shapes["feature"]))


class HintTerm(Term):
    """:func:`hint_loss` of the projected student feature."""

    capturable = True
    reads_labels = False

    def __init__(self, spec: Hint, projector: Projector) -> None:
        super().__init__()
        self.spec = spec
        self.projector = projector

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return self.spec.strength * hint_loss(self.projector(view.student["feature"]), view.teacher["feature"])
