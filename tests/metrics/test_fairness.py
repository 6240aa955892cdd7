from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from fairdistill.metrics import accuracy, cell_accuracy, deo_a, deo_by_class, deo_m, empty_cells, group_counts
from fairdistill.metrics.fairness import balanced_accuracy, class_balanced_accuracy, group_accuracy
from fairdistill.metrics.parity import demographic_parity_difference, equalised_odds_difference, impact_ratio

NAN = math.nan

counts_tables = st.tuples(st.integers(1, 4), st.integers(1, 5)).flatmap(
    lambda shape: hnp.arrays(
        np.int64, (shape[0], shape[1], shape[1]), elements=st.one_of(st.just(0), st.integers(0, 9))
    )
)

# name: (counts, accuracy, cell accuracy, DEO by class, DEO_A, DEO_M, empty cells)
BY_HAND = {
    "two groups, two classes": (
        [[[3, 1], [0, 4]], [[4, 0], [2, 2]]],
        13 / 16, [[0.75, 1.0], [1.0, 0.5]], [0.25, 0.5], 0.375, 0.5, [],
    ),
    "three groups: the largest minus the smallest": (
        [[[1, 1], [0, 2]], [[2, 0], [1, 1]], [[3, 1], [0, 5]]],
        14 / 17, [[0.5, 1.0], [1.0, 0.5], [0.75, 1.0]], [0.5, 0.5], 0.5, 0.5, [],
    ),
    "three classes": (
        [[[8, 1, 1], [0, 10, 0], [5, 5, 0]], [[8, 0, 2], [1, 9, 0], [0, 0, 10]]],
        45 / 60, [[0.8, 1.0, 0.0], [0.8, 0.9, 1.0]], [0.0, 0.1, 1.0], 1.1 / 3, 1.0, [],
    ),
    "chance: equal for all": ([[[1, 1], [1, 1]], [[2, 2], [2, 2]]], 0.5, [[0.5, 0.5]] * 2, [0.0, 0.0], 0.0, 0.0, []),
    "one group": ([[[3, 1], [0, 4]]], 7 / 8, [[0.75, 1.0]], [0.0, 0.0], 0.0, 0.0, []),
    "an empty cell": (
        [[[3, 1], [0, 4]], [[4, 0], [0, 0]]],
        11 / 12, [[0.75, 1.0], [1.0, NAN]], [0.25, NAN], NAN, NAN, [(1, 1)],
    ),
    "an empty class": (
        [[[0, 0], [1, 1]], [[0, 0], [2, 0]]], 0.25, [[NAN, 0.5], [NAN, 0.0]], [NAN, 0.5], NAN, NAN, [(0, 0), (1, 0)],
    ),
    "an empty group": (
        [[[0, 0], [0, 0]], [[1, 1], [0, 1]]],
        2 / 3, [[NAN, NAN], [0.5, 1.0]], [NAN, NAN], NAN, NAN, [(0, 0), (0, 1)],
    ),
    "no rows": ([[[0]], [[0]]], NAN, [[NAN], [NAN]], [NAN], NAN, NAN, [(0, 0), (1, 0)]),
}  # fmt: skip


@pytest.mark.parametrize("case", BY_HAND)
def test_values_worked_by_hand(case: str) -> None:
    table, of_all, of_cells, by_class, mean, largest, empty = BY_HAND[case]
    counts = np.array(table)
    close = {"rtol": 0, "atol": 1e-12, "equal_nan": True}
    np.testing.assert_allclose(accuracy(counts), of_all, **close)
    np.testing.assert_allclose(cell_accuracy(counts), of_cells, **close)
    np.testing.assert_allclose(deo_by_class(counts), by_class, **close)
    np.testing.assert_allclose(deo_a(counts), mean, **close)
    np.testing.assert_allclose(deo_m(counts), largest, **close)
    assert empty_cells(counts) == empty


@settings(deadline=None, derandomize=True)
@given(counts_tables)
def test_values_equal_loops_over_classes_and_groups(counts: np.ndarray) -> None:
    groups, classes, _ = counts.shape
    table = counts.tolist()
    by_class, correct, total, empty = [], 0, 0, []
    for c in range(classes):
        rates = []
        for g in range(groups):
            n = sum(table[g][c])
            correct, total = correct + table[g][c][c], total + n
            rates.append(table[g][c][c] / n if n else NAN)
            if not n:
                empty.append((g, c))
        undefined = any(math.isnan(rate) for rate in rates)
        by_class.append(NAN if undefined else max(rates) - min(rates))
    mean = NAN if empty else sum(by_class) / classes
    np.testing.assert_allclose(accuracy(counts), correct / total if total else NAN, atol=1e-12)
    np.testing.assert_allclose(deo_by_class(counts), by_class, atol=1e-12)
    np.testing.assert_allclose(deo_a(counts), mean, atol=1e-12)
    np.testing.assert_allclose(deo_m(counts), NAN if empty else max(by_class), atol=1e-12)
    assert empty_cells(counts) == sorted(empty)


@settings(deadline=None, derandomize=True)
@given(counts_tables, st.randoms(use_true_random=False))
def test_values_do_not_depend_on_the_order_of_groups(counts: np.ndarray, random: object) -> None:
    order = list(range(len(counts)))
    random.shuffle(order)  # type: ignore[attr-defined]
    np.testing.assert_array_equal(deo_by_class(counts[order]), deo_by_class(counts))
    np.testing.assert_array_equal(accuracy(counts[order]), accuracy(counts))


@pytest.mark.parametrize(("classes", "groups"), [(2, 2), (3, 4), (10, 2)])
def test_values_equal_those_of_sklearns_recall(classes: int, groups: int) -> None:
    draw = np.random.default_rng(groups)
    true = draw.integers(0, classes, 600)
    pred = np.where(draw.random(600) < 0.6, true, draw.integers(0, classes, 600))
    group = draw.integers(0, groups, 600)
    counts = group_counts(true, pred, group, num_classes=classes, num_groups=groups)
    recall = np.array(
        [recall_score(true[group == g], pred[group == g], labels=range(classes), average=None) for g in range(groups)]
    )
    np.testing.assert_allclose(cell_accuracy(counts), recall, atol=1e-12)
    np.testing.assert_allclose(deo_by_class(counts), np.ptp(recall, axis=0), atol=1e-12)
    assert deo_a(counts) == pytest.approx(np.ptp(recall, axis=0).mean())
    assert deo_m(counts) == pytest.approx(np.ptp(recall, axis=0).max())
    assert accuracy(counts) == pytest.approx(accuracy_score(true, pred))


def test_without_any_group_all_is_undefined_and_nothing_warns() -> None:
    counts = group_counts([0, 1], [0, 1], [-1, -1], num_classes=2, num_groups=0)
    parity = (demographic_parity_difference, equalised_odds_difference, impact_ratio)
    scalars = (accuracy, balanced_accuracy, class_balanced_accuracy, deo_a, deo_m, *parity)
    assert all(math.isnan(metric(counts)) for metric in scalars)
    assert np.isnan(deo_by_class(counts)).tolist() == [True, True]


def test_rows_of_unknown_group_change_nothing() -> None:
    known = group_counts([0, 1, 0, 1], [0, 1, 1, 1], [0, 0, 1, 1], num_classes=2, num_groups=2)
    more = group_counts([0, 1, 0, 1, 0, 1], [0, 1, 1, 1, 1, 0], [0, 0, 1, 1, -1, -1], num_classes=2, num_groups=2)
    assert accuracy(more) == accuracy(known) == 0.75
    assert deo_m(more) == deo_m(known) == 1.0


# name: (counts, class-balanced accuracy, group accuracy)
OF_CLASSES_AND_GROUPS = {
    "two groups, two classes": ([[[3, 1], [0, 4]], [[4, 0], [2, 2]]], (7 / 8 + 6 / 8) / 2, [7 / 8, 6 / 8]),
    "a rare class weighs as much": ([[[90, 0], [2, 0]], [[8, 0], [0, 2]]], 0.75, [90 / 92, 1.0]),
    "an empty cell": ([[[3, 1], [0, 4]], [[4, 0], [0, 0]]], (7 / 8 + 1) / 2, [7 / 8, 1.0]),
    "an empty class": ([[[0, 0], [1, 1]], [[0, 0], [2, 0]]], NAN, [0.5, 0.0]),
    "an empty group": ([[[0, 0], [0, 0]], [[1, 1], [0, 1]]], 0.75, [NAN, 2 / 3]),
    "no rows": ([[[0]], [[0]]], NAN, [NAN, NAN]),
}


@pytest.mark.parametrize("case", OF_CLASSES_AND_GROUPS)
def test_class_balanced_and_group_accuracy_worked_by_hand(case: str) -> None:
    table, balanced, of_groups = OF_CLASSES_AND_GROUPS[case]
    np.testing.assert_allclose(class_balanced_accuracy(np.array(table)), balanced, atol=1e-12)
    np.testing.assert_allclose(group_accuracy(np.array(table)), of_groups, atol=1e-12)


@pytest.mark.parametrize(("classes", "groups"), [(2, 2), (5, 3)])
def test_class_balanced_and_group_accuracy_are_sklearns(classes: int, groups: int) -> None:
    draw = np.random.default_rng(classes)
    true, pred = draw.integers(0, classes, (2, 400))
    group = draw.integers(0, groups, 400)
    counts = group_counts(true, pred, group, num_classes=classes, num_groups=groups)
    expected = [accuracy_score(true[group == g], pred[group == g]) for g in range(groups)]
    assert class_balanced_accuracy(counts) == pytest.approx(balanced_accuracy_score(true, pred))
    np.testing.assert_allclose(group_accuracy(counts), expected, atol=1e-12)
    parts = [
        group_counts(true[rows], pred[rows], group[rows], num_classes=classes, num_groups=groups)
        for rows in (slice(150), slice(150, None))
    ]
    assert class_balanced_accuracy(parts[0] + parts[1]) == class_balanced_accuracy(counts)
    np.testing.assert_array_equal(group_accuracy(parts[0] + parts[1]), group_accuracy(counts))


# name: (counts, balanced accuracy over the subgroups)
OF_SUBGROUPS = {
    "two groups, two classes": ([[[3, 1], [0, 4]], [[4, 0], [2, 2]]], (3 / 4 + 1 + 1 + 1 / 2) / 4),
    "a small subgroup weighs as much": ([[[90, 0], [2, 0]], [[8, 0], [0, 2]]], 0.75),
    "a single group": ([[[3, 1], [0, 2]]], 7 / 8),
    "an empty subgroup": ([[[3, 1], [0, 4]], [[4, 0], [0, 0]]], NAN),
    "no rows": ([[[0]], [[0]]], NAN),
}


@pytest.mark.parametrize("case", OF_SUBGROUPS)
def test_balanced_accuracy_worked_by_hand(case: str) -> None:
    table, expected = OF_SUBGROUPS[case]
    np.testing.assert_allclose(balanced_accuracy(np.array(table)), expected, atol=1e-12)


def test_balanced_accuracy_is_sklearns_with_the_subgroups_as_classes() -> None:
    draw = np.random.default_rng(1)
    true, pred, group = draw.integers(0, 3, 500), draw.integers(0, 3, 500), draw.integers(0, 2, 500)
    parts = [
        group_counts(true[rows], pred[rows], group[rows], num_classes=3, num_groups=2)
        for rows in (slice(200), slice(200, None))
    ]
    subgroup = true * 2 + group
    found = np.where(true == pred, subgroup, -1)
    expected = recall_score(subgroup, found, average=None, labels=range(6)).mean()
    assert balanced_accuracy(parts[0] + parts[1]) == pytest.approx(expected)


@pytest.mark.parametrize("metric", [accuracy, balanced_accuracy, class_balanced_accuracy, deo_a, deo_m])
def test_scalars_are_plain_floats(metric: object) -> None:
    assert type(metric(np.ones((2, 2, 2), dtype=np.int64))) is float  # type: ignore[operator]


def test_counts_are_left_as_they_are() -> None:
    counts = np.array([[[3, 1], [0, 0]], [[4, 0], [2, 2]]])
    before = counts.copy()
    for metric in (
        accuracy, balanced_accuracy, class_balanced_accuracy, group_accuracy, cell_accuracy, deo_by_class, deo_a, deo_m,
        empty_cells,
    ):  # fmt: skip
        metric(counts)
    assert (counts == before).all()


@pytest.mark.parametrize(
    "metric",
    [
        accuracy, balanced_accuracy, cell_accuracy, class_balanced_accuracy, deo_a, deo_by_class, deo_m, empty_cells,
        group_accuracy,
    ],
)  # fmt: skip
def test_counts_of_another_shape_are_named_and_lists_are_counts(metric: Callable[[Any], Any]) -> None:
    with pytest.raises(ValueError, match=r"`counts` to be \[G, C, C\] .*, but got shape \(2, 2\)"):
        metric(np.array([[3, 1], [0, 4]]))
    counts = np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])
    np.testing.assert_equal(metric(counts.tolist()), metric(counts))
