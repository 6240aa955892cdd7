"""The directory of a TIFF file, or of EXIF metadata: what reading it would take, without reading it."""

from __future__ import annotations

import struct
from collections.abc import Iterator

_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TILE_WIDTH, _TILE_LENGTH = 322, 323
_SHORT, _LONG = 3, 4


def read_bytes(content: bytes) -> int:
    """Return how many bytes the values of the first directory have, together; several may lie in the same place."""
    return sum(min(_BYTES.get(kind, 1) * count, len(content)) for _, kind, count, _ in _entries(content))


def tile_pixels(content: bytes) -> tuple[int, int]:
    """Return the width and height of the tiles in the first directory, 0 and 0 if it has none."""
    found = {tag: value for tag, kind, _, value in _entries(content) if kind in (_SHORT, _LONG)}
    return found.get(_TILE_WIDTH, 0), found.get(_TILE_LENGTH, 0)


def _entries(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Yield the tag, the type, the number of values and the first value (or the place of the values) of each entry."""
    order = "<" if content[:2] == b"II" else ">"
    if content[2:3] == b"+" or content[3:4] == b"+":  # BigTIFF
        start, first, count, size, value = 8, "Q", "Q", 20, "HHQQ"
    else:
        start, first, count, size, value = 4, "I", "H", 12, "HHII"
    try:
        (at,) = struct.unpack_from(order + first, content, start)
        (number,) = struct.unpack_from(order + count, content, at)
        at += struct.calcsize(order + count)
        for _ in range(number):
            tag, kind, values, found = struct.unpack_from(order + value, content, at)
            if kind == _SHORT:
                (found,) = struct.unpack_from(order + "H", content, at + size - struct.calcsize(order + first))
            yield tag, kind, values, found
            at += size
    except (struct.error, OverflowError):  # it ends too early, which Pillow reports
        return
