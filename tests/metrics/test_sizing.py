from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fairdistill.metrics import Drawing, Resampled
from fairdistill.metrics.sizing import gap_resolved, gaps_detected, needed_signal, rows_to_detect, rows_to_resolve
from tests.metrics.making import drawn


def test_rows_worked_by_hand() -> None:
    # (1.95996 + 0.84162)^2 = 7.8489; p1 = 0.85, p2 = 0.75: 0.1275 + 0.1875 = 0.315; 7.8489 * 0.315 / 0.01 = 247.2
    assert rows_to_resolve(0.1, accuracy=0.8) == 248
    # (1.64485 + 1.28155)^2 = 8.5638; p1 = 0.6, p2 = 0.4: 0.48; 8.5638 * 0.48 / 0.04 = 102.8
    assert rows_to_resolve(0.2, accuracy=0.5, confidence=0.9, power=0.9) == 103


def test_accuracies_at_the_ends_are_kept_within() -> None:
    # at 100% and a gap of 10: p1 = 1, p2 = 0.9: 7.8489 * 0.09 / 0.01 = 70.6; the same for 0%
    assert rows_to_resolve(0.1, accuracy=1.0) == rows_to_resolve(0.1, accuracy=0.0) == 71
    assert rows_to_resolve(1.0, accuracy=0.5) == 2


def test_smaller_gaps_more_confidence_and_more_power_need_more_rows() -> None:
    by_gap = [rows_to_resolve(gap, accuracy=0.8) for gap in (0.01, 0.02, 0.05, 0.1, 0.3)]
    assert by_gap == sorted(by_gap, reverse=True)
    assert by_gap[0] > 3.9 * by_gap[1]  # the rows go with the square
    assert rows_to_resolve(0.1, accuracy=0.8, confidence=0.99) > rows_to_resolve(0.1, accuracy=0.8)
    assert rows_to_resolve(0.1, accuracy=0.8, power=0.9) > rows_to_resolve(0.1, accuracy=0.8)


@pytest.mark.parametrize(("gap", "accuracy"), [(0.1, 0.8), (0.2, 0.5), (0.05, 0.7)])
def test_so_many_rows_show_the_gap_in_four_of_five_test_sets(gap: float, accuracy: float) -> None:
    rows, draws = rows_to_resolve(gap, accuracy=accuracy), 40_000
    generator = np.random.default_rng(0)
    first, second = (generator.binomial(rows, accuracy + half, draws) / rows for half in (gap / 2, -gap / 2))
    error = np.sqrt((first * (1 - first) + second * (1 - second)) / rows)
    found = np.abs(first - second) > norm.ppf(0.975) * error
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(2, 5000), st.floats(0, 1), st.sampled_from([0.8, 0.95]))
def test_the_resolved_gap_is_the_smallest_for_which_the_rows_are_enough(
    rows: int, accuracy: float, confidence: float
) -> None:
    gap = gap_resolved(rows, accuracy=accuracy, confidence=confidence)
    assert rows_to_resolve(gap, accuracy=accuracy, confidence=confidence) <= rows
    if gap > 0.001:
        assert rows_to_resolve(gap - 0.001, accuracy=accuracy, confidence=confidence) > rows


def test_no_rows_resolve_no_gap() -> None:
    assert gap_resolved(0, accuracy=0.8) == 1.0
    assert gap_resolved(10**9, accuracy=0.8) == 0.001


@pytest.mark.parametrize(("confidence", "power"), [(0.95, 0.8), (0.99, 0.9), (0.9, 0.7)])
def test_with_one_class_and_two_groups_the_signal_is_that_of_a_normal_test(confidence: float, power: float) -> None:
    expected = (norm.ppf((1 + confidence) / 2) + norm.ppf(power)) ** 2
    assert needed_signal(2, 1, confidence=confidence, power=power) == pytest.approx(expected, rel=0.01)


def test_with_one_class_and_two_groups_the_gap_is_nearly_that_of_two_subgroups() -> None:
    for rows in (50, 200, 1000):
        found = gaps_detected(np.full((2, 1), float(rows)), accuracy=0.8)
        assert found == pytest.approx([gap_resolved(rows, accuracy=0.8)] * 2, rel=0.05)
    assert rows_to_detect(0.1, groups=2, classes=1, accuracy=0.8) == pytest.approx(248, rel=0.03)


def test_more_classes_need_fewer_rows_and_more_groups_more_than_two_do() -> None:
    by_class = [rows_to_detect(0.05, groups=3, classes=classes, accuracy=0.8) for classes in (1, 3, 10, 100)]
    assert by_class == sorted(by_class, reverse=True)
    assert by_class[0] > 3 * by_class[2]
    rows = np.full((2, 4), 100.0)
    assert gaps_detected(rows * 4, accuracy=0.8)[0] < 0.6 * gaps_detected(rows, accuracy=0.8)[0]


def test_a_small_group_hides_its_own_gap_and_not_that_of_the_others() -> None:
    rows = np.array([[1000.0, 1000], [1000, 1000], [10, 10]])
    found = gaps_detected(rows, accuracy=0.8)
    assert found[0] == found[1] == pytest.approx(gaps_detected(rows[:2], accuracy=0.8)[0], rel=0.15)
    assert found[2] > 4 * found[0]


@pytest.mark.parametrize(
    ("rows", "accuracy"), [([[100, 100], [100, 100]], 0.8), ([[200, 200], [200, 200], [60, 60]], 0.7)]
)
def test_the_audit_detects_the_gap_in_four_of_five_test_sets(rows: list[list[int]], accuracy: float) -> None:
    groups, found = len(rows), 0
    (*_, gap) = gaps_detected(np.array(rows, float), accuracy=accuracy).tolist()
    truth = np.full((groups, 2), accuracy + gap / 2)
    truth[-1] -= gap
    for seed in range(150):
        table = drawn(truth, rows, seed=seed)
        sample = Resampled(table.correct[None], table.samples(2, groups), Drawing(draws=200, seed=seed))
        found += sample.gaps.null.p_value() <= 0.05
    assert found / 150 == pytest.approx(0.8, abs=0.1)  # three standard errors


def test_errors_that_classes_share_take_a_larger_gap() -> None:
    rows = np.full((3, 5), 100.0)
    alone, shared = (gaps_detected(rows, accuracy=0.8, correlation=each)[0] for each in (0.0, 0.3))
    assert 1.05 * alone < shared < 1.5 * alone
    # With a correlation of 1, five classes are one with five times the signal.
    assert needed_signal(2, 5, correlation=0.99) == pytest.approx(5 * needed_signal(2, 1), rel=0.05)


def test_classes_with_an_empty_subgroup_are_left_out_and_none_left_is_undefined() -> None:
    rows = np.array([[100.0, 100, 0], [100, 100, 100]])
    np.testing.assert_array_equal(gaps_detected(rows, accuracy=0.8), gaps_detected(rows[:, :2], accuracy=0.8))
    for nothing in (rows[:, 2:], rows[:1]):
        assert np.isnan(gaps_detected(nothing, accuracy=0.8)).all()
    assert np.isnan(gaps_detected(rows, accuracy=math.nan)).all()


def test_a_single_row_each_detects_no_gap() -> None:
    assert gaps_detected(np.ones((2, 1)), accuracy=0.5).tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"gap": 0.0}, r"`gap` to lie in \(0, 1\], but got 0.0"),
        ({"gap": -0.1}, "but got -0.1"),
        ({"gap": 1.5}, "but got 1.5"),
        ({"gap": math.nan}, "but got nan"),
        ({"accuracy": 80.0}, "`accuracy` to lie between 0 and 1, but got 80.0"),
        ({"accuracy": -0.1}, "`accuracy` to lie"),
        ({"accuracy": math.nan}, "`accuracy` to lie between 0 and 1, but got nan"),
        ({"confidence": 1.0}, "`confidence` to lie between 0 and 1, but got 1.0"),
        ({"confidence": 0.0}, "`confidence` to lie"),
        ({"confidence": 95.0}, "`confidence` to lie"),
        ({"power": 0.0}, "`power` to lie"),
        ({"power": 1.0}, "`power` to lie between 0 and 1, but got 1.0"),
    ],
)
def test_what_is_no_fraction_is_named(changes: dict[str, float], text: str) -> None:
    given_ = {"gap": 0.1, "accuracy": 0.8, **changes}
    with pytest.raises(ValueError, match=text):
        rows_to_resolve(given_.pop("gap"), **given_)
