"""What may be done about a deployed model, and what each does on the validation rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairdistill.errors import DataError
from fairdistill.metrics import accuracy, deo_a, deo_m
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions import Predictions
from fairdistill.runs import RunFolder

Adjustment = Callable[[Predictions], Predictions]
"""Makes other decisions from a model's probabilities and the groups."""


@dataclass(frozen=True)
class Candidate:
    """One thing that may be done.

    Attributes:
        name: short, for tables.
        said: what it is, for sentences.
        validation: its predictions of the validation rows.
        run: the student's run folder, if it is a student.
        adjust: how it decides, if it is the deployed model decided otherwise; it needs the group of each person.
        settings: what was fitted or chosen, for the record.
        use: how to decide with it, in words, if it is a correction.
    """

    name: str
    said: str
    validation: Predictions
    run: RunFolder | None = None
    adjust: Adjustment | None = None
    settings: dict[str, Any] | None = None
    use: str | None = None

    @property
    def needs_group(self) -> bool:
        """Whether the group of a person must be known when the model is used."""
        return self.adjust is not None

    @property
    def values(self) -> dict[str, float]:
        """Accuracy over all validation rows, and DEO over those of known group; fractions."""
        return values_of(self.validation)

    @property
    def collapsed(self) -> bool:
        """Whether it predicts one class alone: its gap of 0 says nothing."""
        return len(np.unique(self.validation.predicted)) == 1


def values_of(predictions: Predictions) -> dict[str, float]:
    """Return accuracy, DEO_A and DEO_M of predictions, fractions."""
    counts = predictions.counts
    whole = float(predictions.correct.mean()) if len(predictions) else accuracy(counts)
    return {"accuracy": whole, "deo_a": deo_a(counts), "deo_m": deo_m(counts)}


def posthoc_candidates(validation: Predictions) -> tuple[list[Candidate], list[str]]:
    """Return the post-hoc baselines of the deployed model, and why one of them is not there.

    Their validation predictions are made by fits on the other half of the validation rows, so that they promise no more
    than they keep; what is used is fitted on all of them.
    """
    fits: dict[str, tuple[str, Callable[[Predictions], tuple[Adjustment, dict[str, Any], str]]]] = {
        "group logit adjustment": ("your model, with offsets of its outputs for each group", _offsets)
    }
    if len(validation.class_names) == 2:
        fits["group thresholds"] = ("your model, with a threshold for each group", _thresholds)
    found, notes = [], []
    for name, (said, fit) in fits.items():
        try:
            adjust, settings, use = fit(validation)
            crossed = _crossed(validation, lambda part, fit=fit: fit(part)[0])  # type: ignore[misc]  # mypy infers no lambda with a default
        except DataError as error:
            notes.append(f"{name} was not tried: {error}")
            continue
        found.append(Candidate(name, said, crossed, adjust=adjust, settings=settings, use=use))
    return found, notes


def _crossed(predictions: Predictions, fit: Callable[[Predictions], Adjustment]) -> Predictions:
    """Decide each half of the rows by a fit on the other.

    Rows of one source stay together, and cells are dealt out evenly.
    """
    half = np.empty(len(predictions), dtype=np.int64)
    turn: dict[tuple[int, int], int] = {}
    of_source: dict[int, int] = {}
    for row, source in enumerate(predictions.sources.tolist()):
        cell = (int(predictions.labels[row]), int(predictions.groups[row]))
        if source not in of_source:
            of_source[source] = turn.get(cell, 0)
            turn[cell] = 1 - of_source[source]
        half[row] = of_source[source]
    predicted = predictions.predicted.copy()
    for own in (0, 1):
        rows = np.flatnonzero(half == own)
        others = predictions.take(np.flatnonzero(half != own))
        predicted[rows] = fit(others)(predictions.take(rows)).predicted
    return replace(predictions, predicted=predicted)


def _offsets(fitted_on: Predictions) -> tuple[Adjustment, dict[str, Any], str]:
    fitted = GroupLogitAdjustment.fit(
        fitted_on.probabilities, fitted_on.labels, fitted_on.groups,
        num_groups=len(fitted_on.group_names), group_names=fitted_on.group_names,
    )  # fmt: skip
    of_group = {
        group: dict(zip(fitted_on.class_names, offsets, strict=True))
        for group, offsets in zip(fitted_on.group_names, fitted.offsets.tolist(), strict=True)
    }
    return (
        lambda seen: replace(seen, predicted=fitted.predict(seen.probabilities, seen.groups)),
        {"offsets": of_group},
        "add to the logarithm of each class's probability the offset of the person's group (`settings` in fix.json) "
        "and take the class with the largest sum; of unknown group, the model's own decision",
    )


def _thresholds(fitted_on: Predictions) -> tuple[Adjustment, dict[str, Any], str]:
    assert fitted_on.probabilities is not None
    fitted = GroupThresholds.fit(
        fitted_on.probabilities[:, 1], fitted_on.labels, fitted_on.groups,
        num_groups=len(fitted_on.group_names), group_names=fitted_on.group_names,
    )  # fmt: skip

    def decide(seen: Predictions) -> Predictions:
        assert seen.probabilities is not None
        return replace(seen, predicted=fitted.predict(seen.probabilities[:, 1], seen.groups))

    of_group = dict(zip(fitted_on.group_names, fitted.thresholds.tolist(), strict=True))
    limits = ", ".join(f"{threshold:.4g} for {group}" for group, threshold in of_group.items())
    use = f"decide {fitted_on.class_names[1]!r} if its probability is above {limits}; of unknown group, 0.5"
    return decide, {"thresholds": of_group}, use
