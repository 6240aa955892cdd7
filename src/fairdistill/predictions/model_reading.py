"""How a model was read: its weights, its input and its outputs; part of an audit's result, without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fairdistill.contract import Result


@dataclass(frozen=True, kw_only=True)
class ModelReading(Result):
    """How a model was read.

    Attributes:
        network: its name, as for ``--model``; None for an exported program.
        weights_key: under which key of its file the weights are; None if the file holds only them.
        size: height and width of its input, in pixels.
        crop: how images get that size: ``none`` (the whole image is resized) or ``center``.
        resized: the size that images are resized to; with a center crop, their short side.
        mean, std: channel means and standard deviations of its input, for pixels in [0, 1].
        outputs: what its outputs were taken for.
        output_classes: the classes in the order of its outputs; a single output is the last of two.
    """

    network: str | None
    weights_key: str | None
    size: int
    crop: str
    resized: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    outputs: Literal["logits", "probabilities"]
    output_classes: tuple[str, ...]
