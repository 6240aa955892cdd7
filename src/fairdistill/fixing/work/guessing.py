"""Stopping early: a model that is no better than guessing has no gap worth repairing."""

from __future__ import annotations

import numpy as np

from fairdistill.auditing.guessing import beats_guessing, better_than_guessing
from fairdistill.auditing.outputs import order_note
from fairdistill.errors import UsageError
from fairdistill.predictions import Predictions


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
    order = order_note(predictions)
    raise UsageError(
        f"{model} is {better_than_guessing(predictions, 'validation images')}. {order[0] if order else remedy}"
    )
