"""The post-hoc corrections of a model, fitted on its predictions for a validation set."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions.predictions import Predictions


@dataclass(frozen=True)
class FittedCorrection:
    """A fitted correction; one of its two parameters is set.

    Attributes:
        decide: returns its decisions, int64 ``[N]``, for other predictions of the model, with their groups.
        thresholds: of each group, for the probability of the second class.
        offsets: of each group, for the logarithm of each class's probability.
    """

    decide: Callable[[Predictions], NDArray[np.int64]]
    thresholds: tuple[float, ...] | None = None
    offsets: tuple[tuple[float, ...], ...] | None = None


CorrectionFit = Callable[[Predictions], FittedCorrection]
"""Fits a correction; raises DataError if a subgroup has no sample."""


def correction_fits(num_classes: int) -> dict[str, CorrectionFit]:
    """Return the corrections for so many classes, by name."""
    of_two = {"group thresholds": _thresholds} if num_classes == 2 else {}
    return {**of_two, "group logit adjustment": _offsets}


def _thresholds(fitted_on: Predictions) -> FittedCorrection:
    found = GroupThresholds.fit(_probabilities(fitted_on)[:, 1], **_samples(fitted_on))
    return FittedCorrection(
        lambda seen: found.predict(_probabilities(seen)[:, 1], seen.groups),
        thresholds=tuple(found.thresholds.tolist()),
    )


def _offsets(fitted_on: Predictions) -> FittedCorrection:
    found = GroupLogitAdjustment.fit(_probabilities(fitted_on), **_samples(fitted_on))
    return FittedCorrection(
        lambda seen: found.predict(_probabilities(seen), seen.groups),
        offsets=tuple(map(tuple, found.offsets.tolist())),
    )


def _samples(predictions: Predictions) -> dict[str, Any]:
    return {
        "labels": predictions.labels, "groups": predictions.groups, "num_groups": len(predictions.group_names),
        "group_names": predictions.group_names, "class_names": predictions.class_names,
    }  # fmt: skip


def _probabilities(predictions: Predictions) -> NDArray[np.float64]:
    assert predictions.probabilities is not None
    return predictions.probabilities
