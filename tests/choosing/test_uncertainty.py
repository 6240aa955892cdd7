from __future__ import annotations

import numpy as np
import pytest

from fairdistill.choosing import FIX_RULE, FunctionRule, error_of_difference, parse_rule, too_small_for
from fairdistill.predictions import Predictions

LABELS, GROUPS = np.arange(400) % 2, np.arange(400) // 2 % 2
GROUPS = np.where(np.arange(400) < 40, -1, GROUPS)


def predictions(wrong: int) -> Predictions:
    """Return predictions that are wrong for the first of the samples."""
    return Predictions(
        where="here", ids=None, sources=np.arange(400), labels=LABELS, groups=GROUPS,
        predicted=np.where(np.arange(400) < wrong, 1 - LABELS, LABELS), probabilities=None,
        class_names=("cat", "dog"), group_names=("day", "night"),
    )  # fmt: skip


DEPLOYED, MODEL = predictions(100), predictions(50)
APART = MODEL.correct.astype(float) - DEPLOYED.correct


@pytest.mark.parametrize(
    ("metric", "counted"),
    [
        ("accuracy", GROUPS > -2),
        ("accuracy[night]", GROUPS == 1),
        ("recall[dog]", (LABELS == 1) & (GROUPS >= 0)),
        ("recall[dog][day]", (LABELS == 1) & (GROUPS == 0)),
    ],
)
def test_an_accuracy_has_the_error_of_a_mean_of_differences(metric, counted):
    own = APART[counted]
    expected = own.std(ddof=1) / np.sqrt(len(own))
    assert error_of_difference(metric, DEPLOYED, MODEL) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "parts"), [("balanced_accuracy", 2 * GROUPS + LABELS), ("class_balanced_accuracy", LABELS)]
)
def test_a_balanced_accuracy_has_the_error_of_a_mean_of_means(metric, parts):
    each = [APART[(parts == part) & (GROUPS >= 0)] for part in np.unique(parts[GROUPS >= 0])]
    variance = sum(own.var(ddof=1) / len(own) for own in each)
    assert error_of_difference(metric, DEPLOYED, MODEL) == pytest.approx(np.sqrt(variance) / len(each))


@pytest.mark.parametrize("metric", ["deo_a", "worst_group", "impact_ratio"])
def test_other_metrics_have_none(metric):
    assert error_of_difference(metric, DEPLOYED, MODEL) is None


def test_a_slack_below_the_standard_error_is_too_small_and_said():
    assert too_small_for(parse_rule(FIX_RULE), DEPLOYED, MODEL) == (
        "The validation set is too small for the slack of the rule: the standard error of the difference in balanced "
        "accuracy is 1.8 points, the slack 0.5"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "deo_a subject to balanced_accuracy >= deployed - 0.03", "deo_a subject to balanced_accuracy >= 0.9", "deo_a",
        "accuracy subject to deo_a <= deployed",
    ],
)  # fmt: skip
def test_a_larger_slack_or_no_condition_on_an_accuracy_of_the_deployed_model_is_no_warning(rule):
    assert too_small_for(parse_rule(rule), DEPLOYED, MODEL) is None


def test_neither_equal_models_nor_functions_are_warned_of():
    assert too_small_for(parse_rule(FIX_RULE), DEPLOYED, DEPLOYED) is None
    assert too_small_for(FunctionRule(lambda model, deployed: 0.0), DEPLOYED, MODEL) is None
