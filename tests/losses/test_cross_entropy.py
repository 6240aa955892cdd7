import math

import pytest
import torch
from torch import Tensor

from fairdistill.losses import CrossEntropy
from tests.losses.contract import (
    DTYPES,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
    step_view,
    term_context,
)


def term_of(labels, groups=None):
    """The term as a function of student and (unread) teacher."""
    labels = torch.as_tensor(labels)
    groups = torch.zeros_like(labels) if groups is None else torch.as_tensor(groups)
    term = CrossEntropy().build(term_context(4, 2))
    return lambda student, teacher: term(
        step_view({"logits": student}, {}, labels, groups, num_classes=4, num_groups=2)
    )


def slow_cross_entropy(logits: Tensor, labels: list[int]) -> Tensor:
    total = logits.new_zeros(())
    for row, label in zip(logits, labels, strict=True):
        total = total - torch.log(row[label].exp() / torch.stack([z.exp() for z in row]).sum())
    return total / len(labels)


def test_hand_worked():
    # Row 0: softmax(0, ln 3) = (1/4, 3/4), label 1: -ln(3/4). Row 1: (1/2, 1/2): ln 2.
    logits = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    expected = (math.log(4 / 3) + math.log(2)) / 2
    assert term_of([1, 0])(logits, None).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], [1, 1, 3, 3, 1], [2]], ids=["all", "missing class", "one row"])
@pytest.mark.parametrize("group", [0, 1, -1])
def test_equals_slow_restatement_whatever_the_group(labels, group):
    fast = term_of(labels, [0] * (len(labels) - 1) + [group])
    logits = random(len(labels), 4)
    assert_same(fast, lambda student, _: slow_cross_entropy(student, labels), logits, logits)
    assert_gradcheck(fast, logits, logits)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(term_of([0, 1, 2, 3] * 4), 3 * random(16, 4), random(1), dtype)


def test_rows_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="batch_size"):
        term_of([0, 1, 2])(random(2, 4), None)
