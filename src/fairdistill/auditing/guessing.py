"""Whether a model is better than guessing; the gaps of one that is not say nothing about it."""

from __future__ import annotations

import math

import numpy as np

from fairdistill.metrics.test_set.distinct import sources_per_cell
from fairdistill.predictions import Predictions
from fairdistill.text.numbers import percent

_FEWEST = 50  # independent samples, below which a good model may well not show that it is one
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


def better_than_guessing(predictions: Predictions, images: str) -> str:
    """Return in words that a model is no better than guessing, which :func:`beats_guessing` has found.

    Args:
        predictions: of the model.
        images: what to call the samples.
    """
    counts = np.bincount(predictions.labels, minlength=len(predictions.class_names))
    common = predictions.class_names[int(counts.argmax())]
    correct, guessed = float(predictions.correct.mean()), float(counts.max() / len(predictions))
    better = "no better" if correct <= guessed else "not significantly better"
    return (
        f"correct for {percent(correct)}% of the {len(predictions):,} {images}, {better} than guessing: naming "
        f"{common!r} for all of them would be correct for {percent(guessed)}%"
    )


def guessing_note(predictions: Predictions) -> tuple[str, ...]:
    """Return a note if a model that predicts several classes is no better than guessing."""
    if predictions.num_sources < _FEWEST or np.ptp(predictions.predicted) == 0 or beats_guessing(predictions):
        return ()
    return (
        f"The model is {better_than_guessing(predictions, 'samples')}; so small gaps say little about it. If labels "
        "and predictions come from two files, check that their rows belong together",
    )
