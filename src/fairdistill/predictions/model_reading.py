"""How a model was read: its weights, its input and its outputs; part of an audit's result, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fairdistill.contract import Result
from fairdistill.text.lists import listed

_SHOWN = 12
_WORDS = {
    "nearest": "the nearest pixel", "bicubic": "bicubic interpolation", "lanczos": "Lanczos interpolation",
    "box": "box interpolation", "hamming": "Hamming interpolation", "aliased": "no antialiasing",
    "bgr": "channels blue, green, red",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ModelReading(Result):
    """How a model was read.

    Attributes:
        network: its name, as for ``--model``; None for an exported program.
        weights_key: under which key of its file the weights are; None if the file holds only them.
        size: height and width of its input, in pixels.
        crop: how images get that size: ``none`` (the whole image is resized) or ``center``.
        resized: the size that images are resized to; with a center crop, their short side.
        rule: that in words of ``--model-input``, for example ``center:256,bicubic``.
        mean, std: channel means and standard deviations of its input, for pixels in [0, 1].
        outputs: what its outputs were taken for.
        output_classes: the classes in the order of its outputs; a single output is the last of two.
    """

    network: str | None
    weights_key: str | None
    size: int
    crop: str
    resized: int
    rule: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    outputs: Literal["logits", "probabilities"]
    output_classes: tuple[str, ...]

    def in_words(self) -> list[str]:
        """Return how the model was read, in sentences."""
        how = "resized to"
        if self.crop == "center":
            sides = "both sides" if self.rule.startswith("square") else "the short side"
            how = f"with {sides} resized to {self.resized} pixels, the center cut out at"
        special = ", ".join(_WORDS[word] for word in self.rule.split(",")[1:] if word in _WORDS)
        special = f", {special}" if special else ""
        return [
            f"Model input: images {how} {self.size} x {self.size} pixels{special}; mean {_channels(self.mean)}; "
            f"standard deviation {_channels(self.std)}.",
            f"Model outputs: {self.outputs}, in the order {listed(self.output_classes, _SHOWN)}.",
        ]


def _channels(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values)
