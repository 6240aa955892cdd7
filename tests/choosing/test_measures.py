from __future__ import annotations

import math

import numpy as np
import pytest

from fairdistill.choosing import KINDS, Measures, measures_of_predictions
from fairdistill.predictions import Predictions

COUNTS = np.array([[[3, 1], [0, 4]], [[4, 0], [2, 2]]])
NAMES = {"class_names": ("cat", "big dog"), "group_names": ("day", "[night]")}


def test_every_metric_worked_by_hand():
    found = Measures(COUNTS, accuracy=0.8, **NAMES)
    expected = {
        "accuracy": 0.8,
        "balanced_accuracy": (3 / 4 + 1 + 1 + 1 / 2) / 4,
        "class_balanced_accuracy": (7 / 8 + 6 / 8) / 2,
        "worst_group": 6 / 8,
        "worst_subgroup": 1 / 2,
        "deo_a": (1 / 4 + 1 / 2) / 2,
        "deo_m": 1 / 2,
        "deo_a_complete": (1 / 4 + 1 / 2) / 2,
        "deo_m_complete": 1 / 2,
        "demographic_parity": 6 / 8 - 3 / 8,
        "equalised_odds": 1 / 2,
        "impact_ratio": 2 / 5,
        "calibration_error": math.nan,
        "recall[cat]": 7 / 8,
        "recall[big dog]": 6 / 8,
        "recall[cat][day]": 3 / 4,
        'recall[cat]["[night]"]': 1,
        "recall[big dog][day]": 1,
        'recall[big dog]["[night]"]': 1 / 2,
        "accuracy[day]": 7 / 8,
        'accuracy["[night]"]': 6 / 8,
        "deo[cat]": 1 / 4,
        "deo[big dog]": 1 / 2,
    }
    assert dict(found) == pytest.approx(expected, nan_ok=True)
    assert len(found) == len(expected)


def test_there_is_a_metric_of_every_kind():
    assert set(Measures(COUNTS, accuracy=0.8, class_names=("CLASS", "d"), group_names=("GROUP", "n"))) >= set(KINDS)


def test_an_empty_subgroup_makes_undefined_what_needs_it_and_nothing_else():
    found = Measures(np.array([[[3, 1], [0, 4]], [[4, 0], [0, 0]]]), accuracy=0.9, **NAMES)
    undefined = {name for name, value in found.items() if math.isnan(value)}
    assert undefined == {
        "balanced_accuracy", "deo_a", "deo_m", "equalised_odds", "calibration_error", "deo[big dog]",
        'recall[big dog]["[night]"]',
    }  # fmt: skip
    assert (found["worst_subgroup"], found["deo_a_complete"], found["deo_m_complete"]) == (0.75, 0.25, 0.25)


def test_an_unknown_name_is_no_key():
    found = Measures(COUNTS, accuracy=0.8, **NAMES)
    assert "recall[dog]" not in found
    with pytest.raises(KeyError):
        found["f1"]


def test_names_must_be_as_many_as_classes_and_groups():
    with pytest.raises(ValueError, match=r"3 classes, but got shape \(2, 2, 2\)"):
        Measures(COUNTS, accuracy=0.8, class_names=("a", "b", "c"), group_names=("x", "y"))


def test_samples_of_unknown_group_count_for_the_accuracy_and_the_calibration_error():
    predictions = Predictions(
        where="here", ids=None, sources=np.arange(5), labels=np.array([0, 0, 1, 1, 1]),
        groups=np.array([0, 1, 0, 1, -1]), predicted=np.array([0, 0, 1, 0, 0]),
        probabilities=np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]), **NAMES,
    )  # fmt: skip
    found = measures_of_predictions(predictions)
    assert found["accuracy"] == 3 / 5
    assert found["calibration_error"] == pytest.approx(2 / 5)
    assert found["balanced_accuracy"] == 3 / 4
    assert found["recall[big dog]"] == 1 / 2
