"""Predictions of a model that is biased between two groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fairdistill.predictions import Predictions


def biased(
    *, classes: int = 2, rows: int = 240, groups: NDArray[np.int64] | None = None, shift: float = 0.8
) -> Predictions:
    """A model that is biased towards class 0 in group 1; a corrected one would not be."""
    labels = np.arange(rows) % classes
    groups = np.arange(rows) // classes % 2 if groups is None else groups
    logits = np.random.default_rng(0).normal(size=(rows, classes)) + 1.5 * np.eye(classes)[labels]
    logits[:, 0] += shift * groups
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return Predictions(
        where="made up", ids=None, sources=np.arange(rows), labels=labels, groups=groups,
        predicted=probabilities.argmax(1), probabilities=probabilities,
        class_names=tuple("abc"[:classes]), group_names=("x", "y"),
    )  # fmt: skip
