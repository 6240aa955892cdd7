"""A made-up recommendation for each verdict, without any training."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from fairdistill.auditing import AuditOptions, AuditResult, audit, change_between
from fairdistill.metrics import Estimate
from fairdistill.predictions import Predictions
from fairdistill.reporting.recommendation import (
    CandidateResult,
    Family,
    FrontPoint,
    OnTest,
    Outcome,
    Recommendation,
)

CLASSES = ("under 20", "20 to 39", "40 and over")
GROUPS = ("women", "men")
_OPTIONS = AuditOptions(draws=200)
HEADLINES: dict[Outcome, str] = {
    "use": "Use heads/fair-1/model.pt: more accurate, and far fairer",
    "fair": "Keep model.pt: it is fair enough",
    "unproven": "Keep model.pt for now: it is unfair, but nothing better was proven",
    "undecided": "The test set cannot tell yet whether model.pt is fair",
}


def recommendation(
    verdict: Outcome = "use",
    *,
    classes: tuple[str, ...] = CLASSES,
    groups: tuple[str, ...] = GROUPS,
    per_subgroup: int = 60,
    candidates: int = 6,
    **changes: Any,
) -> Recommendation:
    """Return a recommendation; the deployed model recognises the last group less often."""
    return replace(_made(verdict, classes, groups, per_subgroup, candidates), **changes)


@cache
def _made(
    verdict: Outcome, classes: tuple[str, ...], groups: tuple[str, ...], per_subgroup: int, candidates: int
) -> Recommendation:
    before = _audited(classes, groups, per_subgroup, gap=0.04 if verdict == "fair" else 0.3)
    searched = verdict in ("use", "unproven")
    after = _audited(classes, groups, per_subgroup, gap=0.05 if verdict == "use" else 0.25) if searched else None
    audited = audit(before, options=_OPTIONS)
    rows = _candidates(candidates if searched else 1)
    return Recommendation(
        verdict=verdict,
        headline=HEADLINES[verdict],
        paragraphs=(
            f"Of 100 test images labelled {classes[0]} in group {groups[-1]}, your model gets 60 right; in group "
            f"{groups[0]}, 90. The recommended model gets 85 and 90 right.",
            "`head-1` is your model with its last layer fitted for equal accuracy. On the test set, DEO_A, the gap "
            "between groups averaged over the classes, goes from 29.6% to 4.8%, and accuracy from 75.2% to 87.6%. The "
            "test set confirms a better DEO_A, DEO_M and accuracy. What remains of the gap is within chance.",
        ),
        cautions=("The test set was read once; every choice was made on the validation set.",),
        more=("About 400 more test images of each subgroup would show a gap of 5 points.",)
        if verdict in ("unproven", "undecided")
        else (),
        deployed="model.pt",
        file="heads/fair-1/model.pt" if verdict == "use" else "model.pt",
        command="fairdistill audit heads/fair-1/model.pt --model resnet18 --data table.csv --label age --group gender",
        layer="fc" if verdict == "use" else None,
        needs_group=False,
        use=None,
        before=_on_test(audited),
        after=None if after is None else _on_test(audit(after, options=_OPTIONS)),
        change=None if after is None else change_between(before, after, _OPTIONS),
        candidates=rows,
        chosen=rows[searched].name,
        points=_points(rows, chosen=rows[searched].name),
        rule="deo_a subject to balanced_accuracy >= deployed - 0.005",
        costs=("42 s of search on this machine", "5,130 of 11,181,642 parameters change", "as fast as before"),
        data="table.csv, label age in three classes, group gender",
        class_names=classes,
        group_names=groups,
        rows=audited.rows,
        sources=audited.sources,
        cells=tuple(tuple(per_subgroup for _ in classes) for _ in groups),
        sizing=audited.sizing,
        notes=("3 images have no group label",),
        confidence=audited.confidence,
        made_with=("fairdistill 0.1.0", "CPU, 2 threads"),
        settings="budget: 30m\nrule: deo_a\n",
    )


def _audited(classes: tuple[str, ...], groups: tuple[str, ...], per_subgroup: int, *, gap: float) -> Predictions:
    """Return predictions that are right about nine images in ten, of the last group about fewer."""
    count = len(classes)
    cells = [(group, label) for group in range(len(groups)) for label in range(count)]
    labels = np.repeat([label for _, label in cells], per_subgroup)
    of = np.repeat([group for group, _ in cells], per_subgroup)
    within = np.tile(np.arange(per_subgroup) / per_subgroup, len(cells))
    right = within < 0.9 - gap * of / max(len(groups) - 1, 1)
    return Predictions(
        where="made-up",
        ids=None,
        sources=np.arange(len(labels)),
        labels=labels,
        groups=of,
        predicted=np.where(right, labels, (labels + 1) % count),
        probabilities=None,
        class_names=classes,
        group_names=groups,
    )


def _on_test(audited: AuditResult) -> OnTest:
    equally = float(np.nanmean([cell.accuracy.value for cell in audited.cells]))
    return OnTest(
        accuracy=audited.accuracy,
        balanced_accuracy=Estimate(equally, equally - 0.03, equally + 0.03),
        worst_subgroup=audited.metrics.worst_cell,
        deo_a=audited.deo_a,
        deo_m=audited.deo_m,
        cells=tuple(
            tuple(cell.accuracy.value for cell in audited.cells if cell.group == group) for group in audited.group_names
        ),
    )


_KINDS: tuple[tuple[Family, str], ...] = (
    ("head", "your model with its last layer fitted for equal accuracy in every subgroup"),
    ("line", "a mixture of your model and another last layer"),
    ("student", "a whole network trained from your model's weights"),
    ("correction", "your model with a threshold for each group"),
)


def _candidates(count: int) -> tuple[CandidateResult, ...]:
    rows = [_row("keep", "deployed", "your model as it is", 0)]
    for at in range(1, count):
        family, description = _KINDS[(at - 1) % len(_KINDS)]
        rows.append(_row(f"{family}-{at}", family, description, at))
    return tuple(rows)


def _row(name: str, family: Family, description: str, at: int) -> CandidateResult:
    gained = 0.0 if at == 0 else 0.08 - 0.02 * (at % 7)
    return CandidateResult(
        name=name,
        family=family,
        description=description,
        accuracy=0.8 + gained / 2,
        balanced_accuracy=0.75 + gained,
        deo_a=0.25 if at == 0 else 0.06 + 0.01 * (at % 5),
        deo_m=0.4 if at == 0 else 0.11 + 0.02 * (at % 5),
        worst_subgroup=0.44 + 2 * gained,
        breaks_rule=("balanced_accuracy 72.0 is below 74.5",) if gained < -0.005 else (),
        needs_group=family == "correction",
        on_front=at in (1, 2),
        seconds=4.0 * at,
        rank=at + 1,
        file=None,
    )


def _points(rows: tuple[CandidateResult, ...], *, chosen: str) -> tuple[FrontPoint, ...]:
    points = [
        FrontPoint(
            label=row.name,
            family=row.family,
            balanced_accuracy=row.balanced_accuracy,
            deo_a=row.deo_a,
            on_front=row.on_front,
            chosen=row.name == chosen,
        )
        for row in rows
    ]
    if len(rows) == 1:
        return tuple(points)
    ends = [np.array([row.balanced_accuracy, row.deo_a]) for row in rows[:2]]
    between = {share: ((1 - share) * ends[0] + share * ends[1]).tolist() for share in np.linspace(0.1, 0.9, 9).tolist()}
    points += [
        FrontPoint(
            label=f"{share:.0%} of the way to {rows[1].name}", family="line", balanced_accuracy=accuracy, deo_a=gap
        )
        for share, (accuracy, gap) in between.items()
    ]
    return tuple(points)
