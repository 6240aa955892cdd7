"""The training loss: a sum of named terms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fairdistill.errors import NonFiniteLossError, TeacherError
from fairdistill.losses import Term, TermSpec
from fairdistill.losses.term_value import term_value
from fairdistill.types import StepView


@dataclass(frozen=True, slots=True)
class StepLoss:
    """The loss of one step.

    Attributes:
        total: scalar with gradient.
        parts: each term's part, detached, by name.
        teacher_nan: NaN if one of the teacher's features is not finite, else 0; None without a teacher. The losses
            alone do not tell: several of them are finite then.
    """

    total: Tensor
    parts: dict[str, Tensor]
    teacher_nan: Tensor | None = None


class Objective(nn.Module):
    """The terms of a method, across all its stages.

    Args:
        specs: the settings of each term.
        build: builds a term from its settings.

    Attributes:
        constant: names of the terms whose values never had a gradient so far, which change nothing.
    """

    def __init__(self, specs: Iterable[TermSpec], build: Callable[[TermSpec], Term]) -> None:
        super().__init__()
        self._specs = {spec.name: spec for spec in specs}
        self.terms = nn.ModuleDict({name: build(spec) for name, spec in self._specs.items()})
        self.constant = set(self._specs)

    def forward(self, view: StepView, names: Sequence[str]) -> StepLoss:
        """Return the sum of the named terms, or this process's share of it if several train together."""
        parts = {name: self._share(name, view) for name in names}
        total = torch.stack(list(parts.values())).sum()
        taught = [value.sum(dtype=torch.float32) for value in view.teacher.values()]
        teacher_nan = torch.stack(taught).sum().detach() * 0 if taught else None
        return StepLoss(total, {name: part.detach() for name, part in parts.items()}, teacher_nan)

    def _share(self, name: str, view: StepView) -> Tensor:
        term = self.terms[name]
        value = term_value(term, self._specs[name], view)
        if value.requires_grad:
            self.constant.discard(name)
        return value if view.global_batch_size is None or term.whole_batch else value * view.share

    def selected(self, names: Sequence[str]) -> list[Term]:
        """Return the named terms."""
        return [term for name, term in self.terms.items() if name in names and isinstance(term, Term)]

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the terms' parameters that the run's optimizer trains along with the student's."""
        terms = [term for term in self.terms.values() if isinstance(term, Term)]
        return [p for term in terms if not term.own_optimizer for p in term.parameters()]


class LossMeter:
    """Means of the loss parts since the last report, and the first step where one was not finite; on the device."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.steps = 0
        self._finite: dict[str, Tensor] = {}
        self._teacher_nan: Tensor | None = None

    def add(self, loss: StepLoss) -> None:
        """Add the loss of one step."""
        for name, part in loss.parts.items():
            self.sums[name] = self.sums[name] + part if name in self.sums else part
            # For how many steps the sum has been finite, counted without waiting for the GPU.
            finite = torch.isfinite(self.sums[name]).to(torch.int64)
            self._finite[name] = finite + self._finite.get(name, self.steps)
        if loss.teacher_nan is not None:
            self._teacher_nan = loss.teacher_nan if self._teacher_nan is None else self._teacher_nan + loss.teacher_nan
        self.steps += 1

    def check(self, step: int) -> None:
        """Raise if a part was not finite. This waits for the GPU, so do not call it in every step.

        Args:
            step: steps of the run that are done.

        Raises:
            TeacherError: if a feature of the teacher was not finite.
            NonFiniteLossError: names the first such step and its terms.
        """
        if self._teacher_nan is not None and not bool(self._teacher_nan == 0):
            raise TeacherError(
                f"the teacher's outputs or features are not finite for some images (NaN or infinite, by step {step}); "
                "check its weights, and the mean and standard deviation of its images"
            )
        finite = {name: int(count) for name, count in self._finite.items()}
        first = min(finite.values(), default=self.steps)
        if first < self.steps:
            bad = " and ".join(repr(name) for name, count in finite.items() if count == first)
            where = step - self.steps + first + 1
            remedy = "A smaller learning rate (--lr) or a smaller strength of that term usually helps"
            if where == 1:
                remedy = (
                    "Nothing had been trained yet, so the learning rate is not the cause: check the weights of --init "
                    "and of the teacher, and the strength of that term"
                )
            raise NonFiniteLossError(f"the loss part {bad} is not finite at step {where}. {remedy}")

    def means(self) -> dict[str, float]:
        """Return the mean of each part and reset."""
        means = {name: float(value) / self.steps for name, value in self.sums.items()}
        self.sums, self._finite, self._teacher_nan, self.steps = {}, {}, None, 0
        return means
