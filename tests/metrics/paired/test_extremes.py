from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from fairdistill.metrics import Drawing, Paired, Resampled, Samples, paired_test
from fairdistill.metrics.paired.extremes import Between, _extreme, extremes
from tests.metrics.making import drawn


def two_models(first: np.ndarray, second: np.ndarray, rows: int, *, seed: int) -> tuple[np.ndarray, ...]:
    """Two models with these accuracies ``[G, C]`` that find the same rows hard."""
    table = drawn(first, rows, seed=seed)
    generator = np.random.default_rng([seed, 1])
    hard = generator.standard_normal((2, len(table.labels)))
    hard[1] = 0.7 * hard[0] + np.sqrt(1 - 0.7**2) * hard[1]
    at = table.groups, table.labels
    return norm.cdf(hard[0]) < first[at], norm.cdf(hard[1]) < second[at], table.samples(first.shape[1], len(first))


def compared(first: np.ndarray, second: np.ndarray, rows: int, *, seed: int = 0, draws: int = 400) -> Paired:
    one, other, samples = two_models(first, second, rows, seed=seed)
    return paired_test(one, other, samples, Drawing(draws=draws, seed=seed))


def even(groups: int, classes: int, accuracy: float, gap: float) -> np.ndarray:
    return accuracy + np.repeat(np.linspace(gap / 2, -gap / 2, groups)[:, None], classes, axis=1)


# Both models have the same gap, but not the same accuracy.
EQUAL_GAPS = {
    "none": (even(2, 10, 0.6, 0), even(2, 10, 0.95, 0), 100),
    "none, four groups": (even(4, 3, 0.6, 0), even(4, 3, 0.95, 0), 100),
    "of 20": (even(2, 4, 0.6, 0.2), even(2, 4, 0.85, 0.2), 100),
    "in one class of ten": (
        0.6 + 0.15 * np.outer([1, -1], np.arange(10) == 0), 0.8 + 0.15 * np.outer([1, -1], np.arange(10) == 0), 100
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EQUAL_GAPS)
def test_equal_gaps_are_not_called_different_because_accuracies_are(case: str) -> None:
    first, second, rows = EQUAL_GAPS[case]
    found = [compared(first, second, rows, seed=seed, draws=200) for seed in range(60)]
    for of in ("deo_a", "deo_m"):
        assert np.mean([getattr(each, of).p_value <= 0.05 for each in found]) <= 0.1


def test_a_gap_that_halves_is_found() -> None:
    found = [compared(even(2, 10, 0.8, 0.2), even(2, 10, 0.8, 0.1), 300, seed=seed) for seed in range(10)]
    assert all(each.deo_a.high < 0 for each in found)
    assert np.mean([each.deo_a.estimate for each in found]) == pytest.approx(-0.1, abs=0.01)


@pytest.mark.parametrize("confidence", [0.8, 0.9, 0.95, 0.99])
def test_the_p_value_and_the_interval_are_one_statement(confidence: float) -> None:
    seen = set()
    for seed in range(40):
        one, other, samples = two_models(even(2, 3, 0.75, 0.16), even(2, 3, 0.75, 0.02), 100, seed=seed)
        found = paired_test(one, other, samples, Drawing(draws=1000, seed=seed, confidence=confidence)).deo_a
        excluded = found.low > 0 or found.high < 0
        assert (found.p_value <= 1 - confidence) == excluded
        seen.add(excluded)
    assert seen == {True, False}


@pytest.mark.parametrize("draws", [9, 400])
def test_so_they_are_with_few_draws(draws: int) -> None:
    both = resampled()
    both.draws = draws
    errors = 0.01 * norm.ppf((np.arange(draws) + 0.5) / draws)
    for lower in np.linspace(0.015, 0.022, 30):
        found = Between(float(lower), float(lower) + 0.01, errors, np.array([0.02])).change(both)
        assert (found.p_value <= 0.05) == (found.low > 0)
        opposite = (Between(float(lower), float(lower) + 0.01, errors, np.array([0.02])) * -1).change(both)
        assert opposite.p_value == pytest.approx(found.p_value, abs=2 / draws)


@pytest.mark.parametrize("gap", [0.0, 0.5, 1.0, 1.3, 2.0, 3.0])
def test_two_estimates_enclose_a_gap_of_any_size(gap: float) -> None:
    # 400 models with two groups so many standard errors apart, after as many without any noise or gap
    shares = np.zeros((800, 2, 1))
    shares[400:, 0, 0] = gap + norm.ppf((np.arange(400) + 0.5) / 400)
    noise = np.sqrt(0.5) * np.random.default_rng(0).standard_normal((800, 2, 1, 500))
    noise[:400] = 0
    other = np.roll(noise, 1, axis=-1)
    found = _extreme(shares[..., None], noise, other, 1) + _extreme(shares[..., None], noise, other, -1)
    observed = np.abs(shares[:, 0, 0] - shares[:, 1, 0])
    few, many = (found.mean().between(observed, classes=classes) for classes in (1, 100))
    assert few.lower == many.lower <= gap + 0.01
    assert gap - 0.1 <= few.upper <= many.upper
    assert many.upper >= gap - 0.02
    assert many.upper - many.lower < 1.2


def resampled() -> Resampled:
    one, other, samples = two_models(even(3, 4, 0.8, 0.2), even(3, 4, 0.75, 0.1), 100, seed=3)
    return Resampled(np.stack([one, other]), samples, Drawing(draws=400))


@pytest.mark.parametrize("axis", [2, 3])
def test_the_order_of_groups_and_classes_does_not_matter(axis: int) -> None:
    both, turned = resampled(), resampled()
    turned.all_shares = np.concatenate([np.flip(both.shares, axis - 1), both.all_shares[:, -1:]], axis=1)
    turned.all_noise = np.concatenate([np.flip(both.noise, axis), both.all_noise[:, :, -1:]], axis=2)
    one, other = extremes(both), extremes(turned)
    for of in ("best", "worst", "deo_a", "deo_m"):
        for found, expected in zip(
            vars(getattr(one, of).change(both)).values(), vars(getattr(other, of).change(both)).values(), strict=True
        ):
            assert found == pytest.approx(expected, abs=1e-12)


def test_groups_that_look_equal_share() -> None:
    # two groups with the same rows right: no order decides which one is the best
    samples = Samples(
        labels=np.zeros(200, int), groups=np.repeat([0, 1], 100), sources=np.tile(np.arange(100), 2), num_classes=1,
        num_groups=2,
    )  # fmt: skip
    first, second = np.tile(np.arange(100) < 80, 2), np.tile(np.arange(100) < 70, 2)
    found = paired_test(first, second, samples, Drawing(draws=400))
    swapped = paired_test(first, second, replace(samples, groups=1 - samples.groups), Drawing(draws=400))
    assert found.worst_groups == swapped.worst_groups
    assert found.worst_groups.high < 0


# --- who pays for a smaller gap


def test_the_worst_groups_change_is_covered_though_they_are_the_smallest_of_many() -> None:
    # seven equal groups of the second model: the smallest of seven noisy accuracies looks far worse than it is
    truth, held, observed = 0.75 - 0.75, [], []
    for seed in range(60):
        found = compared(even(7, 3, 0.8, 0.1), even(7, 3, 0.75, 0), 60, seed=seed)
        held.append(found.worst_groups.low <= truth <= found.worst_groups.high)
        observed.append(found.worst_groups.value)
        assert not found.levels_down
    assert np.mean(held) >= 0.9
    assert np.mean(observed) < -0.02


def test_levelling_down_is_found_where_the_worst_groups_fall() -> None:
    found = compared(even(2, 4, 0.8, 0.2), even(2, 4, 0.62, 0.04), 300)
    assert found.levels_down
    assert found.share_levelled_down.low > 0.9
    same = compared(even(2, 4, 0.8, 0.2), even(2, 4, 0.7, 0.0), 300)  # the worst groups neither fall nor gain
    assert not same.levels_down
    assert same.share_levelled_down.low > 0.6
    assert same.share_levelled_down.high == 1


def test_the_share_has_an_interval_that_holds_it() -> None:
    found = [compared(even(2, 4, 0.8, 0.2), even(2, 4, 0.8, 0.0), 200, seed=seed).share_levelled_down
             for seed in range(30)]  # fmt: skip
    assert np.mean([each.low <= 0.5 <= each.high for each in found]) >= 0.9
    assert np.mean([each.high - each.low for each in found]) < 0.8


def test_a_share_of_a_reduction_that_may_be_chance_can_be_anything() -> None:
    found = compared(even(2, 2, 0.8, 0.1), even(2, 2, 0.8, 0.0), 50, seed=4)
    assert found.deo_a.value < 0 < found.deo_a.high
    assert (found.share_levelled_down.low, found.share_levelled_down.high) == (0, 1)
