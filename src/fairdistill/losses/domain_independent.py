"""Domain-independent training: one head per group, and their mean at test time.

Wang et al., *Towards Fairness in Visual Recognition: Effective Strategies for Bias Mitigation* (CVPR 2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_tensors, checked_rows, no_autocast
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def domain_independent_loss(
    head_logits: Tensor, labels: Tensor, groups: Tensor, *, label_smoothing: float = 0.0
) -> Tensor:
    """Return the cross-entropy of each row's logits from its own group's head, batch mean.

    mean over n of -log softmax(head_logits[n, g_n])[c_n] (Wang et al. 2020, domain-independent training). At test
    time the group is not needed: the prediction is argmax_c of the sum of the heads' logits, the same as for
    their mean. A row of group -1 (unknown) trains that mean.

    Args:
        head_logits: floating point ``[N, G, C]``, logits of each group's head; computed in at least float32.
        labels: int64 ``[N]`` classes in ``[0, C)``.
        groups: int64 ``[N]`` groups in ``[0, G)``, or -1.
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Returns:
        Scalar. A head whose group is missing from the batch gets no gradient.

    Raises:
        ValueError: if the shapes do not fit, or labels or groups are not integers; on a CPU also if one is out of
            range.

    Example:
        >>> heads = torch.tensor([[[0.0, 9.0], [0.0, 0.0]]])
        >>> round(domain_independent_loss(heads, torch.tensor([1]), torch.tensor([1])).item(), 4)
        0.6931
    """
    check_tensors(head_logits=head_logits)
    if head_logits.ndim != 3:
        raise ValueError(f"Expected argument `head_logits` to be [N, G, C], but got {tuple(head_logits.shape)}")
    _, num_groups, num_classes = head_logits.shape
    labels, groups = checked_rows(len(head_logits), labels, groups, num_classes=num_classes, num_groups=num_groups)
    (heads,) = at_least_float32(head_logits)
    own = heads.take_along_dim(groups.clamp_min(0).view(-1, 1, 1), dim=1).squeeze(1)
    logits = torch.where((groups >= 0).unsqueeze(1), own, heads.mean(1))
    return F.cross_entropy(logits, labels, label_smoothing=label_smoothing)


class DomainIndependentLoss(nn.Module):
    """:func:`domain_independent_loss` as a module, for a network with one head per group.

    Args:
        label_smoothing: the share of each row's loss that is spread evenly over all classes.

    Example:
        >>> heads = torch.tensor([[[0.0, 9.0], [0.0, 0.0]]])
        >>> round(DomainIndependentLoss()(heads, torch.tensor([1]), torch.tensor([1])).item(), 4)
        0.6931
    """

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, head_logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of the heads' logits ``[N, G, C]``, labels ``[N]`` and groups ``[N]``."""
        return domain_independent_loss(head_logits, labels, groups, label_smoothing=self.label_smoothing)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"label_smoothing={self.label_smoothing}"


@dataclass(frozen=True, kw_only=True)
class DomainIndependent:
    """Settings of domain-independent training: none."""

    name: ClassVar[str] = "di"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits", "embedding"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    def build(self, context: TermContext) -> Term:
        """Return the term with the offsets of its heads."""
        return DomainIndependentTerm(context)


class DomainIndependentTerm(Term):
    """:func:`domain_independent_loss` of heads whose mean is always the student's own last layer.

    Head g is the student's output plus ``offset_g(embedding)`` minus the mean of the offsets over the groups. Any G
    linear heads can be written this way, and the student without this term is their mean: the plain network is what is
    validated, saved and exported.
    """

    capturable = True

    def __init__(self, context: TermContext) -> None:
        super().__init__()
        self.heads = (context.num_groups, context.num_classes)
        self.label_smoothing = context.label_smoothing
        self.offsets = nn.Linear(prod(context.student_shapes["embedding"]), prod(self.heads))

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        logits, embedding = at_least_float32(view.student["logits"], view.student["embedding"])
        with no_autocast(logits):
            offsets = self.offsets(embedding.flatten(1)).unflatten(1, self.heads)
            heads = logits.unsqueeze(1) + offsets - offsets.mean(1, keepdim=True)
            smoothing = self.label_smoothing
            return domain_independent_loss(heads, view.labels, view.groups, label_smoothing=smoothing)
