from __future__ import annotations

import math

import numpy as np

from fairdistill.choosing import Measures
from fairdistill.metrics import Scores
from fairdistill.tuning.values import kept, values_of


def measures(classes=2, groups=2):
    counts = np.ones((groups, classes, classes), np.int64)
    names = [f"c{number}" for number in range(classes)]
    return Measures(counts, accuracy=0.5, class_names=names, group_names=[f"g{number}" for number in range(groups)])


def test_what_a_study_keeps_has_no_undefined_value_and_of_many_subgroups_only_what_a_rule_names():
    found = kept(measures(), ())
    assert "calibration_error" not in found
    assert found["recall[c1][g0]"] == 0.5
    many = kept(measures(40, 30), ("recall[c7][g3]",))
    assert set(many) == {*measures().single, "recall[c7][g3]"} - {"calibration_error"}


def test_scores_of_the_training_come_first_and_other_names_are_undefined():
    found = values_of(Scores(0.9, 0.1, math.nan), {"accuracy": 0.8, "deo_m": 0.2, "worst_group": 0.7})
    assert (found["accuracy"], found["deo_m"], found["worst_group"]) == (0.9, 0.2, 0.7)
    assert math.isnan(found["recall[cat]"])
    assert math.isnan(found["balanced_accuracy"])
