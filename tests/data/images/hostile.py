"""Small image files that would take very much memory or time if they were decoded as their headers say."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

from tests.data.images.writing import saved

SMALL = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))


def jpeg(width: int, height: int, *, progressive: bool = False) -> bytes:
    """A JPEG whose header has been given another size."""
    content = bytearray(saved(SMALL, "JPEG", progressive=progressive))
    at = content.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    content[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(content)


def jpeg_of_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is repeated."""
    content = saved(SMALL, "JPEG", progressive=True)
    at = content.rindex(b"\xff\xda")
    return content[:at] + content[at:-2] * count + content[-2:]


def png(width: int, height: int, data: bytes = b"", *, chunks: bytes = b"") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    exif = chunk(b"eXIf", chunks) if chunks else b""
    return b"\x89PNG\r\n\x1a\n" + header + exif + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def png_of_zeros(width: int, height: int) -> bytes:
    """A complete PNG, black, compressed a thousand times."""
    return png(width, height, bytes((1 + 3 * width) * height))


def gif(width: int, height: int) -> bytes:
    content = bytearray(saved(SMALL.convert("P"), "GIF"))
    content[6:10] = struct.pack("<HH", width, height)
    return bytes(content)


def bmp(width: int, height: int) -> bytes:
    content = bytearray(saved(SMALL, "BMP"))
    content[18:26] = struct.pack("<ii", width, height)
    return bytes(content)


def webp(width: int, height: int) -> bytes:
    """A WebP whose canvas is larger than its only frame."""
    frames = [SMALL, SMALL.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    file = io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    content = bytearray(file.getvalue())
    assert content[12:16] == b"VP8X"
    content[24:30] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(content)


def directory(entries: list[tuple[int, int, int, int]], *, rest: bytes = b"") -> bytes:
    """A little-endian TIFF directory of (tag, type, number of values, value or place)."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", 0) + rest


def tiff_of_tiles(side: int) -> bytes:
    """A TIFF of 16 x 16 pixels in one deflated tile of which each side has this many."""
    data = zlib.compress(bytes(16 * 16))
    place = 8 + 2 + 12 * 11 + 4
    return directory(
        [
            (256, 3, 1, 16), (257, 3, 1, 16), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1), (277, 3, 1, 1),
            (284, 3, 1, 1), (322, 4, 1, side), (323, 4, 1, side), (324, 4, 1, place), (325, 4, 1, len(data)),
        ],
        rest=data,
    )  # fmt: skip


def repeated_directory(size: int) -> bytes:
    """A TIFF directory of some thousand tags whose values are all the same bytes."""
    shape = [(256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    shape += [(277, 3, 1, 1), (278, 3, 1, 1), (279, 4, 1, 1)]
    return directory([*shape, *((1000 + at, 7, size, 8) for at in range(4000))], rest=bytes(size))
