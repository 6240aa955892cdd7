"""Group DRO, which trains for the worst subgroup (one class of one group).

Sagawa, Koh, Hashimoto and Liang, *Distributionally Robust Neural Networks for Group Shifts* (ICLR 2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.losses.checks import (
    at_least_float32,
    check_classes,
    check_not_negative,
    check_table,
    checked_count,
    checked_rows,
)
from fairdistill.losses.kept_precision import KeptPrecision
from fairdistill.losses.subgroups import subgroup_sums
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def dro_loss(
    logits: Tensor,
    labels: Tensor,
    groups: Tensor,
    log_weights: Tensor,
    *,
    step_size: float = 0.01,
    adjustment: Tensor | float = 0.0,
    label_smoothing: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return the subgroups' mean cross-entropies, weighted towards the worst, and the new weights.

    One step of Sagawa et al. 2020, algorithm 1, with all subgroups of the batch at once, as released:

        q_cg <- q_cg exp(step_size * (L_cg + adjustment_cg)), divided by the sum over all subgroups
        loss = sum over subgroups of q_cg L_cg,  L_cg = mean cross-entropy of subgroup (c, g) in the batch

    The weights carry no gradient. They are kept as logarithms because in long trainings some fall below the smallest
    float32. Rows of group -1 (unknown) count as in plain cross-entropy, in proportion to their number.

    Args:
        logits: floating point ``[N, C]``; computed in at least float32.
        labels: int64 ``[N]`` classes in ``[0, C)``.
        groups: int64 ``[N]`` groups in ``[0, G)``, or -1.
        log_weights: floating point ``[C, G]``, log q up to a constant: initially zeros, or -inf for a
            subgroup that never occurs.
        step_size: step size of the weights; 0.01 in the released code.
        adjustment: ``[C, G]`` or a number, added to the losses of small subgroups for their larger generalization gap
            (the paper's group adjustment: a constant over the square root of the training samples).
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Returns:
        A scalar, and log q as ``[C, G]`` for the next step. A subgroup missing from the batch keeps its weight, up
        to the normalization, and adds nothing.

    Raises:
        ValueError: if the shapes do not fit, the step size is negative, or labels or groups are not integers; on a CPU
            also if one is out of range.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
        >>> labels, groups = torch.tensor([0, 0]), torch.tensor([0, 1])
        >>> loss, log_weights = dro_loss(logits, labels, groups, torch.zeros(2, 2), step_size=1.0)
        >>> round(loss.item(), 4), [round(q, 2) for q in log_weights.exp().flatten().tolist()]
        (1.5608, [0.1, 0.73, 0.09, 0.09])
    """
    check_table("log_weights", log_weights, "C", "G")
    check_not_negative("step_size", step_size)
    if isinstance(adjustment, Tensor) and adjustment.ndim:
        check_table("adjustment", adjustment, "C", "G", shape=log_weights.shape)
    num_classes, num_groups = log_weights.shape
    check_classes(logits, num_classes)
    labels, groups = checked_rows(len(logits), labels, groups, num_classes=num_classes, num_groups=num_groups)
    (logits,) = at_least_float32(logits)
    losses = F.cross_entropy(logits, labels, reduction="none", label_smoothing=label_smoothing)
    sums, rows = subgroup_sums(losses, labels, groups, shape=log_weights.shape)
    means = sums / rows.clamp_min(1)
    rise = step_size * (means.detach() + adjustment) * (rows > 0)
    new = F.log_softmax((log_weights + rise).flatten().to(losses.dtype), dim=0).view_as(log_weights)
    worst = (new.exp() * means).sum()
    known = groups >= 0
    loss = known.to(losses.dtype).mean() * worst + (losses * ~known).mean()
    return loss, new


class GroupDROLoss(KeptPrecision):
    """:func:`dro_loss` as a module that keeps the subgroups' weights: group DRO, in place of cross-entropy.

    In training mode every call moves the weights one step; in evaluation mode they stay. They start equal, and
    ``state_dict()`` holds them. They stay in float32 if the module is cast to half precision.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.
        step_size: step size of the weights.
        adjustment: ``[C, G]`` or a number, added to the subgroups' losses when the weights move.
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Example:
        >>> loss = GroupDROLoss(num_classes=2, num_groups=2, step_size=1.0)
        >>> logits, labels, groups = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0]), torch.tensor([0, 1])
        >>> round(loss(logits, labels, groups).item(), 4), [round(q, 2) for q in loss.weights.flatten().tolist()]
        (1.5608, [0.1, 0.73, 0.09, 0.09])
    """

    log_weights: Tensor
    adjustment: Tensor

    def __init__(
        self,
        *,
        num_classes: int,
        num_groups: int,
        step_size: float = 0.01,
        adjustment: Tensor | float = 0.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__()
        num_classes, num_groups = checked_count("num_classes", num_classes), checked_count("num_groups", num_groups)
        check_not_negative("step_size", step_size)
        self.step_size, self.label_smoothing = step_size, label_smoothing
        equal = torch.full((num_classes, num_groups), -math.log(num_classes * num_groups))
        self.register_buffer("log_weights", equal)
        self.register_buffer("adjustment", torch.as_tensor(adjustment, dtype=torch.float32), persistent=False)
        if self.adjustment.ndim:
            check_table("adjustment", self.adjustment, "C", "G", shape=equal.shape)

    @property
    def weights(self) -> Tensor:
        """The weight of each subgroup, ``[C, G]``; they sum to 1."""
        return self.log_weights.exp()

    def forward(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]``, labels ``[N]`` and groups ``[N]``."""
        loss, moved = dro_loss(
            logits, labels, groups, self.log_weights, step_size=self.step_size, adjustment=self.adjustment,
            label_smoothing=self.label_smoothing,
        )  # fmt: skip
        if self.training:
            self.log_weights.copy_(moved)
        return loss

    def extra_repr(self) -> str:
        """Return the settings."""
        num_classes, num_groups = self.log_weights.shape
        sizes = f"num_classes={num_classes}, num_groups={num_groups}"
        adjustment = tuple(self.adjustment.shape) or self.adjustment.item()
        return f"{sizes}, step_size={self.step_size}, adjustment={adjustment}, label_smoothing={self.label_smoothing}"


@dataclass(frozen=True, kw_only=True)
class GroupDRO:
    """Settings of group DRO."""

    name: ClassVar[str] = "dro"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    step_size: float = 0.01
    """Step size of the subgroups' weights (released code)."""
    adjustment: float = 0.0
    """C of the group adjustment C / sqrt(samples of the subgroup); 0 for none (the released commands)."""

    def build(self, context: TermContext) -> Term:
        """Return the term; every subgroup with samples starts with the same weight."""
        return GroupDROTerm(self, context.cell_counts, label_smoothing=context.label_smoothing)


class GroupDROTerm(Term):
    """:func:`dro_loss` over the whole batch, in place of cross-entropy; its weights move once per training step."""

    whole_batch = True

    def __init__(self, spec: GroupDRO, cell_counts: Tensor, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing
        self.spec = spec
        self.log_weights: Tensor
        self.adjustment: Tensor
        self.register_buffer("log_weights", torch.zeros(cell_counts.shape).masked_fill(cell_counts == 0, -torch.inf))
        self.register_buffer("adjustment", spec.adjustment / cell_counts.clamp_min(1).sqrt(), persistent=False)
        self._next = self.log_weights

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        loss, self._next = dro_loss(
            view.gather(view.student["logits"]),
            view.gather(view.labels),
            view.gather(view.groups),
            self.log_weights,
            step_size=self.spec.step_size,
            adjustment=self.adjustment,
            label_smoothing=self.label_smoothing,
        )
        return loss / view.world.size

    def end_step(self) -> None:
        """Keep the weights that this step used."""
        self.log_weights.copy_(self._next)
