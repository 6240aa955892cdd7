"""Hostile images are refused by their headers, before they take memory; harmless ones of the same kinds are read."""

from __future__ import annotations

import resource
import warnings
from pathlib import Path

import pytest
from PIL import Image

from fairdistill.data.images.decoding import AS_STORED, Decoding, decode
from fairdistill.data.images.opening import FORMATS, TooLargeError, format_of, max_bytes, opened
from fairdistill.data.images.view import View
from fairdistill.errors import DataError, UsageError
from tests.data.images import hostile
from tests.data.images.writing import saved

SMALL = View(8, 8)
LARGE = {
    "JPEG": hostile.jpeg(65_500, 65_500), "progressive JPEG": hostile.jpeg(65_500, 65_500, progressive=True),
    "PNG": hostile.png(65_500, 65_500), "GIF": hostile.gif(65_500, 65_500), "BMP": hostile.bmp(65_500, 65_500),
    "WebP": hostile.webp(16_383, 16_383), "TIFF": hostile.tiff_of_tiles(65_488),
}  # fmt: skip


@pytest.mark.parametrize("kind", LARGE)
def test_an_image_that_is_too_large_is_refused_by_its_header(kind):
    """They allocate in C: with 50 MB left to the process, the error is still ours."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + 50_000_000, before[1]))
    try:
        with pytest.raises(TooLargeError, match="are decoded; if you trust it, set FAIRDISTILL_MAX_MEGAPIXELS="):
            decode(LARGE[kind], SMALL)
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def test_the_limit_can_be_raised_and_lowered(monkeypatch):
    content = hostile.png_of_zeros(2000, 1000)
    assert decode(content, SMALL).pixels.shape == (8, 8, 3)
    monkeypatch.setenv("FAIRDISTILL_MAX_MEGAPIXELS", "1.5")
    with pytest.raises(TooLargeError, match=r"2,000 x 1,000 .* up to 1\.5 megapixels .* FAIRDISTILL_MAX_MEGAPIXELS=2 "):
        decode(content, SMALL)
    monkeypatch.setenv("FAIRDISTILL_MAX_MEGAPIXELS", "2")
    assert decode(content, SMALL).pixels.shape == (8, 8, 3)
    assert max_bytes() == 16_000_000


@pytest.mark.parametrize("text", ["many", "0", "-1", "nan", "inf"])
def test_a_limit_that_is_not_a_number_is_refused(monkeypatch, text):
    monkeypatch.setenv("FAIRDISTILL_MAX_MEGAPIXELS", text)
    with pytest.raises(UsageError, match=f"FAIRDISTILL_MAX_MEGAPIXELS='{text}': expected a number of megapixels"):
        decode(LARGE["PNG"], SMALL)


def test_above_pillows_own_limit_ours_holds_without_a_warning(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert decode(hostile.png_of_zeros(200, 100), SMALL).pixels.shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        *((kind, "is not an image, or has an unknown format; BMP, .* WebP are read") for kind in ("EPS", "TGA", "PCX")),
        ("ICO", r"is an icon \(ICO\), which is not read; BMP, GIF, JPEG, PNG, PPM, TIFF, WebP are"),
        ("JPEG2000", "is a JPEG 2000 image, which is not read"), ("PDF", "is a PDF file, which is not read"),
    ],
)  # fmt: skip
def test_only_named_formats_are_opened(kind, said):
    with pytest.raises(DataError, match=said):
        decode(saved(hostile.SMALL, kind), SMALL)


def test_every_format_is_known_by_its_first_bytes():
    for kind in FORMATS:
        content = saved(hostile.SMALL, kind.upper())
        assert format_of(content) == kind
        assert opened(content).size == (16, 16)


def test_a_jpeg_of_thousands_of_scans_is_refused():
    assert decode(hostile.jpeg_of_scans(20), SMALL).pixels.shape == (8, 8, 3)
    with pytest.raises(DataError, match="JPEG of more than 100 scans"):
        decode(hostile.jpeg_of_scans(200), SMALL)


def test_a_directory_that_reads_the_same_bytes_thousands_of_times_is_refused_or_ignored():
    with pytest.raises(DataError, match="refers to the same bytes many times"):
        decode(hostile.repeated_directory(10_000), SMALL)
    content = hostile.png(1, 1, bytes(4), chunks=hostile.repeated_directory(10_000))
    assert decode(content, SMALL, Decoding(exif=True)).facts.orientation == 1


def test_a_long_narrow_image_is_not_made_huge_by_keeping_its_shape():
    long = hostile.png_of_zeros(200_000, 2)
    assert decode(long, SMALL).pixels.shape == (8, 8, 3)
    with pytest.raises(TooLargeError, match="so different that for --crop center it would get 22,400,000"):
        decode(long, View(224, 224, short=224), AS_STORED)


def test_libtiffs_own_messages_do_not_reach_the_terminal(capfd):
    content = bytearray(saved(hostile.SMALL, "TIFF", compression="tiff_deflate"))
    content[8:40] = bytes(32)
    with pytest.raises(DataError):
        decode(bytes(content), SMALL)
    assert capfd.readouterr() == ("", "")


def test_what_pillow_logs_does_not_reach_the_terminal_either(capfd):
    content = bytearray(saved(hostile.SMALL, "TIFF"))
    at = content.index(b"\x15\x01\x03\0")  # the number of samples of a pixel
    content[at + 8 : at + 10] = b"\xff\x20"
    with pytest.raises(DataError):
        decode(bytes(content), SMALL)
    assert capfd.readouterr() == ("", "")
