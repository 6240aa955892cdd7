"""The command ``predict``: run a trained model on images."""

from __future__ import annotations

from typing import Any

from fairdistill.contract import Location, given_path, with_keywords
from fairdistill.predicting.options import PredictOptions
from fairdistill.predicting.result import PredictResult


def predict(source: Location, /, *, options: PredictOptions | None = None, **keywords: Any) -> PredictResult:
    """Run a trained model on a folder of images, or on those that a table names; no labels are needed.

    With ``out``, a table is written: the image's id, the columns of its own table if it has one, ``pred`` and a
    ``p_CLASS`` for each class. :func:`fairdistill.audit` reads it if it has columns of classes and groups.

    Images are prepared as the model's file says. They are decoded once, in parallel with the network, and nothing else
    is stored on disk.

    Args:
        source: a run folder, a weights file or an exported program.
        options: see :class:`PredictOptions`.
        **keywords: options by name.

    Raises:
        UsageError: for options that do not fit, or a model that cannot be read or does not name its classes.
        DataError: naming the images that cannot be read, unless they are skipped.

    Example:
        >>> result = predict("runs/faces", images="photos", out="predictions.csv")  # doctest: +SKIP
        >>> result.class_names, result.probabilities.shape  # doctest: +SKIP
        (('Female', 'Male'), (1000, 2))
    """
    options = with_keywords(PredictOptions, options, keywords)
    source = given_path("source", source)
    from fairdistill.predicting.running import run_model  # loads PyTorch, which the help does not need

    return run_model(str(source), options)
