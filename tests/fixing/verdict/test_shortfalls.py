from __future__ import annotations

import math

import pytest

from fairdistill.choosing import chooser
from fairdistill.fixing.verdict.shortfalls import shortfalls

DEPLOYED = {"balanced_accuracy": 0.8, "deo_a": 0.2, "recall[cat]": 0.7, "worst_group": math.nan}


@pytest.mark.parametrize(
    ("rule", "model", "said"),
    [
        ("deo_a subject to balanced_accuracy >= deployed - 0.005", {"balanced_accuracy": 0.796}, ()),
        (
            "deo_a subject to balanced_accuracy >= deployed - 0.005",
            {"balanced_accuracy": 0.783},
            ("Balanced accuracy is 78.3%, 1.2 points below the 79.5% that it asks for",),
        ),
        (
            "recall[cat] subject to deo_a <= 0.1 and recall[cat] >= deployed",
            {"recall[cat]": 0.6996, "deo_a": 0.15},
            (
                "DEO_A is 15.0%, 5.0 points above the 10.0% that it asks for",
                "Recall of cat is 69.960%, 0.040 points below the 70.000% that it asks for",
            ),
        ),
        (
            "deo_a subject to worst_group >= deployed",
            {"worst_group": 0.5},
            ("worst_group of the deployed model is undefined, so worst_group >= deployed cannot be checked",),
        ),
        ("deo_a", {"deo_a": math.nan}, ("DEO_A is undefined",)),
    ],
)
def test_what_a_model_misses_is_said_in_percent(rule, model, said):
    found = shortfalls(chooser(rule), {"deo_a": 0.1, **model}, DEPLOYED)
    assert found == said


def test_a_function_only_allows_or_not():
    def allowed(model, _):
        return None if model["deo_a"] > 0.15 else 0.0

    assert shortfalls(chooser(allowed), {"deo_a": 0.1, "accuracy": 0.5}, DEPLOYED) == ()
    (said,) = shortfalls(chooser(allowed), {"deo_a": 0.2, "accuracy": 0.5}, DEPLOYED)
    assert said.endswith("does not allow it")
