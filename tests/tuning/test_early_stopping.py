from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairdistill.metrics import Scores
from fairdistill.tuning.early_stopping import Noise, beaten_by

OVER = ("accuracy", "deo_a")
SURE = Noise.of(torch.full((2, 2), 10_000), rows=40_000)
GOOD, POOR = Scores(0.9, 0.1, 0.2), Scores(0.6, 0.5, 0.9)


def stopped(history, finished, *, steps=90, objectives=OVER, noise=SURE):
    return beaten_by(history, finished, steps=steps, objectives=objectives, noise=noise)


def accurate(accuracy):
    return Scores(accuracy, deo_a=0.0, deo_m=0.0)


def everywhere(values):
    return dict.fromkeys(range(10, 100, 10), values)


def test_a_trial_that_is_worse_in_everything_twice_in_a_row_is_stopped():
    finished = {4: everywhere(POOR), 7: everywhere(GOOD)}
    assert stopped({30: POOR, 40: POOR}, finished) == 7
    assert stopped({10: GOOD, 20: GOOD, 30: POOR, 40: POOR}, finished) == 7


@pytest.mark.parametrize(
    ("history", "why"),
    [
        ({20: POOR, 30: POOR}, "the first of the two lies in the first third"),
        ({40: POOR}, "one evaluation is not two"),
        ({40: POOR, 50: GOOD}, "the last is good"),
        ({30: POOR, 40: GOOD, 50: POOR}, "not in a row"),
        ({30: POOR, 40: replace(POOR, accuracy=0.95)}, "not worse in everything"),
        ({30: POOR, 40: replace(POOR, deo_a=0.05)}, "not worse in everything"),
        ({80: POOR, 90: POOR}, "it is done anyway"),
        ({31: POOR, 41: POOR}, "no finished trial was judged at the same steps"),
        ({}, "nothing is known"),
    ],
)
def test_others_go_on(history, why):
    assert stopped(history, {0: everywhere(GOOD)}) is None, why


NOTHING = Scores(0.5, 0.0, 0.0)


def test_a_trial_that_has_learned_nothing_is_stopped_though_its_gap_is_none():
    assert stopped({30: NOTHING, 40: NOTHING}, {0: everywhere(GOOD)}) == 0
    assert stopped({20: NOTHING, 30: NOTHING}, {0: everywhere(GOOD)}) is None, "the first lies in the first third"
    assert stopped({30: NOTHING, 40: NOTHING}, {0: everywhere(NOTHING)}) is None, "the others are no better"
    assert stopped({30: NOTHING, 40: replace(NOTHING, accuracy=0.52)}, {0: everywhere(GOOD)}) is None, "it learns"


def test_what_always_naming_the_commonest_class_would_get_is_nothing_learned():
    noise = Noise.of(torch.tensor([[300, 300], [100, 100]]), rows=800)
    assert not noise.learned(accurate(0.75))
    assert not noise.learned(accurate(0.77))
    assert noise.learned(accurate(0.79))


def test_one_trial_has_to_be_better_both_times():
    first, second = {30: GOOD, 40: POOR}, {30: POOR, 40: GOOD}
    assert stopped({30: POOR, 40: POOR}, {0: first, 1: second}) is None
    assert stopped({30: POOR, 40: POOR}, {}) is None


def test_what_chance_may_explain_stops_nothing():
    noise = Noise.of(torch.full((2, 2), 2), rows=8)
    assert stopped({30: POOR, 40: POOR}, {0: everywhere(GOOD)}, noise=noise) is None


def test_the_margin_is_two_standard_errors_of_what_rows_and_cells_give():
    noise = Noise.of(torch.tensor([[10, 40, 90], [5, 20, 100]]), rows=300)
    half, four_fifths = accurate(0.5), accurate(0.8)
    assert noise.margin("accuracy", half, half) == pytest.approx(2 * math.sqrt(0.25 / 300))
    of_class = [1 / 10 + 1 / 40, 1 / 5 + 1 / 20]
    right = math.sqrt(0.65 * 0.35)
    assert noise.margin("deo_a", half, four_fifths) == pytest.approx(2 * right * math.sqrt(sum(of_class)) / 2)
    assert noise.margin("deo_m", half, four_fifths) == pytest.approx(2 * right * math.sqrt(of_class[1]))
    cells = [1 / 10, 1 / 40, 1 / 90, 1 / 5, 1 / 20, 1 / 100]
    assert noise.margin("balanced_accuracy", half, half) == pytest.approx(2 * 0.5 * math.sqrt(sum(cells)) / 6)
    one_group = Noise.of(torch.tensor([[10], [5]]), rows=15)
    assert one_group.margin("deo_a", half, half) == 0


def test_the_margin_is_as_large_as_the_noise_of_deo_that_is_drawn():
    cells, right = np.array([[30, 200], [50, 300]]), 0.8
    drawn = np.random.default_rng(0).binomial(cells, right, (4000, 2, 2)) / cells
    gaps = drawn[..., 0] - drawn[..., 1]  # signed, so that their spread is that of the difference
    noise = Noise.of(torch.from_numpy(cells), rows=int(cells.sum()))
    values = accurate(right)
    assert noise.margin("deo_a", values, values) == pytest.approx(2 * gaps.mean(1).std(), rel=0.05)
    assert noise.margin("deo_m", values, values) == pytest.approx(2 * gaps.std(0).max(), rel=0.05)
