"""What a search might find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from fairdistill.metrics import Scores
from fairdistill.training import Environment
from fairdistill.tuning.result import Closed, ScoresOnTest, TeacherOnValidation, Trial, TuneResult


def trial(number: int, accuracy: float | None, deo_a: float = 0.0, **changes: Any) -> Trial:
    scores = None if accuracy is None else Scores(accuracy, deo_a, 2 * deo_a)
    common = Trial(
        number=number, settings={"mfd.strength": 0.5 * 3**number}, state="finished", validation=scores, step=40,
        steps=60, seconds=2.0, host="here", folder=f"/study/trial-{number}",
    )  # fmt: skip
    return replace(common, **changes)


def result(**changes: Any) -> TuneResult:
    found = TuneResult(
        version="1", study="faces-mfd-seed3", method="mfd", data="faces.csv", seed=3,
        search={"mfd.strength": "0.5 to 40 (log)"}, sampler="tpe", objectives=("accuracy", "deo_a"), rule="deo_a",
        rule_in_words="the lowest DEO_A", steps=60, early_stopping=True, validation_rows=1234,
        teacher=TeacherOnValidation(model="teacher", validation=Scores(0.8, 0.3, 0.5)),
        trials=(
            trial(0, 0.9, 0.2),
            trial(1, 0.85, 0.1),
            trial(2, 0.8, 0.15),
            trial(3, 0.5, 0.4, state="stopped early", steps=30, beaten_by=0),
            trial(4, None, state="failed", error="not finite"),
        ),
        front=(0, 1), chosen=1, run=Path("study/trial-1"),
        test=ScoresOnTest(accuracy=0.84, deo_a=0.12, deo_m=0.25, rows=5000, teacher=Scores(0.79, 0.31, 0.52)),
        closed=Closed(trial=1, when="2026-01-02T03:04:05+00:00", trials=5, rule="deo_a"),
        notes=(), identity={"method": "mfd"},
        made_with=Environment(
            fairdistill="1", commit=None, python="3", packages={"torch": "2", "optuna": "5"}, platform="a platform",
            processor="a processor", threads=1, processes=1, device="cpu", seed=3,
        ),
        out=Path("study"),
    )  # fmt: skip
    return replace(found, **changes)
