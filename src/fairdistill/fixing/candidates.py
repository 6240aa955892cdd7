"""The candidates to replace a deployed model, and their results on the validation set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from fairdistill.metrics import Scores, accuracy, deo_a, deo_m
from fairdistill.predictions import Predictions
from fairdistill.runs import RunFolder

Adjustment = Callable[[Predictions], Predictions]
"""Makes different decisions from a model's probabilities and the groups."""


@dataclass(frozen=True)
class Candidate:
    """One candidate: the deployed model, a correction of its outputs, or a student.

    Attributes:
        name: short, for tables.
        description: what it is, for sentences.
        validation: its predictions on the validation set.
        run: the student's run folder, if it is a student.
        adjust: how it decides, if it is a correction; it needs the group of each person.
        settings: what was fitted or chosen, for the record.
        use: how to decide with it, in words, if it is a correction.
    """

    name: str
    description: str
    validation: Predictions
    run: RunFolder | None = None
    adjust: Adjustment | None = None
    settings: Mapping[str, Any] | None = None
    use: str | None = None

    @property
    def needs_group(self) -> bool:
        """Whether the group of a person must be known when the candidate is used."""
        return self.adjust is not None

    @property
    def scores(self) -> Scores:
        """Accuracy on all validation samples, and DEO on those with a group label; fractions."""
        return scores_of(self.validation)

    @property
    def collapsed(self) -> bool:
        """Whether it predicts a single class, so that a gap of 0 means nothing."""
        return len(np.unique(self.validation.predicted)) == 1


def scores_of(predictions: Predictions) -> Scores:
    """Return accuracy, DEO_A and DEO_M of predictions, as fractions."""
    counts = predictions.counts
    whole = float(predictions.correct.mean()) if len(predictions) else accuracy(counts)
    return Scores(accuracy=whole, deo_a=deo_a(counts), deo_m=deo_m(counts))
