"""Four verdicts, never mixed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from fairdistill.fixing.verdict.verdict import Gain, is_real, verdict_of, within
from tests.fixing.making import FAIR, FAIRER, FEW, UNFAIR, audited, change

GAINED, OPEN, LOST = change(0.2, 0.1, 0.3), change(0.05, -0.1, 0.2), change(-0.05, -0.2, 0.1)


def verdict(validation, test, **changes):
    return verdict_of(audited(validation), audited(test), **{"fair_enough": 0.03, **changes})


def of(found, promised=0.2):
    return Gain(promised=promised, found=found, negligible=0.005)


@pytest.mark.parametrize(
    ("validation", "test", "given", "outcome", "reason"),
    [
        (UNFAIR, UNFAIR, {"gain": of(GAINED)}, "use", "confirmed"),
        (FEW, FEW, {"gain": of(GAINED)}, "use", "confirmed"),
        (UNFAIR, UNFAIR, {"gain": of(OPEN)}, "unproven", "not confirmed"),
        (UNFAIR, UNFAIR, {"gain": of(LOST)}, "unproven", "not confirmed"),
        (UNFAIR, FEW, {"gain": of(OPEN)}, "unproven", "not confirmed"),
        (UNFAIR, UNFAIR, {}, "unproven", "none better"),
        (FEW, UNFAIR, {}, "unproven", "none better"),
        (FAIR, UNFAIR, {"searched": False}, "unproven", "not searched"),
        (FAIR, FAIR, {"searched": False}, "fair", "within limit"),
        (FAIR, FEW, {"searched": False}, "fair", "within limit"),
        (FAIR, FAIR, {"gain": of(OPEN)}, "fair", "within limit"),
        (FEW, FEW, {}, "undecided", "within chance"),
        (FEW, FEW, {"gain": of(OPEN)}, "undecided", "within chance"),
    ],
)
def test_the_outcome_follows_both_sets(validation, test, given, outcome, reason):
    found = verdict(validation, test, **given)
    assert (found.outcome, found.reason) == (outcome, reason)


@pytest.mark.parametrize("validation", [UNFAIR, FEW])
@pytest.mark.parametrize("gain", [None, of(OPEN), of(LOST)])
def test_a_model_whose_gap_is_real_is_never_said_to_be_fair_or_undecided(validation, gain):
    assert verdict(validation, UNFAIR, gain=gain).outcome == "unproven"


def test_a_gap_that_only_one_of_two_looks_calls_significant_is_not_yet_more_than_chance():
    few = audited(FEW)
    for p_value, outcome in ((0.04, "undecided"), (0.02, "unproven")):
        one = seen(few, p_value)
        for sets in ((few, one), (one, few)):
            assert verdict_of(*sets, fair_enough=0.03).outcome == outcome
    assert is_real(seen(few, 0.04)), "one look at one set"


def seen(few, p_value):
    """An audit whose gap is just more than chance."""
    gap = replace(few.metrics.deo_a, low=0.001, p_value=p_value)
    return replace(few, metrics=replace(few.metrics, deo_a=gap))


def test_a_gap_is_within_the_limit_if_its_one_sided_end_is():
    end = audited(FAIR).deo_a.at_most
    assert within(audited(FAIR), end)
    assert not within(audited(FAIR), end - 1e-6)
    assert not within(audited(UNFAIR), 0.03)


def test_a_class_that_is_hardly_ever_predicted_may_hide_a_gap():
    assert not within(replace(audited(FAIR), hardly_predicted=("Male",)), 0.03)
    assert not within(replace(audited(FAIR), collapsed=True), 0.03)


def test_the_most_promising_candidate_is_named_where_the_verdict_is_open():
    assert verdict(UNFAIR, UNFAIR, promising="mfd").promising == "mfd"
    assert verdict(UNFAIR, UNFAIR, promising="mfd", gain=of(GAINED)).promising is None
    assert verdict(FAIR, FAIR, promising="mfd").promising is None


def test_what_would_settle_an_open_verdict():
    seen = verdict(UNFAIR, UNFAIR, gain=of(OPEN)).settling
    assert (seen.of, seen.where, seen.size) == ("gain", "test", 0.05)
    promised = verdict(UNFAIR, UNFAIR, gain=of(LOST, promised=0.08)).settling
    assert promised.size == 0.08, "nothing was gained on the test set: what the validation set promised"
    assert verdict(UNFAIR, UNFAIR, gain=of(LOST)).settling is None, "the test set excludes what was promised"
    gap = verdict(FEW, FEW).settling
    assert (gap.of, gap.where) == ("gap", "validation")
    more = tuple((4 * right, 4 * rows) for right, rows in FEW)
    assert verdict(more, FEW).settling.where == "test", "the set with fewer images"
    assert verdict(UNFAIR, UNFAIR).settling is None, "more images do not train a better model"
    assert verdict(UNFAIR, UNFAIR, gain=of(GAINED)).settling is None
    assert verdict(UNFAIR, UNFAIR, gain=of(change(math.nan, math.nan, math.nan), math.nan)).settling is None


def test_the_recommended_model_is_shown_beside_the_deployed_one():
    found = verdict(UNFAIR, UNFAIR, gain=of(GAINED), after=audited(FAIRER)).treatment
    assert (found.class_name, found.worst.group, found.best.group) == ("Female", "Black", "White")
    assert (found.worst.share, found.worst.share_after) == (0.27, 0.75)
    assert (found.best.share, found.best.share_after) == (0.81, 0.81)
