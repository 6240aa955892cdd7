import math

import pytest
import torch

from fairdistill.errors import MethodError
from fairdistill.losses import SelfMFD, mfd_loss, self_mfd_loss
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
from tests.losses.test_mfd import BATCHES
from tests.reference import self_mfd as slow

batches = pytest.mark.parametrize(("labels", "groups", "num_classes", "num_groups"), BATCHES.values(), ids=BATCHES)


def bound(loss, labels, groups, num_classes, num_groups, **options):
    sizes = {"num_classes": num_classes, "num_groups": num_groups, **options}
    return lambda student, _: loss(student, torch.as_tensor(labels), torch.as_tensor(groups), **sizes)


@pytest.mark.parametrize("bandwidth", [1.0, 2.0])
def test_hand_worked(bandwidth):
    # One class, features 0 (group 0) and 2 (group 1). Squared distances 0, 4, 4, 0: m = 2, k(0, 2) = exp(-1/b) = k.
    # MMD^2 of a group against both: (2 + 2k)/4 + 1 - 2 (1 + k)/2 = (1 - k)/2. Half the mean of both groups: (1 - k)/4.
    loss = bound(self_mfd_loss, [0, 0], [0, 1], 1, 2, bandwidth=bandwidth)
    value, gradient = value_and_gradient(loss, torch.tensor([[0.0], [2.0]]), random(1))
    assert value.item() == pytest.approx((1 - math.exp(-1 / bandwidth)) / 4)
    assert gradient.flatten().tolist() == pytest.approx([0, 0], abs=1e-7)  # shift and scale are all they have


@batches
@pytest.mark.parametrize(("shape", "bandwidth"), [((2,), 1.0), ((2, 3, 2), 0.3)])
def test_equals_slow_restatement(labels, groups, num_classes, num_groups, shape, bandwidth):
    batch = (labels, groups, num_classes, num_groups)
    student = random(len(labels), *shape) + 1
    fast, restated = (bound(f, *batch, bandwidth=bandwidth) for f in (self_mfd_loss, slow.self_mfd_loss))
    assert_same(fast, restated, student, student)


@batches
def test_its_value_is_that_of_mfd_with_itself_as_the_teacher(labels, groups, num_classes, num_groups):
    batch = (labels, groups, num_classes, num_groups)
    student = 3 * random(len(labels), 4) + 5
    of_mfd = bound(lambda s, *rest, **sizes: mfd_loss(s, s, *rest, **sizes), *batch)
    assert_close(bound(self_mfd_loss, *batch)(student, None), of_mfd(student, None) / num_groups)


@pytest.mark.parametrize("batch", ["even", "a class without group 1", "unknown groups"])
def test_the_gradient_neither_shifts_nor_scales_the_features(batch):
    labels, groups, *sizes = BATCHES[batch]
    student = random(len(labels), 4)
    _, gradient = value_and_gradient(bound(self_mfd_loss, labels, groups, *sizes), student, student)
    assert gradient.abs().max() > 1e-3
    torch.testing.assert_close(gradient.sum(0), torch.zeros(4, dtype=torch.float64), rtol=0, atol=1e-12)
    assert (gradient * student).sum().item() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("batch", ["one-sample cells", "unknown groups", "one class has nearly everything"])
def test_gradcheck(batch):
    labels, groups, *sizes = BATCHES[batch]
    student = random(len(labels), 2)
    labels, groups = torch.tensor(labels), torch.tensor(groups)
    target = (student - student[groups >= 0].mean(0)).clone()
    target = target / target[groups >= 0].square().sum(1).mean().sqrt()

    def with_constant_class_features(x, _):
        centred = x - x[groups >= 0].mean(0)
        scaled = centred / centred[groups >= 0].square().sum(1).mean().sqrt()
        return mfd_with_fixed_kernel(scaled, target)

    def mfd_with_fixed_kernel(scaled, teacher):
        # The bandwidth cancels m, which a numerical slope would not hold.
        m = (teacher[groups >= 0].unsqueeze(1) - scaled[groups >= 0].unsqueeze(0)).square().sum(2).mean().item()
        return mfd_loss(scaled, teacher, labels, groups, num_classes=sizes[0], num_groups=sizes[1], bandwidth=2 / m)

    assert_gradcheck(with_constant_class_features, student, student)
    fast = bound(self_mfd_loss, labels, groups, *sizes)
    assert_same(fast, lambda x, _: with_constant_class_features(x, None) / sizes[1], student, student)


@batches
def test_unknown_groups_equal_leaving_the_rows_out(labels, groups, num_classes, num_groups):
    n = len(labels)
    student = torch.cat([random(n, 3), 10 * random(4, 3, seed=1)])
    with_unknown = bound(self_mfd_loss, [*labels, 0, 0, 0, 0], [*groups, -1, -1, -1, -1], num_classes, num_groups)
    value, gradient = value_and_gradient(with_unknown, student, student)
    without = bound(self_mfd_loss, labels, groups, num_classes, num_groups)
    expected, expected_gradient = value_and_gradient(without, student[:n], student)
    assert_close(value, expected)
    assert_close(gradient[:n], expected_gradient)
    assert gradient[n:].count_nonzero() == 0


@pytest.mark.parametrize("equal", [torch.zeros(300), torch.full((300,), 0.1), random(300, seed=2).float()])
@pytest.mark.parametrize("groups", [[0, 1] * 20, [-1] * 40, [0] + [-1] * 39], ids=["known", "unknown", "one known"])
def test_equal_features_and_rows_without_a_group_give_zero_and_no_gradient(groups, equal):
    loss = bound(self_mfd_loss, [0, 1, 1, 2] * 10, groups, 3, 2)
    value, gradient = value_and_gradient(loss, equal.repeat(40, 1), random(1))
    assert value.item() == pytest.approx(0, abs=1e-6)
    assert gradient.count_nonzero() == 0


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("promise", [assert_computes_in_full_precision, assert_unmoved_by_autocast])
def test_precision(promise, dtype):
    promise(bound(self_mfd_loss, *BATCHES["even"]), random(12, 4), random(1), dtype)


def test_large_common_offset_costs_no_precision():
    loss = bound(self_mfd_loss, *BATCHES["even"])
    assert_computes_in_full_precision(loss, 3000 + random(12, 64), random(1), torch.float32)


@pytest.mark.parametrize(
    ("shape", "rows", "bandwidth", "message"),
    [
        ((4,), 4, 1.0, r"`student` to be \[N, ...\], but got \(4,\)"),
        ((4, 3), 3, 1.0, r"have shape \(4,\), but got \(3,\) and \(3,\)"),
        ((4, 3), 4, 0.0, "`bandwidth` to be positive, but got 0.0"),
    ],
)
def test_bad_arguments_are_named(shape, rows, bandwidth, message):
    index = torch.zeros(rows, dtype=torch.int64)
    with pytest.raises(ValueError, match=message):
        bound(self_mfd_loss, index, index, 1, 1, bandwidth=bandwidth)(random(*shape), None)


def test_term_passes_its_bandwidth_on():
    labels, groups, *sizes = BATCHES["even"]
    student = random(12, 3)
    term = SelfMFD(bandwidth=0.3).build(term_context(*sizes))
    view = step_view(
        {"feature": student}, {}, torch.tensor(labels), torch.tensor(groups), num_classes=sizes[0], num_groups=sizes[1]
    )
    assert torch.equal(term(view), bound(self_mfd_loss, *BATCHES["even"], bandwidth=0.3)(student, None))


@pytest.mark.parametrize("bandwidth", [0.0, -1.0, math.nan])
def test_bad_setting_fails_where_it_is_written(bandwidth):
    with pytest.raises(MethodError, match=f"mfd-self.bandwidth to be from .* but got {bandwidth:g}"):
        SelfMFD(bandwidth=bandwidth)
