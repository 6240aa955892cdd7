from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from fairdistill.heads.joint import corrected
from fairdistill.heads.linearpost import decision_scores, equal_opportunity, fair_scores, linearpost_head
from tests.heads.samples import people, problem


def drawn(rows: int = 400, classes: int = 2, seed: int = 0) -> np.ndarray:
    """Joint probabilities in which group 1 looks more like class 1."""
    draw = np.random.default_rng(seed)
    logits = 1.5 * draw.normal(size=(rows, classes, 2))
    logits[:, 1] += 1.5 * np.sign(np.arange(rows) % 3 - 1)[:, None] * [0, 1] + [0, 1]
    exponentials = np.exp(logits)
    return np.asarray(exponentials / exponentials.sum((1, 2), keepdims=True))


def outcome(joint: np.ndarray, offsets: np.ndarray) -> tuple[float, float]:
    """Expected accuracy, and the largest expected difference between the recalls of two groups."""
    decided = decision_scores(torch.from_numpy(joint), torch.from_numpy(offsets)).argmax(1).numpy()
    chosen = np.eye(joint.shape[1])[decided]
    recalls = (joint * chosen[:, :, None]).sum(0) / joint.sum(0)
    return float((joint.sum(2) * chosen).sum(1).mean()), float(np.ptp(recalls, axis=1).max())


@pytest.mark.parametrize("tolerance", [0.02, 0.06])
def test_recalls_differ_by_the_tolerance_and_no_offsets_on_a_grid_are_better(tolerance: float) -> None:
    joint = drawn()
    offsets = equal_opportunity(joint, tolerance=tolerance)
    right, gap = outcome(joint, offsets)
    assert outcome(joint, 0 * offsets)[1] > 0.1
    assert gap <= tolerance + 0.01  # of the rows that the exact solution decides at random
    for values in itertools.product(np.linspace(-0.4, 0.4, 9), repeat=2):
        other, other_gap = outcome(joint, np.array([[values[0], -values[0]], [values[1], -values[1]]]))
        assert other_gap > tolerance or other <= right + 0.003


def test_a_loose_tolerance_changes_nothing() -> None:
    assert np.abs(equal_opportunity(drawn(classes=3), tolerance=1.0)).max() < 1e-9


def test_an_empty_subgroup_is_left_out() -> None:
    joint = drawn(classes=3)
    joint[:, 2, 0] = 0
    joint /= joint.sum((1, 2), keepdims=True)
    offsets = equal_opportunity(joint, tolerance=0.05)
    assert np.isfinite(offsets).all()
    assert np.abs(offsets[2]).max() < 1e-9


def test_the_linear_head_follows_the_decisions() -> None:
    one = problem(people(700))
    decided = fair_scores(one.joint, one.joint, one.cells, tolerance=0.05).argmax(1)
    folded = one.features.logits(linearpost_head(one, tolerance=0.05)).argmax(1)
    assert (decided == folded).double().mean() > 0.93


def test_a_loose_tolerance_is_the_prior_correction() -> None:
    one = problem(people(300))
    found = fair_scores(one.joint, one.joint, one.cells, tolerance=1.0)
    expected = corrected(one.joint, one.cells.double() / 300, 1.0)
    torch.testing.assert_close(found / found.sum(1, keepdim=True), expected, atol=1e-6, rtol=0)
