"""Limits on the accuracy, the worst gap and the harm; those on DEOs are in test_audit."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from fairdistill.auditing import AuditOptions, AuditResult, audit
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions
from tests.auditing.test_audit import predictions

QUICK = AuditOptions(draws=500)
NINETY = predictions([[900, 900], [900, 900]], 1000)
UNEVEN = predictions([[950, 950], [950, 550]], 1000)
"""Accuracy 85%, worst subgroup 55%: a worst gap of 30 points."""


@pytest.mark.parametrize(
    ("table", "limits", "verdict", "code"),
    [
        (NINETY, {"min_accuracy": 0.88}, "within", 0),
        (NINETY, {"min_accuracy": 0.92}, "beyond", 1),
        (NINETY, {"min_accuracy": 0.9}, "undecided", 3),
        (NINETY, {"max_worst_gap": 0.05}, "within", 0),
        (UNEVEN, {"max_worst_gap": 0.2}, "beyond", 1),
        (UNEVEN, {"max_worst_gap": 0.3}, "undecided", 3),
        (UNEVEN, {"max_worst_gap": 0.35}, "within", 0),
    ],
)
def test_a_limit_is_kept_broken_or_undecided(table: Predictions, limits: dict[str, float], verdict: str, code: int):
    result = audit(table, options=QUICK, **limits)
    (limit,) = result.limits
    assert (limit.verdict, result.exit_code) == (verdict, code)
    assert limit.at_least <= limit.value < limit.at_most
    assert limit.kind == ("min" if "min_accuracy" in limits else "max")


def test_the_worst_gap_is_the_accuracy_minus_the_worst_subgroup() -> None:
    result = audit(UNEVEN, options=QUICK, max_worst_gap=0.2)
    assert result.metrics.worst_gap.value == pytest.approx(0.3)
    assert (result.limits[0].group, result.limits[0].class_name) == ("y", "b")
    assert "Limit Worst gap <= 20.0%: exceeded: with 95% confidence it is at least" in result.text()
    assert "the worst is b of y." in result.text()
    assert result.metrics.worst_gap.low < result.limits[0].at_least  # two-sided and one-sided


def test_a_subgroup_without_samples_may_be_the_worst() -> None:
    table = predictions([[95, 95], [95, 0]], [[100, 100], [100, 0]])
    assert audit(table, options=QUICK, max_worst_gap=0.5).limits[0].verdict == "undecided"
    broken = predictions([[950, 500], [950, 0]], [[1000, 1000], [1000, 0]])
    assert audit(broken, options=QUICK, max_worst_gap=0.1).limits[0].verdict == "beyond"


def changed(wrong: list[int], rows: int = 400) -> tuple[Predictions, Predictions]:
    """A model that is always right, and one that is wrong in so many samples of each subgroup."""
    right = np.full((2, 2), rows)
    before, after = predictions(right, rows), predictions(right - np.array(wrong).reshape(2, 2), rows)
    return replace(before, where="old.csv"), after


@pytest.mark.parametrize(
    ("wrong", "limit", "verdict", "code"),
    [
        ([0, 0, 0, 0], 0.02, "within", 0),
        ([60, 0, 0, 0], 0.02, "beyond", 1),
        ([8, 0, 0, 0], 0.02, "undecided", 3),
        ([60, 0, 0, 0], 0.25, "within", 0),
    ],
)
def test_harm_is_the_largest_fall_of_a_subgroup(wrong: list[int], limit: float, verdict: str, code: int) -> None:
    before, after = changed(wrong)
    result = audit(after, options=QUICK, against=before, max_harm=limit)
    (found,) = result.limits
    assert (found.verdict, result.exit_code) == (verdict, code)
    if wrong[0]:
        assert (found.group, found.class_name) == ("x", "a")
        assert found.value == pytest.approx(wrong[0] / 400)
    assert "decided by a of x (400 samples)." in result.text()


def test_samples_are_matched_by_their_ids() -> None:
    before, after = changed([60, 0, 0, 0])
    order = np.random.default_rng(0).permutation(1600)
    named = [replace(each, ids=np.arange(1600).astype(str).astype(object)) for each in (before, after)]
    results = [
        audit(named[1].take(rows), options=QUICK, against=named[0], max_harm=0.1) for rows in (np.arange(1600), order)
    ]
    assert results[0].limits[0].value == results[1].limits[0].value == 0.15


def test_a_tiny_subgroup_without_a_fall_does_not_prove_that_nobody_is_harmed() -> None:
    rows = [[400, 400], [400, 3]]
    table = predictions(rows, rows)
    result = audit(table, options=QUICK, against=table, max_harm=0.05)
    assert result.exit_code == 3
    assert "decided by b of y (3 samples)" in result.text()
    empty = predictions([[400, 400], [400, 0]], [[400, 400], [400, 0]])
    (limit,) = audit(empty, options=QUICK, against=empty, max_harm=0.5).limits
    assert (limit.verdict, limit.group, limit.class_name, limit.at_most) == ("undecided", "y", "b", 1)
    assert math.isnan(limit.value)


@pytest.mark.parametrize(
    ("limits", "verdict", "at_least"),
    [
        ({"max_deo_m": 0.2}, "beyond", 0.2),
        ({"max_deo_a": 0.1}, "beyond", 0.1),  # half of the gap of the other class
        ({"max_deo_a": 0.2}, "undecided", 0.1),
        ({"max_deo_a": 1.0}, "undecided", 0.1),
        ({"max_deo_m": 1.0}, "undecided", 0.2),
    ],
)
def test_a_class_whose_subgroups_are_all_there_can_exceed_a_limit(limits, verdict, at_least) -> None:
    table = predictions([[950, 950], [650, 0]], [[1000, 1000], [1000, 0]])  # a gap of 30 points in one of two classes
    result = audit(table, options=QUICK, **limits)
    (limit,) = result.limits
    assert (limit.verdict, result.exit_code) == (verdict, 1 if verdict == "beyond" else 3)
    assert at_least < limit.at_least < (0.3 if "max_deo_m" in limits else 0.15)
    assert math.isnan(limit.value)
    said = "whatever the gaps of classes with an empty subgroup are" if verdict == "beyond" else "has no samples"
    assert said in result.text()


def test_harm_needs_another_model() -> None:
    with pytest.raises(UsageError, match="--max-harm needs another model to compare with; name its predictions"):
        audit(NINETY, options=QUICK, max_harm=0.02)


def test_undecided_may_be_allowed_but_never_exceeded() -> None:
    def result(limit: float) -> AuditResult:
        return audit(NINETY, options=QUICK, min_accuracy=limit, allow_undecided=True)

    assert [(result(limit).exit_code, result(limit).limits[0].verdict) for limit in (0.9, 0.92)] == [
        (0, "undecided"),
        (1, "beyond"),
    ]


def test_without_any_known_group_only_the_accuracy_is_decided() -> None:
    table = replace(NINETY, groups=np.full(4000, -1))
    limits = {"min_accuracy": 0.5, "max_worst_gap": 0.5, "max_harm": 0.5}
    result = audit(table, options=QUICK, against=table, **limits)
    assert [limit.verdict for limit in result.limits] == ["within", "undecided", "undecided"]
    assert "None" not in result.text() + result.markdown()


@pytest.mark.parametrize("confidence", [0.3, 0.99])
def test_any_confidence_gives_ends_in_order(confidence: float) -> None:
    table = replace(UNEVEN, sources=np.arange(4000) // 2)
    options = AuditOptions(draws=1000, confidence=confidence)
    limits = {"min_accuracy": 0.5, "max_worst_gap": 0.2, "max_harm": 0.1}
    found = audit(table, options=options, against=NINETY, **limits).limits
    assert all(limit.at_least <= limit.value <= limit.at_most for limit in found)
