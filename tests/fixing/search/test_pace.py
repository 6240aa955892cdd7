from __future__ import annotations

import math

import pytest

from fairdistill.fixing.search.pace import Pace


def test_the_pace_is_that_of_the_steps_and_the_rest_is_for_starting():
    pace = Pace.measured(wall=30.0, steps=100, training=20.0, evaluation=4.0)
    assert math.isclose(pace.step, 0.24)
    assert math.isclose(pace.part, 6.0)
    assert Pace.measured(wall=10.0, steps=100, training=20.0, evaluation=0.0).part == 0.0


def test_a_pace_is_corrected_only_if_the_machine_has_changed():
    pace = Pace(0.5, 10.0)
    assert pace.expected(100, 1.6) == pytest.approx(90.0)
    assert pace.corrected(seconds=360.0, expected=90.0) == Pace(2.0, 40.0)
    assert pace.corrected(seconds=9.0, expected=90.0) == Pace(0.05, 1.0)
    for seconds in (60.0, 90.0, 170.0):
        assert pace.corrected(seconds=seconds, expected=90.0) is pace
    assert pace.corrected(seconds=1.0, expected=0.0) is pace
