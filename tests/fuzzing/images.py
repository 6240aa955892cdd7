"""Image files of the seven formats: headers are read, sizes checked, and tiny images decoded."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from PIL import Image

from fairdistill.data.images.decoding import Decoding, decode
from fairdistill.data.images.view import View
from tests.data.images import hostile
from tests.data.images.writing import deep_png, saved, tiff
from tests.fuzzing.kind import Input, Kind
from tests.fuzzing.mutation import changed_bytes

VIEWS = (View(8, 8), View(12, 12), View(8, 8, short=9))


def valid() -> list[bytes]:
    """Return small images of every format, of several modes."""
    draw = np.random.default_rng(0)
    color = Image.fromarray(draw.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    deep = draw.integers(0, 4096, (6, 6, 3), dtype=np.uint16)
    exif = Image.Exif()
    exif[274] = 6
    found = [
        saved(color, "JPEG", exif=exif), saved(color, "JPEG", progressive=True), saved(color.convert("L"), "JPEG"),
        saved(color.convert("CMYK"), "JPEG"), saved(color, "PNG", exif=exif), saved(color.convert("P"), "PNG"),
        saved(color.convert("RGBA"), "PNG"), saved(color.convert("1"), "PNG"), saved(color.convert("P"), "GIF"),
        saved(color.convert("L"), "GIF"), saved(color, "BMP"), saved(color.convert("P"), "BMP"), saved(color, "PPM"),
        saved(color.convert("L"), "PPM"), b"P3 2 1 255\n1 2 3 4 5 6\n", b"P2 2 1 65535\n1 60000\n", saved(color,
        "TIFF"),
        saved(color, "WEBP"), saved(color, "WEBP", lossless=True), hostile.webp(16, 16), deep_png(deep, 2,
        significant=(12, 12, 12)),
        deep_png(deep[..., 0], 0), tiff(deep), tiff(deep[..., 0].astype(np.float32), {339: [3]}),
        hostile.tiff_of_tiles(16),
    ]  # fmt: skip
    compressed = ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")
    return [*found, *(saved(color, "TIFF", compression=each) for each in compressed)]


class Images(Kind):
    """Images in bytes."""

    inputs = 700_000

    def prepare(self, folder: Path) -> None:
        self._valid = valid()

    def make(self, draw: random.Random) -> Input:
        content = draw.choice(self._valid)
        if draw.random() < 0.4:  # where the header is
            head = draw.choice((16, 32, 64, 128))
            return Input("", changed_bytes(draw, content[:head]) + content[head:])
        if draw.random() < 0.1:  # two halves of different files
            other = draw.choice(self._valid)
            content = content[: draw.randrange(len(content))] + other[draw.randrange(len(other)) :]
        return Input("", changed_bytes(draw, content))

    def read(self, given: Input) -> None:
        view = VIEWS[len(given.content) % len(VIEWS)]
        found = decode(given.content, view, Decoding(exif=len(given.content) % 2 == 0))
        assert found.pixels.shape == (view.height, view.width, 3)
        assert found.pixels.dtype == np.uint8
