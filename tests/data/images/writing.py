"""Image files that Pillow cannot write: 16 bits a channel in color, and TIFF tags of choice."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def deep_png(values: np.ndarray, color_type: int, *, significant: tuple[int, ...] = ()) -> bytes:
    """16 bits a channel: color type 0 grey, 2 RGB, 4 grey and alpha, 6 RGBA."""
    height, width = values.shape[:2]
    lines = values.astype(">u2").reshape(height, -1)
    header = struct.pack(">IIBBBBB", width, height, 16, color_type, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"sBIT", bytes(significant))][: 2 if significant else 1]
    chunks += [(b"IDAT", zlib.compress(b"".join(b"\0" + line.tobytes() for line in lines))), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def tiff(values: np.ndarray, tags: dict[int, list[int]] | None = None, *, order: str = "<") -> bytes:
    """An uncompressed TIFF with these further tags (16-bit numbers)."""
    height, width, bands = (*values.shape, 1)[:3]
    data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    entries: dict[int, list[int]] = {
        256: [width], 257: [height], 258: [values.dtype.itemsize * 8] * bands, 259: [1],
        262: [2 if bands >= 3 else 1], 273: [0], 277: [bands], 278: [height], 279: [len(data)], **(tags or {}),
    }  # fmt: skip
    long = {273, 279}
    packed = {key: struct.pack(f"{order}{len(v)}{'I' if key in long else 'H'}", *v) for key, v in entries.items()}
    start = 8 + 2 + 12 * len(entries) + 4
    packed[273] = struct.pack(f"{order}I", start + sum(len(value) for value in packed.values() if len(value) > 4))
    body, extra = b"", b""
    for key in sorted(entries):
        value = packed[key]
        body += struct.pack(f"{order}HHI", key, 4 if key in long else 3, len(entries[key]))
        body += struct.pack(f"{order}I", start + len(extra)) if len(value) > 4 else value.ljust(4, b"\0")
        extra += value if len(value) > 4 else b""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    return head + body + struct.pack(f"{order}I", 0) + extra + data
