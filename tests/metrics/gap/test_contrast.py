from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics import Drawing
from fairdistill.metrics.gap.contrast import _steadied, contrast_of
from fairdistill.metrics.resampling import Resampled
from tests.metrics.making import Table, drawn, worked


def sampled(table: Table, classes: int = 2, groups: int = 2) -> Resampled:
    return Resampled(table.correct[None], table.samples(classes, groups), Drawing(draws=200))


def test_a_clear_gap_is_measured_in_full() -> None:
    found = contrast_of(sampled(worked([[95, 90], [55, 70]], 100)).evidence)
    np.testing.assert_allclose(found.each, [[0.4, 0.2]], atol=0.01)
    np.testing.assert_allclose(found.weight, [[[1, 1], [-1, -1]]], atol=0.01)
    np.testing.assert_allclose(found.largest, [0.4], atol=0.02)


def test_on_average_it_is_not_above_the_true_gap() -> None:
    for accuracy, truth in (([[0.7] * 6] * 3, 0.0), ([[0.7] * 6, [0.7] * 6, [0.8] * 6], 0.1)):
        found = [contrast_of(sampled(drawn(accuracy, 60, seed=seed), 6, 3).evidence).each.mean() for seed in range(60)]
        assert np.mean(found) <= truth + 3 * np.std(found) / np.sqrt(60)
        assert np.mean(found) >= truth - 0.06


def test_groups_of_fewer_than_eight_rows_are_not_chosen() -> None:
    few, enough = (
        contrast_of(sampled(worked([[80] * 2, [80] * 2, [0] * 2], [[100] * 2, [100] * 2, [n] * 2]), 2, 3).evidence)
        for n in (7, 8)
    )
    assert not few.weight[:, 2].any()
    assert (np.abs(few.each) < 0.06).all()
    assert (enough.weight[:, 2] < -0.9).all()
    alone = contrast_of(sampled(worked([[80] * 2, [3] * 2], [[100] * 2, [7] * 2])).evidence)
    assert not alone.each.any()
    assert not alone.weight.any()


@pytest.mark.parametrize("groups", [2, 5])
def test_weights_of_every_class_are_those_of_two_groups(groups: int) -> None:
    found = contrast_of(sampled(drawn(np.full((groups, 3), 0.8), 50, seed=1), 3, groups).evidence)
    np.testing.assert_allclose((found.weight**2).sum(axis=1), 2)
    np.testing.assert_allclose(found.weight.sum(axis=1), 0, atol=1e-9)
    np.testing.assert_allclose((found.weight_of_largest**2).sum(), 2)


def test_a_gap_that_lies_in_every_class_is_measured_nearly_in_full() -> None:
    """Half of 50 rows alone tells the better group in five of six classes, which would show two thirds of the gap."""
    accuracy = [[0.9] * 12, [0.8] * 12]
    found = [contrast_of(sampled(drawn(accuracy, 50, seed=seed), 12, 2).evidence).each.mean() for seed in range(30)]
    assert 0.085 < np.mean(found) < 0.1 + 3 * np.std(found) / np.sqrt(30)


def test_what_groups_show_in_all_classes_counts_where_classes_agree() -> None:
    agree, differ = np.array([[2.0, 1.0, -0.5], [-2.0, -1.0, 0.5]]), np.array([[9.0, -9.0, 0.0], [-9.0, 9.0, 0.0]])
    every = np.ones((2, 3), bool)
    steady = _steadied(agree, every)
    assert (steady[0] > 0).all()
    assert (steady[1] < 0).all()
    np.testing.assert_allclose(_steadied(differ, every), differ, rtol=0.02)
    np.testing.assert_array_equal(_steadied(agree[:, :1], every[:, :1]), agree[:, :1])
    some = np.array([[True, True, False], [True, True, False]])
    np.testing.assert_allclose(_steadied(agree, some)[:, :2], _steadied(agree[:, :2], some[:, :2]))
