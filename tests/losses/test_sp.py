import math

import pytest
import torch

from fairdistill.losses import SP, sp_loss
from fairdistill.methods import parse
from fairdistill.types import StepView
from tests.losses.contract import (
    DTYPES,
    Half,
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
from tests.reference import sp as slow


def test_hand_worked():
    # The student's samples are equal: G_S is 1/sqrt(2) everywhere. The teacher's are orthogonal: G_T is the identity.
    # 1/4 * (2 (1 - 1/sqrt(2))^2 + 2 * 1/2) = 1 - 1/sqrt(2).
    student, teacher = torch.tensor([[1.0], [1.0]]), torch.tensor([[3.0, 0.0], [0.0, 0.5]])
    assert sp_loss(student, teacher).item() == pytest.approx(1 - 1 / math.sqrt(2))
    # A student (1, x) has G_S rows (1, x)/sqrt(1 + x^2), twice. Against the identity the loss is 1 - (1 + x) /
    # (2 sqrt(1 + x^2)), whose slope at x = 0 is -1/2.
    value, gradient = value_and_gradient(sp_loss, torch.tensor([[1.0], [1e-6]]), teacher)
    assert value.item() == pytest.approx(0.5, abs=1e-5)
    assert gradient[1].item() == pytest.approx(-0.5, abs=1e-4)


@pytest.mark.parametrize("n", [1, 2, 7])
@pytest.mark.parametrize(("of_student", "of_teacher"), [((3,), (3,)), ((2, 3, 2), (5,)), ((4, 2, 2), (3, 4, 4))])
def test_equals_slow_restatement_whatever_the_shapes(n, of_student, of_teacher):
    assert_same(sp_loss, slow.sp_loss, random(n, *of_student), random(n, *of_teacher, seed=1))


def test_gradcheck():
    assert_gradcheck(sp_loss, random(5, 3), random(5, 2, 2, seed=1))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(sp_loss, random(8, 4), random(8, 6, seed=1), dtype)


def test_scale_and_rotation_do_not_matter():
    feature = random(6, 3)
    rotation = torch.linalg.qr(random(3, 3, seed=2))[0]
    value, gradient = value_and_gradient(sp_loss, feature, 5 * feature @ rotation)
    assert_close(value, torch.zeros_like(value))
    assert_close(gradient, torch.zeros_like(gradient))


def test_one_sample_is_always_similar_to_itself():
    value, gradient = value_and_gradient(sp_loss, random(1, 3), random(1, 3, seed=1))
    assert_close(value, torch.zeros_like(value))
    assert_close(gradient, torch.zeros_like(gradient))


def test_features_of_zeros_are_finite():
    student = random(4, 3) * torch.tensor([[0.0], [1.0], [0.0], [1.0]])
    assert_same(sp_loss, slow.sp_loss, student, random(4, 3, seed=1))
    value, gradient = value_and_gradient(sp_loss, torch.zeros(4, 3), random(4, 3).float())
    assert value > 0
    assert gradient.count_nonzero() == 0


def test_teacher_gets_no_gradient():
    student, teacher = random(4, 3).requires_grad_(), random(4, 3, seed=1).requires_grad_()
    sp_loss(student, teacher).backward()
    assert student.grad.count_nonzero() > 0
    assert teacher.grad is None


@pytest.mark.parametrize(("student", "teacher"), [((4, 3), (5, 3)), ((4,), (4, 3)), ((4, 3), (4,))])
def test_bad_shapes_are_named(student, teacher):
    with pytest.raises(ValueError, match=r"`student` and `teacher` to be \[N, \.\.\.\] with the same N, but got"):
        sp_loss(torch.zeros(student), torch.zeros(teacher))


def test_method_adds_the_term_at_the_papers_strength():
    method = parse("sp", data="cifar10s")
    assert ([term.name for term in method.terms], method.sampler) == (["ce", "sp"], "shuffled")
    assert method.settings == {"sp.strength": 3000.0}
    assert method.teacher_taps == {"map"}


def test_two_processes_share_the_loss_of_the_whole_batch():
    student, teacher, index = random(6, 3, 2, 2), random(6, 2, 4, 4, seed=1), torch.zeros(6, dtype=torch.int64)
    term = SP(strength=2.0).build(term_context(2, 2))
    sizes = {"num_classes": 2, "num_groups": 2}
    whole = term(step_view({"map": student}, {"map": teacher}, index, index, **sizes))
    shares = []
    for rank in (0, 1):
        world = Half(rank, (student, teacher))
        student_of, teacher_of, labels = (each[world.own] for each in (student, teacher, index))
        view = StepView(
            {"map": student_of},
            {"map": teacher_of},
            labels,
            labels,
            progress=0.0,
            world=world,
            global_batch_size=6,
            **sizes,
        )
        shares.append(term(view))
    assert term.whole_batch
    assert_close(whole, 2 * sp_loss(student, teacher))
    assert_close(sum(shares), whole)
