from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from fairdistill.metrics import Drawing, Paired, paired_test
from fairdistill.metrics.paired.judging import judged_cells, of_few_sources
from fairdistill.metrics.paired.signs import holm
from tests.metrics.making import Table, drawn, worked

DRAWS = 2000


def compared(first: Any, second: Any, table: Table, *, classes: int = 2, groups: int = 2, **options: Any) -> Paired:
    drawing = Drawing(**{"draws": DRAWS, **options})
    return paired_test(np.asarray(first), np.asarray(second), table.samples(classes, groups), drawing)


def changed(before: Any, after: Any, rows: Any = 100) -> Paired:
    """Two models that are right on so many rows of each cell ``[G, C]``."""
    first, second = worked(before, rows), worked(after, rows)
    groups, classes = np.shape(before)
    return compared(first.correct, second.correct, first, classes=classes, groups=groups)


@pytest.mark.parametrize(("gained", "lost"), [(0, 1), (5, 0), (8, 2), (12, 9), (30, 14), (7, 7)])
def test_the_p_value_of_the_accuracy_is_mcnemars_exact_one(gained: int, lost: int) -> None:
    table = worked([[50, 50], [50, 50]], 50)
    first, second = table.correct.copy(), table.correct.copy()
    order = np.random.default_rng(0).permutation(200)
    first[order[:gained]] = False
    second[order[gained : gained + lost]] = False
    found = compared(first, second, table, draws=200)
    assert found.accuracy.value == pytest.approx((gained - lost) / 200)
    assert found.accuracy.p_value == pytest.approx(binomtest(gained, gained + lost).pvalue)


def test_the_change_of_the_balanced_accuracy_counts_every_subgroup_equally() -> None:
    table = worked([[500, 30], [80, 200]], [[900, 60], [100, 400]])
    second = table.correct.copy()
    small = np.flatnonzero((table.groups == 0) & (table.labels == 1) & ~second)
    second[small[:24]] = True  # 40 points of the smallest subgroup
    found = compared(table.correct, second, table, draws=4000)
    error = np.sqrt(0.4 * 0.6 / 60) / 4
    assert found.balanced_accuracy.value == pytest.approx(0.1)
    assert found.accuracy.value == pytest.approx(24 / 1460)
    low, high = found.balanced_accuracy.low, found.balanced_accuracy.high
    assert (low, high) == (pytest.approx(0.1 - 1.96 * error, abs=5e-3), pytest.approx(0.1 + 1.96 * error, abs=5e-3))
    assert found.balanced_accuracy.p_value < 0.001
    backwards = compared(second, table.correct, table, draws=4000).balanced_accuracy
    assert backwards.value == pytest.approx(-0.1)


def test_equal_models_have_no_change_of_the_balanced_accuracy_and_an_empty_subgroup_none_that_is_defined() -> None:
    same = changed([[50, 40], [50, 60]], [[50, 40], [50, 60]]).balanced_accuracy
    assert (same.value, same.p_value) == (0, 1)
    assert same.low <= 0 <= same.high
    empty = compared(
        [True, False, True],
        [True, True, True],
        Table(np.ones(3, bool), np.array([0, 1, 0]), np.array([0, 0, 1]), np.arange(3)),
    ).balanced_accuracy
    assert np.isnan([empty.value, empty.low, empty.high, empty.p_value]).all()


def test_subgroups_of_pictures_in_two_groups_average_out_in_the_balanced_accuracy() -> None:
    table = worked([[40] * 10] * 2, 60)
    table = table._replace(sources=np.argsort(np.argsort(table.groups, kind="stable"), kind="stable") % 600)
    second = table.correct.copy()
    wrong = np.flatnonzero(~second)
    second[wrong[::4]] = True
    found = compared(table.correct, second, table, classes=10)
    of_all, of_each = found.accuracy, found.balanced_accuracy
    assert of_each.value == pytest.approx(of_all.value)
    assert of_each.high - of_each.low == pytest.approx(of_all.high - of_all.low, rel=0.15)


def test_rows_of_one_source_count_once() -> None:
    # five pictures, each in eight copies that the second model alone gets right: 5 of 5, not 40 of 40
    table = worked([[10, 10], [10, 10]], 10)._replace(sources=np.arange(40) // 8)
    found = compared(np.zeros(40, bool), np.ones(40, bool), table)
    assert found.accuracy.p_value == pytest.approx(2 / 2**5)


def test_from_a_single_person_a_group_nothing_follows() -> None:
    table = worked([[20, 20], [20, 20]], 40)
    table = table._replace(sources=table.groups)
    found = compared(table.correct, np.ones(160, bool), table)
    for change in (found.accuracy, found.balanced_accuracy, found.deo_a, found.deo_m, *found.cells):
        assert (change.low, change.high) == (-1, 1)
        assert change.p_value > 0.3


def test_a_few_people_are_uncertain_as_in_students_t() -> None:
    draws = of_few_sources(np.array([4, 10_000]), 20_000, 0) * np.random.default_rng(1).standard_normal((20_000, 1))
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    assert high == pytest.approx([3.18 * math.sqrt(4 / 3), 1.96], rel=0.06)  # t with 3 degrees of freedom
    assert low == pytest.approx(-high, rel=0.06)


def test_people_whose_rows_agree_may_still_differ() -> None:
    # 20 people in each subgroup, five equal rows each, on whom the models never differ
    table = worked([[80, 80], [80, 80]], 100)._replace(sources=np.arange(400) // 5)
    found = compared(table.correct, table.correct, table)
    assert all(cell.low < -0.04 and cell.high > 0.04 for cell in found.cells)


def test_a_model_against_itself_changes_nothing() -> None:
    table = drawn([[0.8, 0.6], [0.7, 0.9]], 60, seed=0)
    found = compared(table.correct, table.correct, table)
    for change in (found.accuracy, found.deo_a, found.deo_m, *found.cells):
        assert (change.value, change.p_value) == (0, 1)
        assert change.low <= 0 <= change.high
    assert not any(cell.harmed or cell.helped for cell in found.cells)
    assert (found.worst_groups.value, found.best_groups.value, found.levels_down) == (0, 0, False)
    assert math.isnan(found.share_levelled_down.value)


def test_swapping_the_models_swaps_the_signs() -> None:
    first, second = (drawn(accuracy, 60, seed=seed) for seed, accuracy in enumerate(([[0.8], [0.5]], [[0.7], [0.7]])))
    there, back = (compared(one.correct, other.correct, first, classes=1) for one, other in
                   ((first, second), (second, first)))  # fmt: skip
    for one, other in ((there.accuracy, back.accuracy), (there.deo_a, back.deo_a), (there.deo_m, back.deo_m)):
        assert one.value == pytest.approx(-other.value)
        assert one.p_value == pytest.approx(other.p_value, abs=0.05)
        assert (one.low, one.high) == (pytest.approx(-other.high, abs=0.02), pytest.approx(-other.low, abs=0.02))


@pytest.mark.parametrize("rows_of_one", [1, 4])
def test_no_order_or_name_of_rows_groups_classes_and_sources_matters(rows_of_one: int) -> None:
    generator = np.random.default_rng(0)
    table = drawn(np.full((4, 5), 0.8), 30, seed=0)
    table = table._replace(sources=generator.integers(0, 600 // rows_of_one, 600) if rows_of_one > 1 else table.sources)
    other = drawn(np.full((4, 5), 0.75), 30, seed=1).correct
    found = compared(table.correct, other, table, classes=5, groups=4, draws=400)
    order, groups, classes, sources = (generator.permutation(size) for size in (600, 4, 5, 600))
    turned = Table(table.correct[order], classes[table.labels[order]], groups[table.groups[order]],
                   sources[table.sources[order]])  # fmt: skip
    again = compared(turned.correct, other[order], turned, classes=5, groups=4, draws=400)
    for of in ("accuracy", "deo_a", "deo_m", "worst_groups", "best_groups"):
        assert list(vars(getattr(again, of)).values()) == pytest.approx(list(vars(getattr(found, of)).values()))
    cells = {(cell.group, cell.label): cell for cell in again.cells}
    for cell in found.cells:
        same = cells[groups[cell.group], classes[cell.label]]
        assert (same.low, same.high, same.p_value) == pytest.approx((cell.low, cell.high, cell.p_value))


def test_values_are_the_differences_of_the_metrics() -> None:
    found = changed([[90, 70], [60, 65]], [[85, 80], [75, 60]])
    assert found.accuracy.value == pytest.approx((300 - 285) / 400)
    assert found.deo_a.value == pytest.approx((0.1 + 0.2) / 2 - (0.3 + 0.05) / 2)
    assert found.deo_m.value == pytest.approx(0.2 - 0.3)
    assert [(cell.group, cell.label, cell.rows) for cell in found.cells] == [
        (0, 0, 100), (0, 1, 100), (1, 0, 100), (1, 1, 100)
    ]  # fmt: skip
    assert [cell.value for cell in found.cells] == pytest.approx([-0.05, 0.1, 0.15, -0.05])
    assert found.worst_groups.value == pytest.approx((0.75 + 0.6) / 2 - (0.6 + 0.65) / 2)
    assert found.best_groups.value == pytest.approx((0.85 + 0.8) / 2 - (0.9 + 0.7) / 2)
    for change in (found.accuracy, found.deo_a, found.deo_m, found.worst_groups, found.best_groups, *found.cells):
        assert change.low <= change.value <= change.high


def test_the_interval_of_the_change_of_accuracy_is_the_normal_one_of_pairs() -> None:
    table = worked([[250, 250], [250, 250]], 250)
    first, second = table.correct.copy(), table.correct.copy()
    order = np.random.default_rng(1).permutation(1000)
    first[order[:150]], second[order[150:250]] = False, False
    found = compared(first, second, table, draws=10_000).accuracy
    half = 1.96 * math.sqrt((0.25 - 0.05**2) / 1000)  # 250 rows of +1 or -1
    assert (found.low, found.high) == (pytest.approx(0.05 - half, abs=0.004), pytest.approx(0.05 + half, abs=0.004))


def test_harmed_and_helped_cells_are_found_where_planted_and_nowhere_else() -> None:
    found = changed([[80, 80, 80], [80, 80, 80]], [[80, 60, 80], [95, 80, 81]])
    at = {(cell.group, cell.label): cell for cell in found.cells}
    assert [cell for cell, change in at.items() if change.harmed] == [(0, 1)]
    assert [cell for cell, change in at.items() if change.helped] == [(1, 0)]
    assert at[0, 1].p_value == pytest.approx(2 / 2**20)  # 20 rows lost, none gained
    assert at[1, 2].p_value == 1  # one row
    for cell in found.cells:
        assert cell.adjusted_p_value >= cell.p_value
    assert [cell.adjusted_p_value for cell in found.cells] == pytest.approx(
        holm(np.array([cell.p_value for cell in found.cells])).tolist()
    )


def test_a_cell_that_one_row_decides_is_not_called_harmed() -> None:
    found = changed([[5, 5], [5, 5]], [[1, 5], [5, 5]], 5)  # 4 rows lost: p = 1/8
    assert not any(cell.harmed for cell in found.cells)
    assert found.cells[0].p_value == pytest.approx(1 / 8)


@pytest.mark.parametrize(("confidence", "harmed"), [(0.9, True), (0.95, True), (0.99, False)])
def test_the_confidence_is_that_of_harm_too(confidence: float, harmed: bool) -> None:
    first, second = worked([[80, 80], [80, 80]], 100), worked([[72, 80], [80, 80]], 100)  # 4 * 2 / 2^8 = 0.03
    found = compared(first.correct, second.correct, first, confidence=confidence)
    assert [cell.harmed for cell in found.cells] == [harmed, False, False, False]
    helped = compared(second.correct, first.correct, first, confidence=confidence)
    assert [cell.helped for cell in helped.cells] == [harmed, False, False, False]


def test_one_harmed_cell_among_a_thousand_is_found() -> None:
    first, second = (
        worked(np.full((20, 50), 40), 50),
        worked(np.where(np.arange(1000) == 7, 15, 40).reshape(20, 50), 50),
    )
    found = compared(first.correct, second.correct, first, classes=50, groups=20, draws=100)
    assert [(cell.group, cell.label) for cell in found.cells if cell.harmed] == [(0, 7)]


def test_an_empty_cell_leaves_the_other_cells_and_no_gap() -> None:
    found = changed([[90, 0], [60, 60]], [[90, 0], [90, 60]], [[100, 0], [100, 100]])
    assert [(cell.group, cell.label) for cell in found.cells] == [(0, 0), (1, 0), (1, 1)]
    assert [cell.helped for cell in found.cells] == [False, True, False]
    assert np.isfinite([cell.adjusted_p_value for cell in found.cells]).all()
    for change in (found.deo_a, found.deo_m):
        assert np.isnan([change.value, change.low, change.high, change.p_value]).all()
    assert found.accuracy.value == pytest.approx(0.1)
    assert not found.levels_down
    assert math.isnan(found.worst_groups.high)
    assert math.isnan(found.share_levelled_down.value)


def test_rows_of_unknown_group_count_for_the_accuracy_alone() -> None:
    table = worked([[40, 40], [40, 40], [40, 40]], 40)
    table = table._replace(groups=np.where(table.groups == 2, -1, table.groups))
    found = compared(table.groups >= 0, np.ones(240, bool), table)
    assert found.accuracy.value == pytest.approx(1 / 3)
    assert found.accuracy.p_value == pytest.approx(2 / 2**80)
    assert found.deo_a.value == 0
    assert [cell.value for cell in found.cells] == [0, 0, 0, 0]


# (before, after) of the groups' percentages right, whether it levels down, and the share of that
LEVELLING = {
    "the best fall to the worst": ([[90, 80], [70, 60]], [[70, 60], [70, 60]], False, 1.0),  # they may have gained
    "all fall, the best more": ([[90, 80], [70, 60]], [[60, 50], [60, 50]], True, 1.0),
    "the worst rise to the best": ([[90, 80], [70, 60]], [[90, 80], [90, 80]], False, 0.0),
    "they meet in the middle": ([[90, 80], [70, 60]], [[80, 70], [80, 70]], False, 0.5),
    "all rise, the worst more": ([[70, 60], [50, 40]], [[80, 70], [75, 65]], False, 0.0),
    "the gap stays": ([[90, 75], [70, 50]], [[90, 75], [70, 50]], False, math.nan),
    "the gap grows": ([[90, 80], [70, 60]], [[95, 80], [70, 60]], False, math.nan),
    "all fall alike": ([[80, 80], [70, 70]], [[70, 70], [60, 60]], False, math.nan),
    "one class up, one down as much": ([[90, 90], [60, 60]], [[80, 70], [70, 50]], False, 1.0),
}


@pytest.mark.parametrize("case", LEVELLING)
def test_levelling_down_worked_by_hand(case: str) -> None:
    before, after, levels_down, share = LEVELLING[case]
    found = changed(10 * np.array(before), 10 * np.array(after), 1000)
    assert found.levels_down is levels_down
    assert found.share_levelled_down.value == pytest.approx(share, nan_ok=True)
    assert found.share_levelled_down.low <= share <= found.share_levelled_down.high or math.isnan(share)
    assert found.deo_a.value == pytest.approx(found.best_groups.value - found.worst_groups.value, abs=1e-12)


def test_seeds_are_paired_in_their_order() -> None:
    tables = [worked([[90, 80], [60, 70]], 100), worked([[70, 60], [60, 50]], 100)]
    first = np.stack([table.correct for table in tables])
    better = first.copy()
    better[:, :5] = False  # every seed loses five rows of the first cell
    found = compared(first, better, tables[0])
    assert found.accuracy.value == pytest.approx(-5 / 400)
    assert found.accuracy.low == pytest.approx(found.accuracy.value, abs=0.02)  # no seed differs
    assert found.accuracy.p_value == pytest.approx(2 / 2**5, abs=0.03)  # five rows, in whichever seed
    crossed = compared(first, better[::-1], tables[0])  # now one seed seems to lose, one to win
    assert crossed.accuracy.value == pytest.approx(found.accuracy.value)
    assert crossed.accuracy.high - crossed.accuracy.low > 10 * (found.accuracy.high - found.accuracy.low)


def test_two_seeds_have_the_mean_of_their_changes() -> None:
    one, other = worked([[90, 80], [60, 70]], 100), worked([[80, 80], [70, 70]], 100)
    better = worked([[90, 80], [80, 70]], 100)
    found = compared([one.correct, other.correct], [better.correct, better.correct], one)
    alone = [compared(each.correct, better.correct, one) for each in (one, other)]
    for of in (lambda each: each.accuracy, lambda each: each.deo_a, lambda each: each.deo_m):
        assert of(found).value == pytest.approx(np.mean([of(each).value for each in alone]))
    assert [cell.value for cell in found.cells] == pytest.approx([0.05, 0, 0.15, 0])


@pytest.mark.parametrize(("seeds", "others"), [(1, 3), (2, 3)])
def test_other_numbers_of_seeds_are_refused(seeds: int, others: int) -> None:
    table = drawn([[0.7, 0.7], [0.7, 0.7]], 20, seed=0)
    with pytest.raises(ValueError, match="Expected argument"):
        compared([table.correct] * seeds, [table.correct] * others, table)


def test_the_same_seed_gives_the_same_numbers() -> None:
    table, other = (drawn([[0.8, 0.6], [0.7, 0.9]], 60, seed=seed) for seed in (0, 1))
    results = [compared(table.correct, other.correct, table, draws=500, seed=seed) for seed in (4, 4, 5)]
    assert results[0] == results[1] != results[2]


def test_the_test_of_the_gap_is_wrong_no_more_often_than_it_says() -> None:
    # Two models with gaps, alike but for chance.
    accuracy, rejected = np.array([[0.85, 0.8], [0.65, 0.7]]), 0
    for seed in range(150):
        table, other = drawn(accuracy, 50, seed=2 * seed), drawn(accuracy, 50, seed=2 * seed + 1)
        rejected += compared(table.correct, other.correct, table, draws=200, seed=seed).deo_a.p_value <= 0.05
    assert rejected <= 0.1 * 150  # a standard error of 1.8%


def test_the_test_of_the_gap_finds_a_large_change() -> None:
    first, second = drawn([[0.9, 0.9], [0.6, 0.6]], 200, seed=0), drawn([[0.8, 0.8], [0.8, 0.8]], 200, seed=1)
    found = compared(first.correct, second.correct, first).deo_a
    assert found.high < 0
    assert found.p_value == pytest.approx(2 / (DRAWS + 1))


@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_subgroups_are_judged_without_draws_as_they_are_with_them(confidence: float) -> None:
    table = drawn([[0.8, 0.6, 0.9], [0.5, 0.7, 0.6]], [[150, 60, 8], [90, 40, 0]], seed=0)
    draw = np.random.default_rng(3)
    first = table.correct
    second = np.where(draw.random(len(first)) < 0.5, draw.random(len(first)) < 0.2, first)
    found = compared(first, second, table, classes=3, confidence=confidence)
    value, significant = judged_cells(first, second, table.samples(3, 2), confidence=confidence)
    assert value.tolist() == pytest.approx([cell.value for cell in found.cells])
    assert (significant & (value < 0)).tolist() == [cell.harmed for cell in found.cells]
    assert (significant & (value > 0)).tolist() == [cell.helped for cell in found.cells]
    assert any(cell.harmed for cell in found.cells)
