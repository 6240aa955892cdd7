"""The impact ratio of each group, with its interval."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fairdistill.metrics import Samples, group_counts
from fairdistill.metrics.impact import impact_ratios
from fairdistill.metrics.parity import impact_ratio


def selected(numbers: list[int], rows: list[int]) -> tuple[np.ndarray, Samples]:
    """Groups of so many rows, of which so many are predicted as class 1."""
    groups = np.repeat(np.arange(len(rows)), rows)
    predicted = np.concatenate([np.arange(size) < chosen for size, chosen in zip(rows, numbers, strict=True)])
    return predicted.astype(np.int64), Samples(
        labels=groups * 0, groups=groups, sources=np.arange(len(groups)), num_classes=2, num_groups=len(rows)
    )


def test_a_ratio_worked_by_hand() -> None:
    found = impact_ratios(*selected([48, 12, 20], [80, 40, 50]), positive=1)
    assert found.ratio.middle.tolist() == pytest.approx([1, 0.5, 2 / 3])
    assert found.reference.tolist() == [0, 0, 0]
    assert (found.ratio.low[0], found.ratio.high[0]) == (1, 1)
    assert (found.ratio.low < found.ratio.middle)[1:].all()
    assert (found.ratio.high > found.ratio.middle)[1:].all()


@pytest.mark.parametrize("classes", [2, 4])
def test_the_smallest_is_that_of_the_counts(classes: int) -> None:
    draw = np.random.default_rng(0)
    labels, predicted, groups = (draw.integers(0, high, 400) for high in (classes, classes, 3))
    samples = Samples(labels=labels, groups=groups, sources=np.arange(400), num_classes=classes, num_groups=3)
    counts = group_counts(labels, predicted, groups, num_classes=classes, num_groups=3)
    assert impact_ratios(predicted, samples).ratio.middle.min() == pytest.approx(impact_ratio(counts))


def test_groups_of_unknown_size_and_rates_of_0() -> None:
    predicted, samples = selected([10, 0, 0], [20, 20, 0])
    known = replace(samples, groups=np.where(np.arange(40) < 2, -1, samples.groups))
    found = impact_ratios(predicted, known, positive=1)
    assert found.ratio.middle[:2].tolist() == [1, 0]
    assert found.ratio.low[1] == 0
    assert 0 < found.ratio.high[1] < 0.7
    assert math.isnan(found.ratio.middle[2])
    nobody = impact_ratios(*selected([0, 0], [20, 20]), positive=1)
    assert np.isnan(nobody.ratio.middle).all()


def test_of_equal_rates_the_largest_group_is_the_reference() -> None:
    assert impact_ratios(*selected([10, 50, 5], [20, 100, 20]), positive=1).reference.tolist() == [1, 1, 1]


def test_rows_of_one_person_make_it_wider() -> None:
    predicted, samples = selected([48, 24], [80, 80])
    alone = impact_ratios(predicted, samples, positive=1).ratio
    together = impact_ratios(predicted, replace(samples, sources=samples.sources // 4), positive=1).ratio
    assert together.high[1] - together.low[1] > 1.5 * (alone.high[1] - alone.low[1])


def test_intervals_contain_the_truth() -> None:
    draw, missed = np.random.default_rng(0), 0
    for _ in range(300):
        numbers = [int(draw.binomial(200, 0.5)), int(draw.binomial(100, 0.35))]
        found = impact_ratios(*selected(numbers, [200, 100]), positive=1)
        if found.reference[1] == 0:
            missed += not found.ratio.low[1] <= 0.7 <= found.ratio.high[1]
    assert 3 <= missed <= 27  # 15 expected
