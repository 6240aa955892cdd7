import math
from functools import partial

import pytest
import torch

from fairdistill.errors import MethodError
from fairdistill.losses import KD, kd_loss
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
from tests.reference import kd as slow


def test_hand_worked():
    # T = 2. Row 0: p = softmax(0, ln 3) = (1/4, 3/4), q = (1/2, 1/2):
    #   KL = 1/4 ln(1/2) + 3/4 ln(3/2). Row 1 agrees: 0. Loss = 4 * KL / 2 = (ln(1/2) + 3 ln(3/2)) / 2 = 0.2616.
    student = torch.tensor([[0.0, 0.0], [1.0, 5.0]])
    teacher = torch.tensor([[0.0, 2 * math.log(3)], [1.0, 5.0]])
    expected = (math.log(1 / 2) + 3 * math.log(3 / 2)) / 2
    assert kd_loss(student, teacher, temperature=2.0).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("shape", [(1, 2), (5, 3), (4, 10)])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_equals_slow_restatement(shape, temperature):
    student, teacher = random(*shape), 2 * random(*shape, seed=1)
    fast = partial(kd_loss, temperature=temperature)
    assert_same(fast, partial(slow.kd_loss, temperature=temperature), student, teacher)
    assert_gradcheck(fast, student, teacher)


def test_zero_and_no_gradient_where_both_agree_up_to_a_constant():
    teacher = random(4, 3)
    student = (teacher + random(4, 1)).requires_grad_()
    loss = kd_loss(student, teacher, temperature=3.0)
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-14)
    torch.testing.assert_close(student.grad, torch.zeros_like(student), rtol=0, atol=1e-14)


def test_finite_for_certain_predictions():
    student = torch.tensor([[1e4, -1e4]], requires_grad=True)
    loss = kd_loss(student, torch.tensor([[-1e4, 1e4]]), temperature=1.0)
    loss.backward()
    assert loss.item() == pytest.approx(2e4)
    assert student.grad.tolist() == [[1.0, -1.0]]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(partial(kd_loss, temperature=2.0), 3 * random(16, 10), 3 * random(16, 10, seed=1), dtype)


@pytest.mark.parametrize(
    ("student", "teacher", "temperature", "message"),
    [
        ((2, 3), (2, 4), 1.0, r"the same shape \[N, C\], but got \(2, 3\) and \(2, 4\)"),
        ((3,), (3,), 1.0, r"the same shape \[N, C\], but got \(3,\) and \(3,\)"),
        ((2, 3), (2, 3), 0.0, "`temperature` to be positive, but got 0.0"),
        ((2, 3), (2, 3), -1.0, "`temperature` to be positive, but got -1.0"),
        ((2, 3), (2, 3), math.nan, "`temperature` to be positive, but got nan"),
    ],
)
def test_bad_arguments_are_named(student, teacher, temperature, message):
    with pytest.raises(ValueError, match=message):
        kd_loss(random(*student), random(*teacher), temperature=temperature)


@pytest.mark.parametrize("temperature", [0.0, -2.0, math.nan])
def test_bad_setting_fails_where_it_is_written(temperature):
    with pytest.raises(MethodError, match=f"kd.temperature to be from .* but got {temperature:g}"):
        KD(temperature=temperature)


@pytest.mark.parametrize(("progress", "strength"), [(0.0, 4.0), (0.25, 3.25), (0.5, 2.5), (1.0, 1.0)])
def test_term_anneals_from_four_to_one(progress, strength):
    student, teacher = random(4, 3), random(4, 3, seed=1)
    index = torch.zeros(4, dtype=torch.int64)
    term = KD(temperature=3.0).build(term_context(3, 2))
    view = step_view(
        {"logits": student}, {"logits": teacher}, index, index, num_classes=3, num_groups=2, progress=progress
    )
    torch.testing.assert_close(term(view), strength * kd_loss(student, teacher, temperature=3.0))


def test_term_anneals_between_the_strengths_it_is_given():
    student, teacher = random(4, 3), random(4, 3, seed=1)
    index = torch.zeros(4, dtype=torch.int64)
    term = KD(strength_start=0.0, strength_end=8.0).build(term_context(3, 2))
    view = step_view({"logits": student}, {"logits": teacher}, index, index, num_classes=3, num_groups=2, progress=0.75)
    torch.testing.assert_close(term(view), 6 * kd_loss(student, teacher, temperature=1.0))


def test_a_masked_class_is_one_that_the_teacher_never_expects():
    student, teacher = random(4, 3).requires_grad_(), random(4, 3, seed=1)
    never = torch.tensor([False, False, True])
    masked, excluded = (teacher.masked_fill(never, value) for value in (-math.inf, -1e4))
    loss = kd_loss(student, masked, temperature=2.0)
    torch.testing.assert_close(loss, kd_loss(student, excluded, temperature=2.0))
    kd_loss(student.masked_fill(never, -math.inf), masked, temperature=2.0).backward()
    assert student.grad.isfinite().all()
    assert kd_loss(masked, masked, temperature=2.0) == 0
