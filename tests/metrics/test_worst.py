from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest, norm

from fairdistill.metrics import Drawing, Resampled, Samples
from fairdistill.metrics.worst import Sized, binomial_limit, effective_rows, smallest_limits
from tests.metrics.making import drawn, worked


def sized(shares: Any, rows: Any) -> Sized:
    shares = np.atleast_2d(np.asarray(shares, float))
    return Sized(shares=shares, rows=np.broadcast_to(np.asarray(rows, float), shares.shape))


@pytest.mark.parametrize("tail", [0.025, 0.001])
def test_the_limits_of_one_subgroup_are_clopper_and_pearsons(tail: float) -> None:
    cases = [(0, 1), (1, 1), (0, 20), (7, 20), (20, 20), (499, 1000)]
    of = sized([k / n for k, n in cases], [n for _, n in cases])
    found = np.stack([binomial_limit(of, tail)[0], binomial_limit(of, tail, upper=True)[0]])
    expected = [binomtest(k, n).proportion_ci(confidence_level=1 - 2 * tail, method="exact") for k, n in cases]
    np.testing.assert_allclose(found.T, expected, atol=1e-9)


def test_none_right_of_twenty_reaches_0_and_says_how_high_it_may_be() -> None:
    found = smallest_limits(sized([0.0, 0.9, 0.9, 0.95], 20))
    assert float(found.low) == float(found.middle) == 0.0
    assert 0.16 < float(found.high) < 0.25  # by itself 0.168; not as if 0 of 20 were certain


def test_all_right_of_three_may_be_the_worst() -> None:
    with_rare, without = (
        smallest_limits(sized([0.8, 0.85, 1.0], [500, 500, 3])),
        smallest_limits(sized([0.8, 0.85], 500)),
    )
    assert float(with_rare.middle) == float(without.middle) == 0.8
    assert float(with_rare.low) == pytest.approx(0.025 ** (1 / 3))  # Clopper-Pearson, all of 3
    assert float(without.low) > 0.75


def test_subgroups_that_are_clearly_better_do_not_widen_the_interval() -> None:
    alone = smallest_limits(sized([0.5], 200))
    among = smallest_limits(sized([0.5, *[0.95] * 99], 200))
    equal = smallest_limits(sized([0.5] * 100, 200))
    assert float(among.high) == pytest.approx(float(alone.high), abs=1e-6)
    assert float(equal.high) > float(alone.high) + 0.03
    assert float(equal.low) == pytest.approx(float(alone.low))


def test_more_confidence_is_wider_and_seeds_widen_it_too() -> None:
    of = sized([0.6, 0.7], 50)
    usual, sure, seeds = smallest_limits(of), smallest_limits(of, confidence=0.99), smallest_limits(of, seed_error=0.2)
    for wider in (sure, seeds):
        assert wider.low < usual.low
        assert wider.high > usual.high
    assert float(seeds.low) == pytest.approx(0.6 - np.hypot(0.6 - float(usual.low), 0.2))


def test_of_several_models_it_is_the_mean_of_each_ones_smallest() -> None:
    found = smallest_limits(sized([[0.6, 0.9], [0.9, 0.7]], 50))
    assert float(found.middle) == pytest.approx(0.65)


def test_nothing_and_what_is_undefined_are_undefined() -> None:
    for of in (sized(np.zeros((1, 0)), np.zeros((1, 0))), sized([0.5, np.nan], [10, 0])):
        assert np.isnan([smallest_limits(of).low, smallest_limits(of).middle, smallest_limits(of).high]).all()


def test_rows_that_vary_more_count_as_fewer() -> None:
    noise = np.random.default_rng(0).normal(0, 0.08, (4000, 1, 1))
    args = np.array([[0.8]]), noise, np.array([100])
    many = effective_rows(*args, np.array([100]))[0, 0]
    assert many == pytest.approx(0.16 / 0.08**2, rel=0.05)  # 25 rows
    few = effective_rows(*args, np.array([5]))[0, 0]
    assert few == pytest.approx(many * (1.9842 / 2.7764) ** 2, rel=1e-3)  # t of 99 and 4 degrees of freedom
    assert effective_rows(np.array([[0.8]]), noise / 1000, np.array([100]), np.array([100]))[0, 0] == 100
    assert effective_rows(np.array([[0.8]]), noise * 10, np.array([100]), np.array([1]))[0, 0] == 1


@pytest.mark.parametrize(
    ("accuracy", "rows"),
    [
        ([[0.05, 0.05], [0.05, 0.05]], 20),
        ([[0.5, 0.5], [0.5, 0.5]], 20),
        ([[0.95, 0.95], [0.95, 0.95]], 20),
        ([[0.8, 0.8], [0.8, 0.6]], [[100, 100], [100, 3]]),
        (np.full((10, 10), 0.7).tolist(), 20),
    ],
)  # fmt: skip
def test_the_truth_is_inside(accuracy: Any, rows: Any) -> None:
    shape = np.shape(accuracy)
    inside = 0
    for seed in range(100):
        table = drawn(accuracy, rows, seed=seed)
        of = Resampled(table.correct[None], table.samples(shape[1], shape[0]), Drawing(draws=100, seed=seed))
        found, _ = of.worst_cell()
        inside += found.low <= np.min(accuracy) <= found.high
    assert inside >= 95


def test_the_truth_is_inside_if_people_have_several_rows() -> None:
    labels, groups = np.tile(np.repeat([0, 1], 20), 2), np.repeat([0, 1], 40)
    people = np.arange(80) // 5
    samples = Samples(labels=labels, groups=groups, sources=people, num_classes=2, num_groups=2)
    draw, inside, width = np.random.default_rng(0), 0, 0.0
    for seed in range(100):
        hard = (draw.standard_normal(80) + draw.standard_normal(16)[people]) / np.sqrt(2)
        of = Resampled((norm.cdf(hard) < 0.8)[None], samples, Drawing(draws=300, seed=seed))
        found, _ = of.worst_cell()
        inside += found.low <= 0.8 <= found.high
        width += (found.high - found.low) / 100
    assert inside >= 95
    assert width < 0.9


def test_a_subgroup_with_no_row_right_is_not_certain_of_0() -> None:
    table = worked([[0, 18], [19, 17]], 20)
    found, at = Resampled(table.correct[None], table.samples(), Drawing(draws=200)).worst_cell()
    assert at == (0, 0)
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.16 < found.high < 0.3
