import pytest
import torch

from fairdistill.losses import attention_loss
from tests.losses.contract import (
    DTYPES,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
)
from tests.reference import attention as slow


def test_hand_worked():
    # Student, channels (1, 2) and (sqrt 5, 2): mean squares (1 + 5)/2 = 3 and (4 + 4)/2 = 4, normalised (0.6, 0.8).
    # Teacher, one channel (2, 0): normalised (1, 0). Mean of 0.4^2 and 0.8^2 is 0.4; half of it 0.2.
    student = torch.tensor([[[[1.0, 2.0]], [[5.0**0.5, 2.0]]]])
    teacher = torch.tensor([[[[2.0, 0.0]]]])
    assert attention_loss(student, teacher).item() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [((1, 1, 1, 2), (1, 1, 1, 2)), ((3, 2, 2, 3), (3, 2, 2, 3)), ((2, 4, 3, 2), (2, 1, 3, 2))],
)
def test_equals_slow_restatement(student, teacher):
    student, teacher = random(*student), random(*teacher, seed=1)
    assert_same(attention_loss, slow.attention_loss, student, teacher)
    assert_gradcheck(attention_loss, student, teacher)


def test_depends_on_where_and_not_on_how_much():
    student, teacher = random(2, 3, 2, 2), random(2, 3, 2, 2, seed=1)
    torch.testing.assert_close(attention_loss(5 * student, teacher), attention_loss(student, teacher))
    assert attention_loss(-3 * teacher, teacher).item() == pytest.approx(0, abs=1e-15)


def test_dead_map_has_no_attention_and_no_gradient():
    student = torch.zeros(1, 2, 2, 2, requires_grad=True)
    loss = attention_loss(student, torch.ones(1, 1, 2, 2))
    loss.backward()
    assert loss.item() == 1 / 8  # the teacher attends 1/2 everywhere: (1/2)^2 / 2
    assert student.grad.count_nonzero() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(attention_loss, random(2, 3, 2, 2) / 10, random(2, 5, 2, 2, seed=1), dtype)


@pytest.mark.parametrize(
    ("student", "teacher"),
    [
        ((2, 3, 4, 4), (1, 3, 4, 4)),
        ((2, 3, 4, 4), (2, 3, 4, 5)),
        ((2, 3, 4, 4), (2, 3, 5, 4)),
        ((2, 3, 4), (2, 3, 4, 4)),
        ((2, 3), (2, 3)),
    ],
)
def test_shapes_that_do_not_fit_are_named(student, teacher):
    with pytest.raises(ValueError, match=r"\[N, C, H, W\] with the same N, H and W, but got ") as e:
        attention_loss(random(*student), random(*teacher))
    assert str(e.value).endswith(f"{student} and {teacher}")
