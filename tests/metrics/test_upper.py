from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from fairdistill.metrics.upper import GapInversion, root_of


def noise(sd: float, groups: int, things: int, *, draws: int = 4000) -> np.ndarray:
    return sd * np.random.default_rng(0).standard_normal((draws, 1, groups, things))


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


@pytest.mark.parametrize("which", ["each", "mean", "max"])
def test_two_groups_have_the_ends_of_three_of_which_one_is_always_in_the_middle(which) -> None:
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
