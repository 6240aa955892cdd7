"""How a model was read: its weights, its input and its outputs; part of an audit's result, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairdistill.contract import Result
from fairdistill.text.lists import listed

_SHOWN = 12


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

    def in_words(self) -> list[str]:
        """Return how the model was read, in sentences."""
        how = "resized to"
        if self.crop == "center":
            how = f"with the short side resized to {self.resized} pixels, the center cut out at"
        return [
            f"Model input: images {how} {self.size} x {self.size} pixels; mean {_channels(self.mean)}; standard "
            f"deviation {_channels(self.std)}.",
            f"Model outputs: {self.outputs}, in the order {listed(self.output_classes, _SHOWN)}.",
        ]


def _channels(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
