"""The largest fall of a subgroup's accuracy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from fairdistill.metrics import Samples
from fairdistill.metrics.paired.falls import falls

ROWS = np.arange(400)
SAMPLES = Samples(labels=ROWS % 2, groups=ROWS // 2 % 2, sources=ROWS, num_classes=2, num_groups=2)


def test_a_fall_is_what_only_the_first_model_gets_right_minus_what_only_the_second_does() -> None:
    first, second = np.ones(400, bool), np.ones(400, bool)
    second[:80:4], first[80:120:4] = False, False  # 20 lost and 10 gained of the first subgroup's 100
    found = falls(first, second, SAMPLES)
    assert found.value.tolist() == pytest.approx([0.1, 0, 0, 0])
    assert found.cell.tolist() == [0, 1, 2, 3]
    assert (found.at_least < found.value).all()
    assert (found.value < found.at_most).all()


def test_of_no_differences_the_upper_end_is_the_exact_binomial_one() -> None:
    found = falls(ROWS >= 0, ROWS >= 0, SAMPLES, confidence=0.95)
    most = found.at_most[0]
    assert binom.cdf(0, 100, most) == pytest.approx(0.05)
    assert found.at_least.tolist() == pytest.approx([-(1 - 0.0125 ** (1 / 100))] * 4)  # four subgroups


def test_samples_of_one_source_and_of_unknown_group_say_less() -> None:
    second = ROWS % 40 > 0
    whole = falls(ROWS >= 0, second, SAMPLES)
    shared = falls(ROWS >= 0, second, Samples(**{**vars(SAMPLES), "sources": ROWS // 80 * 4 + ROWS % 4}))  # 20 each
    assert shared.at_most[0] > whole.at_most[0]
    assert shared.at_least[0] < whole.at_least[0]
    unknown = Samples(**{**vars(SAMPLES), "groups": np.where(ROWS < 200, -1, SAMPLES.groups)})
    assert falls(ROWS >= 0, second, unknown).at_most[1] > whole.at_most[1]


@pytest.mark.parametrize("true", [0.0, 0.08])
def test_ends_are_rarely_wrong(true: float) -> None:
    random = np.random.default_rng(0)
    above = below = 0
    for _ in range(200):
        chance = random.random(400)
        lost, gained = np.where(SAMPLES.labels == 0, 0.04 + true, 0.04), 0.04
        first, second = ~((chance > 0.5) & (chance < 0.5 + gained)), chance > lost
        found = falls(first, second, SAMPLES)
        above += found.at_least.max() > true
        below += found.at_most.max() < true
    assert above <= 20  # 5% expected at most
    assert below <= 20


def test_a_subgroup_without_samples_is_left_out() -> None:
    keep = ~((SAMPLES.labels == 1) & (SAMPLES.groups == 0))
    samples = Samples(**{name: value[keep] if isinstance(value, np.ndarray) else value
                         for name, value in vars(SAMPLES).items()})  # fmt: skip
    assert falls(np.ones(300, bool), np.ones(300, bool), samples).cell.tolist() == [0, 2, 3]
