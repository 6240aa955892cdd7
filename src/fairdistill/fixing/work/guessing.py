"""Stopping early: a model that is no better than guessing has no gap worth repairing."""

from __future__ import annotations

import math

import numpy as np

from fairdistill.auditing.outputs import order_note
from fairdistill.errors import UsageError
from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.predictions import Predictions
from fairdistill.text.numbers import percent

_Z = 1.645  # one-sided test at 5%


def beats_guessing(predictions: Predictions) -> bool:
    """Return whether a model is significantly better than guessing, on images as they are or with equal subgroups.

    Its accuracy is compared with the share m of the most common class: a > m + 1.645 sqrt(m (1 - m) / n). Its mean
    accuracy over the S subgroups is compared with 1 / C for C classes: b > 1 / C + 1.645 sqrt(sum over the subgroups of
    (1 / C) (1 - 1 / C) / n_s) / S, since a model that serves rare subgroups may well be less accurate than naming
    the most common class. The numbers n are those of independent sources. One of the two is enough.

    Args:
        predictions: of at least one sample.
    """
    labels, classes = predictions.labels, len(predictions.class_names)
    most = float(np.bincount(labels).max() / len(labels))
    if predictions.correct.mean() > most + _Z * math.sqrt(most * (1 - most) / predictions.num_sources):
        return True
    known = predictions.groups >= 0
    if not known.any():
        return False
    _, cell = np.unique(predictions.samples.cells[known], return_inverse=True)
    recall = np.bincount(cell, predictions.correct[known]) / np.bincount(cell)
    sources = sources_per_cell(cell, predictions.sources[known], len(recall))
    guess = 1 / classes
    error = math.sqrt(float((guess * (1 - guess) / sources).sum())) / len(recall)
    return float(recall.mean()) > guess + _Z * error


def check_several_predicted(predictions: Predictions, model: str, remedy: str, *, images: str = "validation") -> None:
    """Check that a model does not predict a single class for all images; their true classes are not looked at.

    Args:
        predictions: of the model.
        model: what an error calls it.
        remedy: what to do.
        images: what an error calls them.

    Raises:
        UsageError: naming the class.
    """
    if len(predicted := np.unique(predictions.predicted)) == 1:
        raise UsageError(
            f"{model} predicts {predictions.class_names[int(predicted[0])]!r} for every {images} image, so "
            f"its gap of 0 says nothing about fairness. {remedy}"
        )


def check_beats_guessing(predictions: Predictions, model: str, remedy: str) -> None:
    """Check that a model is better than guessing.

    Args:
        predictions: of the model on the validation set.
        model: what an error calls it.
        remedy: what to do if no other order of its outputs fits.

    Raises:
        UsageError: naming the order of classes that fits, if one does.
    """
    if beats_guessing(predictions):
        return
    check_several_predicted(predictions, model, remedy)
    counts = np.bincount(predictions.labels, minlength=len(predictions.class_names))
    common = predictions.class_names[int(counts.argmax())]
    order = order_note(predictions)
    correct, guessed = float(predictions.correct.mean()), float(counts.max() / len(predictions))
    better = "no better" if correct <= guessed else "not more than chance better"
    raise UsageError(
        f"{model} is correct for {percent(correct)}% of the {len(predictions):,} validation images, {better} than "
        f"guessing: naming {common!r} for all of them would be correct for {percent(guessed)}%. "
        f"{order[0] if order else remedy}"
    )
