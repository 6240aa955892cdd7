from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from PIL import Image

from fairdistill.data import Recipe
from fairdistill.data.images.decoding import Decoding, decode
from fairdistill.data.images.reading import InMemory
from fairdistill.data.images.view import View
from tests.data.images.writing import saved

SIZES = [(40, 60), (60, 40), (47, 33), (24, 24), (16, 200), (31, 32)]


def center_crop(image: Image.Image, short: int, side: int) -> np.ndarray:
    """torchvision's Resize and CenterCrop, in Pillow's words."""
    scale = short / min(image.size)
    width, height = (short if edge == min(image.size) else int(edge * scale + 1e-9) for edge in image.size)
    left, top = round((width - side) / 2), round((height - side) / 2)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + side, top + side))).astype(int)


def picture(height: int, width: int) -> Image.Image:
    rough = np.random.default_rng(0).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize(("short", "side"), [(32, 28), (24, 24), (29, 24)])
def test_a_center_crop_is_that_of_torchvision(size, kind, short, side):
    content = saved(picture(*size), kind)
    image = Image.open(io.BytesIO(content)).convert("RGB")
    found = decode(content, View(side, side, short)).pixels
    assert abs(found.astype(int) - center_crop(image, short, side)).max() <= 1


def test_an_image_in_memory_is_cropped_as_one_in_a_file():
    image = picture(40, 60)
    content = saved(image, "PNG")
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).unsqueeze(0)
    view = View(24, 24, 28)
    found = InMemory(pixels, view=view, device=torch.device("cpu")).take(torch.tensor([0]))[0].permute(1, 2, 0)
    assert abs(found.numpy().astype(int) - decode(content, view).pixels.astype(int)).max() <= 1


def test_a_turned_image_is_cropped_after_turning():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = picture(40, 60)
    for kind in ("JPEG", "PNG"):
        content = saved(image, kind, exif=exif)
        whole = decode(content, View(60, 40), Decoding(exif=True)).pixels
        found = decode(content, View(24, 24, 28), Decoding(exif=True)).pixels
        assert abs(found.astype(int) - center_crop(Image.fromarray(whole), 28, 24)).max() <= 1


def test_a_recipe_says_what_is_seen():
    center = Recipe(size=224, crop="center", stored=(256, 256), flip=True)
    assert center.view == center.training_view == View(224, 224, 256)
    assert center.num_states == 2
    assert center.resized(112).view == View(112, 112, 128)
    assert center.geometry == "center 224x224 of an image whose short side is resized to 256"
    drawn = Recipe(size=224, crop="resized", stored=(256, 200))
    assert (drawn.view, drawn.training_view, drawn.num_states) == (View(224, 224), View(256, 200), None)
    assert drawn.geometry == "whole image resized to 224x224"
    with pytest.raises(ValueError, match="at least 224"):
        Recipe(size=224, crop="center", stored=(200, 200))
