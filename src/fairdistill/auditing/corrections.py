"""The post-hoc baselines of an audit: fitted on validation predictions, measured on the test set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fairdistill.auditing.change import change_between
from fairdistill.auditing.options import IntervalOptions
from fairdistill.auditing.result import Correction, CorrectionChange
from fairdistill.errors import DataError
from fairdistill.metrics import Resampled
from fairdistill.posthoc import GroupLogitAdjustment, GroupThresholds
from fairdistill.predictions import Predictions
from fairdistill.predictions.predictions import some_of


@dataclass(frozen=True)
class _Fitted:
    """A fitted baseline: its name, its decisions on the test set, and its fitted parameters."""

    method: str
    predicted: NDArray[np.int64]
    thresholds: tuple[float, ...] | None = None
    offsets: tuple[tuple[float, ...], ...] | None = None


def corrections(predictions: Predictions, validation: Predictions, options: IntervalOptions) -> tuple[Correction, ...]:
    """Fit the baselines on validation predictions and measure them on the test set.

    Raises:
        DataError: if the two have different classes or groups, lack probabilities, or a subgroup has no validation
            sample.
    """
    for kind, what in (("class_names", "classes"), ("group_names", "groups")):
        ours, theirs = getattr(predictions, kind), getattr(validation, kind)
        if ours != theirs:
            raise DataError(
                f"{validation.where} and {predictions.where} have different {what}; both must come from the same model"
                f", and be written alike ({some_of(theirs)} and {some_of(ours)})"
            )
    if predictions.probabilities is None or validation.probabilities is None:
        which = predictions if predictions.probabilities is None else validation
        raise DataError(
            f"{which.where} has no probabilities; the post-hoc baselines need them; name their columns with --prob"
        )
    empty = validation.sparse_counts.empty
    if empty:
        listed = ", ".join(
            f"({validation.class_names[label]}, {validation.group_names[group]})" for group, label in empty
        )
        raise DataError(
            f"{validation.where} has no samples of {listed}; the post-hoc baselines need every class in every group: "
            "add validation samples, or leave out the group"
        )
    fitted = _fitted(predictions, predictions.probabilities, validation, validation.probabilities)
    return tuple(_measured(each, predictions, options) for each in fitted)


def own_corrections(
    predictions: Predictions, validation: Predictions, options: IntervalOptions
) -> tuple[tuple[Correction, ...] | None, tuple[str, ...]]:
    """Do the same with a validation set that nobody asked for: where it does not serve, a note says why."""
    try:
        return corrections(predictions, validation, options), ()
    except DataError as error:
        return None, (f"Corrections of the outputs were not tried: {error}",)


def _fitted(
    predictions: Predictions,
    probabilities: NDArray[np.float64],
    validation: Predictions,
    of_validation: NDArray[np.float64],
) -> list[_Fitted]:
    labels, groups = validation.labels, validation.groups
    given: dict[str, Any] = {"num_groups": len(predictions.group_names), "group_names": predictions.group_names}
    found = []
    if len(predictions.class_names) == 2:
        thresholds = GroupThresholds.fit(of_validation[:, 1], labels, groups, **given)
        predicted = thresholds.predict(probabilities[:, 1], predictions.groups)
        found.append(_Fitted("group thresholds", predicted, thresholds=tuple(thresholds.thresholds.tolist())))
    adjustment = GroupLogitAdjustment.fit(of_validation, labels, groups, **given)
    predicted = adjustment.predict(probabilities, predictions.groups)
    offsets = tuple(map(tuple, adjustment.offsets.tolist()))
    return [*found, _Fitted("group logit adjustment", predicted, offsets=offsets)]


def _measured(fitted: _Fitted, predictions: Predictions, options: IntervalOptions) -> Correction:
    own = replace(predictions, predicted=fitted.predicted, where=f"{predictions.where} with {fitted.method}")
    sample = Resampled(own.correct[None], own.samples, options.drawing)
    change = change_between(predictions, own, options)
    return Correction(
        method=fitted.method,
        needs_group=True,
        thresholds=fitted.thresholds,
        offsets=fitted.offsets,
        accuracy=sample.accuracy(),
        deo_a=sample.gap("mean"),
        deo_m=sample.gap("max"),
        change=CorrectionChange(
            accuracy=change.accuracy, deo_a=change.deo_a, deo_m=change.deo_m, levels_down=change.levels_down
        ),
    )
