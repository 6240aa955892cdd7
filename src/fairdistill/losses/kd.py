"""Knowledge distillation on the logits: Hinton et al., *Distilling the Knowledge in a Neural Network* (2015)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import (
    TEMPERATURES,
    at_least_float32,
    check_logits,
    check_positive,
    check_setting,
    no_autocast,
)
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def kd_loss(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float) -> Tensor:
    """Return the divergence of the softened class probabilities, T^2 KL(teacher || student), batch mean.

    T^2 * mean_n sum_c p_nc (log p_nc - log q_nc), p = softmax(teacher / T), q = softmax(student / T)
    (Hinton et al. 2015, section 2; T^2 preserves the scale of the gradient).

    Args:
        student_logits: floating point ``[N, C]``; computed in at least float32.
        teacher_logits: floating point ``[N, C]``; a constant, no gradient reaches it.
        temperature: T > 0.

    Returns:
        Scalar, 0 where both agree.

    Raises:
        ValueError: if the shapes differ or the temperature is not positive.

    Example:
        >>> import torch
        >>> round(kd_loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]]), temperature=2.0).item(), 4)
        0.4438
    """
    check_logits(student_logits, teacher_logits)
    check_positive("temperature", temperature)
    student, teacher = at_least_float32(student_logits, teacher_logits.detach())
    with no_autocast(student):
        return temperature**2 * F.kl_div(
            log_probabilities(student / temperature),
            log_probabilities(teacher / temperature),
            reduction="batchmean",
            log_target=True,
        )


def log_probabilities(logits: Tensor) -> Tensor:
    """Return the logarithms of ``[N, C]`` class probabilities; that of a masked class, of logit -inf, is finite."""
    return F.log_softmax(logits, dim=1).clamp_min(torch.finfo(logits.dtype).min)


class KDLoss(nn.Module):
    """:func:`kd_loss` as a module: distillation on the logits.

    Args:
        temperature: T > 0.

    Example:
        >>> import torch
        >>> loss = KDLoss(temperature=2.0)
        >>> round(loss(torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, 2.0]])).item(), 4)
        0.4438
    """

    def __init__(self, *, temperature: float) -> None:
        super().__init__()
        check_positive("temperature", temperature)
        self.temperature = temperature

    def forward(self, student_logits: Tensor, teacher_logits: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]``."""
        return kd_loss(student_logits, teacher_logits, temperature=self.temperature)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"temperature={self.temperature}"


@dataclass(frozen=True, kw_only=True)
class KD:
    """Settings of logit distillation.

    The strength decreases linearly from ``strength_start`` at the first step to ``strength_end`` at the last, as
    in the paper's released code (4 to 1).
    """

    name: ClassVar[str] = "kd"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})

    temperature: float = 1.0
    """Temperature T that softens both outputs (supplement, Table 1)."""
    strength_start: float = 4.0
    """Factor of the loss at the first step."""
    strength_end: float = 1.0
    """Factor of the loss at the last step."""

    def __post_init__(self) -> None:
        check_setting("kd.temperature", self.temperature, TEMPERATURES)

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return KDTerm(self)


class KDTerm(Term):
    """Annealed :func:`kd_loss`."""

    capturable = True

    def __init__(self, spec: KD) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss at the strength of this moment."""
        start, end = self.spec.strength_start, self.spec.strength_end
        strength = start + (end - start) * view.progress
        loss = kd_loss(view.student["logits"], view.teacher["logits"], temperature=self.spec.temperature)
        return strength * loss
