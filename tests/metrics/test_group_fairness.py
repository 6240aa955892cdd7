from __future__ import annotations

import math
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from fairdistill.metrics import GroupFairness, accuracy, deo_a, deo_by_class, deo_m, group_counts

DRAW = np.random.default_rng(0)
TARGET, PREDS, GROUPS = DRAW.integers(0, 3, 60), DRAW.integers(0, 3, 60), DRAW.integers(-1, 2, 60)


def seen(*parts: slice) -> GroupFairness:
    metric = GroupFairness(num_classes=3, num_groups=2)
    for part in parts:
        metric.update(PREDS[part], TARGET[part], GROUPS[part])
    return metric


def test_hand_worked():
    # Class 0: group 0 has 1 of 2 right, group 1 has 2 of 2; class 1: 1 of 1 and 0 of 1. DEO 0.5 and 1.
    metric = GroupFairness(num_classes=2, num_groups=2)
    metric.update(preds=[0, 1, 0, 0, 1, 0], target=[0, 0, 0, 0, 1, 1], groups=[0, 0, 1, 1, 0, 1])
    values = metric.compute()
    assert (values.accuracy, values.deo_a, values.deo_m) == (4 / 6, 0.75, 1.0)
    assert values.balanced_accuracy == pytest.approx((1 / 2 + 1 + 1 + 0) / 4)
    assert values.class_balanced_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert values.deo_by_class.tolist() == [0.5, 1.0]
    assert values.group_accuracy.tolist() == pytest.approx([2 / 3, 2 / 3])
    assert values.cell_accuracy.tolist() == [[0.5, 1.0], [1.0, 0.0]]
    assert values.empty_cells == []


def test_its_values_are_those_of_the_functions_on_the_counts():
    counts = group_counts(TARGET, PREDS, GROUPS, num_classes=3, num_groups=2)
    metric = seen(slice(None))
    values = metric.compute()
    assert (metric.counts == counts).all()
    assert (values.accuracy, values.deo_a, values.deo_m) == (accuracy(counts), deo_a(counts), deo_m(counts))
    assert values.deo_by_class.tolist() == deo_by_class(counts).tolist()


def test_batches_and_merged_processes_are_the_whole():
    whole = seen(slice(None))
    assert (seen(slice(0, 7), slice(7, 7), slice(7, 60)).counts == whole.counts).all()
    one, other = seen(slice(0, 20)), seen(slice(20, 60))
    other_before = other.counts.copy()
    one.merge(pickle.loads(pickle.dumps(other)))
    assert (one.counts == whole.counts).all()
    assert (other.counts == other_before).all()


def test_reset_forgets_and_values_computed_before_stay():
    metric = seen(slice(None))
    before = metric.compute()
    metric.reset()
    assert metric.counts.sum() == 0
    assert math.isnan(metric.compute().accuracy)
    metric.update(PREDS, TARGET, GROUPS)
    assert metric.compute().deo_by_class.tolist() == before.deo_by_class.tolist()


def test_what_is_undefined_is_nan_and_its_reason_is_named():
    metric = GroupFairness(num_classes=2, num_groups=2)
    metric.update([0, 1], [0, 1], [0, 1])
    values = metric.compute()
    assert values.accuracy == 1.0
    assert math.isnan(values.deo_a)
    assert math.isnan(values.deo_m)
    assert values.empty_cells == [(0, 1), (1, 0)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_scores_count_as_the_class_with_the_largest(dtype):
    scores = torch.eye(3, dtype=dtype)[torch.from_numpy(PREDS)].requires_grad_()
    metric = GroupFairness(num_classes=3, num_groups=2)
    metric.update(scores, torch.from_numpy(TARGET), torch.from_numpy(GROUPS))
    assert (metric.counts == seen(slice(None)).counts).all()
    metric.reset()
    metric.update(scores.detach().float().numpy(), TARGET.tolist(), GROUPS.tolist())
    assert (metric.counts == seen(slice(None)).counts).all()


@pytest.mark.parametrize(
    ("preds", "target", "groups", "message"),
    [
        ([0, 3], [0, 1], [0, 0], r"`preds` to lie in \[0, 2\], but row 1 is 3"),
        ([0], [0, 1], [0, 0], "`target` and `groups` to have the same length, but got 1, 2 and 2"),
        (np.zeros((2, 4)), [0, 1], [0, 0], r"classes \[N\] or scores \[N, 3\], but got shape \(2, 4\)"),
        (np.array([[0, 0, 1], [0, np.nan, 0]]), [0, 1], [0, 0], "row 1 has a NaN"),
        ([0.5, 1.0], [0, 1], [0, 0], "vector of integers, but got float64"),
    ],
)
def test_bad_batches_are_named_and_leave_the_counts_alone(preds, target, groups, message):
    metric = seen(slice(None))
    with pytest.raises(ValueError, match=message):
        metric.update(preds, target, groups)
    assert (metric.counts == seen(slice(None)).counts).all()


def test_metrics_of_other_sizes_are_not_merged():
    with pytest.raises(ValueError, match=r"GroupFairness\(num_classes=3, num_groups=2\), but got .*num_groups=4"):
        seen().merge(GroupFairness(num_classes=3, num_groups=4))
    with pytest.raises(ValueError, match="`num_groups` to be a whole number of at least 1, but got 0"):
        GroupFairness(num_classes=3, num_groups=0)


def test_it_needs_no_torch():
    program = (
        "import sys; from fairdistill.metrics import GroupFairness\n"
        "metric = GroupFairness(num_classes=2, num_groups=1); metric.update([0, 1], [0, 1], [0, 0])\n"
        "assert metric.compute().accuracy == 1; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
