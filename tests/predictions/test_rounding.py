from __future__ import annotations

import numpy as np
import pytest

from fairdistill.errors import DataError
from fairdistill.predictions.rounding import explained
from tests.predictions.test_probabilities import checked, random


def test_half_a_unit_for_each_class_or_a_whole_one_on_one_side():
    rounded, cut = random(4).round(2), np.floor(random(4) * 100) / 100
    rows = np.array([0, 1])
    assert explained(rounded, rows).most == pytest.approx([0.02, 0.02], abs=1e-6)
    assert explained(cut, rows).most == pytest.approx([0.04, 0.04], abs=1e-6)
    assert explained(random(4), rows).most == pytest.approx([1e-3, 1e-3], abs=1e-6)


@pytest.mark.parametrize("decimals", [2, 3, 4])
@pytest.mark.parametrize("classes", [2, 3, 7, 20])
def test_decimals_that_were_cut_off_or_rounded_up_are_read(classes, decimals):
    unit = 10.0**-decimals
    for cut in (np.floor, np.ceil):
        values = cut(random(classes) / unit) * unit
        found = checked(values)
        np.testing.assert_allclose(found.values, values / values.sum(axis=1, keepdims=True), atol=2e-3)


def test_a_note_says_how_decimals_were_lost():
    values = random(7)
    assert ", as cutting off decimals explains; they" in checked(np.floor(values * 100) / 100).notes[0]
    assert "as rounding up explains; they" in checked(np.ceil(values * 100) / 100).notes[0]
    assert "as rounding explains; they" in checked(values.round(2)).notes[0]
    many = 0.3 * random(100)
    many[:, 0] += 0.7  # small values become 0, so all sums are below 1
    assert "as rounding explains; they" in checked(many.round(2)).notes[0]


def test_a_row_of_other_decimals_is_named_alone():
    values = random(7).round(2)
    values[9] = [0.2501, 0.2499, 0, 0, 0, 0, 0]
    with pytest.raises(DataError, match=r"row 10: the probabilities sum to 0\.5, not 1; list"):
        checked(values)


def test_a_row_far_off_is_not_cut_off():
    values = np.floor(random(7) * 1000) / 1000
    values[4, values[4].argmax()] -= 0.1
    with pytest.raises(DataError, match=r"row 5: the probabilities sum to 0\.89\d, not 1; list"):
        checked(values)
    values = random(7).round(2)
    values[values.sum(axis=1).argmax()] = [0.5, 0.44, 0, 0, 0, 0, 0]  # others are on both sides of 1
    with pytest.raises(DataError, match=r"sum to 0\.94, not 1; list"):
        checked(values)
    with pytest.raises(DataError, match=r"row 3: the probabilities sum to 0, not 1; list"):
        checked(np.concatenate([np.full((2, 200), 0.01) / 2, np.zeros((1, 200)), random(200).round(2)]))
