"""Limits of a difference."""

from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.intervals import Limits, wilson
from fairdistill.metrics.mover import difference


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
