from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics import Drawing
from fairdistill.metrics.gap.tiny import tiny_group_ends
from fairdistill.metrics.intervals import wilson
from fairdistill.metrics.resampling import Resampled
from tests.metrics.making import drawn, worked

TAILS = (0.025, 0.05)


def ends(right: object, rows: object, which: str, groups: int = 3) -> np.ndarray:
    table = worked(right, rows)
    sample = Resampled(table.correct[None], table.samples(2, groups), Drawing(draws=200))
    return tiny_group_ends(sample.evidence, which, TAILS)  # type: ignore[arg-type]


def test_groups_of_like_sizes_have_none() -> None:
    for which, length in (("each", 2), ("mean", 1), ("max", 1)):
        found = ends([[80, 70], [80, 70], [30, 30]], [[100] * 2, [100] * 2, [40] * 2], which)
        np.testing.assert_array_equal(found, np.zeros((2, length)))


def test_five_right_rows_may_be_of_a_much_worse_group() -> None:
    # Newcombe: p1 - p2 + sqrt((u1 - p1)^2 + (p2 - l2)^2), here with the large group better
    found = ends([[900, 900], [900, 900], [5, 5]], [[1000] * 2, [1000] * 2, [5] * 2], "each")
    upper, lower = wilson(np.array(900), np.array(1000))[1], wilson(np.array(5), np.array(5))[0]
    np.testing.assert_allclose(found[0], -0.1 + np.hypot(upper - 0.9, 1 - lower), atol=1e-6)
    assert (found[1] < found[0]).all()
    assert ends([[900, 900], [900, 900], [5, 5]], [[1000] * 2, [1000] * 2, [5] * 2], "mean")[0, 0] < found[0].max()


@pytest.mark.parametrize("accuracy", [0.5, 0.95])
def test_upper_ends_hold_the_gap_of_a_rare_group(accuracy: float) -> None:
    missed = []
    for seed in range(40):
        table = drawn([[0.9] * 2, [0.8] * 2, [accuracy] * 2], [[2000] * 2, [2000] * 2, [5] * 2], seed=seed)
        sample = Resampled(table.correct[None], table.samples(2, 3), Drawing(draws=200, seed=seed))
        truth = max(0.9, accuracy) - min(0.8, accuracy)
        missed.append([sample.gap("mean").high < truth, sample.gap("max").high < truth])
    assert np.mean(missed, axis=0).max() <= 0.1  # a standard error of 2.5%
