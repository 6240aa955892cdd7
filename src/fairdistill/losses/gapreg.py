"""A soft DEO: how far the groups' mean probabilities of the true class are apart, summed over the classes.

Gap regularization (GapReg in Chuang and Mroueh, *Fair Mixup: Fairness via Interpolation*, ICLR 2021), there for two
classes and two groups, here for any number of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.errors import MethodError
from fairdistill.losses.checks import (
    at_least_float32,
    check_classes,
    check_positive,
    check_table,
    check_tensors,
    checked_count,
    checked_rows,
    no_autocast,
)
from fairdistill.losses.kept_precision import KeptPrecision
from fairdistill.losses.subgroups import subgroup_sums
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName

_ROUNDING = 1e-3  # the root is rounded off below this spread: a tenth of a point, which no test set can tell from none


def soft_deo(mean_probability: Tensor, present: Tensor, *, rounding: float = _ROUNDING) -> Tensor:
    """Return the spread between the groups of the mean probability of the true class, summed over the classes.

        sum over classes c of sqrt(v_c + e^2) - e,  v_c = mean over groups g of (p_cg - mean over groups of p_cg)^2

    DEO with probabilities in place of predictions, and the standard deviation in place of largest minus smallest, so
    that every group pulls. e makes the root smooth at zero: with it the spread of a class is smaller by at most e. With
    two groups, v_c is the square of half their gap.

    Args:
        mean_probability: floating point ``[C, G]``, mean predicted probability of class c over samples of subgroup
            (c, g); computed in at least float32.
        present: bool ``[C, G]``, which subgroups have samples. The values of the others are ignored, NaN too.
        rounding: e, the spread below which the root is rounded off; positive.

    Returns:
        Scalar. A class with fewer than two groups adds 0.

    Raises:
        ValueError: if the shapes differ, ``present`` is not bool, or ``rounding`` is not positive.

    Example:
        >>> present = torch.tensor([[True, True], [True, False]])
        >>> round(soft_deo(torch.tensor([[0.9, 0.7], [0.5, torch.nan]]), present).item(), 4)
        0.099
    """
    check_tensors(mean_probability=mean_probability)
    check_table("mean_probability", mean_probability, "C", "G")
    check_table("present", present, "C", "G", shape=mean_probability.shape)
    if present.dtype != torch.bool:
        raise ValueError(f"Expected argument `present` to be bool, but got {present.dtype}")
    check_positive("rounding", rounding)
    (p,) = at_least_float32(mean_probability)
    with no_autocast(p):
        p = torch.where(present, p, 0.0)
        groups = present.sum(1, keepdim=True).clamp_min(1)
        deviation = torch.where(present, p - p.sum(1, keepdim=True) / groups, 0.0)
        variance = (deviation.square() / groups).sum(1)
        # Equal to sqrt(variance + e^2) - e, without the loss of digits near zero.
        return (variance / ((variance + rounding**2).sqrt() + rounding)).sum()


def gapreg_loss(
    logits: Tensor, labels: Tensor, groups: Tensor, totals: Tensor, *, batches: float = 20.0
) -> tuple[Tensor, Tensor]:
    """Return the soft DEO of the subgroups' running means, with the gradient of this batch, and the new totals.

    The few samples of a subgroup in one batch say little about its mean: their noise would look like a gap. The mean is
    therefore taken over about the last ``batches`` batches, with weights that decay exponentially:

        S_cg <- (1 - 1/batches) * S_cg + sum of p(c | x) over the subgroup's rows of the batch
        N_cg <- (1 - 1/batches) * N_cg + number of these rows
        loss = soft_deo(S / N)

    The ratio needs no bias correction. Earlier batches are constants, but the gradient with respect to this batch is
    not scaled down by its share of N: it is that of the batch's own mean, an unbiased estimate of the subgroup's.

    Args:
        logits: floating point ``[N, C]``; computed in at least float32.
        labels: int64 ``[N]`` classes in ``[0, C)``.
        groups: int64 ``[N]`` groups in ``[0, G)``; rows of group -1 (unknown) are ignored.
        totals: floating point ``[2, C, G]``, S and N; initially zeros.
        batches: over about how many batches the means run; 1 for this batch alone.

    Returns:
        A scalar, and ``totals`` for the next step. A subgroup missing from the batch keeps its totals; it counts in the
        loss, without a gradient. One that was never seen does not count.

    Raises:
        ValueError: if the shapes do not fit, ``batches`` is less than 1, or labels or groups are not integers; on a CPU
            also if one is out of range.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0], [0.0, 2.0]])
        >>> labels, groups = torch.tensor([0, 0]), torch.tensor([0, 1])
        >>> loss, totals = gapreg_loss(logits, labels, groups, torch.zeros(2, 2, 2))
        >>> round(loss.item(), 4), [round(p, 2) for p in totals[0, 0].tolist()], totals[1, 0].tolist()
        (0.3798, [0.88, 0.12], [1.0, 1.0])
    """
    check_table("totals", totals, "2", "C", "G")
    check_table("totals", totals, "2", "C", "G", shape=(2, *totals.shape[1:]))
    _, num_classes, num_groups = totals.shape
    check_classes(logits, num_classes)
    labels, groups = checked_rows(len(logits), labels, groups, num_classes=num_classes, num_groups=num_groups)
    _check_batches(batches)
    (logits,) = at_least_float32(logits)
    with no_autocast(logits):
        probability = F.softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
        sums, rows = subgroup_sums(probability, labels, groups, shape=(num_classes, num_groups))
        kept = totals.to(logits.dtype) * torch.where(rows > 0, 1 - 1 / batches, 1.0)
        new = kept + torch.stack([sums.detach(), rows])
        of_batch = sums / rows.clamp_min(1)
        means = new[0] / torch.where(new[1] > 0, new[1], 1.0) + (of_batch - of_batch.detach())
        return soft_deo(means, new[1] > 0), new.to(totals.dtype)


def _check_batches(batches: float) -> None:
    if not batches >= 1:
        raise ValueError(f"Expected argument `batches` to be at least 1, but got {batches}")


class GapRegLoss(KeptPrecision):
    """:func:`gapreg_loss` as a module that keeps the running means; add it to the cross-entropy.

    In training mode every call adds its batch to them; in evaluation mode they stay. ``state_dict()`` holds them. They
    stay in float32 if the module is cast to half precision.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.
        batches: over about how many batches the means run; 1 for the current batch alone.

    Example:
        >>> loss = GapRegLoss(num_classes=2, num_groups=2)
        >>> logits, labels, groups = torch.tensor([[2.0, 0.0], [0.0, 2.0]]), torch.tensor([0, 0]), torch.tensor([0, 1])
        >>> round(loss(logits, labels, groups).item(), 4)
        0.3798
    """

    totals: Tensor

    def __init__(self, *, num_classes: int, num_groups: int, batches: float = 20.0) -> None:
        super().__init__()
        _check_batches(batches)
        self.batches = batches
        num_classes, num_groups = checked_count("num_classes", num_classes), checked_count("num_groups", num_groups)
        self.register_buffer("totals", torch.zeros(2, num_classes, num_groups))

    def forward(self, logits: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of logits ``[N, C]``, labels ``[N]`` and groups ``[N]``."""
        loss, new = gapreg_loss(logits, labels, groups, self.totals, batches=self.batches)
        if self.training:
            self.totals.copy_(new)
        return loss

    def extra_repr(self) -> str:
        """Return the settings."""
        _, num_classes, num_groups = self.totals.shape
        return f"num_classes={num_classes}, num_groups={num_groups}, batches={self.batches}"


@dataclass(frozen=True, kw_only=True)
class GapReg:
    """Settings of gap regularization."""

    name: ClassVar[str] = "gapreg"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    strength: float = 0.1
    """Factor of the loss."""
    batches: float = 20.0
    """Over about how many batches the subgroups' means run; 1 for the current batch alone."""

    def __post_init__(self) -> None:
        if not self.batches >= 1:
            raise MethodError(f"expected gapreg.batches to be at least 1, but got {self.batches}")

    def build(self, context: TermContext) -> Term:
        """Return the term; its running means start empty."""
        return GapRegTerm(self, context.num_classes, context.num_groups)


class GapRegTerm(Term):
    """:func:`gapreg_loss` over the whole batch of all processes; its running means move once per training step.

    It sums over the classes, and a mean over the samples of a subgroup weighs each of them more than the mean over the
    batch does: at full strength from the start it would hold the student back from learning. The trainer therefore
    raises its strength gently (``view.ramp``).
    """

    whole_batch = True

    def __init__(self, spec: GapReg, num_classes: int, num_groups: int) -> None:
        super().__init__()
        self.spec = spec
        self.totals: Tensor
        self.register_buffer("totals", torch.zeros(2, num_classes, num_groups))
        self._next = self.totals

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        loss, self._next = gapreg_loss(
            view.gather(view.student["logits"]),
            view.gather(view.labels),
            view.gather(view.groups),
            self.totals,
            batches=self.spec.batches,
        )
        return self.spec.strength * view.ramp / view.world.size * loss

    def end_step(self) -> None:
        """Keep the means that this step used."""
        self.totals.copy_(self._next)
