from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from fairdistill.metrics import group_counts

Rows = list[tuple[int, int, int]]


@st.composite
def tables(draw: st.DrawFn) -> tuple[int, int, Rows]:
    """Number of classes, number of groups, and rows (true, predicted, group), some of unknown group."""
    classes, groups = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    label = st.integers(0, classes - 1)
    return classes, groups, draw(st.lists(st.tuples(label, label, st.integers(-1, groups - 1)), max_size=60))


def counted(classes: int, groups: int, rows: Rows) -> np.ndarray:
    columns = [[row[k] for row in rows] for k in range(3)]
    return group_counts(*columns, num_classes=classes, num_groups=groups)


@settings(deadline=None, derandomize=True)
@given(tables())
def test_counts_equal_a_loop_over_the_rows(table: tuple[int, int, Rows]) -> None:
    classes, groups, rows = table
    expected = [[[0] * classes for _ in range(classes)] for _ in range(groups)]
    for true, pred, group in rows:
        if group != -1:
            expected[group][true][pred] += 1
    counts = counted(*table)
    assert counts.dtype == np.int64
    assert counts.tolist() == expected


@settings(deadline=None, derandomize=True)
@given(tables(), st.lists(st.integers(0, 60), max_size=3))
def test_counts_of_batches_add_up(table: tuple[int, int, Rows], cuts: list[int]) -> None:
    classes, groups, rows = table
    edges = [0, *sorted(cuts), 60]
    parts = [rows[low:high] for low, high in pairwise(edges)]
    merged = sum(counted(classes, groups, part) for part in parts)
    assert (merged == counted(*table)).all()


@pytest.mark.parametrize(("classes", "groups"), [(2, 2), (3, 4), (10, 2)])
def test_each_group_has_sklearns_confusion_matrix(classes: int, groups: int) -> None:
    draw = np.random.default_rng(classes)
    true, pred = draw.integers(0, classes, (2, 500))
    group = draw.integers(-1, groups, 500)
    counts = group_counts(true, pred, group, num_classes=classes, num_groups=groups)
    for g in range(groups):
        rows = group == g
        assert (counts[g] == confusion_matrix(true[rows], pred[rows], labels=range(classes))).all()


def test_a_table_worked_by_hand() -> None:
    counts = group_counts([0, 0, 1, 1, 1, 0], [0, 1, 1, 0, 1, 1], [0, 0, 1, 1, 1, -1], num_classes=2, num_groups=3)
    assert counts.tolist() == [[[1, 1], [0, 0]], [[0, 0], [1, 2]], [[0, 0], [0, 0]]]


NUMPY_TYPES = (np.int8, np.uint8, np.int16, np.int32, np.int64, np.uint64)
TORCH_TYPES = (torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)
FORMS: dict[str, Callable[[list[int]], Any]] = {
    "list": list,
    "tuple": tuple,
    "strided": lambda values: np.repeat(values, 2)[::2],
    **{f"numpy {dtype.__name__}": lambda values, dtype=dtype: np.array(values, dtype) for dtype in NUMPY_TYPES},
    **{str(dtype): lambda values, dtype=dtype: torch.tensor(values, dtype=dtype) for dtype in TORCH_TYPES},
}


@pytest.mark.parametrize("form", FORMS)
def test_any_kind_of_integers_is_counted(form: str) -> None:
    columns = ([0, 1, 2, 2], [0, 2, 2, 1], [0, 1, 0, 1])
    counts = group_counts(*map(FORMS[form], columns), num_classes=3, num_groups=2)
    assert counts.tolist() == [[[1, 0, 0], [0, 0, 0], [0, 0, 1]], [[0, 0, 0], [0, 0, 1], [0, 1, 0]]]


def test_many_classes_of_small_integers_do_not_overflow() -> None:
    last = np.array([99], dtype=np.int8)
    counts = group_counts(last, last, np.array([1], dtype=np.int8), num_classes=100, num_groups=2)
    assert counts[1, 99, 99] == counts.sum() == 1


@pytest.mark.parametrize("empty", [[], np.array([]), torch.tensor([])], ids=["list", "numpy", "torch"])
def test_no_rows_give_zeros(empty: Any) -> None:
    counts = group_counts(empty, empty, empty, num_classes=3, num_groups=2)
    assert counts.shape == (2, 3, 3)
    assert counts.dtype == np.int64
    assert not counts.any()


GOOD = {"y_true": [0, 1, 1], "y_pred": [0, 1, 0], "groups": [0, 1, -1]}


@pytest.mark.parametrize(
    ("name", "row", "value", "low", "high"),
    [("y_true", 2, 2, 0, 1), ("y_true", 0, -1, 0, 1), ("y_pred", 1, 7, 0, 1), ("y_pred", 2, -1, 0, 1),
     ("groups", 1, 3, -1, 2), ("groups", 0, -2, -1, 2)],
)  # fmt: skip
@pytest.mark.parametrize("form", [list, np.array, torch.tensor])
def test_a_value_out_of_range_is_named_with_its_row(
    form: Callable[[list[int]], Any], name: str, row: int, value: int, low: int, high: int
) -> None:
    columns = {key: list(values) for key, values in GOOD.items()}
    columns[name][row] = value
    with pytest.raises(
        ValueError, match=rf"Expected argument `{name}` to lie in \[{low}, {high}\], but row {row} is {value}"
    ):
        group_counts(**{key: form(values) for key, values in columns.items()}, num_classes=2, num_groups=3)


WRONG: dict[str, Any] = {
    "floats": [0.0, 1.0, 1.0],
    "a column": [[0], [1], [1]],
    "words": ["0", "1", "1"],
    "scores": np.zeros((3, 2)),
    "one number": np.array(1),
    "none": [None, 0, 1],
    "float tensor": torch.zeros(3),
    "bfloat16 tensor": torch.zeros(3, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("name", GOOD)
def test_what_is_no_vector_of_integers_is_named(name: str, kind: str) -> None:
    with pytest.raises(ValueError, match=f"Expected argument `{name}` to be a vector of integers, but got "):
        group_counts(**{**GOOD, name: WRONG[kind]}, num_classes=2, num_groups=2)


def test_false_is_0_and_true_is_1() -> None:
    groups = np.array([False, True, True])
    counts = group_counts([0, 1, 1], [False, True, False], groups, num_classes=2, num_groups=2)
    assert counts.tolist() == [[[1, 0], [0, 0]], [[0, 0], [1, 1]]]


@pytest.mark.parametrize("name", GOOD)
def test_lengths_that_differ_are_named(name: str) -> None:
    lengths = ", ".join(str(2 if key == name else 3) for key in GOOD)
    first, last = lengths.rsplit(", ", 1)
    with pytest.raises(ValueError, match=f"same length, but got {first} and {last}"):
        group_counts(**{**GOOD, name: [0, 1]}, num_classes=2, num_groups=2)


def test_metrics_need_no_torch() -> None:
    code = (
        "import sys; from fairdistill.metrics import deo_m, group_counts;"
        "print(deo_m(group_counts([0, 0], [0, 0], [0, 1], num_classes=1, num_groups=2)), 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["0.0", "False"]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"num_classes": 2.0, "num_groups": 2}, "`num_classes` to be a whole number of at least 1, but got 2.0"),
        ({"num_classes": 0, "num_groups": 2}, "`num_classes` to be a whole number of at least 1, but got 0"),
        ({"num_classes": 2, "num_groups": -1}, "`num_groups` to be a whole number of at least 0, but got -1"),
    ],
)
def test_numbers_of_classes_and_groups_that_are_none_are_named(sizes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        group_counts([0, 1], [0, 1], [0, 1], **sizes)
