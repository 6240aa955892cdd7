from __future__ import annotations

import math
from dataclasses import fields

import pytest

from fairdistill.metrics import METRICS, SCORES, Scores, higher_is_better


def test_scores_are_read_by_attribute_and_by_name():
    scores = Scores(accuracy=0.9, deo_a=0.1, deo_m=0.2)
    assert [scores[name] for name in METRICS] == [scores.accuracy, scores.deo_a, scores.deo_m]
    with pytest.raises(KeyError, match="loss"):
        _ = scores["loss"]


def test_records_of_older_versions_have_no_balanced_accuracy():
    content = {"accuracy": 0.9, "deo_a": None, "deo_m": 0.2}
    found = Scores.from_dict(content)
    assert math.isnan(found.balanced_accuracy)
    assert math.isnan(found.deo_a)
    assert Scores.from_dict({**content, "balanced_accuracy": 0.7})["balanced_accuracy"] == 0.7
    assert set(SCORES) == {each.name for each in fields(Scores)}


def test_accuracy_improves_as_it_rises_and_deo_as_it_falls():
    assert [name for name in SCORES if higher_is_better(name)] == ["accuracy", "balanced_accuracy"]
    with pytest.raises(KeyError, match="loss"):
        higher_is_better("loss")
