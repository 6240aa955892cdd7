import pytest
import torch
from torch.nn import functional as F

from fairdistill.losses import nst_loss
from tests.losses.contract import (
    DTYPES,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
)
from tests.reference import nst as slow

# The loss has two forms: few positions (H W <= C + C') and many.
SHAPES = {
    "few positions": ((2, 4, 2, 2), (2, 3, 2, 2)),
    "as many positions as channels": ((3, 2, 2, 2), (3, 2, 2, 2)),
    "many positions": ((2, 2, 3, 4), (2, 3, 3, 4)),
    "one image, one channel": ((1, 1, 2, 3), (1, 1, 2, 3)),
}
shapes = pytest.mark.parametrize(("student", "teacher"), SHAPES.values(), ids=SHAPES)


@pytest.mark.parametrize("empty_positions", [0, 2])  # zeros change no product, but the form of the loss
def test_hand_worked(empty_positions):
    # Student, channel (3, 4) -> (0.6, 0.8); teacher, (2, 0) -> (1, 0) and (0, 5) -> (0, 1).
    # mean k(s, s) = 1; mean k(t, t) = (1 + 0 + 0 + 1)/4 = 0.5; mean k(s, t) = (0.36 + 0.64)/2 = 0.5.
    # Loss = 1 + 0.5 - 2 * 0.5 = 0.5.
    student = F.pad(torch.tensor([[[[3.0, 4.0]]]]), (0, empty_positions))
    teacher = F.pad(torch.tensor([[[[2.0, 0.0]], [[0.0, 5.0]]]]), (0, empty_positions))
    assert nst_loss(student, teacher).item() == pytest.approx(0.5)


@shapes
def test_equals_slow_restatement(student, teacher):
    student, teacher = random(*student), random(*teacher, seed=1)
    assert_same(nst_loss, slow.nst_loss, student, teacher)
    assert_gradcheck(nst_loss, student, teacher)


@shapes
def test_equal_maps_in_another_order_and_size_are_no_loss(student, teacher):
    teacher_map = random(*teacher)
    assert nst_loss(3 * teacher_map.flip(1), teacher_map).item() == pytest.approx(0, abs=1e-14)


@shapes
def test_dead_channel_gets_no_gradient(student, teacher):
    student_map = random(*student)
    student_map[:, 0] = 0
    value, gradient = nst_loss(student_map.requires_grad_(), random(*teacher, seed=1)), None
    (gradient,) = torch.autograd.grad(value, student_map)
    assert torch.isfinite(value)
    assert gradient[:, 0].count_nonzero() == 0
    assert torch.isfinite(gradient).all()


@shapes
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype, student, teacher):
    promise(nst_loss, random(*student) / 10, random(*teacher, seed=1), dtype)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [((2, 3, 4, 4), (1, 3, 4, 4)), ((2, 3, 4, 4), (2, 3, 2, 8)), ((2, 3, 4), (2, 3, 4)), ((2, 3), (2, 3, 1, 1))],
)
def test_shapes_that_do_not_fit_are_named(student, teacher):
    with pytest.raises(ValueError, match=r"\[N, C, H, W\] with the same N, H and W, but got ") as e:
        nst_loss(random(*student), random(*teacher))
    assert str(e.value).endswith(f"{student} and {teacher}")
