"""Limits of a difference."""

from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.intervals import Limits, wilson
from fairdistill.metrics.mover import difference, ratio


def test_the_difference_of_two_shares_is_newcombes() -> None:
    """56/70 against 48/80 is 0.2 [0.0524, 0.3339]: Newcombe 1998, table II, case a, method 10."""
    one, two = (
        Limits(low=low, middle=np.array(right / rows), high=high)
        for right, rows in ((56, 70), (48, 80))
        for low, high in [wilson(np.array(right), np.array(rows))]
    )
    found = difference(one, two)
    assert [float(each) for each in (found.low, found.middle, found.high)] == pytest.approx(
        [0.0524, 0.2, 0.3339], abs=1e-4
    )


def test_estimates_that_move_against_each_other_make_it_wider() -> None:
    one = Limits(*map(np.array, (0.1, 0.2, 0.35)))
    assert difference(one, one, against=1.0).high == pytest.approx(0.15 + 0.1)
    assert difference(one, one).high < 0.25


def test_the_ends_of_a_ratio_are_where_the_difference_ends_at_0() -> None:
    one = Limits(*map(np.array, (0.5, 0.6, 0.68)))
    two = Limits(*map(np.array, (0.72, 0.8, 0.86)))
    found = ratio(one, two)
    for end in (float(found.low), float(found.high)):
        scaled = difference(one, Limits(*(end * each for each in (two.low, two.middle, two.high))))
        assert min(abs(float(scaled.low)), abs(float(scaled.high))) < 1e-12


def test_a_ratio_to_nothing_is_undefined() -> None:
    nothing = Limits(*map(np.array, (0.0, 0.0, 0.1)))
    found = ratio(Limits(*map(np.array, (0.5, 0.6, 0.7))), nothing)
    assert not np.isfinite(found.middle)
