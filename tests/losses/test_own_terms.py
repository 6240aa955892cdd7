"""What is said of terms of one's own that are not whole when they are built."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from fairdistill.errors import MethodError
from fairdistill.losses import Term
from fairdistill.losses.own_terms import check_term
from fairdistill.methods import METHODS
from fairdistill.types import StepView
from tests.losses.contract import term_context
from tests.own_losses import Small


class Whole(Term):
    def forward(self, view: StepView) -> Tensor:
        return view.student["logits"].mean()


class Bare(Whole):
    def __init__(self) -> None:
        pass


class Forgetful(Whole):
    own_optimizer = True


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
