from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from fairdistill.metrics.pooled import pooled_accuracy
from fairdistill.metrics.test_set.combined import attributes_of


def pooled(right: object, rows: object, **options: object) -> np.ndarray:
    """Low, middle and high, ``[3, G, C]``."""
    n = np.asarray(rows, float)
    with np.errstate(invalid="ignore"):
        found = pooled_accuracy(np.asarray(right, float) / n, n, **options)  # type: ignore[arg-type]
    return np.stack([found.low, found.middle, found.high])


def test_a_small_subgroup_takes_its_classs_and_its_groups_side() -> None:
    # 20 rows, 10 right, where all else is at 90%: by itself 50 [30, 70]
    low, middle, high = pooled([[180, 180, 180], [180, 180, 10]], [[200, 200, 200], [200, 200, 20]])[:, 1, 2]
    assert 0.5 < middle < 0.9
    assert high - low < 0.5


def test_a_subgroup_unlike_all_others_is_not_pulled_far() -> None:
    right = np.full((4, 4), 90.0)
    right[2, 1] = 15
    low, middle, high = pooled(right, np.full((4, 4), 100.0))[:, 2, 1]
    assert abs(middle - 0.15) < 0.05
    assert low < 0.15 < high


def test_twenty_of_twenty_where_nothing_follows_a_pattern_is_not_certain() -> None:
    low = pooled([[0, 18], [19, 20]], np.full((2, 2), 20))[0, 1, 1]
    assert low < 0.92  # by itself 0.83


def test_many_rows_speak_for_themselves() -> None:
    low, middle, high = pooled([[1800, 1800, 1800], [1800, 1800, 1000]], [[2000] * 3] * 2)[:, 1, 2]
    assert middle == pytest.approx(0.5, abs=0.01)
    assert low < 0.5 < high
    assert high - low < 0.06


def test_an_empty_subgroup_has_a_wide_interval_around_what_its_class_and_group_show() -> None:
    found = pooled([[180, 100, 160], [170, 0, 150], [175, 95, 155]], [[200, 200, 200], [200, 0, 200], [200, 200, 200]])
    low, middle, high = found[:, 1, 1]
    assert 0.3 < middle < 0.7  # its class is at 49%
    assert 2 * (found[2] - found[0])[1, 0] < high - low < 1
    assert not np.isnan(found).any()


def test_groups_that_go_their_own_ways_are_not_pooled() -> None:
    draw = np.random.default_rng(0)
    own = draw.integers(0, 2, (6, 6))  # a coin decides 10 or 90%: no pattern
    wide = pooled(np.where(own, 18, 2), np.full((6, 6), 20))
    close = pooled(np.full((6, 6), 18), np.full((6, 6), 20))
    assert np.abs(wide[1] - np.where(own, 0.9, 0.1)).max() < 0.1
    assert (wide[2] - wide[0]).mean() > (close[2] - close[0]).mean()


def test_attributes_help_a_group_that_is_hardly_there() -> None:
    names = [f"{race}, {sex}" for race in "abcdef" for sex in "mf"]
    right = np.repeat(np.tile([90.0, 60.0], 6), 2).reshape(12, 2)
    rows = np.full((12, 2), 100.0)
    right[11], rows[11] = [1, 1], [2, 2]
    of_sex = pooled(right, rows, attributes=attributes_of(names))[:, 11]
    plain = pooled(right, rows)[:, 11]
    assert (of_sex[2] - of_sex[0] < plain[2] - plain[0]).all()
    assert np.abs(of_sex[1] - 0.6).max() < 0.1


@pytest.mark.parametrize(
    ("names", "levels"),
    [
        (("a, x", "a, y", "b, x"), [[0, 0, 1], [0, 1, 0]]),
        (("a", "b"), []),
        (("a, x", "b"), []),
        (("Smith, J", "Jones, K"), []),
        ((), []),
    ],
)
def test_attributes_are_read_from_names_of_combinations(names: tuple[str, ...], levels: list[list[int]]) -> None:
    assert [each.tolist() for each in attributes_of(names)] == levels


def test_intervals_hold_on_average_and_are_shorter_than_by_themselves() -> None:
    draw, inside, error, raw = np.random.default_rng(0), [], 0.0, 0.0
    for seed in range(60):
        logit = 1.2 + draw.normal(0, 0.5, (6, 1)) + draw.normal(0, 0.5, 3) + draw.normal(0, 0.3, (6, 3))
        rows = np.where(draw.random((6, 3)) < 0.4, 20, 200)
        right = draw.binomial(rows, expit(logit))
        low, middle, high = pooled(right, rows, seed=seed)
        inside.append(((low <= expit(logit)) & (expit(logit) <= high)).mean())
        error += ((middle - expit(logit)) ** 2).mean()
        raw += ((right / rows - expit(logit)) ** 2).mean()
    assert 0.93 <= np.mean(inside) <= 0.985
    assert error < 0.7 * raw


@pytest.mark.parametrize("right", [0, 20])
def test_all_wrong_and_all_right_stay_inside_0_and_1(right: int) -> None:
    low, middle, high = pooled(np.full((3, 2), right), np.full((3, 2), 20))
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (high - low > 0.005).all()
    assert np.abs(middle - right / 20).max() < 0.1


@pytest.mark.parametrize("confidence", [0.2, 0.95])
def test_the_value_is_inside_its_interval(confidence: float) -> None:
    low, middle, high = pooled([[0, 18], [19, 20]], np.full((2, 2), 20), confidence=confidence)
    assert (low <= middle).all()
    assert (middle <= high).all()


def test_a_million_rows_are_no_problem() -> None:
    low, middle, high = pooled(np.full((2, 2), 900_000), np.full((2, 2), 1_000_000))
    assert np.abs(middle - 0.9).max() < 0.001
    assert (high - low < 0.002).all()


def test_no_rows_and_too_many_effects_are_undefined() -> None:
    assert np.isnan(pooled(np.zeros((2, 2)), np.zeros((2, 2)))).all()
    assert np.isnan(pooled(np.ones((2, 1500)), np.ones((2, 1500)))).all()


def test_more_confidence_is_wider_and_the_same_call_gives_the_same_bits() -> None:
    given = [[18, 15], [12, 19]], [[20, 20], [20, 20]]
    usual, sure = pooled(*given), pooled(*given, confidence=0.99)
    assert (sure[2] - sure[0] > usual[2] - usual[0]).all()
    np.testing.assert_array_equal(usual, pooled(*given))


def test_the_order_of_groups_and_classes_does_not_matter() -> None:
    draw = np.random.default_rng(5)
    rows = draw.integers(0, 30, (6, 3))
    right = draw.binomial(rows, 0.7)
    one, other = np.repeat([0, 1, 2], 2), np.tile([0, 1], 3)
    groups, classes = draw.permutation(6), draw.permutation(3)
    found = pooled(right, rows, attributes=[one, other])
    again = pooled(right[groups][:, classes], rows[groups][:, classes], attributes=[other[groups], 2 - one[groups]])
    np.testing.assert_allclose(again, found[:, groups][:, :, classes], rtol=1e-6)
