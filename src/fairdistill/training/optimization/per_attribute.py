"""Losses of several yes/no attributes: each term once for every attribute, averaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from fairdistill.data import GroupedDataset
from fairdistill.losses import Term, TermContext, TermSpec
from fairdistill.losses.own_terms import check_term
from fairdistill.losses.term_value import term_value
from fairdistill.models.reading import OutputKind, two_classes
from fairdistill.system.processes import ALONE
from fairdistill.types import StepView, TapName, Taps


class PerAttribute(Term):
    """The mean of one term over the attributes, each a problem of two classes, no and yes.

    The network has one logit z for each attribute; its class logits are (0, z), so that a cross-entropy is that of the
    sigmoid of z. What a term keeps or learns, it keeps for each attribute. Rows without an answer to an attribute are
    left out of its term; an attribute that no row of a batch answers is left out of the mean.

    If several processes share a batch, those that compare rows, or do not know how many rows the others leave out,
    gather it once for all attributes; each then computes the same value and takes its share of that.

    Args:
        spec: the settings of the term.
        terms: the term for each attribute.
        yes: int64 ``[C, K]``, 1 where a class of the data set, a combination of answers, says yes to an attribute, -1
            where there is no answer.
        teacher: what the teacher's outputs are.
    """

    whole_batch = True  # each term's own share is taken here

    def __init__(self, spec: TermSpec, terms: Sequence[Term], yes: Tensor, *, teacher: OutputKind = "logits") -> None:
        super().__init__()
        self.terms = nn.ModuleList(terms)
        self.teacher = teacher
        self.own_optimizer = terms[0].own_optimizer
        self._spec = spec
        self._complete = bool((yes >= 0).all())
        self._gathers = terms[0].whole_batch or not self._complete
        self._asked = list(terms)  # those that had rows in the last batch
        self.yes: Tensor
        self.register_buffer("yes", yes, persistent=False)

    def forward(self, view: StepView) -> Tensor:
        """Return the mean over the attributes, or this process's share of it."""
        if view.global_batch_size is None:
            return self._mean(view)
        if self._gathers:
            return self._mean(self._gathered(view)) / view.world.size
        return self._mean(view) * view.share

    def _mean(self, view: StepView) -> Tensor:
        pairs = [(term, each) for term, each in zip(self._all(), self._views(view), strict=True) if len(each.labels)]
        self._asked = [term for term, _ in pairs]
        if not pairs:
            nothing = torch.zeros((), device=view.labels.device)
            return sum((0 * each.sum() for each in view.student.values()), start=nothing)
        return torch.stack([term_value(term, self._spec, each) for term, each in pairs]).mean()

    def _gathered(self, view: StepView) -> StepView:
        """Return the whole batch as that of a process alone, with the features that the term reads."""
        student, teacher = (
            {name: view.gather(taps[name]) for name in names}
            for names, taps in ((self._spec.student_taps, view.student), (self._spec.teacher_taps, view.teacher))
        )
        return replace(
            view,
            student=student,
            teacher=teacher,
            labels=view.gather(view.labels),
            groups=view.gather(view.groups),
            world=ALONE,
            global_batch_size=None,
        )

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
        return _built(spec, context)
    terms = [_built(spec, _context_of(context, each)) for each in train.of_attributes()]
    if not terms[0].reads_labels:
        return terms[0]
    return PerAttribute(spec, terms, torch.from_numpy(train.attributes.yes), teacher=teacher)


def _built(spec: TermSpec, context: TermContext) -> Term:
    term = spec.build(context)
    check_term(spec, term)
    return term


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
