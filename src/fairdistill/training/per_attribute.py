"""Losses of several yes/no attributes: each term once for every attribute, averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from fairdistill.data import GroupedDataset
from fairdistill.losses import Term, TermContext, TermSpec
from fairdistill.models.reading import OutputKind, two_classes
from fairdistill.types import StepView, TapName, Taps


class PerAttribute(Term):
    """The mean of one term over the attributes, each a problem of two classes, no and yes.

    The network has one logit z for each attribute; its class logits are (0, z), so that a cross-entropy is that of the
    sigmoid of z. What a term keeps or learns, it keeps for each attribute. Rows without an answer to an attribute are
    left out of its term; an attribute that no row of a batch answers is left out of the mean.

    Args:
        terms: the same term for each attribute.
        yes: int64 ``[C, K]``, 1 where a class of the data set, a combination of answers, says yes to an attribute, -1
            where there is no answer.
        teacher: what the teacher's outputs are.
    """

    whole_batch = True  # each term's own share is taken here

    def __init__(self, terms: Sequence[Term], yes: Tensor, *, teacher: OutputKind = "logits") -> None:
        super().__init__()
        self.terms = nn.ModuleList(terms)
        self.teacher = teacher
        self._complete = bool((yes >= 0).all())
        self._asked = list(self._all())  # the terms that had rows in the last batch
        self.yes: Tensor
        self.register_buffer("yes", yes, persistent=False)

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over the attributes."""
        pairs = [(term, each) for term, each in zip(self._all(), self._views(view), strict=True) if len(each.labels)]
        self._asked = [term for term, _ in pairs]
        parts = [
            term(each) if term.whole_batch or view.whole is None else term(each) * view.share for term, each in pairs
        ]
        return torch.stack(parts).mean() if parts else 0 * next(iter(view.student.values())).sum()

    def begin_step(self) -> None:
        """Prepare each attribute's term."""
        for term in self._all():
            term.begin_step()

    def end_step(self) -> None:
        """Finish the step of each attribute's term."""
        for term in self._asked:
            term.end_step()

    def validate(self, view: StepView) -> None:
        """Show each attribute's term its validation logits."""
        for term, each in zip(self._all(), self._views(view), strict=True):
            term.validate(each)

    def learns_alone(self) -> bool:
        """Return whether the terms train their parameters themselves."""
        return next(self._all()).learns_alone()

    def _all(self) -> Iterator[Term]:
        return (term for term in self.terms if isinstance(term, Term))

    def _views(self, view: StepView) -> Iterator[StepView]:
        for at, labels in enumerate(self.yes[view.labels].unbind(1)):
            own = replace(
                view,
                student=_of_attribute(view.student, at, "logits"),
                teacher=_of_attribute(view.teacher, at, self.teacher),
                labels=labels,
                num_classes=2,
            )
            yield own if self._complete else _answered(own)


def term_of(spec: TermSpec, context: TermContext, train: GroupedDataset, *, teacher: OutputKind = "logits") -> Term:
    """Build a term for a data set: for each of its attributes, if it has several and the term reads labels.

    Args:
        spec: the settings of the term.
        context: what it knows of the data and the networks.
        train: the training set.
        teacher: what the teacher's outputs are.
    """
    if train.attributes is None:
        return spec.build(context)
    terms = [spec.build(_context_of(context, each)) for each in train.of_attributes()]
    if not terms[0].reads_labels:
        return terms[0]
    return PerAttribute(terms, torch.from_numpy(train.attributes.yes), teacher=teacher)


def _context_of(context: TermContext, attribute: GroupedDataset) -> TermContext:
    return replace(
        context,
        num_classes=attribute.num_classes,
        student_shapes=_with_two_logits(context.student_shapes),
        teacher_shapes=_with_two_logits(context.teacher_shapes),
        cell_counts=attribute.cell_counts(),
    )


def _with_two_logits(shapes: Mapping[TapName, Sequence[int]]) -> dict[TapName, Sequence[int]]:
    return {name: (2,) if name == "logits" else shape for name, shape in shapes.items()}


def _answered(view: StepView) -> StepView:
    """Return only the rows that have an answer."""
    rows = (view.labels >= 0).nonzero().flatten()
    return replace(
        view,
        student={name: values[rows] for name, values in view.student.items()},
        teacher={name: values[rows] for name, values in view.teacher.items()},
        labels=view.labels[rows],
        groups=view.groups[rows],
    )


def _of_attribute(taps: Taps, at: int, kind: OutputKind) -> Taps:
    if "logits" not in taps:
        return taps
    return {**taps, "logits": two_classes(taps["logits"][:, at], kind)}
