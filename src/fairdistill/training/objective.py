"""The training loss: a sum of named terms."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fairdistill.errors import NonFiniteLossError
from fairdistill.losses import Term, TermContext, TermSpec
from fairdistill.types import StepView


@dataclass(frozen=True, slots=True)
class StepLoss:
    """The loss of one step.

    Attributes:
        total: scalar with gradient.
        parts: each term's share, detached, by name.
    """

    total: Tensor
    parts: dict[str, Tensor]


class Objective(nn.Module):
    """The terms of a method, of all its stages.

    Args:
        specs: the terms' settings, each term once.
        context: what the terms are told.
    """

    def __init__(self, specs: Iterable[TermSpec], context: TermContext) -> None:
        super().__init__()
        self.terms = nn.ModuleDict({spec.name: spec.build(context) for spec in specs})

    def forward(self, view: StepView, names: Sequence[str]) -> StepLoss:
        """Return the sum of the named terms."""
        parts = {name: self.terms[name](view) for name in names}
        total = torch.stack(list(parts.values())).sum()
        return StepLoss(total, {name: part.detach() for name, part in parts.items()})

    def selected(self, names: Sequence[str]) -> list[Term]:
        """Return the named terms."""
        return [term for name, term in self.terms.items() if name in names and isinstance(term, Term)]

    def shared_parameters(self) -> list[nn.Parameter]:
        """Return the parameters that the run's optimizer trains beside the student's."""
        terms = [term for term in self.terms.values() if isinstance(term, Term)]
        return [p for term in terms if not term.learns_alone() for p in term.parameters()]


class LossMeter:
    """Means of the loss parts since the last report, summed on the device."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.steps = 0

    def add(self, loss: StepLoss) -> None:
        """Take in one step."""
        for name, part in loss.parts.items():
            self.sums[name] = self.sums[name] + part if name in self.sums else part
        self.steps += 1

    def check(self, step: int) -> None:
        """Raise if a sum is not finite; on a GPU this waits, so that it is not asked in every step.

        Raises:
            NonFiniteLossError: naming the terms and the step.
        """
        bad = [name for name, value in self.sums.items() if not bool(torch.isfinite(value))]
        if bad:
            raise NonFiniteLossError(
                f"the loss part {' and '.join(map(repr, bad))} is not finite at step {step}. "
                "A smaller --lr, or a smaller strength of that term, usually helps"
            )

    def means(self) -> dict[str, float]:
        """Return the mean of each part and start anew."""
        means = {name: float(value) / self.steps for name, value in self.sums.items()}
        self.sums, self.steps = {}, 0
        return means
