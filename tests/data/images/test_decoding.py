from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fairdistill.data.images.decoding import decode
from fairdistill.errors import DataError

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


COLOUR = Image.fromarray(NOISE)
FILES = {
    "JPEG": saved(COLOUR, "JPEG"),
    "JPEG without subsampling": saved(COLOUR, "JPEG", subsampling=0),
    "progressive JPEG": saved(COLOUR, "JPEG", progressive=True),
    "grey JPEG": saved(COLOUR.convert("L"), "JPEG"),
    "CMYK JPEG": saved(COLOUR.convert("CMYK"), "JPEG"),
    "PNG": saved(COLOUR, "PNG"),
    "grey PNG": saved(COLOUR.convert("L"), "PNG"),
    "PNG with alpha": saved(COLOUR.convert("RGBA"), "PNG"),
    "PNG with a palette": saved(COLOUR.convert("P"), "PNG"),
    "bilevel PNG": saved(COLOUR.convert("1"), "PNG"),
    "BMP": saved(COLOUR, "BMP"),
    "GIF": saved(COLOUR.convert("P"), "GIF"),
    "TIFF": saved(COLOUR, "TIFF"),
    "WEBP": saved(COLOUR, "WEBP", lossless=True),
}


@pytest.mark.parametrize("kind", FILES)
def test_pixels_are_pillows(kind):
    expected = np.asarray(Image.open(io.BytesIO(FILES[kind])).convert("RGB"))
    assert (decode(FILES[kind], height=24, width=32) == expected).all()


def test_a_palette_with_transparency_is_read_without_a_warning():
    content = saved(COLOUR.convert("P"), "PNG", transparency=bytes(range(256)))
    assert decode(content, height=24, width=32).shape == (24, 32, 3)


def test_grey_of_16_bits_keeps_its_upper_8():
    deep = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
    pixels = decode(saved(Image.fromarray(deep), "PNG"), height=24, width=32)
    assert (pixels == (deep >> 8)[:, :, None]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "grey JPEG", "CMYK JPEG"])
@pytest.mark.parametrize("size", [(12, 16), (7, 5), (48, 64), (24, 64), (1, 1)])
def test_resizing_is_within_one_of_pillows(kind, size):
    height, width = size
    image = Image.open(io.BytesIO(FILES[kind])).convert("RGB")
    expected = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    found = decode(FILES[kind], height=height, width=width)
    assert found.dtype == np.uint8
    assert abs(found.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", r"empty \(0 bytes\)"),
        (b"no image at all", "not an image"),
        (FILES["JPEG"][:300], "cannot be decoded|no image"),
        (FILES["JPEG"][:-200], "cannot be decoded"),
        (FILES["PNG"][:500], "cannot be decoded"),
        (FILES["PNG"][:60] + bytes(200), "cannot be decoded|no image"),
        (FILES["GIF"][:100], "not an image"),
    ],
)
def test_what_cannot_be_decoded_is_an_error_with_the_reason(content, reason):
    with pytest.raises(DataError, match=reason):
        decode(content, height=8, width=8)
