"""Decoupled distillation restated: every probability by itself, from the paper's definitions."""

from __future__ import annotations

import torch
from torch import Tensor


def dkd_loss(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, alpha: float, beta: float, temperature: float
) -> Tensor:
    """Return T^2 * mean over rows of alpha * TCKD + beta * NCKD."""
    total = student_logits.new_zeros(())
    for student, teacher, label in zip(student_logits, teacher_logits, labels.tolist(), strict=True):
        q, p = probabilities(student / temperature), probabilities(teacher / temperature)
        others = [c for c in range(len(q)) if c != label]
        q_not, p_not = torch.stack([q[c] for c in others]).sum(), torch.stack([p[c] for c in others]).sum()
        tckd = p[label] * torch.log(p[label] / q[label]) + p_not * torch.log(p_not / q_not)
        nckd = student.new_zeros(())
        for c in others:
            nckd = nckd + p[c] / p_not * torch.log((p[c] / p_not) / (q[c] / q_not))
        total = total + alpha * tckd + beta * nckd
    return temperature**2 * total / len(labels)


def probabilities(logits: Tensor) -> list[Tensor]:
    """Return exp(z_c) / sum exp(z)."""
    unscaled = [torch.exp(z) for z in logits]
    return [u / torch.stack(unscaled).sum() for u in unscaled]
