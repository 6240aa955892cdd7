"""Results of a fix, made by hand from the counts of subgroups."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import torch

from fairdistill.auditing import AuditResult, ModelChange, audit, change_between
from fairdistill.auditing.options import IntervalOptions
from fairdistill.fixing.result import FixResult
from fairdistill.fixing.search.candidates import Candidate, Point
from fairdistill.fixing.search.decision import Searched
from fairdistill.fixing.verdict.verdict import Gain, verdict_of
from fairdistill.heads import FittedOn, Head, HeadFit
from fairdistill.metrics import Change
from fairdistill.predictions import Predictions
from fairdistill.reporting.recommendation import CandidateResult, Family

DRAWS = 300
Counts = tuple[tuple[int, int], ...]
"""Right and all images of (Female, Black), (Male, Black), (Female, White), (Male, White)."""

UNFAIR: Counts = ((81, 300), (240, 300), (243, 300), (246, 300))
FAIRER: Counts = ((225, 300), (237, 300), (243, 300), (246, 300))
SLIGHTLY: Counts = ((85, 300), (240, 300), (243, 300), (246, 300))
FAIR: Counts = ((9_500, 10_000), (9_500, 10_000), (9_510, 10_000), (9_510, 10_000))
FEW: Counts = ((30, 40), (31, 40), (34, 40), (32, 40))
OWN: Counts = ((60, 100), (90, 100), (90, 100), (90, 100))
"""Balanced accuracy 82.5%, DEO_A 15 points."""


def predictions(counts: Counts) -> Predictions:
    """Return predictions of Female or Male for images of Black and White people; the first of each are right."""
    labels, groups, right = [], [], []
    for cell, (correct, rows) in enumerate(counts):
        labels += [cell % 2] * rows
        groups += [cell // 2] * rows
        right += [True] * correct + [False] * (rows - correct)
    known = np.array(labels)
    return Predictions(
        where="faces", ids=None, sources=np.arange(len(known)), labels=known, groups=np.array(groups),
        predicted=np.where(right, known, 1 - known), probabilities=None, class_names=("Female", "Male"),
        group_names=("Black", "White"),
    )  # fmt: skip


def of_gap(points: int, accuracy: int = 90) -> Counts:
    """Return the counts of a model whose groups differ by some points in one class."""
    return ((accuracy - points, 100), (accuracy, 100), (accuracy, 100), (accuracy, 100))


def fitted(on: FittedOn) -> HeadFit:
    """Return a last layer that was fitted to some images."""
    return HeadFit("fair", {}, on, Head(torch.zeros(2, 3), torch.zeros(2)), torch.zeros(400, 2), 1.0)


def searched(name: str, counts: Counts, family: Family = "head", **changes: Any) -> Candidate:
    """Return a candidate of a search."""
    return Candidate(name=name, family=family, description="it", validation=predictions(counts), **changes)


@lru_cache
def audited(counts: Counts) -> AuditResult:
    """Return the audit of a model with these counts."""
    return audit(predictions(counts), draws=DRAWS)


@lru_cache
def changed(before: Counts, after: Counts) -> ModelChange:
    """Return the audit's paired test of two models with these counts."""
    return change_between(predictions(before), predictions(after), IntervalOptions(draws=DRAWS))


def change(value: float, low: float, high: float) -> Change:
    return Change(value, low, high, 0.01)


def candidate(name: str, **changes: Any) -> CandidateResult:
    return CandidateResult(**{
        "name": name, "family": "head", "description": "your model with another last layer", "rank": 1,
        "needs_group": False, "accuracy": 0.8, "balanced_accuracy": 0.79, "deo_a": 0.05, "deo_m": 0.08,
        "worst_subgroup": 0.7, "breaks_rule": (), "on_front": True, "seconds": 3.0, "file": None, **changes,
    })  # fmt: skip


KEEP = candidate(
    "keep", family="deployed", description="your model as it is", accuracy=0.68, balanced_accuracy=0.67, deo_a=0.28,
    deo_m=0.54, worst_subgroup=0.27, on_front=False, seconds=0.0, file="old.pt",
)  # fmt: skip


def fix_result(
    test: Counts = UNFAIR, after: Counts | None = None, *, validation: Counts = UNFAIR,
    options: Mapping[str, Any] | None = None, **changes: Any,
) -> FixResult:  # fmt: skip
    """Return the result of a fix with the verdict that these counts lead to.

    Args:
        test: of the deployed model on the test set.
        after: of the chosen candidate there; None if the deployed model is kept.
        validation: of the deployed model on the validation set.
        options: other arguments of the verdict.
        **changes: fields of the result.
    """
    kept = gain = worst = None
    if after is not None:
        kept = changed(test, after)
        found = change(-kept.deo_a.value, -kept.deo_a.high, -kept.deo_a.low)
        gain = Gain(promised=0.2, found=found, negligible=0.005)
        worst = change(0.3, 0.2, 0.4)
    verdict = verdict_of(audited(validation), audited(test), **{
        "fair_enough": 0.03, "after": None if after is None else audited(after), "gain": gain,
        "promising": None if after is None else "fair head", **(options or {}),
    })  # fmt: skip
    chosen = "keep" if after is None else "fair head"
    candidates = (KEEP,) if after is None else (KEEP, candidate("fair head", file="out/heads/fair-head/old.pt"))
    return FixResult(**{
        "verdict": verdict.outcome, "reason": verdict.reason, "treatment": verdict.treatment,
        "promising": verdict.promising, "settling": verdict.settling, "version": "1", "deployed": "old.pt",
        "data": "faces.csv", "rule": "deo_a subject to balanced_accuracy >= deployed - 0.005", "metric": "DEO_A",
        "chosen": chosen, "family": "deployed" if after is None else "head",
        "description": "your model as it is" if after is None else "your model with another last layer",
        "breaks_rule": (), "breaks_rule_on_test": (), "fair_enough": 0.03, "needs_group": False, "settings": {},
        "group_at_use": False, "use": None, "model": None if after is None else "out/heads/fair-head/old.pt",
        "layer": None if after is None else "fc",
        "searched": Searched(ended="complete", heads=12, students=2, first_seconds=9.0, seconds=100.0),
        "candidates": candidates,
        "points": tuple(
            Point(
                name=each.name, family=each.family, balanced_accuracy=each.balanced_accuracy, deo_a=each.deo_a,
                on_front=each.on_front, chosen=each.name == chosen, settings=None, needs_group=each.needs_group,
            )
            for each in candidates
        ),
        "validation": audited(validation), "notes": (), "test_read_before": (), "test_before": audited(test),
        "test_after": None if after is None else audited(after), "kept": kept, "kept_worst_subgroup": worst,
        "gain": gain, "confirmed": None if gain is None else gain.confirmed, **changes,
    })  # fmt: skip
