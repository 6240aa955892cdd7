"""What every loss promises about gradients and precision, asked in the same way of each."""

from collections.abc import Callable, Mapping, Sequence

import pytest
import torch
from torch import Tensor

from fairdistill.losses import TermContext
from fairdistill.system.processes import World
from fairdistill.types import StepView, TapName
from tests.losses.tolerances import TOLERANCES

Loss = Callable[[Tensor, Tensor], Tensor]
"""A loss of a student's and a teacher's features; all else is bound."""

DTYPES = [torch.float32, torch.bfloat16, torch.float64]

BATCHES = {
    "even": ([0, 1, 2] * 4, [0, 0, 0, 1, 1, 1] * 2),
    "one row": ([1], [1]),
    "one-sample cells": ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 1]),
    "a class nowhere": ([0, 2, 2, 0, 2], [0, 1, 0, 0, 1]),
    "a group nowhere": ([0, 1, 2, 0, 1], [1, 1, 1, 1, 1]),
    "unknown groups": ([0, 0, 0, 1, 1, 2], [0, -1, 1, 1, -1, 0]),
    "unknown groups alone": ([0, 1, 2], [-1, -1, -1]),
}
"""Labels and groups of batches of 3 classes and 2 groups."""
batches = pytest.mark.parametrize(("labels", "groups"), BATCHES.values(), ids=BATCHES)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def step_view(
    student: Mapping[TapName, Tensor],
    teacher: Mapping[TapName, Tensor],
    labels: Tensor,
    groups: Tensor,
    *,
    num_classes: int,
    num_groups: int,
    progress: float = 0.0,
) -> StepView:
    return StepView(
        student=student,
        teacher=teacher,
        labels=labels,
        groups=groups,
        num_classes=num_classes,
        num_groups=num_groups,
        progress=progress,
    )


class Half(World):
    """One of two processes, which knows every row of the other.

    Args:
        rank: its number, 0 or 1.
        whole: the whole of each tensor that it will gather.
    """

    def __init__(self, rank: int, whole: Sequence[Tensor]) -> None:
        super().__init__(rank=rank, size=2)
        self.whole = whole

    def gather(self, own: Tensor, *, rows: int) -> Tensor:
        """Return the whole tensor that these rows are from."""
        return next(whole for whole in self.whole if torch.equal(whole[self.own], own))


def term_context(
    num_classes: int,
    num_groups: int,
    *,
    student: Mapping[TapName, Sequence[int]] | None = None,
    teacher: Mapping[TapName, Sequence[int]] | None = None,
    cell_counts: object = None,
) -> TermContext:
    """What a term is told; shapes where they matter, and as many rows in every cell unless they are given."""
    counts = torch.ones(num_classes, num_groups) if cell_counts is None else torch.as_tensor(cell_counts)
    return TermContext(num_classes, num_groups, student or {}, teacher or {}, counts.to(torch.int64))


def value_and_gradient(
    loss: Loss, student: Tensor, teacher: Tensor, *, autocast: bool = False
) -> tuple[Tensor, Tensor]:
    student = student.detach().clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        value = loss(student, teacher)
    if not value.requires_grad:  # a slow restatement that found nothing to add
        return value, torch.zeros_like(student)
    (gradient,) = torch.autograd.grad(value, student)
    return value.detach(), gradient


def assert_close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected.to(actual.dtype), **TOLERANCES[actual.dtype])


def assert_same(fast: Loss, slow: Loss, student: Tensor, teacher: Tensor) -> None:
    """Value and gradient of both agree."""
    for actual, expected in zip(
        value_and_gradient(fast, student, teacher), value_and_gradient(slow, student, teacher), strict=True
    ):
        assert_close(actual, expected)


def assert_computes_in_full_precision(loss: Loss, student: Tensor, teacher: Tensor, dtype: torch.dtype) -> None:
    """Inputs of any precision: a loss in float32 or better, as near to the truth as that; a gradient in theirs."""
    student, teacher = student.to(dtype), teacher.to(dtype)
    value, gradient = value_and_gradient(loss, student, teacher)
    true_value, true_gradient = value_and_gradient(loss, student.double(), teacher.double())
    assert value.dtype == torch.promote_types(dtype, torch.float32)
    assert gradient.dtype == dtype
    assert_close(value, true_value)
    assert_close(gradient, true_gradient)
    assert gradient.abs().max() > 100 * TOLERANCES[dtype]["atol"], "a gradient too small to prove anything"


def assert_unmoved_by_autocast(loss: Loss, student: Tensor, teacher: Tensor, dtype: torch.dtype) -> None:
    """Not a bit changes under autocast."""
    student, teacher = student.to(dtype), teacher.to(dtype)
    plain = value_and_gradient(loss, student, teacher)
    under_autocast = value_and_gradient(loss, student, teacher, autocast=True)
    for actual, expected in zip(under_autocast, plain, strict=True):
        torch.testing.assert_close(actual, expected, rtol=0, atol=0)


def assert_gradcheck(loss: Loss, student: Tensor, teacher: Tensor) -> None:
    assert torch.autograd.gradcheck(lambda x: loss(x, teacher), student.detach().clone().requires_grad_())
