from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from fairdistill.metrics import Drawing
from fairdistill.metrics.gap import null
from fairdistill.metrics.gap.null import heterogeneity, null_of
from fairdistill.metrics.resampling import Resampled
from tests.metrics.making import Table, drawn, worked


def sampled(table: Table, classes: int = 2, groups: int = 2, **options: int) -> Resampled:
    return Resampled(table.correct[None], table.samples(classes, groups), Drawing(**{"draws": 400, **options}))


def test_heterogeneity_is_scipys_g_test() -> None:
    part, whole = np.array([[[8.0, 3], [4, 0], [9, 5]]]), np.array([[[10.0, 3], [10, 4], [20, 8]]])
    expected = [
        chi2_contingency(
            np.stack([part[0, :, k], (whole - part)[0, :, k]]), correction=False, lambda_="log-likelihood"
        )[0]
        for k in range(2)
    ]
    np.testing.assert_allclose(heterogeneity(part, whole), expected)


@pytest.mark.parametrize(
    ("accuracy", "rows"),
    [([[0.8] * 2] * 2, 60), ([[0.9] * 3] * 3, [[500] * 3, [500] * 3, [5] * 3]), ([[0.98] * 2] * 4, 40)],
)
def test_p_values_hold_their_level_without_a_gap(accuracy: list[list[float]], rows: object) -> None:
    groups, classes = np.shape(accuracy)
    found = []
    for seed in range(150):
        null = sampled(drawn(accuracy, rows, seed=seed), classes, groups, draws=200, seed=seed).gaps.null
        found.append([null.p_value(), *null.p_values()])
    rejected = (np.array(found) <= 0.05).mean(axis=0)
    assert rejected[0] <= 0.11  # a standard error of 1.8%
    assert rejected[1:].mean() <= 0.08


def test_a_rare_group_does_not_hide_a_gap_of_two_large_ones() -> None:
    table = worked([[900, 800], [800, 900], [4, 4]], [[1000, 1000], [1000, 1000], [5, 5]])
    gap = sampled(table, groups=3).gap("mean")
    assert gap.p_value < 0.01
    assert 0.05 < gap.low < 0.1


def test_a_gap_in_one_of_many_classes_is_found() -> None:
    right = np.full((2, 30), 80)
    right[:, 7] = 97, 63
    assert sampled(worked(right, 100), classes=30).gap("mean").p_value <= 0.01


def test_exchanged_groups_never_differ_by_more_than_everything() -> None:
    table = drawn(np.full((12, 2), 0.5), 1, seed=0)
    gap = sampled(table, groups=12).gap("max")
    assert 0 < gap.floor_low <= gap.floor <= gap.floor_high <= 1
    assert gap.p_value > 0.05


def test_an_empty_cell_leaves_its_class_undefined() -> None:
    null = sampled(worked([[8, 0], [6, 5]], [[10, 0], [10, 10]])).gaps.null
    assert np.isnan(null.p_value())
    assert sorted(np.isnan(null.p_values()).tolist()) == [False, True]
    assert sorted(np.isnan(null.gaps).all(axis=(0, 1)).tolist()) == [False, True]


def test_seeds_of_one_recipe_are_exchanged_together() -> None:
    table = drawn([[0.8, 0.6], [0.8, 0.6]], 100, seed=0)
    sample = Resampled(np.stack([table.correct] * 3), table.samples(2, 2), Drawing(draws=300))
    null = null_of(sample.evidence)
    np.testing.assert_allclose(null.gaps[:, 0], null.gaps[:, 2])


def test_many_small_groups_do_not_multiply_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    # one group of 5,000 rows and 49 of 10: logarithms up to all 5,490 rows are needed, not up to 50 times 5,000
    largest: list[int] = []
    original = null._x_log_x
    monkeypatch.setattr(null, "_x_log_x", lambda number: largest.append(number) or original(number))
    sampled(drawn([[0.8]] * 50, [[5_000], *[[10]] * 49], seed=0), 1, 50).gaps.null.p_value()
    assert largest == [5_490]
