from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from fairdistill.data.images.decoding import Decoding, decode
from fairdistill.data.images.orientation import upright
from fairdistill.data.images.view import View
from tests.data.images.writing import saved

SMOOTH = np.add.outer(np.arange(24) * 6, np.arange(32) * 3)[:, :, None] // np.array([1, 2, 3])
PICTURE = Image.fromarray(SMOOTH.astype(np.uint8))


def tagged(orientation: object, kind: str, picture: Image.Image = PICTURE) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(picture, kind, exif=exif)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "CMYK", "PNG", "WEBP"])  # simplejpeg decodes the first, Pillow the others
def test_an_image_is_turned_as_pillow_turns_it(orientation, kind):
    content = tagged(orientation, *(("JPEG", PICTURE.convert("CMYK")) if kind == "CMYK" else (kind, PICTURE)))
    image = Image.open(io.BytesIO(content))
    for exif, expected in ((False, image.convert("RGB")), (True, ImageOps.exif_transpose(image).convert("RGB"))):
        view = View(expected.height, expected.width)
        found = decode(content, view, Decoding(exif=exif))
        assert found.facts.orientation == orientation
        assert (found.pixels == np.asarray(expected)).all()


def test_a_tiff_file_is_upright_already():
    content = saved(PICTURE, "TIFF", tiffinfo={0x0112: 6})
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    assert expected.shape == (32, 24, 3)
    for exif in (False, True):
        found = decode(content, View(32, 24), Decoding(exif=exif))
        assert (found.pixels == expected).all()
        assert found.facts.orientation == 1


@pytest.mark.parametrize("value", [0, 9, 300])
def test_a_value_out_of_range_means_upright(value):
    assert decode(tagged(value, "JPEG"), View(24, 32)).facts.orientation == 1


def test_damaged_metadata_do_not_affect_the_pixels():
    content = tagged(6, "JPEG")
    at = content.find(b"Exif\0\0")
    found = decode(content[: at + 6] + b"????" + content[at + 10 :], View(24, 32), Decoding(exif=True))
    assert found.facts.orientation == 1
    assert (found.pixels == decode(content, View(24, 32)).pixels).all()


def test_turning_back_gives_the_same():
    back = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
    for there, again in back.items():
        assert (upright(upright(SMOOTH, there), again) == SMOOTH).all()
