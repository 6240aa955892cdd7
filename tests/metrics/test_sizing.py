from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from fairdistill.metrics.sizing import gap_resolved, rows_to_resolve


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
