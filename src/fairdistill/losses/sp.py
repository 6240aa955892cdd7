"""Similarity-preserving distillation: Tung and Mori, *Similarity-Preserving Knowledge Distillation* (ICCV 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_rows, no_autocast
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def sp_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Return how differently two networks rate the similarity of the samples in a batch.

    1/N^2 * |G_T - G_S|^2 (Frobenius norm), where G is Q Q^T with each row divided by its l2 norm, and Q holds the
    flattened feature of one sample in each row (Tung and Mori 2019, equations 1 to 4). A row of zeros stays zero. Only
    similarities are compared, so the features may differ in shape.

    Args:
        student: floating point ``[N, ...]``, flattened; computed in at least float32.
        teacher: floating point ``[N, ...]``; a constant, no gradient reaches it.

    Returns:
        Scalar, 0 where both agree up to scale and rotation, or where N is 1.

    Raises:
        ValueError: if the numbers of rows differ, or a row is a single number without a dimension.

    Example:
        >>> student, teacher = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> round(sp_loss(student, teacher).item(), 4)
        0.2929
    """
    check_rows(student, teacher)
    s, t = at_least_float32(student.flatten(1), teacher.detach().flatten(1))
    with no_autocast(s):
        return F.mse_loss(_similarities(s), _similarities(t))


def _similarities(rows: Tensor) -> Tensor:
    """Return each row's products with all rows, divided by their l2 norm."""
    products = rows @ rows.mT
    length = products.norm(dim=1, keepdim=True)
    return products / torch.where(length > 0, length, 1.0)  # F.normalize divides by 1e-12, and so its gradient


class SPLoss(nn.Module):
    """:func:`sp_loss` as a module: similarity-preserving distillation of a batch.

    Example:
        >>> student, teacher = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
        >>> round(SPLoss()(student, teacher).item(), 4)
        0.2929
    """

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the scalar loss of features ``[N, ...]``, whose shapes may differ."""
        return sp_loss(student, teacher)


@dataclass(frozen=True, kw_only=True)
class SP:
    """Settings of similarity-preserving distillation."""

    name: ClassVar[str] = "sp"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"map"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"map"})

    strength: float = 3000.0
    """Factor of the loss: gamma in the paper."""

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return SPTerm(self)


class SPTerm(Term):
    """:func:`sp_loss` of the last maps of the whole batch, those of all processes included; groups are not used."""

    whole_batch = True
    capturable = True
    reads_labels = False

    def __init__(self, spec: SP) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        student, teacher = (view.gather(taps["map"]) for taps in (view.student, view.teacher))
        return self.spec.strength / view.world.size * sp_loss(student, teacher)
