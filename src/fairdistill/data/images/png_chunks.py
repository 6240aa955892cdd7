"""The chunks of a PNG file."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from fairdistill.errors import DataError

_SIGNATURE = 8  # bytes before the first chunk


def chunks(content: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Yield the kind and the data of each chunk that is complete."""
    whole, at = memoryview(content), _SIGNATURE
    while at + 12 <= len(content):
        length = int.from_bytes(whole[at : at + 4], "big")
        if at + 12 + length > len(content):
            return
        yield bytes(whole[at + 4 : at + 8]), whole[at + 8 : at + 8 + length]
        at += 12 + length


def check_pixels_of_png(content: bytes) -> None:
    """Raise DataError if the compressed pixels differ from their checksums, which Pillow does not look at."""
    end = _SIGNATURE
    for kind, data in chunks(content):
        end += 12 + len(data)
        if kind == b"IDAT" and zlib.crc32(data, zlib.crc32(kind)) != int.from_bytes(content[end - 4 : end], "big"):
            raise DataError("its pixels are damaged: they differ from their checksum")
