"""A trial's checkpoint on the validation set: all metrics, by which a rule can choose."""

from __future__ import annotations

from fairdistill.choosing import Measures, measures_of_predictions
from fairdistill.predictions.trained.model import load_model, predictions_of
from fairdistill.predictions.trained.source import ModelSource
from fairdistill.runs import RunFolder
from fairdistill.tuning.validation import ValidationSet


def measured(run: RunFolder, validation: ValidationSet) -> Measures:
    """Return the metrics of the weights that a run keeps."""
    model = load_model(ModelSource(path=str(run.path), option="trial"), validation.samples, validation.runtime)
    return measures_of_predictions(
        predictions_of(model, validation.samples, where=str(run.path), runtime=validation.runtime)
    )
