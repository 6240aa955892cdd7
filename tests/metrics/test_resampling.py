from __future__ import annotations

import math
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import accuracy_score, balanced_accuracy_score

from fairdistill.metrics import Drawing
from fairdistill.metrics.noise import chance_deo
from fairdistill.metrics.resampling import Estimate, Resampled
from tests.metrics.making import Table, drawn, worked


def sampled(table: Table, *more: np.ndarray, classes: int = 2, groups: int = 2, **options: Any) -> Resampled:
    """One model's test set, or that of several whose correct rows are given."""
    drawing = Drawing(**{"draws": 500, **options})
    return Resampled(np.stack([table.correct, *more]), table.samples(classes, groups), drawing)


def everything(sample: Resampled) -> list[float]:
    groups, classes = sample.rows.shape
    found = [
        sample.accuracy(),
        sample.balanced_accuracy(),
        sample.class_balanced_accuracy(),
        sample.worst_group()[0],
        sample.worst_cell()[0],
    ]
    found += [sample.class_accuracy(label) for label in range(classes)]
    found += [sample.group_accuracy(group) for group in range(groups)]
    found += [sample.gap("mean"), sample.gap("max"), *sample.gap_by_class()]
    limits = sample.cell_accuracy()
    cells = [*limits.middle.ravel(), *limits.low.ravel(), *limits.high.ravel()]
    return [*(number for each in found for number in astuple(each)), *cells]


@st.composite
def tables(draw: st.DrawFn) -> Table:
    """Rows of 3 classes and 2 groups, some of unknown group, some cells empty, some sources of several rows."""
    rows = draw(
        st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(-1, 1), st.integers(0, 30)), min_size=1)
    )
    correct, *others = zip(*rows, strict=True)
    return Table(np.array(correct), *map(np.array, others))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(tables())
def test_values_equal_means_over_the_rows(table: Table) -> None:
    sample, (correct, labels, groups, _) = sampled(table, classes=3, draws=100), table

    def share(rows: np.ndarray) -> float:
        return float(correct[rows].mean()) if rows.any() else math.nan

    cells = np.array([[share((groups == g) & (labels == c)) for c in range(3)] for g in range(2)])
    gaps = cells.max(axis=0) - cells.min(axis=0)
    every = [sample.accuracy(), *(sample.class_accuracy(c) for c in range(3)), *map(sample.group_accuracy, range(2))]
    expected = [share(labels >= 0), *(share(labels == c) for c in range(3)), *(share(groups == g) for g in range(2))]
    np.testing.assert_allclose([each.value for each in every], expected, atol=1e-12)
    np.testing.assert_allclose(sample.class_balanced_accuracy().value, np.mean(expected[1:4]), atol=1e-12)
    np.testing.assert_allclose(sample.balanced_accuracy().value, np.mean(cells), atol=1e-12)
    np.testing.assert_allclose(sample.cell_accuracy().middle, cells, atol=1e-12)
    np.testing.assert_allclose([gap.value for gap in sample.gap_by_class()], gaps, atol=1e-12)
    np.testing.assert_allclose(sample.gap("mean").value, gaps.mean(), atol=1e-12)
    np.testing.assert_allclose(sample.gap("max").value, gaps.max(), atol=1e-12)
    known = groups >= 0
    if known.any():
        (cell, at), (group, which) = sample.worst_cell(), sample.worst_group()
        assert at is not None
        assert cell.value == pytest.approx(np.nanmin(cells))
        assert cells[at] == pytest.approx(np.nanmin(cells))
        assert which is not None
        assert group.value == pytest.approx(np.nanmin(expected[4:]))
        assert expected[4 + which] == pytest.approx(np.nanmin(expected[4:]))
    else:
        assert sample.worst_cell()[1] is sample.worst_group()[1] is None


def test_values_equal_sklearns() -> None:
    generator = np.random.default_rng(0)
    labels, groups = generator.integers(0, 4, 700), generator.integers(-1, 3, 700)
    predicted = np.where(generator.random(700) < 0.6, labels, generator.integers(0, 4, 700))
    sample = sampled(Table(labels == predicted, labels, groups, np.arange(700)), classes=4, groups=3)
    assert sample.accuracy().value == pytest.approx(accuracy_score(labels, predicted))
    assert sample.class_balanced_accuracy().value == pytest.approx(balanced_accuracy_score(labels, predicted))
    for group in range(3):
        own = groups == group
        assert sample.group_accuracy(group).value == pytest.approx(accuracy_score(labels[own], predicted[own]))


def test_the_balanced_accuracy_has_the_interval_of_a_mean_of_means() -> None:
    shares, rows = np.array([[0.9, 0.5], [0.8, 0.6]]), np.array([[1000, 50], [100, 400]])
    found = sampled(worked((shares * rows).astype(int), rows), draws=4000).balanced_accuracy()
    error = np.sqrt((shares * (1 - shares) / rows).sum()) / 4
    assert found.value == pytest.approx(0.7)
    assert (found.low, found.high) == (
        pytest.approx(0.7 - 1.96 * error, abs=3e-3),
        pytest.approx(0.7 + 1.96 * error, abs=3e-3),
    )


def test_the_worst_group_and_cell_are_named() -> None:
    # group 1 is worst of all groups (0.6), and the cell (2, 0) is the worst cell (0.3)
    sample = sampled(worked([[90, 90], [60, 60], [30, 95]], 100), groups=3)
    cell, at = sample.worst_cell()
    group, which = sample.worst_group()
    assert (at, which) == ((2, 0), 1)
    assert (cell.value, group.value) == (pytest.approx(0.3), pytest.approx(0.6))
    assert cell.low < 0.3 < cell.high < 0.5
    assert group.low < 0.6 < group.high < 0.75


def test_empty_cells_are_undefined_and_passed_over_by_the_worst() -> None:
    sample = sampled(worked([[0, 80], [0, 0], [70, 60]], [[0, 100], [0, 0], [100, 100]]), groups=3)
    limits = sample.cell_accuracy()
    empty = np.array([[True, False], [True, True], [False, False]])
    for part in (limits.low, limits.middle, limits.high):
        np.testing.assert_array_equal(np.isnan(part), empty)
    assert np.isnan(astuple(sample.group_accuracy(1))).all()
    assert np.isnan(astuple(sample.gap("mean"))).all()
    assert np.isnan(astuple(sample.gap("max"))).all()
    assert sample.worst_group()[1] == 2
    assert sample.worst_cell()[1] == (2, 1)
    assert sample.accuracy().value == pytest.approx(210 / 300)


def test_an_empty_class_leaves_the_gaps_of_the_others() -> None:
    sample = sampled(worked([[80, 0], [60, 50]], [[100, 0], [100, 100]]))
    of_first, of_second = sample.gap_by_class()
    assert (of_first.value, math.isnan(of_second.value)) == (pytest.approx(0.2), True)
    assert np.isfinite(astuple(of_first)).all()


def test_rows_of_unknown_group_are_in_no_gap_no_cell_and_no_group() -> None:
    table = worked([[80, 70], [60, 90], [10, 0]], 100)  # the third group becomes unknown
    more = sampled(table._replace(groups=np.where(table.groups == 2, -1, table.groups)))
    known = sampled(Table(*(part[table.groups < 2] for part in table)))
    for which in ("mean", "max"):
        np.testing.assert_allclose(astuple(more.gap(which))[0], astuple(known.gap(which))[0])
        np.testing.assert_allclose(astuple(more.gap(which)), astuple(known.gap(which)), atol=0.02)
    np.testing.assert_array_equal(more.cell_accuracy().middle, known.cell_accuracy().middle)
    assert more.worst_cell()[1] == known.worst_cell()[1] == (1, 0)
    assert more.worst_group()[0].value == known.worst_group()[0].value
    assert (more.accuracy().value, known.accuracy().value) == (pytest.approx(310 / 600), pytest.approx(0.75))


def test_rows_in_another_order_and_sources_of_other_names_give_the_same() -> None:
    pairs = drawn([[0.8, 0.6], [0.7, 0.9]], 50, seed=1)
    pairs = pairs._replace(sources=pairs.sources % 100)  # the pictures of both groups are the same
    order = np.random.default_rng(0).permutation(200)
    turned = Table(*(part[order] for part in pairs))
    np.testing.assert_allclose(everything(sampled(turned)), everything(sampled(pairs)), atol=1e-12)
    alone = drawn([[0.8, 0.6], [0.7, 0.9]], 50, seed=1)
    renamed = alone._replace(sources=1000 - 3 * alone.sources)
    np.testing.assert_allclose(everything(sampled(renamed)), everything(sampled(alone)), atol=1e-12)


def test_the_same_seed_gives_the_same_numbers_and_another_others() -> None:
    table = drawn([[0.8, 0.6], [0.7, 0.9]], 50, seed=2)
    first, again, other = (everything(sampled(table, seed=seed)) for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_the_interval_of_the_accuracy_is_the_binomial_one_of_independent_rows() -> None:
    sample = sampled(worked([[320, 320], [320, 320]], 400), draws=20_000)
    found = sample.accuracy()
    expected = binomtest(1280, 1600).proportion_ci(method="wilson")
    np.testing.assert_allclose([found.low, found.high], expected, atol=0.002)
    low, high = sample.cell_accuracy().low, sample.cell_accuracy().high
    np.testing.assert_allclose([low[0, 0], high[0, 0]], binomtest(320, 400).proportion_ci(method="wilson"), atol=1e-9)


def test_copies_of_a_picture_add_no_certainty() -> None:
    once = drawn([[0.8]], 200, seed=0)
    copied = Table(*(np.tile(part, 4) for part in once))
    of_one, of_four = (sampled(table, classes=1, groups=1, draws=20_000).accuracy() for table in (once, copied))
    assert of_one.value == of_four.value
    assert of_four.high - of_four.low == pytest.approx(of_one.high - of_one.low, rel=0.05)
    apart = sampled(copied._replace(sources=np.arange(800)), classes=1, groups=1, draws=20_000).accuracy()
    assert apart.high - apart.low == pytest.approx((of_one.high - of_one.low) / 2, rel=0.05)


def test_several_models_have_the_mean_and_the_noise_of_their_choice() -> None:
    tables = [worked([[k, 70], [60, 80]], 100) for k in (60, 75, 90)]
    sample = sampled(tables[0], *(table.correct for table in tables[1:]), draws=5000)
    alone = [sampled(table, draws=5000) for table in tables]
    for value in (Resampled.accuracy, lambda each: each.gap("mean"), lambda each: each.gap("max")):
        found, singles = value(sample), [value(each) for each in alone]
        assert found.value == pytest.approx(np.mean([each.value for each in singles]))
        assert found.high - found.low > max(each.high - each.low for each in singles)
    np.testing.assert_allclose(sample.cell_accuracy().middle, [[0.75, 0.7], [0.6, 0.8]])


def test_models_that_agree_have_the_interval_of_one() -> None:
    table = drawn([[0.8, 0.6], [0.7, 0.9]], 200, seed=3)
    one, three = sampled(table, draws=5000), sampled(table, table.correct, table.correct, draws=5000)
    for which in ("mean", "max"):
        np.testing.assert_allclose(astuple(three.gap(which)), astuple(one.gap(which)), atol=0.01)


@pytest.mark.parametrize("models", [6, 9])
def test_more_models_than_bits_are_coded_like_few(models: int) -> None:
    tables = [drawn([[0.8, 0.6], [0.7, 0.9]], 100, seed=seed) for seed in range(models)]
    sample = sampled(tables[0], *(table.correct for table in tables[1:]))
    expected = [[[table.correct[(table.groups == g) & (table.labels == c)].mean() for c in (0, 1)] for g in (0, 1)]
                for table in tables]  # fmt: skip
    np.testing.assert_allclose(sample.shares, expected)
    assert sample.noise.std(axis=0) == pytest.approx(np.sqrt(sample.shares * (1 - sample.shares) / 100), rel=0.2)


@pytest.mark.parametrize("models", [1, 4, 5])
def test_models_without_errors_may_still_make_some(models: int) -> None:
    table = worked([[20, 20], [20, 20]], 20)
    found = sampled(table, *[table.correct] * (models - 1), draws=2000).accuracy()
    assert found.value == found.high == 1
    assert 0.9 < found.low < 1


@pytest.mark.parametrize(("groups", "classes", "rows"), [(2, 2, 100), (4, 3, 60)])
def test_the_floor_of_independent_rows_is_that_of_a_binomial_simulation(groups: int, classes: int, rows: int) -> None:
    table = worked(np.full((groups, classes), round(0.8 * rows)), rows)
    sample = sampled(table, classes=classes, groups=groups, draws=10_000)
    chance = chance_deo(np.full((groups, classes), rows), accuracy=0.8, draws=20_000)
    for gap, expected in ((sample.gap("mean"), chance.deo_a), (sample.gap("max"), chance.deo_m)):
        wanted = (expected.value, expected.low, expected.high)
        np.testing.assert_allclose((gap.floor, gap.floor_low, gap.floor_high), wanted, rtol=0.03, atol=0.0101)


def test_the_floor_does_not_depend_on_the_gap() -> None:
    # the same rows are right in both, only not of the same groups
    with_gap, without = (sampled(worked(right, 100), draws=10_000).gap("mean") for right in (
        [[90, 90], [50, 50]], [[70, 70], [70, 70]]
    ))  # fmt: skip
    assert with_gap.floor == pytest.approx(without.floor, rel=0.03)
    assert with_gap.p_value == pytest.approx(1 / 10_001)
    assert without.p_value == 1


def test_the_same_pictures_with_the_same_outcomes_have_no_floor() -> None:
    table = worked([[40, 30], [40, 30]], 50)
    gap = sampled(table._replace(sources=table.sources % 100)).gap("mean")
    assert gap.value == 0
    assert gap.floor < 0.01  # of the one source that is added to a hundred
    assert gap.high < 0.05
    assert sampled(table).gap("mean").floor > 0.03


def test_the_p_value_of_no_gap_is_uniform() -> None:
    found = [sampled(drawn([[0.7] * 2] * 2, 80, seed=seed), draws=200, seed=seed).gaps.null.p_value()
             for seed in range(100)]  # fmt: skip
    assert 0.4 < np.mean(found) < 0.6  # a standard error of 2.9%
    assert np.mean(np.array(found) <= 0.05) < 0.1  # a standard error of 2.2%


def test_an_estimate_of_nothing_is_undefined() -> None:
    sample = sampled(worked([[4, 4], [4, 4]], 5), classes=3, groups=3)
    for found in (
        sample.class_accuracy(2), sample.group_accuracy(2), sample.class_balanced_accuracy(),
        sample.balanced_accuracy(),
    ):  # fmt: skip
        assert isinstance(found, Estimate)
        assert np.isnan(astuple(found)).all()


def test_less_work_is_done_where_every_source_is_of_its_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fairdistill.metrics.bootstrap.drawn._WORK", 8 * 300)
    table = drawn([[0.5, 0.5], [0.5, 0.5]], 50, seed=0)
    sample = sampled(table)  # 8 types: 4 cells, right and wrong
    assert (sample.draws, sample.independent, len(sample.noise)) == (300, True, 300)
    grouped = table._replace(sources=table.sources // 20)
    sample = sampled(grouped)  # ten kinds, and what is added to their stratum
    assert 200 <= sample.draws < 260
    assert not sample.independent


@pytest.mark.parametrize(("least", "most", "classes"), [(2, 2, 10), (1, 20, 2), (5, 5, 10)])
def test_people_on_many_photographs_are_not_taken_for_independent(least: int, most: int, classes: int) -> None:
    """150 people, some easier than others, and no gap: what is said of them is not too sure."""
    draw = np.random.default_rng(0)
    real, held = [], []
    for seed in range(40):
        sources = np.repeat(np.arange(150), draw.integers(least, most + 1, 150))
        groups, easy = draw.integers(0, 2, 150)[sources], draw.beta(8, 2, 150)[sources]
        labels = draw.integers(0, classes, len(sources))
        table = Table(draw.random(len(sources)) < easy, labels, groups, sources)
        sample = sampled(table, classes=classes, draws=200, seed=seed)
        real.append(sample.gaps.null.p_value() <= 0.05)
        accuracy = sample.accuracy()
        held.append(accuracy.low <= 0.8 <= accuracy.high)
    assert np.mean(real) <= 0.15
    assert np.mean(held) >= 0.85
