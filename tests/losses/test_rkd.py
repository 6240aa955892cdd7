import math
from functools import partial

import pytest
import torch

from fairdistill.losses import RKD, rkd_loss
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
from tests.reference import rkd as slow

parts = pytest.mark.parametrize(("distance", "angle"), [(1.0, 0.0), (0.0, 1.0), (25.0, 50.0)])


def test_hand_worked_distances():
    # Distances 1, 1, 2 of the student, mean 4/3: 3/4, 3/4, 3/2. Of the teacher 1, 4, 5, mean 10/3: 0.3, 1.2, 1.5.
    # Off by 0.45, 0.45 and 0, each pair twice, of nine pairs: 2 * 2 * 0.45^2 / 2 / 9 = 0.045.
    student, teacher = torch.tensor([[0.0], [1.0], [2.0]]), torch.tensor([[0.0], [1.0], [5.0]])
    assert rkd_loss(student, teacher, distance=1.0, angle=0.0).item() == pytest.approx(0.045, rel=1e-6)


def test_hand_worked_angles():
    # The student's points are in a line: at the middle one the cosine is -1, at the ends 1. The teacher's form a right
    # angle of equal legs, with the middle one as the corner: 0 there, 1/sqrt(2) at the ends. Each angle comes twice of
    # 27 triples; those of a point with itself agree. Off by 1, and twice by 1 - 1/sqrt(2) = 0.2929.
    student = torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    teacher = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    expected = 2 * (1 / 2 + 2 * (1 - 1 / math.sqrt(2)) ** 2 / 2) / 27
    assert rkd_loss(student, teacher, distance=0.0, angle=1.0).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("rows", "width", "of_teacher"), [(1, (2,), (2,)), (2, (1,), (3,)), (5, (2, 1, 2), (3,))])
@parts
def test_equals_slow_restatement(rows, width, of_teacher, distance, angle):
    student, teacher = random(rows, *width), 3 * random(rows, *of_teacher, seed=1) ** 3
    fast, restated = (partial(f, distance=distance, angle=angle) for f in (rkd_loss, slow.rkd_loss))
    assert_same(fast, restated, student, teacher)


@parts
def test_points_that_coincide_equal_slow_restatement(distance, angle):
    student, teacher = random(5, 3), random(5, 3, seed=1)
    student[3], student[4] = student[0], student[0] + 1e-6
    teacher[4] = teacher[1]
    fast, restated = (partial(f, distance=distance, angle=angle) for f in (rkd_loss, slow.rkd_loss))
    assert_same(fast, restated, student, teacher)


@parts
def test_gradcheck(distance, angle):
    assert_gradcheck(partial(rkd_loss, distance=distance, angle=angle), random(5, 3), random(5, 2, seed=1))


@pytest.mark.parametrize("equal", [torch.zeros(300), torch.full((300,), 0.1), random(300, seed=2).float()])
@pytest.mark.parametrize("which", ["student", "teacher", "both"])
def test_features_that_are_all_equal_give_a_finite_loss_and_gradient(which, equal):
    features = {"student": random(7, 300).float(), "teacher": random(7, 300, seed=1).float()}
    features |= {name: equal.repeat(7, 1) for name in features if which in (name, "both")}
    value, gradient = value_and_gradient(rkd_loss, **features)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()
    assert (value > 1) == (which != "both")
    assert (gradient.count_nonzero() > 0) == (which == "teacher")


@pytest.mark.parametrize("gap", [0.0, 1e-7, 1e-5, 1e-3])
def test_points_that_nearly_coincide_do_not_blow_the_gradient_up(gap):
    student, teacher = random(6, 3).float(), random(6, 3, seed=1).float()
    _, usual = value_and_gradient(rkd_loss, student, teacher)
    student[1] = student[0] + gap
    _, gradient = value_and_gradient(rkd_loss, student, teacher)
    assert torch.isfinite(gradient).all()
    assert gradient.abs().max() < (300 if gap == 1e-3 else 3) * usual.abs().max()


def test_only_relations_matter():
    student = random(6, 3)
    rotation, _ = torch.linalg.qr(random(3, 3, seed=1))
    same = 7 * student @ rotation + 4
    value, gradient = value_and_gradient(rkd_loss, same, student)
    assert_close(value, torch.tensor(0.0))
    assert_close(gradient, torch.zeros_like(gradient))
    assert rkd_loss(student * torch.tensor([1.0, 1.0, 2.0]), student) > 0.1


def test_teacher_gets_no_gradient():
    student, teacher = random(4, 3).requires_grad_(), random(4, 3, seed=1).requires_grad_()
    rkd_loss(student, teacher).backward()
    assert student.grad.count_nonzero() > 0
    assert teacher.grad is None


@parts
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype, distance, angle):
    # times 100, for a gradient that proves something
    promise(
        lambda s, t: 100 * rkd_loss(s, t, distance=distance, angle=angle), random(8, 4), random(8, 4, seed=1), dtype
    )


@pytest.mark.parametrize(("student", "teacher"), [((3, 2), (4, 2)), ((3,), (3, 2)), ((3, 2), (3,))])
def test_bad_arguments_are_named(student, teacher):
    with pytest.raises(ValueError, match=r"to be \[N, ...\] with the same N, but got ") as e:
        rkd_loss(random(*student), random(*teacher))
    assert str(e.value).endswith(f"{student} and {teacher}")


def test_term_compares_embeddings_of_any_widths_with_its_two_strengths():
    student, teacher = random(6, 5), random(6, 3, seed=1)
    index = torch.zeros(6, dtype=torch.int64)
    term = RKD(distance=2.0, angle=3.0).build(term_context(3, 2))
    view = step_view({"embedding": student}, {"embedding": teacher}, index, index, num_classes=3, num_groups=2)
    assert torch.equal(term(view), rkd_loss(student, teacher, distance=2.0, angle=3.0))
    assert not list(term.parameters())
