"""How the images of a data set are prepared for a network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the images of a data set are prepared for a network.

    The network sees ``size`` by ``size`` pixels. Without augmentation a whole image is resized to that, its aspect not
    kept. With a crop, training images are kept at the ``stored`` size instead, and a part of each is cut out. They are
    scaled to [0, 1]; ``mean`` and ``std`` are then subtracted and divided, per channel.
    """

    size: int
    """Height and width of what the network sees, in pixels."""
    stored: tuple[int, int] = (0, 0)
    """Height and width of the images that training crops are cut from; default: ``size``."""
    crop: Literal["none", "random", "resized"] = "none"
    """``random``: a window of ``size`` pixels; ``resized``: a box of random area and aspect, resized to ``size``."""
    flip: bool = False
    """Whether training images are mirrored left to right, each with probability one half."""
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
        """How many ways training may show one image: 2 with mirroring, 1 without; None: a crop has too many."""
        if self.crop != "none":
            return None
        return 2 if self.flip else 1

    def resized(self, size: int) -> Recipe:
        """Return the same preparation at another size: the same part of each image, in other pixels."""
        if size == self.size:
            return self
        height, width = (max(size, round(side * size / self.size)) for side in self.stored)
        return replace(self, size=size, stored=(height, width))
