from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pytest
from scipy.stats import norm

from fairdistill.metrics.arrays import spread
from fairdistill.metrics.gap.true_gaps import Over, over
from fairdistill.metrics.gap.upper import GapInversion, quantile, root_of
from fairdistill.metrics.resampling import Resampled
from tests.metrics.making import worked

WHICH: tuple[Over, ...] = ("each", "mean", "max")


def noise(sd: float, groups: int, things: int, *, models: int = 1, draws: int = 4000, seed: int = 0) -> np.ndarray:
    return sd * np.random.default_rng(seed).standard_normal((draws, models, groups, things))


class Ends(NamedTuple):
    """The estimate and the upper end of a gap; the lower end is in test_contrast and test_gaps."""

    middle: np.ndarray
    high: np.ndarray


def inverted(
    shares: np.ndarray, drawn_noise: np.ndarray, which: Over, *, confidence: float = 0.95, seed_noise: object = 0.0
) -> Ends:
    found = GapInversion(shares, drawn_noise, which, seed_noise)  # type: ignore[arg-type]
    return Ends(found.estimate(), found.high([(1 - confidence) / 2])[0])


def test_roots_of_several_increasing_functions() -> None:
    at = np.array([0.2, 0.71, 0.5])
    found = root_of(lambda value: (value - at) * (0.1 + value) ** 2, np.array([0.3, 0.3, 0.9]))
    np.testing.assert_allclose(found, at, atol=2e-3)
    assert (root_of(lambda value: value - at, np.full(3, 0.5)) >= at - 1e-6).all()
    np.testing.assert_array_equal(root_of(lambda value: value + np.array([1, -2]), np.array([0.5, 0.5])), [0, 1])


def test_ends_of_a_clear_gap_are_the_normal_ones() -> None:
    shares = np.array([[[0.9], [0.6]]])
    found = GapInversion(shares, noise(0.01, 2, 1, draws=20_000), "mean")
    half = norm.ppf([0.975, 0.95]) * 0.01 * np.sqrt(2)
    np.testing.assert_allclose(found.high([0.025, 0.05]), 0.3 + half, atol=0.001)
    assert found.estimate() == pytest.approx(0.3, abs=0.001)


def test_gaps_within_noise_do_not_add_to_the_estimate_of_the_mean() -> None:
    draw = np.random.default_rng(1)
    estimates = []
    for _ in range(20):
        shares = np.full((1, 2, 40), 0.6) + 0.04 * draw.standard_normal((1, 2, 40))
        shares[0, 0, :4] += 0.3
        found = GapInversion(shares, noise(0.04, 2, 40, draws=400), "mean")
        assert found.seen > 0.05
        estimates.append(float(found.estimate()))
    assert np.mean(estimates) == pytest.approx(0.03, abs=0.006)


def test_complements_without_a_gap_have_the_end_of_one_of_them() -> None:
    # P(pred = first) and P(pred = second) of two groups: their noise is opposite
    drawn = noise(0.02, 2, 1)
    one = GapInversion(np.full((1, 2, 1), 0.3), drawn, "max").high([0.025])[0]
    both = GapInversion(np.array([[[0.3, 0.7]] * 2]), np.concatenate([drawn, -drawn], axis=-1), "max").high([0.025])[0]
    assert one > 0.05
    np.testing.assert_allclose(both, one, atol=0.002)


@pytest.mark.parametrize("which", WHICH)
def test_two_groups_have_the_ends_of_three_of_which_one_is_always_in_the_middle(which: Over) -> None:
    shares, drawn = np.array([[[0.9, 0.7], [0.6, 0.8]]]), noise(0.03, 2, 2, draws=1000)
    two = GapInversion(shares, drawn, which)
    middle = [np.concatenate([each, each.mean(axis=-2, keepdims=True)], axis=-2) for each in (shares, drawn)]
    three = GapInversion(*middle, which)
    np.testing.assert_allclose(two.high([0.025])[0], three.high([0.025])[0], atol=3e-4)
    assert (two.high([0.025])[0] > two.seen).all()


def test_each_quantity_has_the_end_it_has_alone() -> None:
    shares = np.array([[[0.9, 0.7, 0.8], [0.6, 0.7, 0.75], [0.7, 0.7, 0.7]]])
    drawn = noise(0.03, 3, 3, draws=500)
    together = GapInversion(shares, drawn, "each").high([0.025])[0]
    alone = [float(GapInversion(shares[..., [at]], drawn[..., [at]], "each").high([0.025])[0][0]) for at in range(3)]
    np.testing.assert_allclose(together, alone, atol=3e-4)


def test_of_equal_gaps_one_may_be_the_largest() -> None:
    # equal or nearly equal in three classes: the upper end is that of the largest, and hardly differs
    drawn = noise(0.03, 2, 3)
    equal = GapInversion(np.array([[[0.9] * 3, [0.7] * 3]]), drawn, "max").high([0.025])[0]
    nearly = GapInversion(np.array([[[0.9, 0.9, 0.9], [0.7, 0.702, 0.702]]]), drawn, "max").high([0.025])[0]
    alone = GapInversion(np.array([[[0.9], [0.7]]]), drawn[..., :1], "max").high([0.025])[0]
    np.testing.assert_allclose([equal, nearly], alone, atol=0.01)


@pytest.mark.parametrize("which", WHICH)
def test_a_gap_far_above_its_noise_has_the_normal_upper_end(which: Over) -> None:
    # Two groups, whose difference has a standard error of 0.01 sqrt(2); a gap of 0.3 cannot change its sign.
    shares = np.array([[[0.9], [0.6]]])
    found = inverted(shares, noise(0.01, 2, 1, draws=20_000), which)
    half = norm.ppf(0.975) * 0.01 * np.sqrt(2)
    np.testing.assert_allclose(np.ravel(found), [0.3, 0.3 + half], atol=0.002)


def test_the_mean_of_independent_gaps_is_more_certain_than_each() -> None:
    shares = np.tile([[[0.9], [0.6]]], (1, 1, 4))
    drawn_noise = noise(0.02, 2, 4, draws=10_000)
    mean, each = inverted(shares, drawn_noise, "mean"), inverted(shares, drawn_noise, "each")
    np.testing.assert_allclose((mean.high - 0.3) / (each.high - 0.3), 1 / 2, rtol=0.07)


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("groups", [2, 4])
def test_the_upper_end_lies_above_the_estimate_and_both_are_fractions(which: Over, groups: int) -> None:
    for seed in range(10):
        generator = np.random.default_rng(seed)
        shares = generator.uniform(0, 1, (1, groups, 3))
        middle, high = inverted(shares, noise(0.1, groups, 3, draws=300), which)
        assert (middle >= 0).all()
        assert (middle <= high + 1e-4).all()
        assert (high <= 1).all()


@pytest.mark.parametrize("which", WHICH)
def test_a_gap_of_zero_with_noise_may_be_none_and_may_be_one(which: Over) -> None:
    found = inverted(np.full((1, 2, 3), 0.7), noise(0.05, 2, 3), which)
    assert np.all(found.high > 0.03)  # less than half the standard error of a difference
    assert np.all(found.high < 0.35)  # and five of them


@pytest.mark.parametrize("which", WHICH)
def test_a_gap_smaller_than_chance_gives_may_still_be_one(which: Over) -> None:
    # Every draw without a gap shows a larger one than this: noise of ten classes, and next to no gap observed.
    shares = np.full((1, 2, 10), 0.7)
    shares[0, 0] += 0.001
    found = inverted(shares, noise(0.05, 2, 10), which)
    assert np.all(found.high > 0.01)
    assert np.all(found.high < 0.35)


def test_next_to_no_gap_of_one_class_has_the_normal_upper_end() -> None:
    # phi(v / s) / phi(0) = exp(-v^2 / (2 s^2)) = 0.025 at v = s sqrt(2 log 40), with s of the difference
    shares, s = np.array([[[0.701], [0.7]]]), 0.05 * np.sqrt(2)
    found = inverted(shares, noise(0.05, 2, 1, draws=40_000), "each")
    np.testing.assert_allclose(found.high, s * np.sqrt(2 * np.log(40)), rtol=0.15)


@pytest.mark.parametrize("right", [80, 100])
@pytest.mark.parametrize("which", ["mean", "max"])
def test_groups_that_are_right_equally_often_may_differ_by_chance(which: Over, right: int) -> None:
    # Of 100 rows a cell, 80 differ between two test sets with a standard error of 5.7 points; of 100 right ones, an
    # accuracy of 97% still shows no error in 5% of test sets.
    table = worked([[right] * 2] * 2, 100)
    found = Resampled(table.correct[None], table.samples()).gap(which)
    assert (found.value, found.low) == (0, 0)
    assert 0.01 < found.high < 0.3


@pytest.mark.parametrize("which", WHICH)
def test_without_noise_the_gap_is_known(which: Over) -> None:
    shares = np.array([[[0.9, 0.5], [0.6, 0.4]]])
    expected = over(spread(shares), which)[0]
    for end in inverted(shares, np.zeros((200, 1, 2, 2)), which):
        np.testing.assert_allclose(end, expected, atol=2e-4)


def test_what_is_undefined_stays_so_and_touches_nothing_else() -> None:
    shares = np.array([[[0.9, 0.9, np.nan], [0.6, 0.8, 0.7]]])
    drawn_noise = noise(0.02, 2, 3, draws=500)
    drawn_noise[..., 0, 2] = np.nan
    each = np.array(inverted(shares, drawn_noise, "each"))
    assert np.isnan(each[:, 2]).all()
    np.testing.assert_allclose(each[:, :2], inverted(shares[..., :2], drawn_noise[..., :2], "each"), atol=2e-4)
    for which in ("mean", "max"):
        assert np.isnan(inverted(shares, drawn_noise, which)).all()


@pytest.mark.parametrize("which", WHICH)
@pytest.mark.parametrize("gap", [0.01, 0.05, 0.3])
def test_more_confidence_is_a_wider_interval(which: Over, gap: float) -> None:
    shares = np.array([[[0.6 + gap, 0.7 + gap], [0.6, 0.7]]])
    drawn_noise = noise(0.03, 2, 2)
    found = [inverted(shares, drawn_noise, which, confidence=confidence) for confidence in (0.5, 0.8, 0.95, 0.99)]
    for narrow, wide in pairwise(found):
        assert np.all(wide.high > narrow.high)


@pytest.mark.parametrize("which", WHICH)
def test_the_noise_of_seeds_widens_the_interval(which: Over) -> None:
    shares, drawn_noise = np.array([[[0.9, 0.8], [0.6, 0.5]]]), noise(0.02, 2, 2)
    seeds = 0.05 * np.random.default_rng(9).standard_normal(len(drawn_noise))
    without, with_it = (inverted(shares, drawn_noise, which, seed_noise=extra) for extra in (0.0, seeds))
    assert np.all(with_it.high > without.high + 0.01)


def test_the_gap_of_several_models_is_the_mean_of_their_gaps() -> None:
    shares = np.array([[[0.9], [0.7]], [[0.6], [0.7]]])  # 0.2 and 0.1, the other way round
    found = inverted(shares, noise(0.001, 2, 1, models=2), "mean")
    np.testing.assert_allclose(found, 0.15, atol=0.005)


def test_the_largest_of_equal_gaps_is_biased_and_its_estimate_is_less_so() -> None:
    # Six true gaps of 0.1; the largest observed is larger.
    truth, held, above, estimates = np.full((1, 2, 6), 0.6), 0, 0, []
    truth[0, 0] += 0.1
    for seed in range(60):
        shares = truth + noise(0.03, 2, 6, draws=1, seed=1000 + seed)[0]
        found = inverted(shares, noise(0.03, 2, 6, draws=300, seed=seed), "max")
        held += bool(found.high >= 0.1)
        above += bool(over(spread(shares), "max") > 0.1)
        estimates.append(found.middle)
    assert above >= 55
    assert held >= 57
    assert np.mean(estimates) < 0.16


@pytest.mark.parametrize("share", [0.0, 0.025, 0.3, 0.5, 0.975, 1.0])
@pytest.mark.parametrize("shape", [(1,), (2,), (41,), (40, 3)])
def test_quantiles_are_those_of_numpy(share, shape):
    values = np.random.default_rng(0).normal(size=shape).round(1)
    assert np.array_equal(quantile(values, share), np.quantile(values, share, axis=0))
    values[-1] = np.nan
    assert np.isnan(quantile(values, share)).all()
