from __future__ import annotations

import numpy as np

from fairdistill.predictions.predictions import Predictions
from fairdistill.predictions.reordered import in_class_order, in_group_order


def test_the_same_predictions_in_another_order_of_the_classes():
    given = Predictions(
        where="made up", ids=None, sources=np.arange(3), labels=np.array([0, 1, 2]), groups=np.zeros(3, np.int64),
        predicted=np.array([0, 2, 2]), probabilities=np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.2, 0.2, 0.6]]),
        class_names=("a", "b", "c"), group_names=("x",), probability_columns=("p_a", "p_b", "p_c"),
    )  # fmt: skip
    found = in_class_order(given, ("c", "a", "b"))
    assert found.class_names == ("c", "a", "b")
    assert found.labels.tolist() == [1, 2, 0]
    assert found.predicted.tolist() == [1, 0, 0]
    assert found.probabilities is not None
    assert found.probabilities[0].tolist() == [0.1, 0.7, 0.2]
    assert found.probability_columns == ("p_c", "p_a", "p_b")
    assert in_class_order(given, ("a", "b", "c")) is given
    assert in_class_order(given, ("a", "b", "d")) is given


def test_the_same_predictions_in_another_order_of_the_groups():
    given = Predictions(
        where="made up", ids=None, sources=np.arange(3), labels=np.array([0, 1, 0]), groups=np.array([0, 1, -1]),
        predicted=np.array([0, 1, 1]), probabilities=None, class_names=("a", "b"), group_names=("x", "y"),
    )  # fmt: skip
    found = in_group_order(given, ("y", "z", "x"))
    assert (found.group_names, found.groups.tolist()) == (("y", "z", "x"), [2, 0, -1])
    assert in_group_order(given, ("x", "y")) is given
    assert in_group_order(given, ("y", "z")) is given


def test_groups_that_are_whole_numbers_may_have_decimals_in_one_table():
    given = Predictions(
        where="made up", ids=None, sources=np.arange(3), labels=np.array([0, 1, 0]), groups=np.array([0, 1, -1]),
        predicted=np.array([0, 1, 1]), probabilities=None, class_names=("a", "b"), group_names=("1.0", "2.0"),
    )  # fmt: skip
    found = in_group_order(given, ("2", "1"))
    assert (found.group_names, found.groups.tolist()) == (("2", "1"), [1, 0, -1])
    assert in_group_order(given, ("1", "1.0", "2.0")) is given
    assert in_group_order(given, ("1.5", "2")) is given
