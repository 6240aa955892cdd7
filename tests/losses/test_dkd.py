import math
from functools import partial

import pytest
import torch
from torch.nn import functional as F

from fairdistill.errors import MethodError
from fairdistill.losses import DKD, dkd_loss, kd_loss
from tests.losses.contract import (
    DTYPES,
    assert_close,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
    step_view,
    term_context,
    value_and_gradient,
)
from tests.reference import dkd as slow


def test_hand_worked():
    # T = 2, true class 0. Teacher softmax(0, 0, ln 2) = (1/4, 1/4, 1/2), student (1/3, 1/3, 1/3).
    # TCKD: 1/4 ln(3/4) + 3/4 ln(9/8). NCKD: (1/3, 2/3) against (1/2, 1/2): 1/3 ln(2/3) + 2/3 ln(4/3).
    student, teacher = torch.zeros(1, 3), torch.tensor([[0.0, 0.0, 2 * math.log(2)]])
    tckd = 1 / 4 * math.log(3 / 4) + 3 / 4 * math.log(9 / 8)
    nckd = 1 / 3 * math.log(2 / 3) + 2 / 3 * math.log(4 / 3)
    loss = dkd_loss(student, teacher, torch.tensor([0]), alpha=3.0, beta=5.0, temperature=2.0)
    assert loss.item() == pytest.approx(4 * (3 * tckd + 5 * nckd), rel=1e-5)


@pytest.mark.parametrize("labels", [[1], [0, 1, 2, 3], [2, 2, 0]], ids=["one row", "all classes", "missing classes"])
@pytest.mark.parametrize("options", [(1.0, 8.0, 4.0), (1.0, 0.0, 1.0), (0.0, 1.0, 0.5)])
def test_equals_slow_restatement(labels, options):
    student, teacher = random(len(labels), 4), 2 * random(len(labels), 4, seed=1)
    named = dict(zip(("alpha", "beta", "temperature"), options, strict=True), labels=torch.tensor(labels))
    fast = partial(dkd_loss, **named)
    assert_same(fast, partial(slow.dkd_loss, **named), student, teacher)
    assert_gradcheck(fast, student, teacher)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_plain_distillation_is_the_sum_with_the_teachers_doubt_as_the_strength(temperature):
    student, teacher, labels = random(1, 5), 2 * random(1, 5, seed=1), torch.tensor([2])
    doubt = 1 - F.softmax(teacher / temperature, dim=1)[0, 2].item()
    loss = dkd_loss(student, teacher, labels, alpha=1.0, beta=doubt, temperature=temperature)
    assert_close(loss, kd_loss(student, teacher, temperature=temperature))


def test_of_two_classes_it_is_plain_distillation_whatever_beta():
    student, teacher, labels = random(4, 2), random(4, 2, seed=1), torch.tensor([0, 1, 1, 0])
    for beta in (0.0, 8.0):
        loss = dkd_loss(student, teacher, labels, alpha=1.0, beta=beta, temperature=3.0)
        assert_close(loss, kd_loss(student, teacher, temperature=3.0))


def test_zero_and_no_gradient_where_both_agree_up_to_a_constant():
    teacher = random(4, 3)
    fast = partial(dkd_loss, labels=torch.tensor([0, 1, 2, 2]))
    value, gradient = value_and_gradient(fast, teacher + random(4, 1), teacher)
    assert value.item() == pytest.approx(0, abs=1e-13)
    torch.testing.assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-13)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_finite_for_certain_predictions(label):
    student, teacher = torch.tensor([[1e4, -1e4, 0.0]]), torch.tensor([[-1e4, 1e4, 0.0]])
    fast = partial(dkd_loss, labels=torch.tensor([label]), temperature=1.0)
    value, gradient = value_and_gradient(fast, student, teacher)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()
    assert value > 1e4


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    fast = partial(dkd_loss, labels=torch.arange(16) % 10)
    promise(fast, 3 * random(16, 10), 3 * random(16, 10, seed=1), dtype)


@pytest.mark.parametrize(
    ("student", "teacher", "labels", "temperature", "message"),
    [
        ((2, 3), (2, 4), 2, 1.0, r"the same shape \[N, C\], but got \(2, 3\) and \(2, 4\)"),
        ((2, 3), (2, 3), 1, 1.0, r"`labels` to have shape \(2,\), but got \(1,\)"),
        ((2, 3), (2, 3), 2, 0.0, "`temperature` to be positive, but got 0.0"),
        ((2, 3), (2, 3), 2, math.nan, "`temperature` to be positive, but got nan"),
    ],
)
def test_bad_arguments_are_named(student, teacher, labels, temperature, message):
    index = torch.zeros(labels, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        dkd_loss(random(*student), random(*teacher), index, temperature=temperature)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("temperature", 0.0, "dkd.temperature to be from .* but got 0"),
        ("temperature", math.nan, "dkd.temperature to be from .* but got nan"),
        ("rise", 1.5, "dkd.rise to be at most 1, but got 1.5"),
    ],
)
def test_bad_setting_fails_where_it_is_written(setting, value, message):
    with pytest.raises(MethodError, match=message):
        DKD(**{setting: value})


@pytest.mark.parametrize(
    ("rise", "progress", "strength"),
    [(0.5, 0.0, 0.0), (0.5, 0.25, 0.5), (0.5, 0.5, 1.0), (0.5, 1.0, 1.0), (0.0, 0.0, 1.0), (1.0, 0.25, 0.25)],
)
def test_term_rises_to_its_full_strength(rise, progress, strength):
    student, teacher, labels = random(4, 3), random(4, 3, seed=1), torch.tensor([0, 1, 2, 0])
    settings = {"alpha": 2.0, "beta": 3.0, "temperature": 5.0}
    term = DKD(rise=rise, **settings).build(term_context(3, 2))
    view = step_view(
        {"logits": student}, {"logits": teacher}, labels, labels * 0, num_classes=3, num_groups=2, progress=progress
    )
    torch.testing.assert_close(term(view), strength * dkd_loss(student, teacher, labels, **settings))


@pytest.mark.parametrize("label", [0, 2])
@pytest.mark.parametrize("num_classes", [2, 3])
def test_a_masked_class_is_one_that_the_teacher_never_expects(num_classes, label):
    student, teacher = random(4, num_classes).requires_grad_(), random(4, num_classes, seed=1)
    labels = torch.full((4,), min(label, num_classes - 1))
    never = torch.arange(num_classes) == num_classes - 1
    masked, excluded = (teacher.masked_fill(never, value) for value in (-torch.inf, -1e4))
    loss = dkd_loss(student, masked, labels)
    torch.testing.assert_close(loss, dkd_loss(student, excluded, labels))
    loss.backward()
    assert student.grad.isfinite().all()
