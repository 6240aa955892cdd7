from __future__ import annotations

import functools
import math
import operator
import subprocess
import sys
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics.calibration import (
    Bins,
    calibration_bins,
    expected_calibration_error,
    overall_calibration_error,
)

NAN = math.nan


def drawn(rows: int, classes: int, groups: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    probabilities = draw.dirichlet(np.full(classes, 0.5), rows)
    return draw.integers(0, classes, rows), probabilities, draw.integers(-1, groups, rows)


def restated(true: Any, probabilities: Any, groups: Any, *, of: set[int], bins: int) -> float:
    """ECE of the rows whose group is in a set, one row and one bin at a time."""
    rows = []
    for label, row, group in zip(true, probabilities, groups, strict=True):
        if group in of:
            row = [float(p) for p in row]
            rows.append((max(row), row.index(max(row)) == label))
    if not rows:
        return NAN
    error = 0.0
    for m in range(bins):
        inside = [(p, right) for p, right in rows if m / bins < p <= (m + 1) / bins]
        if inside:
            accuracy = sum(right for _, right in inside) / len(inside)
            confidence = sum(p for p, _ in inside) / len(inside)
            error += len(inside) / len(rows) * abs(accuracy - confidence)
    return error


def test_bins_and_error_worked_by_hand() -> None:
    # group 0: bin (0.5, 0.75] holds 0.6 right and 0.7 wrong; bin (0.75, 1] holds 0.9 right. Group 1: 0.5 right.
    probabilities = [[0.6, 0.4], [0.7, 0.3], [0.1, 0.9], [0.5, 0.5], [0.2, 0.8]]
    bins = calibration_bins([0, 1, 1, 0, 1], probabilities, [0, 0, 0, 1, -1], num_groups=3, bins=4)
    assert bins.rows.tolist() == [[0, 0, 2, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert bins.correct.tolist() == [[0, 0, 1, 1], [0, 1, 0, 0], [0, 0, 0, 0]]
    np.testing.assert_allclose(bins.confidence, [[0, 0, 1.3, 0.9], [0, 0.5, 0, 0], [0, 0, 0, 0]], rtol=0, atol=1e-12)
    error = expected_calibration_error(bins)
    np.testing.assert_allclose(error, [(0.3 + 0.1) / 3, 0.5, NAN], rtol=0, atol=1e-12)
    assert overall_calibration_error(bins) == pytest.approx((0.3 + 0.1 + 0.5) / 4)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(0, 60), st.integers(1, 5), st.integers(1, 4), st.integers(1, 20), st.integers(0, 10**6))
def test_errors_equal_a_loop_over_rows_and_bins(rows: int, classes: int, groups: int, bins: int, seed: int) -> None:
    table = drawn(rows, classes, groups, seed)
    found = calibration_bins(*table, num_groups=groups, bins=bins)
    expected = [restated(*table, of={g}, bins=bins) for g in range(groups)]
    np.testing.assert_allclose(expected_calibration_error(found), expected, rtol=0, atol=1e-12)
    pooled = restated(*table, of=set(range(groups)), bins=bins)
    np.testing.assert_allclose(overall_calibration_error(found), pooled, rtol=0, atol=1e-12)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.integers(0, 10**6), st.lists(st.integers(0, 60), max_size=3))
def test_bins_of_batches_add_up(seed: int, cuts: list[int]) -> None:
    table = drawn(60, 3, 2, seed)
    whole = calibration_bins(*table, num_groups=2)
    parts = [
        calibration_bins(*(column[low:high] for column in table), num_groups=2)
        for low, high in pairwise([0, *sorted(cuts), 60])
    ]
    merged = functools.reduce(operator.add, parts)
    assert (merged.rows == whole.rows).all()
    assert (merged.correct == whole.correct).all()
    np.testing.assert_allclose(merged.confidence, whole.confidence, rtol=0, atol=1e-12)


def test_dtypes_and_shapes() -> None:
    bins = calibration_bins(*drawn(50, 3, 2, 0), num_groups=2, bins=7)
    assert [part.dtype for part in (bins.rows, bins.correct, bins.confidence)] == [np.int64, np.int64, np.float64]
    assert {part.shape for part in (bins.rows, bins.correct, bins.confidence)} == {(2, 7)}
    assert type(overall_calibration_error(bins)) is float


@pytest.mark.parametrize("bins", [5, 10, 15, 30])
def test_a_confidence_on_a_bound_is_in_the_bin_below_it_in_every_precision(bins: int) -> None:
    confidence = np.arange((bins + 1) // 2, bins + 1) / bins
    confidence = confidence[confidence > 0.5]
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    zeros = np.zeros(len(confidence), dtype=int)
    for dtype in (np.float32, np.float64):
        found = calibration_bins(zeros, probabilities.astype(dtype), zeros, num_groups=1, bins=bins)
        assert found.rows[0, -len(confidence) :].tolist() == [1] * len(confidence)


def test_float32_and_float64_fall_into_the_same_bins() -> None:
    true, probabilities, groups = drawn(2000, 4, 2, 1)
    single = probabilities.astype(np.float32)
    assert (
        calibration_bins(true, single, groups, num_groups=2).rows
        == calibration_bins(true, single.astype(np.float64), groups, num_groups=2).rows
    ).all()


def test_confidence_is_summed_in_double_precision() -> None:
    rows = 100_000
    probabilities = np.tile(np.array([0.9, 0.1], dtype=np.float32), (rows, 1))
    bins = calibration_bins(np.zeros(rows, int), probabilities, np.zeros(rows, int), num_groups=1)
    assert bins.confidence.sum() / rows == pytest.approx(float(np.float32(0.9)), abs=1e-12)


def test_a_calibrated_model_has_nearly_no_error() -> None:
    draw = np.random.default_rng(0)
    probabilities = draw.dirichlet(np.ones(3), 50_000)
    true = (draw.random((50_000, 1)) > probabilities.cumsum(axis=1)).sum(axis=1).clip(max=2)
    bins = calibration_bins(true, probabilities, np.zeros(50_000, int), num_groups=1)
    assert overall_calibration_error(bins) < 0.01


def test_the_largest_confidence_is_in_the_last_bin_though_rounding_passes_1() -> None:
    bins = calibration_bins([0], [[1.000001, 0.0]], [0], num_groups=1, bins=3)
    assert bins.rows.tolist() == [[0, 0, 1]]


def test_the_prediction_is_the_first_of_equal_probabilities() -> None:
    bins = calibration_bins([0, 1], [[0.5, 0.5]] * 2, [0, 0], num_groups=1, bins=1)
    assert bins.correct.tolist() == [[1]]


def test_no_rows_are_undefined() -> None:
    bins = calibration_bins([], np.zeros((0, 3)), [], num_groups=2)
    assert not bins.rows.any()
    assert np.isnan(expected_calibration_error(bins)).all()
    assert math.isnan(overall_calibration_error(bins))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_tensors_are_read(dtype: torch.dtype) -> None:
    true, groups = torch.tensor([0, 1]), torch.tensor([0, 1])
    probabilities = torch.tensor([[0.75, 0.25], [0.25, 0.75]], dtype=dtype, requires_grad=True)
    assert calibration_bins(true, probabilities, groups, num_groups=2, bins=2).confidence.tolist() == [
        [0, 0.75],
        [0, 0.75],
    ]


def test_half_precision_of_many_classes_is_accepted() -> None:
    probabilities = torch.softmax(torch.randn(20, 1000, generator=torch.Generator().manual_seed(0)), 1).bfloat16()
    bins = calibration_bins([0] * 20, probabilities, [0] * 20, num_groups=1)
    assert bins.rows.sum() == 20


GOOD: dict[str, Any] = {
    "y_true": [0, 1, 1],
    "probabilities": [[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]],
    "groups": [0, 1, -1],
}
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "class": ({"y_true": [0, 2, 1]}, r"`y_true` to lie in \[0, 1\], but row 1 is 2"),
    "group": ({"groups": [0, 1, 2]}, r"`groups` to lie in \[-1, 1\], but row 2 is 2"),
    "floating classes": ({"y_true": [0.0, 1.0, 1.0]}, "`y_true` to be a vector of integers"),
    "lengths": ({"groups": [0, 1]}, "same length, but got 3, 3 and 2"),
    "logits": ({"probabilities": [[0.9, 0.1], [3.0, -1.0], [0.5, 0.5]]}, "row 1 sums to 2 .* softmax of the logits"),
    "negative": ({"probabilities": [[0.9, 0.1], [0.3, 0.7], [1.5, -0.5]]}, "sums to 1 and its smallest value is -0.5"),
    "nan": ({"probabilities": [[0.9, 0.1], [NAN, 0.7], [0.5, 0.5]]}, "row 1 sums to nan"),
    "infinite": ({"probabilities": [[math.inf, -math.inf], [0.3, 0.7], [0.5, 0.5]]}, "row 0 sums to nan"),
    "one column": ({"probabilities": [0.9, 0.7, 0.5]}, r"`probabilities` to be \[N, C\], but got shape \(3,\)"),
    "no class": ({"probabilities": np.zeros((3, 0))}, r"to be \[N, C\], but got shape \(3, 0\)"),
    "words": ({"probabilities": [["a", "b"]] * 3}, "`probabilities` to be floating point, but got <U1"),
    "no bins": ({"bins": 0}, "`bins` to be a positive integer, but got 0"),
    "part of a bin": ({"bins": 1.5}, "`bins` to be a positive integer, but got 1.5"),
    "true": ({"bins": True}, "`bins` to be a positive integer, but got True"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_named(case: str) -> None:
    change, text = WRONG[case]
    with pytest.raises(ValueError, match=text):
        calibration_bins(**{**GOOD, **change}, num_groups=2)


def test_parts_of_different_shape_do_not_add() -> None:
    one, two = (calibration_bins([0], [[1.0]], [0], num_groups=1, bins=bins) for bins in (3, 4))
    with pytest.raises(ValueError, match=r"but got \(1, 3\) and \(1, 4\)"):
        one + two
    with pytest.raises(TypeError):
        one + 1


def test_bins_are_left_as_they_are() -> None:
    bins = calibration_bins(*drawn(30, 3, 2, 0), num_groups=2)
    before = Bins(bins.rows.copy(), bins.correct.copy(), bins.confidence.copy())
    bins + bins
    expected_calibration_error(bins)
    overall_calibration_error(bins)
    assert (bins.rows == before.rows).all()
    assert (bins.confidence == before.confidence).all()


def test_calibration_needs_no_torch() -> None:
    code = "import sys; import fairdistill.metrics.calibration; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]
