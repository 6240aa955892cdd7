from __future__ import annotations

import math

import pytest

from fairdistill.choosing import chooser
from fairdistill.fixing.verdict.gain import changes_on_test, rule_value
from tests.fixing.making import FAIRER, UNFAIR, changed, predictions


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr("fairdistill.metrics.paired.drawn_counts._DRAWS", 300)


def changes(rule, before=UNFAIR, after=FAIRER):
    first, second = predictions(before), predictions(after)
    kept = changed(before, after)
    return kept, *changes_on_test(chooser(rule), first, second, kept, promised=0.1)


def worst_first(model, deployed):
    return -model["worst_subgroup"] if model["accuracy"] >= deployed["accuracy"] else None


@pytest.mark.parametrize(
    ("rule", "gained"),
    [("deo_a", 0.235), ("deo_m", 0.48), ("accuracy", 0.117), ("worst_subgroup", 0.48), ("recall[Female]", 0.24),
     ("balanced_accuracy subject to deo_a <= 0.9", 0.117), ("impact_ratio", 0.495), (worst_first, 0.48)],
)  # fmt: skip
def test_a_gain_is_positive_whatever_the_rule_chooses_by(rule, gained):
    _, gain, _ = changes(rule)
    assert gain.found.value == pytest.approx(gained, abs=0.05)
    assert gain.found.low > 0
    assert gain.confirmed
    assert gain.promised == 0.1


@pytest.mark.parametrize("rule", ["deo_a", worst_first])
def test_a_loss_is_not_confirmed(rule):
    _, gain, _ = changes(rule, FAIRER, UNFAIR)
    assert not gain.confirmed


def test_a_candidate_that_many_drawn_test_sets_do_not_allow_is_not_confirmed():
    _, sure, _ = changes(lambda model, _: -model["worst_subgroup"] if model["accuracy"] >= 0.6 else None)
    assert sure.confirmed
    limit = (225 + 237 + 243 + 246) / 1200 - 0.002
    _, open_, _ = changes(lambda model, deployed: -model["worst_subgroup"] if _enough(model, deployed, limit) else None)
    assert open_.found.value == pytest.approx(sure.found.value)
    assert not open_.confirmed
    assert open_.found.p_value > 0.3


def _enough(model, deployed, limit):
    """The deployed model is always allowed, another one if it is accurate enough."""
    return model is deployed or model["deo_a"] > 0.2 or model["accuracy"] >= limit


def test_the_metrics_of_the_audit_keep_its_own_paired_test():
    kept, gain, _ = changes("deo_a")
    assert (gain.found.low, gain.found.high) == (-kept.deo_a.high, -kept.deo_a.low)
    kept, gain, _ = changes("accuracy")
    assert (gain.found.low, gain.found.high) == (kept.accuracy.low, kept.accuracy.high)


def test_the_worst_subgroup_changes_beside_it():
    _, _, worst = changes("deo_a")
    assert worst.value == pytest.approx((225 - 81) / 300)
    assert 0.3 < worst.low < worst.value < worst.high < 0.6


def test_a_model_that_a_function_does_not_allow_has_no_value():
    values = {"worst_subgroup": 0.5, "accuracy": 0.7}
    assert rule_value(chooser(worst_first), values, values) == 0.5
    assert math.isnan(rule_value(chooser(worst_first), values, {"accuracy": 0.8}))
