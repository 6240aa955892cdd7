"""The area under the ROC curve of each group, with its interval."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from fairdistill.metrics import Samples
from fairdistill.metrics import auc as module
from fairdistill.metrics.auc import auc_limits, auc_values
from fairdistill.metrics.estimate import UNDEFINED


def drawn(rows: int, classes: int, *, seed: int = 0, groups: int = 2) -> tuple[np.ndarray, Samples]:
    """Probabilities rounded to two digits, so that many are tied, and classes drawn from them."""
    draw = np.random.default_rng(seed)
    shares = draw.dirichlet(np.ones(classes), rows).round(2)
    shares /= shares.sum(axis=1, keepdims=True)
    labels = np.array([draw.choice(classes, p=each) for each in shares])
    return shares, Samples(
        labels=labels, groups=draw.integers(-1, groups, rows), sources=np.arange(rows), num_classes=classes,
        num_groups=groups,
    )  # fmt: skip


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_it_is_scikit_learns(classes: int) -> None:
    shares, samples = drawn(600, classes)
    found = auc_limits(shares, samples)

    def reference(rows: Any) -> float:
        scores = shares[rows, 1] if classes == 2 else shares[rows]
        return float(roc_auc_score(samples.labels[rows], scores, multi_class="ovr"))

    assert [each.value for each in found] == pytest.approx(
        [reference(samples.groups == 0), reference(samples.groups == 1), reference(slice(None))]
    )
    assert all(each.low < each.value < each.high for each in found)


def test_a_group_without_a_class_has_none() -> None:
    shares, samples = drawn(200, 3)
    rows = (samples.groups != 0) | (samples.labels != 2)
    kept = replace(samples, **{name: getattr(samples, name)[rows] for name in ("labels", "groups", "sources")})
    found = auc_limits(shares[rows], kept)
    assert [math.isnan(each.value) for each in found] == [True, False, False]
    assert math.isnan(found[0].low)


@pytest.mark.parametrize("classes", [2, 3])
def test_without_samples_there_is_none(classes: int) -> None:
    none = np.zeros(0, np.int64)
    samples = Samples(labels=none, groups=none, sources=none, num_classes=classes, num_groups=2)
    assert auc_limits(np.zeros((0, classes)), samples) == [UNDEFINED] * 3


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_values_alone_are_those_of_the_intervals(classes: int) -> None:
    shares, samples = drawn(600, classes, seed=1, groups=3)
    assert len(np.unique(shares[:, 0])) < 300  # ties
    groups = np.where((samples.groups == 2) & (samples.labels == 1), -1, samples.groups)  # which has no class 1
    samples = replace(samples, groups=groups)
    found = auc_values(shares, samples)
    np.testing.assert_allclose(found, [each.value for each in auc_limits(shares, samples)[:3]])
    assert np.isnan(found).tolist() == [False, False, True]


def test_too_many_scores_have_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    assert np.isnan(auc_values(*drawn(200, 3))).all()


def test_perfect_order_is_not_certain_and_chance_is_one_half() -> None:
    labels = np.arange(40) % 2
    samples = Samples(labels=labels, groups=labels * 0, sources=np.arange(40), num_classes=2, num_groups=1)
    perfect = auc_limits(np.stack([1 - labels, labels], axis=1).astype(float), samples)[0]
    assert (perfect.value, perfect.high) == (1, 1)
    assert 0.8 < perfect.low < 0.95
    tied = auc_limits(np.full((40, 2), 0.5), samples)[0]
    assert tied.value == 0.5
    assert tied.low < 0.4


def test_copies_of_a_source_add_nothing() -> None:
    shares, samples = drawn(300, 2, groups=1)
    once = auc_limits(shares, samples)[-1]
    copies = replace(samples, **{name: np.tile(getattr(samples, name), 4) for name in ("labels", "groups", "sources")})
    fourfold = auc_limits(np.tile(shares, (4, 1)), copies)[-1]
    assert fourfold.value == pytest.approx(once.value)
    assert fourfold.high - fourfold.low == pytest.approx(once.high - once.low, rel=0.02)


@pytest.mark.parametrize("true", [0.6, 0.9])
def test_intervals_contain_the_truth(true: float) -> None:
    draw, missed = np.random.default_rng(0), 0
    labels = np.arange(120) % 3 // 2  # one third
    samples = Samples(labels=labels, groups=labels * 0, sources=np.arange(120), num_classes=2, num_groups=1)
    for _ in range(200):
        score = norm.cdf(draw.standard_normal(120) + norm.ppf(true) * math.sqrt(2) * labels)
        found = auc_limits(np.stack([1 - score, score], axis=1), samples)[0]
        missed += not found.low <= true <= found.high
    assert missed <= 18


def test_too_many_scores_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, samples = drawn(50, 3)
    monkeypatch.setattr(module, "MOST", 149)
    assert all(math.isnan(each.value) for each in auc_limits(shares, samples))
