"""A loss term: a strength, the features it reads, and anything it learns itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from torch import Tensor, nn

from fairdistill.types import StepView, TapName


@dataclass(frozen=True)
class TermContext:
    """The information a term is built with.

    Attributes:
        num_classes: number of classes of the data set.
        num_groups: number of groups of the data set.
        student_shapes: shape of each student feature, without the batch dimension.
        teacher_shapes: the same for the teacher; empty without a teacher.
        cell_counts: int64 ``[num_classes, num_groups]``, number of training samples in each subgroup; those of unknown
            group are not counted.
        label_smoothing: the share of a class loss that is spread evenly over all classes.
    """

    num_classes: int
    num_groups: int
    student_shapes: Mapping[TapName, Sequence[int]]
    teacher_shapes: Mapping[TapName, Sequence[int]]
    cell_counts: Tensor
    label_smoothing: float = 0.0


class Term(nn.Module):
    """One summand of the training loss.

    A term with parameters of its own is trained with the student by the run's optimizer, unless it has its own
    optimizer: then it sets ``own_optimizer`` and overrides ``begin_step`` and ``end_step``. A checkpoint keeps
    ``state_dict()``; anything else that a term must remember belongs in ``get_extra_state``.

    Attributes:
        whole_batch: False for a term that is a mean over independent rows. A term that looks across rows sets it to
            True; if several processes share a batch, it must then return this process's share of its value, with
            ``view.gather`` or ``view.world.sum``.
        capturable: True if ``forward`` may be recorded as a CUDA graph (``--cuda-graph``): it asks the device for no
            number, reads ``view.progress`` and ``view.ramp`` only in arithmetic, since they may be scalar tensors, and
            leaves nothing for ``end_step`` but gradients. Otherwise steps with this term run without a graph.
        reads_labels: False for a term that depends neither on classes nor on the logits: with several yes/no attributes
            it is computed once, any other for each attribute.
        own_optimizer: True if the term trains its parameters itself, so that the run's optimizer skips them.
    """

    whole_batch: ClassVar[bool] = False
    capturable: ClassVar[bool] = False
    reads_labels: ClassVar[bool] = True
    own_optimizer: bool = False  # a wrapper takes that of the term it holds

    def forward(self, view: StepView) -> Tensor:
        """Return this term's scalar part of the loss, including its strength."""
        raise NotImplementedError

    def begin_step(self) -> None:
        """Prepare for a training step; a term with an optimizer of its own clears its gradients."""

    def end_step(self) -> None:
        """Finish a training step after the backward pass; a term with an optimizer of its own steps it."""

    def validate(self, view: StepView) -> None:
        """Receive the student's logits on the whole validation set, for a schedule of the term's own."""


class TermSpec(Protocol):
    """The settings of a term: a frozen dataclass that says what the term reads, and builds it.

    Equal settings count as one term in a sum of methods. ``name`` is the key of the term in logs and options.
    """

    name: ClassVar[str]
    student_taps: ClassVar[frozenset[TapName]]
    teacher_taps: ClassVar[frozenset[TapName]]

    def build(self, context: TermContext) -> Term:
        """Return the term itself."""
        ...
