from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fairdistill.data.images.decoding import decode
from fairdistill.data.images.png_chunks import chunks
from fairdistill.data.images.view import View
from fairdistill.errors import DataError
from tests.data.images.writing import saved

RAMP = Image.fromarray(np.add.outer(np.arange(64) * 3, np.arange(48)).astype(np.uint8))
PNG = saved(RAMP, "PNG")


def test_the_chunks_are_those_of_the_file():
    assert [kind for kind, _ in chunks(PNG)] == [b"IHDR", b"IDAT", b"IEND"]
    assert bytes(dict(chunks(PNG))[b"IHDR"][:8]) == bytes([0, 0, 0, 48, 0, 0, 0, 64])
    assert [kind for kind, _ in chunks(PNG[:-1])] == [b"IHDR", b"IDAT"]
    assert list(chunks(PNG[:20])) == []


def test_a_file_is_read_only_if_its_pixels_are_whole():
    """Whatever single byte of the pixels is changed: without the checksum, some such files decode to other pixels."""
    assert (decode(PNG, View(64, 48)).pixels[:, :, 0] == np.asarray(RAMP)).all()
    first = PNG.index(b"IDAT") + 4
    for at in range(first, len(PNG) - 16, 7):
        damaged = bytearray(PNG)
        damaged[at] ^= 0x55
        with pytest.raises(DataError, match="its pixels are damaged: they differ from their checksum"):
            decode(bytes(damaged), View(64, 48))


def test_what_follows_the_pixels_may_be_missing():
    assert decode(PNG[:-12], View(64, 48)).pixels.shape == (64, 48, 3)
