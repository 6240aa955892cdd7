from __future__ import annotations

from typing import Any

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics import (
    demographic_parity_difference,
    equalised_odds_difference,
    group_counts,
    impact_ratio,
    selection_rates,
    tpr_fpr,
)
from tests.metrics.making import counted, predictions


@pytest.mark.parametrize("groups", [2, 3, 5])
@pytest.mark.parametrize("classes", [2, 3, 6])
def test_differences_are_fairlearns_for_one_class_against_the_rest(classes: int, groups: int) -> None:
    true, predicted, group = predictions(classes, groups, 900, seed=classes + groups)
    counts = counted((true, predicted, group), classes, groups)
    parity, of_odds = (
        max(
            difference(true == c, predicted == c, sensitive_features=group)
            for c in (range(classes) if classes > 2 else [1])
        )
        for difference in (fairlearn.demographic_parity_difference, fairlearn.equalized_odds_difference)
    )
    assert demographic_parity_difference(counts) == pytest.approx(parity)
    assert equalised_odds_difference(counts) == pytest.approx(of_odds)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 1)), max_size=40))
def test_rates_equal_loops_over_the_rows(rows: list[tuple[int, int, int]]) -> None:
    counts = counted(tuple(np.array(rows, np.int64).reshape(-1, 3).T), 3, 2)  # type: ignore[arg-type]

    def rate(group: int, c: int, kept: Any) -> float:
        own = [predicted == c for true, predicted, at in rows if at == group and kept(true)]
        return sum(own) / len(own) if own else np.nan

    for g in range(2):
        for c in range(3):
            np.testing.assert_allclose(selection_rates(counts)[g, c], rate(g, c, lambda true: True))
            np.testing.assert_allclose(tpr_fpr(counts)[g, c], rate(g, c, lambda true, c=c: true == c))
            np.testing.assert_allclose(tpr_fpr(counts)[g, 3 + c], rate(g, c, lambda true, c=c: true != c))


def test_rates_worked_by_hand() -> None:
    counts = np.array([[[3, 1, 0], [0, 4, 0], [1, 1, 2]], [[2, 0, 0], [1, 0, 1], [0, 0, 4]]])
    np.testing.assert_allclose(selection_rates(counts), [[4 / 12, 6 / 12, 2 / 12], [3 / 8, 0, 5 / 8]])
    np.testing.assert_allclose(tpr_fpr(counts), [[3 / 4, 1, 2 / 4, 1 / 8, 2 / 8, 0], [1, 0, 1, 1 / 6, 0, 1 / 4]])
    assert demographic_parity_difference(counts) == pytest.approx(0.5)
    assert equalised_odds_difference(counts) == 1


def test_an_empty_group_is_undefined_and_an_empty_cell_is_in_the_odds_alone() -> None:
    empty_group = np.array([[[3, 1], [0, 4]], [[0, 0], [0, 0]]])
    assert np.isnan(demographic_parity_difference(empty_group))
    assert np.isnan(equalised_odds_difference(empty_group))
    empty_cell = np.array([[[3, 1], [0, 4]], [[4, 0], [0, 0]]])
    assert demographic_parity_difference(empty_cell) == 5 / 8
    assert np.isnan(equalised_odds_difference(empty_cell))


@pytest.mark.parametrize("seed", range(3))
def test_the_impact_ratio_is_fairlearns_for_one_class_against_the_rest(seed: int) -> None:
    draw = np.random.default_rng(seed)
    true, pred, group = draw.integers(0, 3, 300), draw.integers(0, 3, 300), draw.integers(0, 4, 300)
    ratios = [
        fairlearn.demographic_parity_ratio(true == label, pred == label, sensitive_features=group) for label in range(3)
    ]
    counts = group_counts(true, pred, group, num_classes=3, num_groups=4)
    assert impact_ratio(counts) == pytest.approx(min(ratios))


def test_the_impact_ratio_leaves_out_a_class_that_is_never_predicted_and_needs_every_group() -> None:
    never_third = np.array([[[3, 1, 0], [0, 4, 0], [0, 0, 0]], [[1, 3, 0], [0, 4, 0], [0, 0, 0]]])
    assert impact_ratio(never_third) == pytest.approx(1 / 3)
    assert np.isnan(impact_ratio(np.array([[[3, 1], [0, 4]], [[0, 0], [0, 0]]])))


@pytest.mark.parametrize(
    "metric", [demographic_parity_difference, equalised_odds_difference, impact_ratio, selection_rates, tpr_fpr]
)
def test_counts_of_another_shape_are_named_and_lists_are_counts(metric: Any) -> None:
    with pytest.raises(ValueError, match=r"`counts` to be \[G, C, C\] .*, but got shape \(2, 2\)"):
        metric(np.array([[3, 1], [0, 4]]))
    counts = np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])
    np.testing.assert_equal(metric(counts.tolist()), metric(counts))
