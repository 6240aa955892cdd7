"""How images are prepared for one model: what its files say, and doing it to files and Pillow images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from fairdistill.data import Recipe
from fairdistill.data.augmentation.pipeline import Normalise
from fairdistill.data.images.decoding import AS_STORED, Decoding, Pixels, decode, of_picture
from fairdistill.data.images.described import decoding_in
from fairdistill.data.images.sources import Folder
from fairdistill.errors import DataError, UsageError
from fairdistill.models.description.described import Described

Picture = str | Path | Image.Image
"""An image: the path of its file, or a Pillow image."""


@dataclass(frozen=True)
class Preprocessing:
    """How images are prepared for a model.

    Attributes:
        recipe: the size, crop, mean and sd.
        how: how the content of a file becomes an image.
    """

    recipe: Recipe
    how: Decoding = AS_STORED

    def __call__(self, image: Picture) -> Tensor:
        """Return an image as the model takes it: float32 ``[3, size, size]``.

        Raises:
            DataError: naming the file, if it cannot be read or decoded.
        """
        return self.normalized(self.pixels(image)[None])[0]

    def pixels(self, image: Picture) -> Tensor:
        """Return an image as RGB, resized and cropped: uint8 ``[3, size, size]``."""
        if isinstance(image, Image.Image):
            pixels = of_picture(image, self.recipe.view, self.how)
        elif isinstance(image, str | Path):
            pixels = _decoded(Path(image), self.recipe, self.how)
        else:
            raise UsageError(f"expected the path of an image file or a Pillow image, but got a {type(image).__name__}")
        return torch.from_numpy(pixels).permute(2, 0, 1)

    def normalized(self, pixels: Tensor) -> Tensor:
        """Return uint8 ``[N, 3, size, size]`` scaled to [0, 1] and normalized, float32."""
        return Normalise(self.recipe, pixels.device)(pixels)

    def batch(self, images: Sequence[Picture]) -> Tensor:
        """Return images as the model takes them, float32 ``[N, 3, size, size]``."""
        return self.normalized(torch.stack([self.pixels(image) for image in images]))


def preprocessing_of(described: Described, metadata: Mapping[str, str]) -> Preprocessing | None:
    """Return how a model's own files say that its images are prepared.

    Args:
        described: what they say.
        metadata: of a ``.safetensors`` file, else empty.

    Returns:
        None if they do not say enough.

    Raises:
        ValueError: if a value is not of its form.
    """
    if not (described.size and described.mean and described.std):
        return None
    plain = Recipe(size=described.size, mean=described.mean, std=described.std)
    recipe = plain if described.rule is None else described.rule.applied(plain)
    return Preprocessing(recipe, decoding_in(metadata))


def _decoded(path: Path, recipe: Recipe, how: Decoding) -> Pixels:
    try:
        return decode(Folder(path.absolute().parent).read(path.name), recipe.view, how).pixels
    except FileNotFoundError:
        raise DataError(f"there is no image {path}") from None
    except (DataError, OSError) as error:
        raise DataError(f"cannot read the image {path}: {error}") from error
