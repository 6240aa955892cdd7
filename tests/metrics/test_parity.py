from __future__ import annotations

from dataclasses import astuple
from typing import Any

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairdistill.metrics import Drawing, Samples, group_counts
from fairdistill.metrics.gap.grouped import GroupedRows
from fairdistill.metrics.parity import (
    demographic_parity_difference,
    equalised_odds_difference,
    impact_ratio,
    odds,
    parity_gaps,
    selection_rates,
)
from fairdistill.metrics.resampling import Gap

Columns = tuple[np.ndarray, np.ndarray, np.ndarray]


def predictions(classes: int, groups: int, rows: int, *, seed: int) -> Columns:
    """True and predicted classes, and groups that differ in both."""
    draw = np.random.default_rng(seed)
    group = draw.integers(0, groups, rows)
    true = np.minimum(draw.integers(0, classes, rows) + (draw.random(rows) < group / (2 * groups)), classes - 1)
    wrong = draw.random(rows) < 0.2 + 0.3 * group / groups
    return true, np.where(wrong, draw.integers(0, classes, rows), true), group


def counted(columns: Columns, classes: int, groups: int) -> np.ndarray:
    true, predicted, group = columns
    return group_counts(true, predicted, group, num_classes=classes, num_groups=groups)


def gaps(columns: Columns, classes: int, groups: int, sources: Any = None, **options: Any) -> tuple[Gap, Gap]:
    sources = np.arange(len(columns[0])) if sources is None else sources
    true, predicted, group = columns
    samples = Samples(labels=true, groups=group, sources=sources, num_classes=classes, num_groups=groups)
    return parity_gaps(predicted, samples, Drawing(**{"draws": 500, **options}))


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
            np.testing.assert_allclose(odds(counts)[g, c], rate(g, c, lambda true, c=c: true == c))
            np.testing.assert_allclose(odds(counts)[g, 3 + c], rate(g, c, lambda true, c=c: true != c))


def test_rates_worked_by_hand() -> None:
    counts = np.array([[[3, 1, 0], [0, 4, 0], [1, 1, 2]], [[2, 0, 0], [1, 0, 1], [0, 0, 4]]])
    np.testing.assert_allclose(selection_rates(counts), [[4 / 12, 6 / 12, 2 / 12], [3 / 8, 0, 5 / 8]])
    np.testing.assert_allclose(odds(counts), [[3 / 4, 1, 2 / 4, 1 / 8, 2 / 8, 0], [1, 0, 1, 1 / 6, 0, 1 / 4]])
    assert demographic_parity_difference(counts) == pytest.approx(0.5)
    assert equalised_odds_difference(counts) == 1


def test_an_empty_group_is_undefined_and_an_empty_cell_is_in_the_odds_alone() -> None:
    empty_group = np.array([[[3, 1], [0, 4]], [[0, 0], [0, 0]]])
    assert np.isnan(demographic_parity_difference(empty_group))
    assert np.isnan(equalised_odds_difference(empty_group))
    empty_cell = np.array([[[3, 1], [0, 4]], [[4, 0], [0, 0]]])
    assert demographic_parity_difference(empty_cell) == 5 / 8
    assert np.isnan(equalised_odds_difference(empty_cell))


@pytest.mark.parametrize(("classes", "groups"), [(2, 2), (3, 3), (20, 2)])
def test_the_gaps_with_intervals_have_the_values_of_the_pure_functions(classes: int, groups: int) -> None:
    columns = predictions(classes, groups, 2000, seed=classes)
    counts = counted(columns, classes, groups)
    for gap, pure in zip(
        gaps(columns, classes, groups), (demographic_parity_difference, equalised_odds_difference), strict=True
    ):
        assert gap.value == pytest.approx(pure(counts))
        assert 0 <= gap.low <= gap.high <= 1
        assert gap.low <= gap.value
        assert 0 < gap.floor_low <= gap.floor <= gap.floor_high < gap.value + gap.high


def test_a_gap_far_above_chance_is_covered_by_its_interval() -> None:
    # Group 0 is told class 1 in 60% of 1000 rows, group 1 in 20%, whatever the true class.
    group = np.repeat([0, 1], 1000)
    true = np.tile([0, 1], 1000)
    chosen = np.tile(np.arange(1000) // 2 % 10, 2) < np.where(group == 0, 6, 2)
    parity, of_odds = gaps((true, chosen.astype(np.int64), group), 2, 2, draws=4000)
    half = 1.96 * np.sqrt((0.6 * 0.4 + 0.2 * 0.8) / 1000)
    assert parity.value == pytest.approx(0.4)
    assert (parity.low, parity.high) == (pytest.approx(0.4 - half, abs=0.01), pytest.approx(0.4 + half, abs=0.01))
    assert of_odds.low < 0.4 < of_odds.high
    assert parity.floor_high < parity.low


def test_pictures_that_are_in_both_groups_alike_have_no_gap_and_no_floor() -> None:
    true, predicted, _ = predictions(3, 1, 100, seed=0)
    both = (np.tile(true, 2), np.tile(predicted, 2), np.repeat([0, 1], 100))
    for gap in gaps(both, 3, 2, np.tile(np.arange(100), 2)):
        assert (gap.value, gap.low) == (0, 0)
        assert gap.floor_high == pytest.approx(0, abs=1e-12)
        assert gap.high <= 0.5 / 30  # half a row of the smallest cell
    for gap in gaps(both, 3, 2):
        assert gap.floor > 0.02


def test_rows_of_unknown_group_change_nothing() -> None:
    true, predicted, group = predictions(3, 2, 300, seed=5)
    more = (np.append(true, [0, 1]), np.append(predicted, [2, 2]), np.append(group, [-1, -1]))
    assert gaps(more, 3, 2) == gaps((true, predicted, group), 3, 2)


def test_what_is_undefined_is_so_with_its_interval_and_without_a_warning() -> None:
    group = np.array([0, 0, 0, 1, 1])
    parity, of_odds = gaps((np.array([0, 1, 1, 0, 0]), np.array([0, 1, 0, 0, 1]), group), 2, 2)
    assert np.isfinite(astuple(parity)).all()
    assert np.isnan(astuple(of_odds)).all()
    for gap in gaps((np.array([0, 1]), np.array([0, 1]), np.array([0, 0])), 2, 2):
        assert np.isnan(astuple(gap)).all()


def test_no_row_of_known_group_is_undefined() -> None:
    for gap in gaps((np.array([0, 1]), np.array([0, 1]), np.array([-1, -1])), 2, 2):
        assert np.isnan(astuple(gap)).all()


def test_the_same_seed_gives_the_same_and_rows_may_come_in_any_order() -> None:
    columns = predictions(3, 2, 300, seed=6)
    order = np.random.default_rng(0).permutation(300)
    found = gaps(columns, 3, 2)
    assert gaps(columns, 3, 2) == found
    turned = gaps(tuple(part[order] for part in columns), 3, 2, order)  # type: ignore[arg-type]
    np.testing.assert_allclose([astuple(gap) for gap in turned], [astuple(gap) for gap in found], atol=1e-12)
    assert gaps(columns, 3, 2, seed=1) != found


def test_few_draws_are_enough_for_few_classes() -> None:
    for gap in gaps(predictions(2, 2, 300, seed=7), 2, 2, draws=100):
        assert np.isfinite(astuple(gap)).all()


@pytest.mark.parametrize("design", ["random", "balanced"])
@pytest.mark.parametrize(("few_sums", "a_source"), [(1000, 1), (0, 1), (1000, 3), (0, 3)])
def test_sums_of_many_sources_vary_as_the_sources_by_type(
    few_sums: int, a_source: int, design: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = predictions(6, 2, 9000, seed=8)
    sources = np.arange(9000) // a_source
    columns = (*columns[:2], columns[2][sources * a_source])
    by_type = gaps(columns, 6, 2, sources, draws=2000, design=design)
    monkeypatch.setattr("fairdistill.metrics.bootstrap.rates.FEW_TYPES", 10)
    monkeypatch.setattr("fairdistill.metrics.bootstrap.normal._FEW_SUMS", few_sums)
    for one, other in zip(by_type, gaps(columns, 6, 2, sources, draws=2000, design=design), strict=True):
        assert other.value == one.value
        np.testing.assert_allclose(astuple(other), astuple(one), atol=0.008)


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


def test_with_very_many_rates_no_array_of_groups_times_classes_squared_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    own = GroupedRows.counts.func

    def counts(rows: GroupedRows) -> np.ndarray:
        assert np.prod(rows.shape) <= 4000
        return own(rows)

    monkeypatch.setattr(GroupedRows, "counts", property(counts))
    parity, odds_gap = gaps(predictions(70, 3, 4000, seed=0), 70, 3, draws=200)
    assert 0 < parity.value < odds_gap.value
