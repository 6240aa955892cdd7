"""What is said of a term that returns no scalar, or reads what it does not declare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch

from fairdistill.errors import MethodError
from fairdistill.losses.term_value import scalar_value, view_of_declared_taps
from fairdistill.types import StepView, TapName, Taps
from tests.own_losses import Small


@pytest.mark.parametrize(
    ("value", "what"), [(torch.zeros(3), r"a tensor of shape \[3\]"), (0.5, "a float"), (None, "a NoneType")]
)
def test_a_value_that_is_no_scalar_is_named(value, what):
    with pytest.raises(
        MethodError, match=f"the term 'small' returned {what}; expected a scalar tensor, such as a mean"
    ):
        scalar_value("small", value)
    assert scalar_value("small", torch.tensor(1.0)) == 1


@dataclass(frozen=True)
class Both(Small):
    teacher_taps: ClassVar[frozenset[TapName]] = frozenset({"logits", "map"})


def view_of(student: Taps, teacher: Taps) -> StepView:
    nobody = torch.zeros(2, dtype=torch.int64)
    return StepView(student, teacher, nobody, nobody, num_classes=2, num_groups=2, progress=0.0)


def test_a_term_sees_the_features_that_it_declares_and_is_told_how_to_declare_others():
    there = {"logits": torch.zeros(2, 2), "map": torch.zeros(2, 1), "embedding": torch.ones(2, 3)}
    seen = view_of_declared_taps(view_of(there, there), Both())
    assert (set(seen.student), set(seen.teacher)) == ({"logits"}, {"logits", "map"})
    assert seen.student["logits"] is there["logits"]
    assert seen.num_classes == 2
    with pytest.raises(MethodError, match=r"'small' reads the student's 'map' without .* in Both: student_taps = froz"):
        seen.student["map"]
    with pytest.raises(MethodError, match=r"teacher_taps = frozenset\(\{\"embedding\", \"map\", \"logits\"\}\)"):
        seen.teacher["embedding"]
    with pytest.raises(KeyError, match="embeding"):
        seen.student["embeding"]
    assert not view_of_declared_taps(view_of({}, {}), Both()).teacher
