"""What is said of terms of one's own that are not whole: when they are built, and when they have computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from fairdistill.errors import MethodError
from fairdistill.losses import Term
from fairdistill.losses.own_terms import check_term, checked, declared
from fairdistill.methods import METHODS
from fairdistill.types import StepView, TapName, Taps
from tests.losses.contract import term_context
from tests.own_losses import Small


class Whole(Term):
    def forward(self, view: StepView) -> Tensor:
        return view.student["logits"].mean()


class Bare(Whole):
    def __init__(self) -> None:
        pass


class Forgetful(Whole):
    def learns_alone(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("term", "message"),
    [
        (nn.Linear(2, 2), r"expected build\(context\) to return a Term, but it is a Linear"),
        (Bare(), r"Bare.__init__ must begin with super\(\).__init__\(\)"),
        (Term(), r"Term has no forward\(view\), which returns its part of the loss"),
        (Forgetful(), r"Forgetful has an optimizer of its own, .* return it from get_extra_state\(\)"),
    ],
)
def test_what_a_term_lacks_is_named(term, message):
    with pytest.raises(MethodError, match=f"the term 'small': {message}"):
        check_term(Small(), term)


def test_all_terms_of_the_package_and_a_plain_one_are_whole():
    check_term(Small(), Whole())
    shapes = {"logits": (2,), "feature": (6,), "map": (4, 2, 2), "embedding": (6,)}
    context = term_context(2, 2, student=shapes, teacher=shapes)
    for method in METHODS.values():
        for spec in method.all_terms:
            check_term(spec, spec.build(context))


@pytest.mark.parametrize(
    ("value", "what"), [(torch.zeros(3), r"a tensor of shape \[3\]"), (0.5, "a float"), (None, "a NoneType")]
)
def test_a_value_that_is_no_scalar_is_named(value, what):
    with pytest.raises(
        MethodError, match=f"the term 'small' returned {what}; expected a scalar tensor, such as a mean"
    ):
        checked("small", value)
    assert checked("small", torch.tensor(1.0)) == 1


@dataclass(frozen=True)
class Both(Small):
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"logits", "map"})


def view_of(student: Taps, teacher: Taps) -> StepView:
    nobody = torch.zeros(2, dtype=torch.int64)
    return StepView(student, teacher, nobody, nobody, num_classes=2, num_groups=2, progress=0.0)


def test_a_term_sees_the_features_that_it_declares_and_is_told_how_to_declare_others():
    there = {"logits": torch.zeros(2, 2), "map": torch.zeros(2, 1), "embedding": torch.ones(2, 3)}
    seen = declared(view_of(there, there), Both())
    assert (set(seen.student), set(seen.teacher)) == ({"logits"}, {"logits", "map"})
    assert seen.student["logits"] is there["logits"]
    assert seen.num_classes == 2
    with pytest.raises(MethodError, match=r"'small' reads the student's 'map' without .* in Both: student_taps = froz"):
        seen.student["map"]
    with pytest.raises(MethodError, match=r"teacher_taps = frozenset\(\{\"embedding\", \"map\", \"logits\"\}\)"):
        seen.teacher["embedding"]
    with pytest.raises(KeyError, match="embeding"):
        seen.student["embeding"]
    assert not declared(view_of({}, {}), Both()).teacher
