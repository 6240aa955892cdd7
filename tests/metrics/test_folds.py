from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.folds import even_folds


def drawn(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    return draw.integers(0, 3, rows), draw.integers(-1, 2, rows), draw.integers(0, rows // 2, rows)


def test_sources_stay_together() -> None:
    labels, groups, sources = drawn()
    fold = even_folds(labels, groups, sources, folds=4)
    assert all(len(set(fold[sources == source])) == 1 for source in np.unique(sources))


def test_single_samples_are_spread_within_one() -> None:
    labels, groups, _ = drawn()
    fold = even_folds(labels, groups, np.arange(200), folds=5)
    for label in range(3):
        for group in (-1, 0, 1):
            sizes = np.bincount(fold[(labels == label) & (groups == group)], minlength=5)
            assert np.ptp(sizes) <= 1
    assert np.ptp(np.bincount(fold)) <= 2


@pytest.mark.parametrize("seed", [0, 1])
def test_order_of_samples_and_names_of_classes_and_groups_do_not_matter(seed: int) -> None:
    labels, groups, sources = drawn()
    fold = even_folds(labels, groups, sources, folds=3, seed=seed)
    order = np.random.default_rng(7).permutation(200)
    again = even_folds(2 - labels[order], groups[order], sources[order], folds=3, seed=seed)
    assert np.array_equal(again, fold[order])


def test_the_seed_matters() -> None:
    labels, groups, sources = drawn()
    one, two = (even_folds(labels, groups, sources, folds=3, seed=seed) for seed in (0, 1))
    assert not np.array_equal(one, two)


def test_fewer_sources_than_folds() -> None:
    one = np.zeros(3, np.int64)
    assert sorted(even_folds(one, one, np.arange(3), folds=5).tolist()) == [0, 1, 2]
