"""Cross-entropy of the student's logits, a term like any other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from fairdistill.losses.checks import at_least_float32
from fairdistill.losses.term import Term, TermContext
from fairdistill.types import StepView, TapName


@dataclass(frozen=True, kw_only=True)
class CrossEntropy:
    """Settings of cross-entropy: none."""

    name: ClassVar[str] = "ce"
    student_taps: ClassVar[frozenset[TapName]] = frozenset({"logits"})
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset()

    def build(self, context: TermContext) -> Term:
        """Return the term."""
        return CrossEntropyTerm(label_smoothing=context.label_smoothing)


class CrossEntropyTerm(Term):
    """The batch mean of ``-log softmax(logits)[label]``, over all rows, whether their group is known or not.

    Args:
        label_smoothing: the share of the loss that is spread evenly over all classes.
    """

    capturable = True

    def __init__(self, *, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, view: StepView) -> Tensor:
        """Return the scalar loss."""
        (logits,) = at_least_float32(view.student["logits"])
        return F.cross_entropy(logits, view.labels, label_smoothing=self.label_smoothing)
