"""Decoupled distillation: Zhao, Cui, Song, Qiu and Liang, *Decoupled Knowledge Distillation* (CVPR 2022)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.errors import MethodError
from fairdistill.losses.checks import (
    TEMPERATURES,
    at_least_float32,
    check_logits,
    check_positive,
    check_setting,
    checked_labels,
    no_autocast,
)
from fairdistill.losses.kd import log_probabilities
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def dkd_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    alpha: float = 1.0,
    beta: float = 8.0,
    temperature: float = 4.0,
) -> Tensor:
    """Return distillation with separate strengths for the true class and for the other classes, batch mean.

    T^2 * mean_n (alpha * TCKD_n + beta * NCKD_n) (Zhao et al. 2022, the DKD loss). With p = softmax(logits / T),

        TCKD = KL between teacher and student of (p_true, 1 - p_true)
        NCKD = KL between teacher and student of p over the other classes, divided by 1 - p_true

    Plain distillation is TCKD + (1 - p_true of the teacher) NCKD, so it teaches little about the other classes if
    the teacher is certain. With two classes NCKD is 0.

    Args:
        student_logits: floating point ``[N, C]``; computed in at least float32.
        teacher_logits: floating point ``[N, C]``; a constant, no gradient reaches it.
        labels: int64 ``[N]`` true classes in ``[0, C)``.
        alpha: strength of TCKD; 1 in the paper.
        beta: strength of NCKD; 8 in the released defaults for CIFAR-100, less for some pairs of networks.
        temperature: T > 0; 4 in the same defaults.

    Returns:
        Scalar, 0 where both agree.

    Raises:
        ValueError: if shapes do not fit, the temperature is not positive, or labels are not integers; on a CPU also if
            one is out of range.

    Example:
        >>> student, teacher = torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 1.0]])
        >>> round(dkd_loss(student, teacher, torch.tensor([1]), alpha=1.0, beta=0.0, temperature=1.0).item(), 4)
        0.0172
    """
    check_logits(student_logits, teacher_logits)
    labels = checked_labels(len(student_logits), labels, num_classes=student_logits.shape[1])
    check_positive("temperature", temperature)
    student, teacher = at_least_float32(student_logits, teacher_logits.detach())
    with no_autocast(student):
        (s_true, s_others), (t_true, t_others) = (_split(z / temperature, labels) for z in (student, teacher))
        return temperature**2 * (alpha * _divergence(s_true, t_true) + beta * _divergence(s_others, t_others))


def _split(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logarithms of (p_true, 1 - p_true) ``[N, 2]`` and of the other classes' shares ``[N, C - 1]``."""
    num_classes = logits.shape[1]
    true = labels.unsqueeze(1)
    others = (true + torch.arange(1, num_classes, device=labels.device)) % num_classes
    log_p = log_probabilities(logits)
    of_others = log_p.gather(1, others)
    not_true = of_others.logsumexp(1, keepdim=True)
    return torch.cat([log_p.gather(1, true), not_true], dim=1), of_others - not_true


def _divergence(student: Tensor, teacher: Tensor) -> Tensor:
    return F.kl_div(student, teacher, reduction="batchmean", log_target=True)


class DKDLoss(nn.Module):
    """:func:`dkd_loss` as a module: decoupled distillation on the logits.

    Args:
        alpha: strength of TCKD.
        beta: strength of NCKD.
        temperature: T > 0.

    Example:
        >>> loss = DKDLoss(alpha=1.0, beta=0.0, temperature=1.0)
        >>> round(loss(torch.zeros(1, 3), torch.tensor([[0.0, 1.0, 1.0]]), torch.tensor([1])).item(), 4)
        0.0172
    """

    def __init__(self, *, alpha: float = 1.0, beta: float = 8.0, temperature: float = 4.0) -> None:
        super().__init__()
        check_positive("temperature", temperature)
        self.alpha = alpha
        self.beta = beta
        self.temperature = temperature

    def forward(self, student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]`` and labels ``[N]``."""
        return dkd_loss(
            student_logits,
            teacher_logits,
            labels,
            alpha=self.alpha,
            beta=self.beta,
            temperature=self.temperature,
        )

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"alpha={self.alpha}, beta={self.beta}, temperature={self.temperature}"


@dataclass(frozen=True, kw_only=True)
class DKD:
    """Settings of decoupled distillation."""

    name: ClassVar[str] = "dkd"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})

    alpha: float = 1.0
    """Strength for the true class (released defaults for CIFAR-100)."""
    beta: float = 8.0
    """Strength for the other classes (the same defaults)."""
    temperature: float = 4.0
    """Temperature T that softens both outputs (the same defaults)."""
    rise: float = 1 / 12
    """Fraction of training over which the loss rises from 0 to full strength (the same: 20 of 240 epochs)."""

    def __post_init__(self) -> None:
        check_setting("dkd.temperature", self.temperature, TEMPERATURES)
        if not self.rise <= 1:
            raise MethodError(f"expected dkd.rise to be at most 1, but got {self.rise}")

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return DKDTerm(self)


class DKDTerm(Term):
    """:func:`dkd_loss`, rising from 0 in the first part of training."""

    def __init__(self, spec: DKD) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss at the strength of this moment."""
        spec = self.spec
        loss = dkd_loss(
            view.student["logits"],
            view.teacher["logits"],
            view.labels,
            alpha=spec.alpha,
            beta=spec.beta,
            temperature=spec.temperature,
        )
        return min(view.progress / spec.rise, 1.0) * loss if spec.rise else loss
