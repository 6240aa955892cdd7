"""How the images of a data set are preprocessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the images of a data set are preprocessed.

    The network's input has ``size`` by ``size`` pixels. Without a crop, the whole image is resized to that, whatever
    its aspect ratio. With a crop, training images are stored at the ``stored`` size and a part of each is cut out.
    Pixels are scaled to [0, 1] and normalized with ``mean`` and ``std``, per channel.
    """

    size: int
    """Height and width of the network's input, in pixels."""
    stored: tuple[int, int] = (0, 0)
    """Height and width of the images that training crops are cut from; default: ``size``."""
    crop: Literal["none", "random", "resized"] = "none"
    """``random``: a window of ``size`` pixels; ``resized``: a box of random area and aspect, resized to ``size``."""
    flip: bool = False
    """Whether each training image is flipped horizontally with probability one half."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Channel means in [0, 1]; zeros leave the images as they are."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Channel standard deviations in [0, 1]; ones leave the images as they are."""

    def __post_init__(self) -> None:
        if self.stored == (0, 0):
            object.__setattr__(self, "stored", (self.size, self.size))
        if self.crop == "none" and self.stored != (self.size, self.size):
            raise ValueError(f"Expected stored images of {self.size} pixels without a crop, but got {self.stored}")
        if self.crop == "random" and min(self.stored) < self.size:
            raise ValueError(f"Expected stored images of at least {self.size} pixels, but got {self.stored}")

    @property
    def num_states(self) -> int | None:
        """Number of variants of a training image: 2 with flipping, 1 without; None with a crop (too many)."""
        if self.crop != "none":
            return None
        return 2 if self.flip else 1

    def resized(self, size: int) -> Recipe:
        """Return the same preprocessing at another size: the same part of each image at another resolution."""
        if size == self.size:
            return self
        height, width = (max(size, round(side * size / self.size)) for side in self.stored)
        return replace(self, size=size, stored=(height, width))
