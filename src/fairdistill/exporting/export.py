"""The command ``export``."""

from __future__ import annotations

from typing import Any

from fairdistill.contract import Location, given_path
from fairdistill.data import with_data_keywords
from fairdistill.exporting.making import exported
from fairdistill.exporting.options import ExportOptions
from fairdistill.exporting.result import ExportResult


def export(source: Location, /, *, options: ExportOptions | None = None, **keywords: Any) -> ExportResult:
    """Write a trained model as a file that runs elsewhere, then run that file on the test set and compare.

    The folder ``out`` gets the file, ``preprocess.json``, which says how an image becomes its input, and
    ``export.json``, the result. Compression can change accuracy for some groups more than for others, so the file is
    audited: its predictions for the test set are compared with those of the model, image by image.

    Args:
        source: a run folder, which is compared on its own test set; or a weights file or exported program, which is
            compared on ``data``.
        options: see :class:`ExportOptions`.
        **keywords: options by name; with ``data``, the data set's own options too.

    Raises:
        UsageError: for options that do not fit, a model that cannot be read or exported, or a missing package.
        DataError: for data that cannot be used.

    Example:
        >>> result = export("runs/faces", format="onnx", out="exported")  # doctest: +SKIP
        >>> result.file, result.reaudit.agreement  # doctest: +SKIP
        ('exported/model.onnx', 0.9993)
    """
    options = with_data_keywords(ExportOptions, options, keywords, but=["classes"])
    return exported(str(given_path("source", source)), options)
