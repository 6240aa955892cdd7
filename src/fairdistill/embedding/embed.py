"""A t-SNE plot of a run's features, and how much they reveal about the group."""

from __future__ import annotations

from typing import Any

from fairdistill.contract import Location, with_keywords
from fairdistill.embedding.options import EmbedOptions
from fairdistill.embedding.result import EmbedResult
from fairdistill.runs import RunFolder


def embed(source: Location, *, options: EmbedOptions | None = None, **keywords: Any) -> EmbedResult:
    """Plot the test images of a finished run by t-SNE and measure how much their features reveal about the group.

    The student and, if the run had one, the teacher are run over the test set in float32, each with its own image
    preparation. Leakage (:func:`fairdistill.metrics.leakage.leakage`) is measured on all test images of known group;
    the plot shows a sample of them. Writes two files into the run folder: ``features.npz`` (``ids``, ``labels``,
    ``groups``, and the float32 features ``student`` and ``teacher`` of the sampled images; without a teacher, its
    array is ``[n, 0]``), then ``embedding.json``.

    Args:
        source: a finished run folder.
        options: settings of the plot; see :class:`EmbedOptions`.
        **keywords: options by name.

    Returns:
        The content of ``embedding.json``. ``teacher`` is None if there was none or if it is no longer the model that
        taught the run; ``notes`` give the reason.

    Raises:
        RunFolderError: if there is no finished run.
        DataError: if the test images are gone or differ from those of the run.
        UsageError: if the network has no such feature, the sample is too small, or the device does not exist.

    Example:
        >>> result = embed("runs/digits-s-mfd-seed0", dims=2)  # doctest: +SKIP
        >>> result.student.leakage.probe  # doctest: +SKIP
        0.61
    """
    options = with_keywords(EmbedOptions, options, keywords)
    from fairdistill.embedding.networks import embedded  # loads PyTorch, which the help does not need

    return embedded(RunFolder.open(source), options)
