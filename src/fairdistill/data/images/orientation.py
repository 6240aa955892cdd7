"""The EXIF orientation of an image: reading and applying it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fairdistill.data.images.directories import read_bytes
from fairdistill.data.images.opening import opened

_TAG = 0x0112
_REPEATED = 4  # how often the values of EXIF metadata may be read, as a multiple of their size
_HEADER_BYTES = 1 << 17  # one segment has at most 64 KiB, and others may precede it


def orientation(image: Image.Image) -> int:
    """Return an image's orientation tag, 1 (upright) to 8; 1 where it is absent, damaged or out of range."""
    stored = bytes(image.info.get("exif") or b"").removeprefix(b"Exif\0\0")
    if read_bytes(stored) > _REPEATED * len(stored):  # Pillow would read the same bytes thousands of times
        return 1
    try:
        found = image.getexif().get(_TAG, 1)
    except Exception:  # Pillow raises many kinds of errors for damaged metadata; the pixels are not affected
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def jpeg_orientation(content: bytes) -> int:
    """Return the orientation tag of a JPEG file that is decoded without Pillow."""
    if content.find(b"Exif\0\0", 0, _HEADER_BYTES) < 0:  # spares opening the many files without one
        return 1
    try:
        return orientation(opened(content))
    except Exception:  # as above
        return 1


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return the pixels ``[height, width, ...]`` of an image turned and mirrored as its orientation tag says."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)
