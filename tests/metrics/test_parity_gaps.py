from __future__ import annotations

from dataclasses import astuple
from typing import Any

import numpy as np
import pytest

from fairdistill.metrics import Drawing, Samples
from fairdistill.metrics.gap.grouped import GroupedRows
from fairdistill.metrics.parity import (
    demographic_parity_difference,
    equalised_odds_difference,
)
from fairdistill.metrics.parity_gaps import parity_gaps
from fairdistill.metrics.resampling import Gap
from tests.metrics.making import Columns, counted, predictions


def gaps(columns: Columns, classes: int, groups: int, sources: Any = None, **options: Any) -> tuple[Gap, Gap]:
    sources = np.arange(len(columns[0])) if sources is None else sources
    true, predicted, group = columns
    samples = Samples(labels=true, groups=group, sources=sources, num_classes=classes, num_groups=groups)
    return parity_gaps(predicted, samples, Drawing(**{"draws": 500, **options}))


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


def test_with_very_many_rates_no_array_of_groups_times_classes_squared_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    own = GroupedRows.counts.func

    def counts(rows: GroupedRows) -> np.ndarray:
        assert np.prod(rows.shape) <= 4000
        return own(rows)

    monkeypatch.setattr(GroupedRows, "counts", property(counts))
    parity, odds_gap = gaps(predictions(70, 3, 4000, seed=0), 70, 3, draws=200)
    assert 0 < parity.value < odds_gap.value
