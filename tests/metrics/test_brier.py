"""The Brier score of each group, with its interval."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from fairdistill.metrics import Samples
from fairdistill.metrics.brier import brier_limits, brier_scores
from tests.metrics.test_auc import drawn


def test_it_is_scikit_learns_for_two_classes_and_half_the_sum_for_more() -> None:
    shares, samples = drawn(500, 2)
    found = brier_limits(shares, samples)
    for group, each in enumerate(found[:-1]):
        rows = samples.groups == group
        assert each.value == pytest.approx(brier_score_loss(samples.labels[rows], shares[rows, 1]))
    assert found[-1].value == pytest.approx(brier_score_loss(samples.labels, shares[:, 1]))
    shares, samples = drawn(100, 4)
    slow = ((shares - np.eye(4)[samples.labels]) ** 2).sum(axis=1) / 2
    np.testing.assert_allclose(brier_scores(shares, samples.labels), slow, atol=1e-12)
    assert brier_scores(np.array([[0.0, 1.0]]), np.array([0])).tolist() == [1.0]


def test_a_group_without_samples_has_none() -> None:
    shares, samples = drawn(100, 2)
    found = brier_limits(shares, replace(samples, num_groups=3))
    assert math.isnan(found[2].value)
    assert math.isnan(found[2].low)


def test_perfect_predictions_are_not_certain() -> None:
    labels = np.arange(20) % 2
    samples = Samples(labels=labels, groups=labels * 0, sources=np.arange(20), num_classes=2, num_groups=1)
    found = brier_limits(np.eye(2)[labels], samples)[0]
    assert (found.value, found.low) == (0, 0)
    assert 0.04 < found.high < 0.1


@pytest.mark.parametrize(("shape", "people"), [((8, 0.3), 1), ((1, 1), 1), ((1, 1), 5)])
def test_intervals_contain_the_truth(shape: tuple[float, float], people: int) -> None:
    draw, missed = np.random.default_rng(0), 0
    many = draw.beta(*shape, 200_000)
    true = float((many * (1 - many)).mean())
    for _ in range(200):
        share = np.repeat(draw.beta(*shape, 60 // people), people)
        labels = (np.repeat(draw.random(60 // people), people) < share).astype(np.int64)
        samples = Samples(
            labels=labels, groups=labels * 0, sources=np.arange(60) // people, num_classes=2, num_groups=1
        )
        found = brier_limits(np.stack([1 - share, share], axis=1), samples)[0]
        missed += not found.low <= true <= found.high
    assert missed <= 20
