"""How the images of a data set are preprocessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from fairdistill.data.images.view import PLAIN, Resizing, View

Crop = Literal["none", "center", "random", "resized"]

Augmentation = Literal["standard", "randaug"]
"""What is done to training images: their recipe's crops and flips, or RandAugment on top of them."""


@dataclass(frozen=True, kw_only=True)
class Augmenting:
    """How training images are changed at random, beyond the crops and flips of their :class:`Recipe`."""

    policy: Augmentation = "standard"
    """Whether RandAugment is added."""
    alternating_flip: bool = False
    """Whether an image that its recipe flips at random is instead flipped in every second pass over it."""
    crop_padding: int = 0
    """Each image moves by up to this many pixels in each direction; what enters at the edge is its reflection."""
    cutout: int = 0
    """Side of a square of one color that hides a part of each image, in pixels; 0 for none."""

    @property
    def reason_not_cached(self) -> str | None:
        """Why an image has too many variants to compute a teacher's outputs for all of them; None if it has not."""
        if self.policy == "randaug":
            return "RandAugment changes images at random"
        if self.crop_padding or self.cutout:
            return f"{'training crops' if self.crop_padding else 'cutouts'} are random"
        return None

    def num_states(self, recipe: Recipe) -> int | None:
        """Return how many variants a training image of a recipe has: 2 with flipping, 1 without; None if too many."""
        return None if self.reason_not_cached else recipe.num_states


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How the images of a data set are preprocessed.

    The network's input has ``size`` by ``size`` pixels. Without a crop, the whole image is resized to that, whatever
    its aspect ratio. With a center crop, the short side of every image is resized to ``stored``, which keeps the aspect
    ratio, and its center is cut out. With a random crop, training images are stored at the ``stored`` size and a part
    of each is cut out; the others are resized as without a crop.
    Pixels are scaled to [0, 1] and normalized with ``mean`` and ``std``, per channel.
    """

    size: int
    """Height and width of the network's input, in pixels."""
    stored: tuple[int, int] = (0, 0)
    """Height and width of the images that crops are cut from, for ``center`` of a square one; default: ``size``."""
    crop: Crop = "none"
    """``center``: the middle of the image; ``random``: a window of ``size`` pixels; ``resized``: a box of random area
    and aspect, resized to ``size``. The last two apply to training images."""
    flip: bool = False
    """Whether each training image is flipped horizontally with probability one half."""
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Channel means in [0, 1]; zeros leave the images as they are."""
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Channel standard deviations in [0, 1]; ones leave the images as they are."""
    resizing: Resizing = PLAIN
    """How images are resized, beyond the size."""
    bgr: bool = False
    """Whether the network's input has the channels blue, green, red; ``mean`` and ``std`` then have that order too."""

    def __post_init__(self) -> None:
        if self.stored == (0, 0):
            object.__setattr__(self, "stored", (self.size, self.size))
        if self.crop == "none" and self.stored != (self.size, self.size):
            raise ValueError(f"Expected stored images of {self.size} pixels without a crop, but got {self.stored}")
        if self.crop in ("center", "random") and min(self.stored) < self.size:
            raise ValueError(f"Expected stored images of at least {self.size} pixels, but got {self.stored}")

    @property
    def random_crop(self) -> bool:
        """Whether a part of each training image is drawn at random."""
        return self.crop in ("random", "resized")

    @property
    def num_states(self) -> int | None:
        """Number of variants of a training image: 2 with flipping, 1 without; None with a random crop (too many)."""
        return None if self.random_crop else self.num_flips

    @property
    def num_flips(self) -> int:
        """Number of variants of a training image without its crop: 2 with flipping, 1 without."""
        return 2 if self.flip else 1

    @property
    def view(self) -> View:
        """What of an image a network sees in evaluation, and in training unless parts are drawn at random."""
        return View(self.size, self.size, min(self.stored) if self.crop == "center" else None, self.resizing)

    @property
    def training_view(self) -> View:
        """What training images are stored as: what random crops are cut from, else what networks see."""
        return View(*self.stored, resizing=self.resizing) if self.random_crop else self.view

    def resized(self, size: int) -> Recipe:
        """Return the same preprocessing at another size: the same part of each image at another resolution."""
        if size == self.size:
            return self
        height, width = (max(size, round(side * size / self.size)) for side in self.stored)
        return replace(self, size=size, stored=(height, width))

    @property
    def geometry(self) -> str:
        """What of an image a network sees in evaluation, in words.

        Example:
            >>> Recipe(size=224, crop="center", stored=(256, 256)).geometry
            'center 224x224 of an image whose short side is resized to 256'
        """
        if self.crop == "center" and self.resizing.square:
            return f"center {self.size}x{self.size} of an image resized to {min(self.stored)}x{min(self.stored)}"
        if self.crop == "center":
            return f"center {self.size}x{self.size} of an image whose short side is resized to {min(self.stored)}"
        return f"whole image resized to {self.size}x{self.size}"
