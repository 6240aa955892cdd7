"""Opening an image: its format and size are known, and limited, before a pixel is decoded.

Only the seven formats of ``FORMATS`` are opened, by their first bytes. Pillow would try some 40, one of which starts
another program (Ghostscript for PostScript).
"""

from __future__ import annotations

import ctypes
import functools
import io
import logging
import os
import struct
from collections.abc import Callable, Mapping

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from fairdistill.data.images.directories import read_bytes, tile_pixels
from fairdistill.data.images.png_chunks import check_pixels_of_png
from fairdistill.data.images.unread import unread_kind
from fairdistill.errors import DataError, UsageError

logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any, what Pillow logs goes to the terminal

LIMIT = "FAIRDISTILL_MAX_MEGAPIXELS"
_MEGAPIXELS = 100.0
_SCANS = 100  # of a progressive JPEG, each of which passes over the whole image; cameras and encoders write about 10
_REPEATED = 4  # how often the values of a TIFF directory may be read, as a multiple of the file's size

FORMATS: Mapping[str, tuple[bytes, ...]] = {
    "BMP": (b"BM",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "PPM": tuple(b"P%d%c" % (kind, blank) for kind in range(1, 7) for blank in b" \t\r\n\x0b\x0c#"),
    "TIFF": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "WebP": (b"RIFF",),
}
"""The formats of images that are opened, and the bytes that their files begin with."""

_OPENERS: Mapping[str, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    "BMP": BmpImagePlugin.BmpImageFile,
    "GIF": GifImagePlugin.GifImageFile,
    "JPEG": JpegImagePlugin.JpegImageFile,
    "PNG": PngImagePlugin.PngImageFile,
    "PPM": PpmImagePlugin.PpmImageFile,
    "TIFF": TiffImagePlugin.TiffImageFile,
    "WebP": WebPImagePlugin.WebPImageFile,
}


class TooLargeError(DataError):
    """An image with more pixels, or a file with more bytes, than are read; a higher limit makes it readable."""


def max_pixels() -> int:
    """Return how many pixels an image may have: 100 megapixels, or as many as ``FAIRDISTILL_MAX_MEGAPIXELS`` says.

    Raises:
        UsageError: if that is not a positive number.
    """
    text = os.environ.get(LIMIT, "")
    try:
        number = float(text) if text else _MEGAPIXELS
    except ValueError:
        number = 0.0
    if not 0 < number < 1e9:
        raise UsageError(f"{LIMIT}={text!r}: expected a number of megapixels, for example 200")
    return int(number * 1e6)


def max_bytes() -> int:
    """Return how large an image file may be: as large as the largest image with 16 bits a channel and alpha."""
    return 8 * max_pixels()


def check_bytes(size: int) -> None:
    """Raise TooLargeError for a file, or a member of an archive, of more than ``max_bytes``."""
    if size > max_bytes():
        raise TooLargeError(
            f"it has {size / 1e6:,.0f} MB, and image files of up to {max_bytes() / 1e6:,.0f} MB are read; if you trust "
            f"it, set {LIMIT}={-(-size // 8_000_000)} in the environment"
        )


def check_pixels(width: int, height: int, what: str = "it has") -> None:
    """Raise TooLargeError for an image of more than ``max_pixels``, and DataError for one without any."""
    if width < 1 or height < 1:
        raise DataError(f"{what} {width:,} x {height:,} pixels")
    if width * height > max_pixels():
        raise TooLargeError(
            f"{what} {width:,} x {height:,} pixels, and images of up to {max_pixels() / 1e6:,.10g} megapixels are "
            f"decoded; if you trust it, set {LIMIT}={-(-width * height // 1_000_000)} in the environment"
        )


def format_of(content: bytes) -> str:
    """Return the format of an image, a key of ``FORMATS``.

    Raises:
        DataError: if it has none of them.
    """
    for name, beginnings in FORMATS.items():
        if content.startswith(beginnings) and (name != "WebP" or content[8:12] == b"WEBP"):
            return name
    read, what = f"{', '.join(FORMATS)} are", unread_kind(content)
    if what is None:
        raise DataError(f"it is not an image, or has an unknown format; {read} read")
    raise DataError(f"it is {what}, which is not read; {read}")


def opened(content: bytes) -> ImageFile.ImageFile:
    """Return an image whose size and structure are within the limits, not yet decoded.

    Raises:
        TooLargeError: if it has more than ``max_pixels``.
        DataError: if it is not in one of the formats, its header is damaged, or decoding it would take far more memory
            or time than its size needs.
    """
    kind = format_of(content)
    if kind == "WebP":  # Pillow allocates the whole canvas of a WebP file when it opens it
        check_pixels(*_webp_size(content))
    elif kind == "TIFF":
        _check_tiff(content)
    elif kind == "JPEG":
        check_scans(content)
    elif kind == "PNG":
        check_pixels_of_png(content)
    try:
        image = _OPENERS[kind](io.BytesIO(content))
    except (SyntaxError, Image.DecompressionBombError) as error:
        if kind == "TIFF":
            raise DataError(
                "it is a TIFF file with channels of an unknown kind; convert it to 8 bits a channel"
            ) from error
        raise DataError(f"it is a damaged {kind} file, or one of a kind that is not read: {error}") from error
    check_pixels(*image.size)
    return image


def check_scans(content: bytes) -> None:
    """Raise DataError for a JPEG of so many scans that decoding it takes minutes."""
    # In the data of a scan, the byte FF is followed by 00 or a restart marker, so FF DA begins a scan.
    if content.count(b"\xff\xda") > _SCANS:
        raise DataError(f"it is a JPEG of more than {_SCANS} scans, which would take very long to decode; save it anew")


def _check_tiff(content: bytes) -> None:
    _quiet_libtiff()
    if read_bytes(content) > _REPEATED * len(content):
        raise DataError("it is a TIFF file whose header refers to the same bytes many times; save it anew")
    width, height = tile_pixels(content)
    check_pixels(max(width, 1), max(height, 1), "it is a TIFF file whose tiles have")


@functools.cache
def _quiet_libtiff() -> None:
    """Keep libtiff from printing its own messages; Pillow raises errors for what it cannot decode."""
    library = ctypes.CDLL(Image.core.__file__)  # type: ignore[attr-defined]  # where Pillow's C code is
    for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
        handler = getattr(library, name, None)  # not visible if libtiff is part of Pillow's library
        if handler is not None:
            handler.argtypes, handler.restype = [ctypes.c_void_p], ctypes.c_void_p
            handler(None)


def _webp_size(content: bytes) -> tuple[int, int]:
    """Return the width and height of a WebP file, as its first chunk gives them."""
    kind, first = content[12:16], content[20:30]
    if len(first) < 10:
        raise DataError("it is not an image, or its header is damaged: a WebP file that ends in its header")
    if kind == b"VP8X":
        return 1 + int.from_bytes(first[4:7], "little"), 1 + int.from_bytes(first[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(first[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", first, 6)
        return width & 0x3FFF, height & 0x3FFF
    raise DataError("it is not an image, or its header is damaged: a WebP file of an unknown kind")
