"""Corrections of the deployed model's outputs, fitted on validation samples; they need the group of each person."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from fairdistill.errors import DataError
from fairdistill.fixing.search.candidates import Candidate
from fairdistill.metrics import empty_cells
from fairdistill.metrics.folds import even_folds
from fairdistill.predictions import Predictions
from fairdistill.predictions.corrected import CorrectionFit, FittedCorrection, correction_fits

_DESCRIPTIONS = {
    "group thresholds": "your model, with a threshold for each group",
    "group logit adjustment": "your model, with offsets of its outputs for each group",
}


def corrections(validation: Predictions) -> tuple[list[Candidate], list[str]]:
    """Return the corrections of the deployed model as candidates, and why one of them is missing.

    The validation predictions of a candidate come from fits on the other half of the validation set, so that they
    promise no more than they keep; the correction that is used is fitted on the whole set.
    """
    found, notes = [], []
    for name, fit in correction_fits(len(validation.class_names)).items():
        started = time.perf_counter()
        try:
            fitted = fit(validation)
            crossed = _crossed(validation, fit)
        except DataError as error:
            notes.append(f"{name} was not tried: {error}")
            continue
        settings, use = _in_words(fitted, validation)
        found.append(
            Candidate(
                name=name,
                family="correction",
                description=_DESCRIPTIONS[name],
                validation=crossed,
                adjust=partial(_adjusted, fitted),
                settings=settings,
                use=use,
                seconds=time.perf_counter() - started,
            )
        )
    return found, notes


def _crossed(predictions: Predictions, fit: CorrectionFit) -> Predictions:
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
        predicted[rows] = fit(others).decide(predictions.take(rows))
    return replace(predictions, predicted=predicted)


def _adjusted(fitted: FittedCorrection, seen: Predictions) -> Predictions:
    return replace(seen, predicted=fitted.decide(seen))


def _in_words(fitted: FittedCorrection, fitted_on: Predictions) -> tuple[dict[str, Any], str]:
    """Return what was fitted, by names for the record, and how to decide with it."""
    classes, groups = fitted_on.class_names, fitted_on.group_names
    if fitted.thresholds is not None:
        limits = ", ".join(
            f"{threshold:.4g} for {group}" for group, threshold in zip(groups, fitted.thresholds, strict=True)
        )
        return (
            {"thresholds": dict(zip(groups, fitted.thresholds, strict=True))},
            f"decide {classes[1]!r} if its probability is above {limits}; of unknown group, 0.5",
        )
    assert fitted.offsets is not None
    of_group = {
        group: dict(zip(classes, offsets, strict=True)) for group, offsets in zip(groups, fitted.offsets, strict=True)
    }
    return (
        {"offsets": of_group},
        "add to the logarithm of each class's probability the offset of the person's group (correction.json) "
        "and take the class with the largest sum; of unknown group, the model's own decision",
    )
