from __future__ import annotations

import numpy as np
import pytest

from fairdistill.errors import UsageError
from fairdistill.fixing.work.guessing import check_beats_guessing
from tests.auditing.test_guessing import predictions


def test_swapped_classes_are_an_error_that_names_the_order_that_fits():
    labels = np.arange(400) % 2
    wrong = np.where(np.arange(400) % 10 < 7, 1 - labels, labels)
    with pytest.raises(UsageError) as e:
        check_beats_guessing(predictions(labels, np.arange(400) // 2 % 2, wrong), "old.pt", "Check it")
    assert "old.pt is correct for 30.0% of the 400 validation images, no better than guessing" in str(e.value)
    assert "--classes b,a is the order that fits" in str(e.value)


def test_if_no_order_fits_the_remedy_is_given():
    labels, groups = np.arange(400) % 2, np.arange(400) // 2 % 2
    with pytest.raises(UsageError, match=r"naming 'a' for all of them would be correct for 50\.0%\. Check it$"):
        check_beats_guessing(predictions(labels, groups, np.arange(400) // 4 % 2), "m", "Check it")


def test_few_images_that_are_mostly_right_are_said_to_prove_little():
    labels, predicted = np.arange(10) % 2, np.array([0, 1, 0, 1, 0, 1, 0, 0, 1, 0])
    message = r"m is correct for 70\.0% of the 10 .* images, not significantly better than guessing: naming 'a' "
    with pytest.raises(UsageError, match=message):
        check_beats_guessing(predictions(labels, np.arange(10) // 5, predicted), "m", "Check it")


def test_a_model_that_names_one_class_is_told_apart_from_a_bad_one():
    labels, groups = np.arange(400) % 2, np.arange(400) // 2 % 2
    with pytest.raises(UsageError, match=r"^m predicts 'a' for every validation image, .* fairness\. Check it$"):
        check_beats_guessing(predictions(labels, groups, np.zeros(400, np.int64)), "m", "Check it")
