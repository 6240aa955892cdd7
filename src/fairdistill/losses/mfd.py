"""Fair feature distillation: the class-conditional MMD between a teacher and each group of the student.

Jung, Lee, Park and Moon, *Fair Feature Distillation for Visual Recognition* (CVPR 2021), equations 4 to 6.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from fairdistill.losses.checks import (
    BANDWIDTHS,
    at_least_float32,
    check_positive,
    check_same_shape,
    check_setting,
    checked_count,
    checked_rows,
    no_autocast,
)
from fairdistill.losses.projector import Projector
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


def mfd_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    num_classes: int,
    num_groups: int,
    bandwidth: float = 1.0,
) -> Tensor:
    """Return how far each group's student features are from the teacher's features of the same class.

    1/2 * sum over classes c and groups g of MMD^2(T_c, S_cg), with T_c the teacher's features of all samples of
    class c, S_cg the student's of class c and group g, and the biased estimate

        MMD^2(A, B) = mean_ij k(a_i, a_j) + mean_ij k(b_i, b_j) - 2 mean_ij k(a_i, b_j)
        k(a, b) = exp(-|a - b|^2 / (2 * bandwidth * m))

    where m is the mean of |t_i - s_j|^2 over all teacher-student pairs of the batch, without gradient.

    Args:
        student: floating point ``[N, ...]``, flattened to ``[N, D]``; computed in at least float32.
        teacher: floating point of the same shape; treated as a constant.
        labels: int64 ``[N]`` classes in ``[0, num_classes)``.
        groups: int64 ``[N]`` groups in ``[0, num_groups)``; rows of group -1 (unknown) are ignored.
        num_classes: number of classes C.
        num_groups: number of groups G.
        bandwidth: factor of the kernel's bandwidth; 1 in the paper.

    Returns:
        Scalar in float32, or float64 for float64 inputs. Empty subgroups and empty classes add nothing. NaN where
        squared distances overflow, in float32 from features of about 1e18 on.

    Raises:
        ValueError: if shapes do not fit, the bandwidth is not positive, or labels or groups are not integers. On a CPU
            also if one is out of range; on a GPU that check would have to wait for the device.

    Example:
        >>> teacher = torch.tensor([[0.0], [0.0], [2.0]])
        >>> labels, groups = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
        >>> mfd_loss(teacher, teacher, labels, groups, num_classes=2, num_groups=2).item()
        0.0
    """
    check_same_shape(student, teacher)
    labels, groups = checked_rows(len(student), labels, groups, num_classes=num_classes, num_groups=num_groups)
    check_positive("bandwidth", bandwidth)
    s, t = at_least_float32(student.flatten(1), teacher.detach().flatten(1))
    with no_autocast(s):
        if _can_be_read(s):
            known = groups >= 0
            if not bool(known.all()):
                s, t, labels, groups = s[known], t[known], labels[known], groups[known]
            blocks = _class_blocks(labels, groups, num_classes, num_groups, s.dtype)
        else:
            blocks = _one_block(labels, groups, num_classes, num_groups, s.dtype)
        loss: Tensor = _ClosedForm.apply(s, t, blocks, bandwidth)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return loss


def _can_be_read(values: Tensor) -> bool:
    """Return whether looking at values costs no wait for a device."""
    return values.device.type == "cpu"


class MFDLoss(nn.Module):
    """:func:`mfd_loss` as a module: fair feature distillation.

    Args:
        num_classes: number of classes C.
        num_groups: number of groups G.
        bandwidth: factor of the kernel's bandwidth; 1 in the paper.

    Example:
        >>> loss = MFDLoss(num_classes=1, num_groups=2)
        >>> student, teacher = torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1)
        >>> round(loss(student, teacher, torch.tensor([0, 0]), torch.tensor([0, 1])).item(), 4)
        0.6321
    """

    def __init__(self, *, num_classes: int, num_groups: int, bandwidth: float = 1.0) -> None:
        super().__init__()
        check_positive("bandwidth", bandwidth)
        self.num_classes = checked_count("num_classes", num_classes)
        self.num_groups = checked_count("num_groups", num_groups)
        self.bandwidth = bandwidth

    def forward(self, student: Tensor, teacher: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the scalar loss of features ``[N, ...]``, labels ``[N]`` and groups ``[N]``."""
        return mfd_loss(
            student,
            teacher,
            labels,
            groups,
            num_classes=self.num_classes,
            num_groups=self.num_groups,
            bandwidth=self.bandwidth,
        )

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"num_classes={self.num_classes}, num_groups={self.num_groups}, bandwidth={self.bandwidth}"


class _Blocks(NamedTuple):
    """The batch laid out in B blocks of m places; pairs in different blocks have no weight and are never formed."""

    rows: Tensor
    """int64 ``[B * m]``, the row of the batch at each place; any row where the place is empty."""
    places: Tensor
    """int64 ``[N]``, the place of each row in the flattened blocks."""
    share: Tensor
    """``[B, m]``, 1 / (rows that take part) at their places, 0 elsewhere."""
    v: Tensor
    """``[B, 2m, K]``, teacher places first. The loss is 1/2 * sum of (V V^T) * kernel: a cell is a column with
    1/|T_c| at the teacher's places of its class and -1/|S_cg| at the student's of the cell."""


def _class_blocks(labels: Tensor, groups: Tensor, num_classes: int, num_groups: int, dtype: torch.dtype) -> _Blocks:
    """Lay the batch out with one block per class: work grows with the classes' sizes squared, not the batch's."""
    # NumPy, since its calls cost a fifth of torch's at this size, and there are many.
    label, group = labels.numpy(), groups.numpy()
    n = len(label)
    cell_sizes = np.bincount(label * num_groups + group, minlength=num_classes * num_groups)
    cell_sizes = cell_sizes.reshape(num_classes, num_groups)
    sizes = cell_sizes.sum(1)
    width = int(sizes.max(initial=0))
    if num_classes * width**2 >= n**2:  # nearly all in one class
        return _one_block(labels, groups, num_classes, num_groups, dtype)
    order = np.argsort(label, kind="stable")
    label, group = label[order], group[order]
    rank = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    rows = np.zeros((num_classes, width), dtype=np.int64)
    rows[label, rank] = order
    places = np.empty(n, dtype=np.int64)
    places[order] = label * width + rank
    share = np.zeros((num_classes, width))
    share[label, rank] = 1 / n
    v = np.zeros((num_classes, 2 * width, num_groups))
    v[label, rank] = (cell_sizes[label] > 0) / sizes[label, None]
    v[label, width + rank, group] = -1 / cell_sizes[label, group]
    return _Blocks(
        torch.from_numpy(rows).view(-1),
        torch.from_numpy(places),
        torch.from_numpy(share).to(dtype),
        torch.from_numpy(v).to(dtype),
    )


def _one_block(labels: Tensor, groups: Tensor, num_classes: int, num_groups: int, dtype: torch.dtype) -> _Blocks:
    """Lay the whole batch out in one block: no shape depends on the data, so a GPU never waits."""
    known = groups >= 0
    places = torch.arange(len(labels), device=labels.device)
    cell = torch.where(known, labels * num_groups + groups, -1)
    number = torch.arange(num_classes * num_groups, device=labels.device)
    in_cell = (cell.unsqueeze(1) == number).to(dtype)
    in_class = ((labels.unsqueeze(1) == number // num_groups) & known.unsqueeze(1)).to(dtype)
    cell_size = in_cell.sum(0)
    teacher = in_class * (cell_size > 0) / in_class.sum(0).clamp_min(1)
    v = torch.cat([teacher, -in_cell / cell_size.clamp_min(1)])
    share = known.to(dtype) / known.sum().clamp_min(1)
    return _Blocks(places, places, share[None], v[None])


class _ClosedForm(torch.autograd.Function):
    """The loss with its gradient in closed form: 2 gamma sum_j M_ij k_ij (x_j - x_i), M = V V^T.

    The kernels are computed once; the backward pass is one matrix product.
    """

    @staticmethod
    def forward(ctx: Any, student: Tensor, teacher: Tensor, blocks: _Blocks, bandwidth: float) -> Tensor:
        rows, places, share, v = blocks
        count, width = share.shape
        shape = (count, width, student.shape[1])
        # Distances from |a|^2 + |b|^2 - 2ab lose digits when all features share an offset, so it goes first.
        # With the teacher's mean as origin, m is also just the mean square length of both.
        origin = share.view(-1)[places] @ teacher
        x = student.new_empty(count, 2 * width, student.shape[1])
        torch.sub(teacher.index_select(0, rows).view(shape), origin, out=x[:, :width])
        torch.sub(student.index_select(0, rows).view(shape), origin, out=x[:, width:])
        gram = torch.bmm(x, x.mT)
        length = gram.diagonal(dim1=1, dim2=2)
        m = (share * (length[:, :width] + length[:, width:])).sum()
        smallest = torch.finfo(m.dtype).tiny / torch.finfo(m.dtype).eps  # where all features are equal, m is 0
        gamma = 1 / (2 * bandwidth * m.clamp_min(smallest))

        distance = (length.unsqueeze(2) + length.unsqueeze(1)).sub_(gram, alpha=2).clamp_min_(0)
        weighted = distance.mul_(-gamma).exp_().mul_(torch.bmm(v, v.mT))
        loss = weighted.sum() / 2
        pull = weighted[:, width:]
        pull.diagonal(offset=width, dim1=1, dim2=2).sub_(pull.sum(2))
        ctx.save_for_backward(x, pull, gamma, places)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, None, None, None]:
        x, pull, gamma, places = ctx.saved_tensors
        with no_autocast(x):
            student = torch.bmm(pull * (2 * gamma * grad), x).flatten(0, 1)
        return student.index_select(0, places), None, None, None


@dataclass(frozen=True, kw_only=True)
class MFD:
    """Settings of fair feature distillation."""

    name: ClassVar[str] = "mfd"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"feature"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"feature"})

    strength: float = 1.0
    """Factor of the loss: lambda in the supplement's Table 1."""
    bandwidth: float = 1.0
    """Factor of the kernel's bandwidth."""

    def __post_init__(self) -> None:
        check_setting("mfd.bandwidth", self.bandwidth, BANDWIDTHS)

    def build(self, context: TermContext) -> Term:
        """Return the term, with a projector if the student's feature has another shape."""
        projector = Projector(context.student_shapes["feature"], context.teacher_shapes["feature"])
        return MFDTerm(self, projector)


class MFDTerm(Term):
    """:func:`mfd_loss` of the projected student feature, over the whole batch of all processes.

    At the start of training, far from the teacher, it is several times as large as the cross-entropy and would shape
    the features before these tell any classes apart. The trainer therefore raises its strength gently (``view.ramp``).
    """

    whole_batch = True
    capturable = True

    def __init__(self, spec: MFD, projector: Projector) -> None:
        super().__init__()
        self.spec = spec
        self.projector = projector

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        loss = mfd_loss(
            view.gather(self.projector(view.student["feature"])),
            view.gather(view.teacher["feature"]),
            view.gather(view.labels),
            view.gather(view.groups),
            num_classes=view.num_classes,
            num_groups=view.num_groups,
            bandwidth=self.spec.bandwidth,
        )
        return self.spec.strength * view.ramp / view.world.size * loss
