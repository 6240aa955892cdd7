from __future__ import annotations

import numpy as np
import pytest

from fairdistill.metrics.arrays import Flags
from fairdistill.metrics.collapse import hardly_predicted


def hardly(counts: list[list[list[int]]]) -> Flags:
    """Return the classes that are hardly predicted, by counts ``[G, C, C]``."""
    return hardly_predicted(np.sum(counts, axis=1), np.sum(counts, axis=2))


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [((0, 0), True), ((1, 0), True), ((2, 2), True), ((10, 0), False), ((0, 40), False), ((100, 90), False)],
)
def test_a_class_of_200_rows_in_each_of_two_groups(predicted: tuple[int, int], expected: bool) -> None:
    assert hardly([[[200, 0], [200 - each, each]] for each in predicted]).tolist() == [False, expected]


def test_wrong_predictions_of_a_class_are_predictions() -> None:
    # the second class is often predicted, though never rightly
    assert not hardly([[[150, 50], [200, 0]], [[200, 0], [200, 0]]]).any()


def test_a_class_without_rows_is_none() -> None:
    assert not hardly([[[20, 0], [0, 0]], [[20, 0], [0, 0]]]).any()


def test_a_few_rows_tell_little() -> None:
    assert hardly([[[5, 0], [5, 0]], [[5, 0], [5, 0]]]).tolist() == [False, True]
    assert not hardly([[[5, 0], [3, 2]], [[5, 0], [4, 1]]]).any()
