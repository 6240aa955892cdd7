"""Reweighing: cross-entropy with weights that make class and group independent.

Kamiran and Calders, *Data Preprocessing Techniques for Classification without Discrimination* (Knowledge and
Information Systems, 2012).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_classes, check_table, checked_rows
from fairdistill.losses.kept_precision import KeptPrecision
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def reweighing(cell_counts: Tensor) -> Tensor:
    """Return the weight of each subgroup: its share if class and group were independent, over its actual share.

    w_cg = P(c) P(g) / P(c, g) (Kamiran and Calders 2012, reweighing). Classes and groups keep their weight in the
    data, and if no subgroup is empty, the mean weight of a row is 1.

    Args:
        cell_counts: integer ``[C, G]``, number of samples in each subgroup. Tables of ``fairdistill.metrics`` are
            ``[G, C]``; transpose them.

    Returns:
        float64 ``[C, G]``; 0 for an empty subgroup.

    Raises:
        ValueError: if the counts are not a tensor of two dimensions.

    Example:
        >>> reweighing(torch.tensor([[30, 10], [10, 30]]))
        tensor([[0.6667, 2.0000],
                [2.0000, 0.6667]], dtype=torch.float64)
    """
    check_table("cell_counts", cell_counts, "C", "G")
    counts = cell_counts.double()
    if_independent = counts.sum(1, keepdim=True) * counts.sum(0) / counts.sum().clamp_min(1)
    return torch.where(counts > 0, if_independent / counts.clamp_min(1), 0.0)


def reweighted_loss(
    logits: Tensor, labels: Tensor, groups: Tensor, cell_weights: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return the cross-entropy of each row times its subgroup's weight, batch mean.

    mean over n of w[c_n, g_n] * -log softmax(logits_n)[c_n].

    Args:
        logits: floating point ``[N, C]``; computed in at least float32.
        labels: int64 ``[N]`` classes in ``[0, C)``.
        groups: int64 ``[N]`` groups in ``[0, G)``; rows of group -1 (unknown) have weight 1.
        cell_weights: floating point ``[C, G]``, for example those of :func:`reweighing`.
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Returns:
        Scalar.

    Raises:
        ValueError: if the shapes do not fit, or labels or groups are not integers; on a CPU also if one is out of
            range.

    Example:
        >>> labels, groups, weights = torch.tensor([0]), torch.tensor([1]), torch.tensor([[0.5, 2.0], [2.0, 0.5]])
        >>> round(reweighted_loss(torch.zeros(1, 2), labels, groups, weights).item(), 4)
        1.3863
    """
    check_table("cell_weights", cell_weights, "C", "G")
    num_classes, num_groups = cell_weights.shape
    check_classes(logits, num_classes)
    labels, groups = checked_rows(len(logits), labels, groups, num_classes=num_classes, num_groups=num_groups)
    (logits,) = at_least_float32(logits)
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    weights = cell_weights.to(losses.dtype)[labels, groups.clamp_min(0)]
    return (torch.where(groups >= 0, weights, 1.0) * losses).mean()


class ReweightedLoss(KeptPrecision):
    """:func:`reweighted_loss` as a module: weighted cross-entropy, in place of the plain one.

    Args:
        cell_weights: floating point ``[C, G]``, for example those of :func:`reweighing`.
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Example:
        >>> loss = ReweightedLoss(cell_weights=reweighing(torch.tensor([[30, 10], [10, 30]])))
        >>> round(loss(torch.zeros(1, 2), torch.tensor([0]), torch.tensor([1])).item(), 4)
        1.3863
    """

    cell_weights: Tensor

    def __init__(self, *, cell_weights: Tensor, label_smoothing: float = 0.0) -> None:
        super().__init__()
        check_table("cell_weights", cell_weights, "C", "G")
        self.label_smoothing = label_smoothing
        self.register_buffer("cell_weights", cell_weights)

    def forward(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]``, labels ``[N]`` and groups ``[N]``."""
        return reweighted_loss(logits, labels, groups, self.cell_weights, label_smoothing=self.label_smoothing)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"cell_weights={tuple(self.cell_weights.shape)}, label_smoothing={self.label_smoothing}"


@dataclass(frozen=True, kw_only=True)
class Reweight:
    """Settings of reweighing: none."""

    name: ClassVar[str] = "reweight"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    def build(self, context: TermContext) -> Term:
        """Return the term with the weights of the training set's subgroups."""
        return ReweightTerm(reweighing(context.cell_counts), label_smoothing=context.label_smoothing)


class ReweightTerm(Term):
    """:func:`reweighted_loss`, in place of cross-entropy."""

    capturable = True

    def __init__(self, cell_weights: Tensor, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.cell_weights: Tensor
        self.register_buffer("cell_weights", cell_weights, persistent=False)

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        return reweighted_loss(
            view.student["logits"], view.labels, view.groups, self.cell_weights, label_smoothing=self.label_smoothing
        )
