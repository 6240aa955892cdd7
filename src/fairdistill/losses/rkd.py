"""Relational knowledge distillation: Park, Kim, Lu and Cho, *Relational Knowledge Distillation* (CVPR 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32, check_rows, no_autocast
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName

_ONE_POINT = 1e-7  # square of a distance, in mean squares; about the rounding of float32


def rkd_loss(student: Tensor, teacher: Tensor, *, distance: float = 25.0, angle: float = 50.0) -> Tensor:
    """Return how differently two networks arrange the samples of a batch relative to each other.

    distance * mean_ij h(d_ij, d'_ij) + angle * mean_ijk h(a_ijk, a'_ijk), with the student's

        d_ij = |s_i - s_j| divided by the mean of all nonzero ones,  a_ijk = cosine of the angle at s_i to s_j and s_k

    the same for the teacher (d', a'), and the Huber loss h(x, y) = 1/2 (x - y)^2 where |x - y| <= 1, else
    |x - y| - 1/2 (Park et al. 2019, section 3.2, distance-wise and angle-wise; means over all pairs and triples, as
    released). Only relations are compared, so the features may differ in width.

    Points closer to each other than 0.0003 of the root mean square distance count as one point: their distance and the
    cosine of any angle between them are 0, without gradient. Otherwise the direction between two copies of an image
    would be pure rounding error, with an unbounded gradient.

    Args:
        student: floating point ``[N, ...]``, flattened; computed in at least float32.
        teacher: floating point ``[N, ...]``; a constant, no gradient reaches it.
        distance: factor of the distances; 25 in the paper's classification.
        angle: factor of the angles; 50 there.

    Returns:
        Scalar, 0 where both agree up to scale, rotation and shift, or N is 1. Memory grows with N^3.

    Raises:
        ValueError: if the numbers of rows differ, or a row is a single number without a dimension.

    Example:
        >>> student, teacher = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0, 0.0], [3.0, 3.0], [6.0, 6.0]])
        >>> round(rkd_loss(student, teacher).item(), 4)
        0.0
    """
    check_rows(student, teacher)
    s, t = at_least_float32(student.flatten(1), teacher.detach().flatten(1))
    with no_autocast(s):
        distances, cosines = _relations(s)
        of_teacher, cosines_of_teacher = _relations(t)
        return distance * F.smooth_l1_loss(distances, of_teacher) + angle * F.smooth_l1_loss(
            cosines, cosines_of_teacher
        )


def _relations(points: Tensor) -> tuple[Tensor, Tensor]:
    """Return the normalized distances ``[N, N]`` and the cosines ``[N, N, N]``, the angle's vertex first."""
    # From products, in float64 for the digits of small distances: differences would be N^2 D numbers.
    centred = (points - points.mean(0)).double()
    product = centred @ centred.mT
    length = product.diagonal()
    square = length.unsqueeze(1) + length - 2 * product
    scale = 2 * length.mean().detach()  # the mean of the squares, and above their rounding where all points are one
    square = (square / torch.where(scale > 0, scale, 1.0)).to(points.dtype)
    apart = square > _ONE_POINT
    distance = torch.where(apart, square, 1.0).sqrt()  # no root of 0, whose slope is infinite
    inverse = apart / distance
    distance = distance * apart
    mean = distance.sum() / apart.sum().clamp_min(1)
    law_of_cosines = square.unsqueeze(2) + square.unsqueeze(1) - square.unsqueeze(0)
    cosines = law_of_cosines * inverse.unsqueeze(2) * inverse.unsqueeze(1) / 2
    return distance / torch.where(mean > 0, mean, 1.0), cosines


class RKDLoss(nn.Module):
    """:func:`rkd_loss` as a module: relational distillation of a batch.

    Args:
        distance: factor of the distances.
        angle: factor of the angles.

    Example:
        >>> student, teacher = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0, 0.0], [3.0, 3.0], [6.0, 6.0]])
        >>> round(RKDLoss()(student, teacher).item(), 4)
        0.0
    """

    def __init__(self, *, distance: float = 25.0, angle: float = 50.0) -> None:
        super().__init__()
        self.distance = distance
        self.angle = angle

    def forward(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Return the scalar loss of features ``[N, ...]``, whose widths may differ."""
        return rkd_loss(student, teacher, distance=self.distance, angle=self.angle)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"distance={self.distance}, angle={self.angle}"


@dataclass(frozen=True, kw_only=True)
class RKD:
    """Settings of relational distillation."""

    name: ClassVar[str] = "rkd"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"embedding"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"embedding"})

    distance: float = 25.0
    """Factor of the distances (the paper's classification)."""
    angle: float = 50.0
    """Factor of the angles (the same)."""

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return RKDTerm(self)


class RKDTerm(Term):
    """:func:`rkd_loss` of the whole batch's embeddings, as in the paper; groups are not used."""

    whole_batch = True
    capturable = True
    reads_labels = False

    def __init__(self, spec: RKD) -> None:
        super().__init__()
        self.spec = spec

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        student, teacher = (view.gather(taps["embedding"]) for taps in (view.student, view.teacher))
        return rkd_loss(student, teacher, distance=self.spec.distance, angle=self.spec.angle) / view.world.size
