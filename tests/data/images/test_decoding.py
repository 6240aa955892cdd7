from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fairdistill.data.images.decoding import decode
from fairdistill.data.images.view import View
from fairdistill.errors import DataError
from tests.data.images.writing import saved

NOISE = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)


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
    assert (decode(FILES[kind], View(24, 32)).pixels == expected).all()


def test_a_palette_with_transparency_is_read_without_a_warning():
    content = saved(COLOUR.convert("P"), "PNG", transparency=bytes(range(256)))
    assert decode(content, View(24, 32)).pixels.shape == (24, 32, 3)


def test_grey_of_16_bits_keeps_its_upper_8():
    deep = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) * 80
    pixels = decode(saved(Image.fromarray(deep), "PNG"), View(24, 32)).pixels
    assert (pixels == (deep >> 8)[:, :, None]).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "grey JPEG", "CMYK JPEG"])
@pytest.mark.parametrize("size", [(12, 16), (7, 5), (48, 64), (24, 64), (1, 1)])
def test_resizing_is_within_one_of_pillows(kind, size):
    height, width = size
    image = Image.open(io.BytesIO(FILES[kind])).convert("RGB")
    expected = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    found = decode(FILES[kind], View(height, width)).pixels
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
        (FILES["GIF"][:100], "damaged GIF file"),
    ],
)
def test_what_cannot_be_decoded_is_an_error_with_the_reason(content, reason):
    with pytest.raises(DataError, match=reason):
        decode(content, View(8, 8))


@pytest.mark.parametrize(
    ("pixels", "constant"),
    [
        (np.zeros((24, 32, 3)), True), (np.full((24, 32, 3), [9, 100, 7]), True), (NOISE % 3, True), (NOISE % 4, False),
        (np.where(np.arange(96).reshape(1, 32, 3) == 95, 255, np.zeros((24, 32, 3))), False),
    ],
)  # fmt: skip
def test_an_image_of_one_color_is_noticed(pixels, constant):
    content = saved(Image.fromarray(pixels.astype(np.uint8)), "PNG")
    assert decode(content, View(8, 8)).facts.constant is constant


PALETTE = COLOUR.quantize(64)


def half_clear(image: Image.Image) -> Image.Image:
    found = image.copy()
    found.putalpha(Image.linear_gradient("L").resize(image.size))
    return found


@pytest.mark.parametrize(
    ("content", "transparent"),
    [
        (saved(half_clear(COLOUR), "PNG"), True),
        (saved(half_clear(COLOUR.convert("L")), "PNG"), True),
        (saved(half_clear(COLOUR), "WEBP", lossless=True, exact=True), True),
        (saved(PALETTE, "PNG", transparency=PALETTE.getpixel((3, 3))), True),
        (saved(PALETTE, "GIF", transparency=PALETTE.getpixel((3, 3))), True),
        (saved(COLOUR, "PNG", transparency=COLOUR.getpixel((3, 3))), True),
        (saved(COLOUR.convert("RGBA"), "PNG"), False),
        (saved(PALETTE, "PNG", transparency=200), False),
        (saved(COLOUR, "BMP"), False),
    ],
)
def test_transparent_pixels_keep_their_color_and_are_a_fact(content, transparent):
    found = decode(content, View(24, 32))
    assert found.facts.transparent is transparent
    shown = (COLOUR, PALETTE.convert("RGB"), COLOUR.convert("L").convert("RGB"))
    assert any((found.pixels == np.asarray(image)).all() for image in shown)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "TIFF", "WEBP"])
def test_further_frames_and_pages_are_a_fact(kind):
    one, two = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    several = decode(saved(one, kind, save_all=True, append_images=[two], **options), View(8, 8))
    assert several.facts.several
    assert several.pixels[0, 0].tolist() == [255, 0, 0]
    assert not decode(saved(one, kind, **options), View(8, 8)).facts.several
