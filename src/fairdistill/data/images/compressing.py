"""Cached images as JPEG at the stored size, and the disk space that they take."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from fairdistill.errors import DataError

QUALITY = 95
_EXPECTED, _BLOCK = 0.3, 4096  # of the raw size, and a block of the disk; `python -m benchmarks.images` measures it

Pixels = NDArray[np.uint8]


def compressed(pixels: Pixels) -> bytes:
    """Return an image, uint8 ``[height, width, 3]`` RGB, as JPEG with colors at full resolution."""
    content: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(pixels), quality=QUALITY, colorspace="RGB", colorsubsampling="444"
    )
    return content


def uncompressed(content: bytes | memoryview) -> Pixels:
    """Return the pixels of such a JPEG; the same on every call.

    Raises:
        ValueError: if it is damaged.
    """
    pixels: Pixels = simplejpeg.decode_jpeg(content, colorspace="RGB")
    return pixels


def expected_bytes(raw: int) -> int:
    """Return roughly how much disk space an image takes as JPEG, from the size of its raw pixels.

    Small images gain little, since a file system fills whole blocks.
    """
    return min(raw, round(_EXPECTED * raw) + _BLOCK)


def free_bytes(folder: Path) -> int:
    """Return the free disk space where a folder is, or will be made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def check_room(folder: Path, needed: int) -> None:
    """Raise a DataError if the disk of an image cache has too little space for so many bytes."""
    free = free_bytes(folder)
    if needed > free:
        raise DataError(
            f"the image cache would take {needed / 2**20:,.0f} MiB, but {folder} has {free / 2**20:,.0f} MiB free; "
            "choose another folder with --image-cache, or decode on the fly with --no-cache"
        )
