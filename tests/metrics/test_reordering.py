from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.reordering import better_order
from fairdistill.metrics.test_set.samples import Samples


def samples(labels: np.ndarray, classes: int, sources: np.ndarray | None = None) -> Samples:
    return Samples(
        labels=labels, groups=0 * labels, sources=np.arange(len(labels)) if sources is None else sources,
        num_classes=classes, num_groups=1,
    )  # fmt: skip


def drawn(shares: np.ndarray, rows: int | list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and predictions of a model with these shares, ``[true, predicted]``."""
    labels = np.repeat(np.arange(len(shares)), rows)
    below = shares.cumsum(axis=1)[labels]
    draws = np.random.default_rng(seed).random(len(labels))
    return labels, np.minimum((draws[:, None] > below).sum(axis=1), len(shares) - 1)


def good(classes: int, accuracy: float = 0.85) -> np.ndarray:
    return np.full((classes, classes), (1 - accuracy) / (classes - 1)) + np.eye(classes) * (
        accuracy - (1 - accuracy) / (classes - 1)
    )


@pytest.mark.parametrize("order", [[1, 0], [2, 0, 1], [0, 3, 2, 1], [1, 0, *range(2, 10)], [9, *range(9)]])
def test_a_wrong_order_of_a_good_model_is_found(order):
    labels, predicted = drawn(good(len(order)), 60)
    read = np.array(order)[predicted]
    found = better_order(read, samples(labels, len(order)))
    assert found is not None
    assert np.array(found.meant)[order].tolist() == list(range(len(order)))
    assert found.accuracy == pytest.approx(float((predicted == labels).mean()))
    assert better_order(predicted, samples(labels, len(order))) is None


def test_ages_sorted_as_text_are_found_in_a_weak_model():
    names = ["0-2", "3-9", "10-19", "20-29", "30-39", "40-49", "50-59", "60-69", "70+"]
    shares = np.zeros((9, 9))
    for true in range(9):  # ages are confused with their neighbours, and those up to 40 are predicted too often
        shares[true] = np.exp(-0.5 * (np.arange(9) - true) ** 2) * [1, 1, 0.2, 1.5, 1, 0.6, 0.4, 0.4, 0.4]
    labels, predicted = drawn(shares / shares.sum(axis=1, keepdims=True), [90, 600, 550, 1600, 1100, 650, 400, 160, 60])
    read = np.array([sorted(names).index(name) for name in names])[predicted]
    found = better_order(read, samples(labels, 9))
    assert found is not None
    assert [names[at] for at in found.meant] == sorted(names)
    assert better_order(predicted, samples(labels, 9)) is None


@pytest.mark.parametrize("classes", [2, 3, 10, 40])
@pytest.mark.parametrize("rows", [1, 5, 30, 200])
def test_a_model_that_guesses_has_no_better_order(classes, rows):
    prior = np.random.default_rng(7).dirichlet(np.ones(classes))
    for seed in range(10):
        for shares in (np.full((classes, classes), 1 / classes), np.tile(prior, (classes, 1))):
            labels, predicted = drawn(shares, rows, seed)
            assert better_order(predicted, samples(labels, classes)) is None


@pytest.mark.parametrize(
    "shares",
    [
        [[1, 0, 0], [1, 0, 0], [1, 0, 0]],  # a single class
        [[0.2, 0.8], [0.5, 0.5]],  # one class hardly recognized
        [[0.4, 0.6], [0.6, 0.4]],  # worse than chance, but not much
        [[0.45, 0.5, 0.05], [0.5, 0.45, 0.05], [0.05, 0.05, 0.9]],  # two classes confused
        [[0.5, 0.1, 0.4], [0.1, 0.8, 0.1], [0.9, 0.0, 0.1]],
        [[0.3, 0.7, 0, 0], [0.3, 0.7, 0, 0], [0.7, 0.3, 0, 0], [0.7, 0.3, 0, 0]],
    ],
)
def test_a_bad_model_has_no_better_order(shares):
    for seed in range(10):
        labels, predicted = drawn(np.array(shares, float), 300, seed)
        assert better_order(predicted, samples(labels, len(shares))) is None


def test_rows_of_few_sources_are_few():
    labels = np.repeat([0, 1], 300)
    assert better_order(1 - labels, samples(labels, 2)) is not None
    assert better_order(1 - labels, samples(labels, 2, labels * 2 + np.arange(600) % 2)) is None


def test_a_class_without_samples_and_a_large_number_of_classes():
    labels = np.arange(400) % 2
    found = better_order(1 - labels, samples(labels, 3))
    assert found is not None
    assert found.meant == (1, 0, 2)
    assert better_order(1 - labels, samples(labels, 3_000)) is None
