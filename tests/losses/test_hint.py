import pytest
import torch

from fairdistill.losses import hint_loss
from tests.losses.contract import (
    DTYPES,
    assert_computes_in_full_precision,
    assert_gradcheck,
    assert_same,
    assert_unmoved_by_autocast,
    random,
)
from tests.reference import hint as slow


def test_hand_worked():
    # Squared differences 0, 4, 9, 0: mean 13/4, half of it 13/8; gradient (s - t) / 4.
    student = torch.tensor([[1.0, 2.0], [0.0, 0.0]], requires_grad=True)
    loss = hint_loss(student, torch.tensor([[1.0, 4.0], [3.0, 0.0]]))
    loss.backward()
    assert loss.item() == 13 / 8
    assert student.grad.tolist() == [[0, -0.5], [-0.75, 0]]


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (2, 3, 2, 2)])
def test_equals_slow_restatement(shape):
    student, teacher = random(*shape), random(*shape, seed=1)
    assert_same(hint_loss, slow.hint_loss, student, teacher)
    assert_gradcheck(hint_loss, student, teacher)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(hint_loss, 30 * random(8, 12), 30 * random(8, 12, seed=1), dtype)


@pytest.mark.parametrize(
    ("student", "teacher"), [((2, 3), (2, 4)), ((2, 3), (1, 3)), ((2, 3), (2, 3, 1)), ((3,), (3,))]
)
def test_shapes_that_do_not_fit_are_named(student, teacher):
    with pytest.raises(ValueError, match=r"`student` and `teacher` to have the same shape \[N, ...\], but got ") as e:
        hint_loss(random(*student), random(*teacher))
    assert str(e.value).endswith(f"{student} and {teacher}")
