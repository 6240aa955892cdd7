"""Corrections of the deployed model's outputs, fitted on validation samples; they need the group of each person."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fairdistill.errors import DataError
from fairdistill.fixing.search.candidates import Adjustment, Candidate
from fairdistill.metrics import empty_cells
from fairdistill.metrics.folds import even_folds
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions import Predictions


@dataclass(frozen=True)
class Fitted:
    """A fitted correction.

    Attributes:
        adjust: makes its decisions.
        settings: what was fitted, for the record.
        use: how to decide with it, in words.
    """

    adjust: Adjustment
    settings: Mapping[str, Any]
    use: str


Fit = Callable[[Predictions], Fitted]


def corrections(validation: Predictions) -> tuple[list[Candidate], list[str]]:
    """Return the corrections of the deployed model as candidates, and why one of them is missing.

    The validation predictions of a candidate come from fits on the other half of the validation set, so that they
    promise no more than they keep; the correction that is used is fitted on the whole set.
    """
    fits: dict[str, tuple[str, Fit]] = {
        "group logit adjustment": ("your model, with offsets of its outputs for each group", _offsets)
    }
    if len(validation.class_names) == 2:
        fits["group thresholds"] = ("your model, with a threshold for each group", _thresholds)
    found, notes = [], []
    for name, (description, fit) in fits.items():
        started = time.perf_counter()
        try:
            fitted = fit(validation)
            crossed = _crossed(validation, fit)
        except DataError as error:
            notes.append(f"{name} was not tried: {error}")
            continue
        found.append(
            Candidate(
                name=name,
                family="correction",
                description=description,
                validation=crossed,
                adjust=fitted.adjust,
                settings=fitted.settings,
                use=fitted.use,
                seconds=time.perf_counter() - started,
            )
        )
    return found, notes


def _crossed(predictions: Predictions, fit: Fit) -> Predictions:
    """Decide each half of the samples by a fit on the other half.

    Samples of one source stay together, and each subgroup is split evenly.
    """
    half = even_folds(predictions.labels, predictions.groups, predictions.sources, folds=2)
    predicted = predictions.predicted.copy()
    for own in (0, 1):
        rows, others = np.flatnonzero(half == own), predictions.take(np.flatnonzero(half != own))
        empty = empty_cells(others.counts)
        if empty:
            names = [f"({predictions.class_names[label]}, {predictions.group_names[group]})" for group, label in empty]
            raise DataError(
                "its test on the two halves of the validation set needs samples of every subgroup in both, and there "
                f"are too few of {', '.join(names)}"
            )
        predicted[rows] = fit(others).adjust(predictions.take(rows)).predicted
    return replace(predictions, predicted=predicted)


def _offsets(fitted_on: Predictions) -> Fitted:
    fitted = GroupLogitAdjustment.fit(
        fitted_on.probabilities, fitted_on.labels, fitted_on.groups,
        num_groups=len(fitted_on.group_names), group_names=fitted_on.group_names,
        class_names=fitted_on.class_names,
    )  # fmt: skip
    of_group = {
        group: dict(zip(fitted_on.class_names, offsets, strict=True))
        for group, offsets in zip(fitted_on.group_names, fitted.offsets.tolist(), strict=True)
    }
    return Fitted(
        lambda seen: replace(seen, predicted=fitted.predict(seen.probabilities, seen.groups)),
        {"offsets": of_group},
        "add to the logarithm of each class's probability the offset of the person's group (correction.json) "
        "and take the class with the largest sum; of unknown group, the model's own decision",
    )


def _thresholds(fitted_on: Predictions) -> Fitted:
    assert fitted_on.probabilities is not None
    fitted = GroupThresholds.fit(
        fitted_on.probabilities[:, 1], fitted_on.labels, fitted_on.groups,
        num_groups=len(fitted_on.group_names), group_names=fitted_on.group_names,
        class_names=fitted_on.class_names,
    )  # fmt: skip

    def decide(seen: Predictions) -> Predictions:
        assert seen.probabilities is not None
        return replace(seen, predicted=fitted.predict(seen.probabilities[:, 1], seen.groups))

    of_group = dict(zip(fitted_on.group_names, fitted.thresholds.tolist(), strict=True))
    limits = ", ".join(f"{threshold:.4g} for {group}" for group, threshold in of_group.items())
    use = f"decide {fitted_on.class_names[1]!r} if its probability is above {limits}; of unknown group, 0.5"
    return Fitted(decide, {"thresholds": of_group}, use)
