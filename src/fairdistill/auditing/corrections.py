"""The post-hoc baselines of an audit: fitted on validation predictions, measured on the test set."""

from __future__ import annotations

from dataclasses import replace

from fairdistill.auditing.change import change_between
from fairdistill.auditing.options import IntervalOptions
from fairdistill.auditing.result import Correction, CorrectionChange
from fairdistill.errors import DataError
from fairdistill.metrics import Resampled
from fairdistill.predictions import Predictions
from fairdistill.predictions.corrected import FittedCorrection, correction_fits
from fairdistill.predictions.predictions import some_of


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
    fits = correction_fits(len(predictions.class_names))
    return tuple(_measured(name, fit(validation), predictions, options) for name, fit in fits.items())


def own_corrections(
    predictions: Predictions, validation: Predictions, options: IntervalOptions
) -> tuple[tuple[Correction, ...] | None, tuple[str, ...]]:
    """Do the same with a validation set that nobody asked for: where it does not serve, a note says why."""
    try:
        return corrections(predictions, validation, options), ()
    except DataError as error:
        return None, (f"Corrections of the outputs were not tried: {error}",)


def _measured(name: str, fitted: FittedCorrection, predictions: Predictions, options: IntervalOptions) -> Correction:
    own = replace(predictions, predicted=fitted.decide(predictions), where=f"{predictions.where} with {name}")
    sample = Resampled(own.correct[None], own.samples, options.drawing)
    change = change_between(predictions, own, options)
    return Correction(
        method=name,
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
