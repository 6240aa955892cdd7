"""A loss term: a strength, the features it reads, and whatever it learns itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor, nn

from fairdistill.types import StepView, TapName


@dataclass(frozen=True)
class TermContext:
    """What a term is told when it is made.

    Attributes:
        num_classes: number of classes of the data set.
        num_groups: number of groups of the data set.
        student_shapes: shape of each student feature, without the batch dimension.
        teacher_shapes: shape of each teacher feature, likewise; empty without a teacher.
        cell_counts: int64 ``[num_classes, num_groups]``, rows of the training set in each cell; those of unknown group
            are in none.
    """

    num_classes: int
    num_groups: int
    student_shapes: Mapping[TapName, Sequence[int]]
    teacher_shapes: Mapping[TapName, Sequence[int]]
    cell_counts: Tensor


class Term(nn.Module):
    """One summand of the training loss.

    A term with parameters of its own is trained with the student by the run's optimizer, unless it has its own
    optimizer: then it overrides ``begin_step``, ``end_step`` and ``learns_alone``. A checkpoint keeps ``state_dict()``,
    so that anything else a term must remember belongs into ``get_extra_state``.

    Attributes:
        whole_batch: False for a term that is a mean over the rows it is given, whatever the others are. A term that
            looks across rows sets it to True; where several processes share a batch, it then makes its value this
            process's share itself, with ``view.gather`` or ``view.world.sum``.
    """

    whole_batch: ClassVar[bool] = False

    def forward(self, view: StepView) -> Tensor:
        """Return this term's scalar part of the loss, its strength included."""
        raise NotImplementedError

    def begin_step(self) -> None:
        """Prepare for a training step; a term with an optimizer of its own clears its gradients."""

    def end_step(self) -> None:
        """Finish a training step after the backward pass; a term with an optimizer of its own steps it."""

    def validate(self, view: StepView) -> None:
        """Look at the student's logits on the whole validation set, for a schedule of the term's own."""

    def learns_alone(self) -> bool:
        """Return whether the term trains its parameters itself; the run's optimizer then leaves them out."""
        return False


class TermSpec(Protocol):
    """The settings of a term: a frozen dataclass that says what it reads and builds it.

    Equal settings are one term in a sum of methods. ``name`` is the key of the term in logs and options.
    """

    name: ClassVar[str]
    student_taps: ClassVar[frozenset[TapName]]
    teacher_taps: ClassVar[frozenset[TapName]]

    def build(self, context: TermContext) -> Term:
        """Return the term itself."""
        ...
