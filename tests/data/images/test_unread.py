from __future__ import annotations

import base64

import pytest
from PIL import Image

from fairdistill.data.images.opening import FORMATS
from fairdistill.data.images.unread import unread_kind
from tests.data.images.writing import saved

SMALL = Image.new("RGB", (16, 16), "teal")


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image"),
        (b"\0\0\0\x20ftypavif\0\0\0\0avifmif1", "an AVIF image"),
        (b"\0\0\0\x20ftypisom\0\0\0\0isommp42", "a video, or an image in the container of one"),
        (b"\n<!DOCTYPE html><title>404", "a web page"),
        (b"\xef\xbb\xbf<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00", "a pointer to a file (run git lfs pull)"),
        (saved(SMALL, "JPEG2000"), "a JPEG 2000 image"),
        (base64.b64encode(saved(SMALL, "PNG")), "an image as Base64 text"),
        (base64.b64encode(saved(SMALL, "JPEG")), "an image as Base64 text"),
        (bytes(128) + b"DICM", "a DICOM file"),
        (b"hello", None),
        (b"", None),
    ],
)
def test_what_is_found_in_place_of_images_is_named(content, kind):
    assert unread_kind(content) == kind


def test_images_that_are_read_are_none_of_these():
    for kind in FORMATS:
        assert unread_kind(saved(SMALL, kind.upper())) is None
