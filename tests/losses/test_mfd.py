import math
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from fairdistill.errors import MethodError
from fairdistill.losses import MFD, mfd_loss
from fairdistill.losses.mfd import _class_blocks, _ClosedForm, _one_block
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
from tests.reference import mfd as slow


def one_block_loss(
    student: Tensor,
    teacher: Tensor,
    labels: Tensor,
    groups: Tensor,
    *,
    num_classes: int,
    num_groups: int,
    bandwidth: float = 1.0,
) -> Tensor:
    """The loss as on a GPU: all rows, those of unknown group too, in one block."""
    blocks = _one_block(labels, groups, num_classes, num_groups, student.dtype)
    return _ClosedForm.apply(student.flatten(1), teacher.flatten(1), blocks, bandwidth)


LAYOUTS = {"as called": mfd_loss, "one block": one_block_loss}
layouts = pytest.mark.parametrize("loss", LAYOUTS.values(), ids=LAYOUTS)

# labels, groups, number of classes, number of groups
BATCHES = {
    "even": ([0, 1, 2] * 4, [0, 0, 1, 1, 1, 0] * 2, 3, 2),
    "one row": ([0], [0], 1, 1),
    "one-sample cells": ([0, 0, 1, 1], [0, 1, 0, 1], 2, 2),
    "a class without group 1": ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 1, 1], 2, 2),
    "a group nowhere": ([0, 0, 1, 1, 1], [0, 2, 2, 0, 0], 2, 3),
    "classes nowhere": ([1, 1, 3, 3, 3], [0, 1, 1, 0, 0], 5, 2),
    "unknown groups": ([0, 0, 1, 1, 2, 2, 2, 1], [0, -1, 1, 0, -1, 1, 0, -1], 3, 2),
    "a class of unknown groups": ([0, 0, 1, 1, 2, 2], [0, 1, -1, -1, 1, 0], 3, 2),
    "one class has nearly everything": ([2] * 14 + [0, 1], [0, 0, 1, 2] * 4, 4, 3),
}
batches = pytest.mark.parametrize(("labels", "groups", "num_classes", "num_groups"), BATCHES.values(), ids=BATCHES)


def bound(loss, labels, groups, num_classes, num_groups, **options):
    return partial(
        loss,
        labels=torch.as_tensor(labels),
        groups=torch.as_tensor(groups),
        num_classes=num_classes,
        num_groups=num_groups,
        **options,
    )


@layouts
@pytest.mark.parametrize("bandwidth", [1.0, 2.0])
def test_hand_worked(loss, bandwidth):
    # One class; teacher 0 and 0, student 0 (group 0) and 2 (group 1). Squared distances 0, 4, 0, 4: m = 2.
    # k(0, 2) = exp(-4 / (2 b m)) = exp(-1/b). MMD^2 of group 0: 1 + 1 - 2 = 0; of group 1: 1 + 1 - 2 exp(-1/b).
    # Loss = half of the sum = 1 - exp(-1/b). Its slope at the 2, m held: 2 / (b m) exp(-1/b) = exp(-1/b) / b.
    fast = bound(loss, [0, 0], [0, 1], 1, 2, bandwidth=bandwidth)
    value, gradient = value_and_gradient(fast, torch.tensor([[0.0], [2.0]]), torch.zeros(2, 1))
    assert value.item() == pytest.approx(1 - math.exp(-1 / bandwidth))
    assert gradient.flatten().tolist() == pytest.approx([0, math.exp(-1 / bandwidth) / bandwidth])


@layouts
@batches
@pytest.mark.parametrize(("shape", "bandwidth"), [((1,), 1.0), ((2, 3, 2), 0.3)])
def test_equals_slow_restatement(loss, labels, groups, num_classes, num_groups, shape, bandwidth):
    batch = (labels, groups, num_classes, num_groups)
    student, teacher = random(len(labels), *shape), random(len(labels), *shape, seed=1) + 1
    fast, restated = (bound(f, *batch, bandwidth=bandwidth) for f in (loss, slow.mfd_loss))
    assert_same(fast, restated, student, teacher)


@layouts
@pytest.mark.parametrize("batch", ["one-sample cells", "unknown groups", "one class has nearly everything"])
def test_gradcheck(loss, batch):
    labels, groups, *sizes = BATCHES[batch]
    student, teacher = random(len(labels), 2), random(len(labels), 2, seed=1)

    def with_fixed_kernel(student, teacher):
        # The bandwidth cancels m, which is constant by definition and which a numerical slope would not hold.
        known = torch.tensor(groups) >= 0
        m = slow.squared_distances(teacher[known], student[known]).mean().item()
        return bound(loss, labels, groups, *sizes, bandwidth=3 / m)(student, teacher)

    assert_gradcheck(with_fixed_kernel, student, teacher)


rows = st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 2)), min_size=1, max_size=12)
properties = settings(max_examples=25, deadline=None, derandomize=True, database=None)


@layouts
@properties
@given(rows=rows, seed=st.integers(0, 99))
def test_any_batch_equals_slow_restatement(loss, rows, seed):
    labels, groups = torch.tensor(rows).unbind(1)
    student, teacher = random(len(rows), 3, seed=seed), random(len(rows), 3, seed=seed + 100)
    assert_same(bound(loss, labels, groups, 4, 3), bound(slow.mfd_loss, labels, groups, 4, 3), student, teacher)


@layouts
@properties
@given(data=st.data(), rows=rows)
def test_order_of_rows_does_not_matter(loss, data, rows):
    order = torch.tensor(data.draw(st.permutations(range(len(rows)))))
    labels, groups = torch.tensor(rows).unbind(1)
    student, teacher = random(len(rows), 3), random(len(rows), 3, seed=1)
    value, gradient = value_and_gradient(bound(loss, labels, groups, 4, 3), student, teacher)
    permuted, permuted_gradient = value_and_gradient(
        bound(loss, labels[order], groups[order], 4, 3), student[order], teacher[order]
    )
    assert_close(permuted, value)
    assert_close(permuted_gradient, gradient[order])


def blocks_of(labels, groups, num_classes, num_groups):
    return len(_class_blocks(torch.tensor(labels), torch.tensor(groups), num_classes, num_groups, torch.float32).share)


def test_cpu_takes_a_block_a_class_unless_one_class_has_nearly_everything():
    assert blocks_of(*BATCHES["even"]) == 3
    assert blocks_of(*BATCHES["a class without group 1"]) == 2
    assert blocks_of(*BATCHES["one class has nearly everything"]) == 1


@layouts
@batches
def test_unknown_groups_equal_leaving_the_rows_out(loss, labels, groups, num_classes, num_groups):
    n = len(labels)
    student, teacher = random(n + 4, 3), 10 * random(n + 4, 3, seed=1)
    with_unknown = bound(loss, [*labels, 0, 0, 0, 0], [*groups, -1, -1, -1, -1], num_classes, num_groups)
    value, gradient = value_and_gradient(with_unknown, student, teacher)
    expected, expected_gradient = value_and_gradient(
        bound(loss, labels, groups, num_classes, num_groups), student[:n], teacher[:n]
    )
    assert_close(value, expected)
    assert_close(gradient[:n], expected_gradient)
    assert gradient[n:].count_nonzero() == 0


@layouts
def test_empty_classes_and_groups_add_nothing(loss):
    labels, groups = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 0])
    student, teacher = random(4, 3), random(4, 3, seed=1)
    small, large = bound(loss, labels, groups, 2, 2), bound(loss, labels + 2, groups + 1, 6, 4)
    assert_same(large, small, student, teacher)


@layouts
def test_all_rows_unknown_is_zero_without_gradient(loss):
    fast = bound(loss, [0, 0, 1], [-1, -1, -1], 2, 2)
    student = random(3, 2).float().requires_grad_()
    value = fast(student, random(3, 2, seed=1).float())
    value.backward()
    assert value.item() == 0
    assert student.grad.tolist() == [[0, 0]] * 3


@layouts
def test_empty_batch_is_zero(loss):
    student = torch.zeros(0, 3, requires_grad=True)
    value = bound(loss, torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64), 2, 2)(
        student, torch.zeros(0, 3)
    )
    value.backward()
    assert value.item() == 0
    assert student.grad.shape == (0, 3)


# Where all features are the same, or no row takes part, m is 0. The factor 7 is the paper's strength on CelebA.
@layouts
@pytest.mark.parametrize("groups", [[0, 1, 0, 1], [-1, -1, -1, -1]])
@pytest.mark.parametrize(("factor", "bandwidth"), [(1.0, 1.0), (7.0, 1.0), (1.0, 0.1)])
def test_finite_where_no_distance_sets_the_bandwidth(loss, groups, bandwidth, factor):
    student = torch.zeros(4, 3, requires_grad=True)
    value = bound(loss, [0, 0, 1, 1], groups, 2, 2, bandwidth=bandwidth)(student, torch.zeros(4, 3))
    (factor * value).backward()
    assert value.item() == 0
    assert student.grad.tolist() == [[0, 0, 0]] * 4


@layouts
def test_squared_distances_that_overflow_give_nan_and_never_a_wrong_number(loss):
    value_of = bound(loss, [0, 0, 1, 1], [0, 1, 0, 1], 2, 2)
    student, teacher = random(4, 3).float(), random(4, 3, seed=1).float()
    torch.testing.assert_close(value_of(student * 1e17, teacher * 1e17), value_of(student, teacher))
    assert value_of(student * 1e30, teacher * 1e30).isnan()


@layouts
def test_student_equal_to_teacher_in_one_group_is_zero_without_gradient(loss):
    feature = random(6, 3)
    fast = bound(loss, [0, 0, 0, 1, 1, 1], [1] * 6, 2, 2)
    value, gradient = value_and_gradient(fast, feature, feature)
    assert_close(value, torch.tensor(0.0))
    assert_close(gradient, torch.zeros_like(gradient))


@layouts
def test_student_equal_to_teacher_in_unequal_groups_is_a_loss(loss):
    feature = random(6, 3)
    assert bound(loss, [0] * 6, [0, 0, 0, 1, 1, 1], 1, 2)(feature, feature) > 0.01


@layouts
def test_maps_are_flattened(loss):
    student, teacher = random(6, 2, 3, 4), random(6, 2, 3, 4, seed=1)
    fast = bound(loss, [0, 0, 0, 1, 1, 1], [0, 1] * 3, 2, 2)
    value, gradient = value_and_gradient(fast, student, teacher)
    expected, expected_gradient = value_and_gradient(fast, student.flatten(1), teacher.flatten(1))
    last = student.to(memory_format=torch.channels_last)
    assert_close(value, expected)
    assert_close(gradient, expected_gradient.view_as(student))
    assert_close(fast(last, teacher), expected)


def test_teacher_gets_no_gradient():
    student, teacher = random(4, 3).requires_grad_(), random(4, 3, seed=1).requires_grad_()
    bound(mfd_loss, [0, 0, 1, 1], [0, 1, 0, 1], 2, 2)(student, teacher).backward()
    assert student.grad.count_nonzero() > 0
    assert teacher.grad is None


@layouts
@pytest.mark.parametrize("batch", ["even", "one class has nearly everything", "unknown groups"])
def test_large_common_offset_costs_no_precision(loss, batch):
    labels, groups, *_ = BATCHES[batch]
    rows = torch.arange(96) % len(labels)
    fast = bound(loss, torch.tensor(labels)[rows], torch.tensor(groups)[rows], *BATCHES[batch][2:])
    student, teacher = 3000 + random(96, 64), 3000 + random(96, 64, seed=1)
    assert_computes_in_full_precision(fast, student, teacher, torch.float32)


@pytest.mark.parametrize("batch", ["even", "one class has nearly everything", "unknown groups"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype, batch):
    n = len(BATCHES[batch][0])
    promise(bound(mfd_loss, *BATCHES[batch]), random(n, 4), random(n, 4, seed=1) + 1, dtype)


@pytest.mark.parametrize(
    ("student", "teacher", "labels", "groups", "bandwidth", "message"),
    [
        ((4, 3), (4, 2), 4, 4, 1.0, r"the same shape \[N, ...\], but got \(4, 3\) and \(4, 2\)"),
        ((4,), (4,), 4, 4, 1.0, r"the same shape \[N, ...\], but got \(4,\) and \(4,\)"),
        ((4, 3), (4, 3), 3, 4, 1.0, r"have shape \(4,\), but got \(3,\) and \(4,\)"),
        ((4, 3), (4, 3), 4, 5, 1.0, r"have shape \(4,\), but got \(4,\) and \(5,\)"),
        ((4, 3), (4, 3), 5, 5, 1.0, r"have shape \(4,\), but got \(5,\) and \(5,\)"),
        ((4, 3), (4, 3), 4, 4, 0.0, "`bandwidth` to be positive, but got 0.0"),
        ((4, 3), (4, 3), 4, 4, -1.0, "`bandwidth` to be positive, but got -1.0"),
        ((4, 3), (4, 3), 4, 4, math.nan, "`bandwidth` to be positive, but got nan"),
    ],
)
def test_bad_arguments_are_named(student, teacher, labels, groups, bandwidth, message):
    index = torch.zeros(5, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        bound(mfd_loss, index[:labels], index[:groups], 1, 1, bandwidth=bandwidth)(random(*student), random(*teacher))


def test_term_passes_its_bandwidth_on():
    labels, groups, *sizes = BATCHES["even"]
    labels, groups = torch.tensor(labels), torch.tensor(groups)
    student, teacher = random(12, 3), random(12, 3, seed=1)
    term = MFD(bandwidth=0.3).build(term_context(*sizes, student={"feature": (3,)}, teacher={"feature": (3,)}))
    view = step_view(
        {"feature": student}, {"feature": teacher}, labels, groups, num_classes=sizes[0], num_groups=sizes[1]
    )
    assert torch.equal(term(view), bound(mfd_loss, labels, groups, *sizes, bandwidth=0.3)(student, teacher))


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan])
def test_bad_setting_fails_where_it_is_written(bandwidth):
    with pytest.raises(MethodError, match=f"mfd.bandwidth to be from .* but got {bandwidth:g}"):
        MFD(bandwidth=bandwidth)
