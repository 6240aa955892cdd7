"""Images with more than 8 bits a channel: finding the range of their values, and scaling them to 8 bits.

A file with 16 bits a channel often holds 12-bit values (0 to 4095), and a file of floats values from 0 to 1, without
saying so. The largest value implies it: the range is the smallest usual one that holds it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fairdistill.data.images.opening import opened
from fairdistill.data.images.png_chunks import chunks
from fairdistill.errors import DataError

_WHOLE_BITS = (8, 10, 12, 14, 16, *range(17, 33))  # cameras and scanners have even numbers up to 16
_REAL_BITS = tuple(range(1, 33))  # one bit: from 0 to 1
_TOLERANCE = 0.05  # how far floats may leave their range, as they do after resampling
_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE_VALUE, _PLANES, _SAMPLE_FORMAT = 258, 262, 281, 284, 339  # TIFF tags
_TWO_BYTES = re.compile(r"(RGB|RGBA|RGBX|LA);16([BLN])").fullmatch


@dataclass(frozen=True)
class Depth:
    """The range of deep images: white is ``2 ** bits - 1``.

    Attributes:
        whole: bits of integer values; None: as each file implies.
        real: bits of floats, 1 for values from 0 to 1; None: as each file implies.
    """

    whole: int | None = None
    real: int | None = None

    def __str__(self) -> str:
        return ("" if self.whole is None else f"-{self.whole}bit") + ("" if self.real is None else f"-real{self.real}")


IMPLIED = Depth()
"""Every file is scaled by the range that it implies by itself."""


@dataclass(frozen=True)
class DeepImage:
    """An image with more than 8 bits a channel.

    Attributes:
        values: integers or float32, ``[height, width]`` or ``[height, width, 3]``.
        stated: bits that the file states, 0 if it states none; its values may need more.
        inverted: whether 0 is white.
        exact: whether the stated bits are those of white, so that no other range applies.
    """

    values: NDArray[Any]
    stated: int = 0
    inverted: bool = False
    exact: bool = False

    def scaled(self, depth: Depth) -> tuple[NDArray[np.uint8], Depth]:
        """Return the values in 8 bits, and the range that the file itself implies, unless its white is known.

        The upper 8 bits of integers are kept: 12-bit values are divided by 16.

        Args:
            depth: the range to scale by; None in it: the one that the file implies.

        Raises:
            DataError: for values that no range of brightness holds.
        """
        if self.exact:
            return _eight_bits(self.values, self.stated), IMPLIED
        real = self.values.dtype.kind == "f"
        low, high = float(self.values.min()), float(self.values.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise DataError("it holds values that are not finite; convert it to 8 bits a channel")
        implied = _implied(high, _REAL_BITS if real else _WHOLE_BITS, _TOLERANCE if real else 0.0, self.stated)
        if low < -_TOLERANCE * (2**implied - 1) * real:
            raise DataError(
                f"its values range from {low:,.6g} to {high:,.6g}, and it cannot be known which of them is black; "
                "convert it to 8 bits a channel"
            )
        bits = (depth.real if real else depth.whole) or implied
        if bits < implied and high > (2**bits - 1) * (1 + _TOLERANCE * real):
            raise DataError(f"its values reach {high:,.6g}, but {bits} bits hold at most {2**bits - 1:,}")
        eight = _eight_bits(self.values, bits)
        return 255 - eight if self.inverted else eight, Depth(real=implied) if real else Depth(whole=implied)


def _implied(high: float, usual: tuple[int, ...], tolerance: float, stated: int) -> int:
    for bits in usual:
        if bits >= stated and high <= (2**bits - 1) * (1 + tolerance):
            return bits
    raise DataError(f"its values reach {high:,.6g}, which is more than 32 bits hold; convert it to 8 bits a channel")


def _eight_bits(values: NDArray[Any], bits: int) -> NDArray[np.uint8]:
    if bits <= 8:
        eight = np.clip(np.rint(values * (255 / (2**bits - 1))), 0, 255)
    elif values.dtype.kind == "f":
        eight = np.clip(values / 2 ** (bits - 8), 0, 255)
    else:
        eight = values >> (bits - 8)
    return np.asarray(eight, np.uint8)


def is_deep(image: Image.Image) -> bool:
    """Return whether an opened image may have more than 8 bits a channel."""
    return image.mode in ("F", "I") or image.mode.startswith("I;16") or bool(_deep_rawmodes(image))


def _deep_rawmodes(image: Image.Image) -> set[re.Match[str]]:
    tiles = getattr(image, "tile", ())  # which only an opened file has
    return {match for tile in tiles if (match := _TWO_BYTES(_rawmode(tile.args)))}


def deep_image(image: Image.Image, content: bytes) -> DeepImage | None:
    """Return the values of an opened image as they are stored, None if it has 8 bits a channel or fewer."""
    tags = getattr(image, "tag_v2", {})
    inverted = tags.get(_PHOTOMETRIC) == 0
    if image.format == "PPM":  # which names white; Pillow has scaled it to 16 bits, or to 8 if it is in color
        return DeepImage(np.asarray(image), 16, exact=True) if image.mode == "I" else None
    if image.mode == "F":
        return DeepImage(np.asarray(image), inverted=inverted)
    if image.mode == "I" or image.mode.startswith("I;16"):
        values = np.asarray(image)
        if image.mode == "I" and tags and tags.get(_SAMPLE_FORMAT, (1,))[0] == 1:
            values = values.view(np.uint32)  # Pillow has no unsigned type of 32 bits
        return DeepImage(values, _stated(image, content), inverted)
    rawmodes = _deep_rawmodes(image)
    # Of these, Pillow takes other bytes than those of the values, without an error.
    if tags and (tags.get(_PLANES, 1) != 1 if rawmodes else _more_than_8_bits(tags)):
        raise DataError(
            "it is a TIFF file whose channels are stored in a way that is not read (planes or CMYK of more than 8 "
            "bits, or 8 bits with a sign); convert it to 8 bits a channel"
        )
    if not rawmodes:
        return None
    return DeepImage(_two_bytes(image, content, next(iter(rawmodes)).group(1) == "LA"), _stated(image, content))


def _more_than_8_bits(tags: Mapping[int, Any]) -> bool:
    """Return whether a TIFF file has channels of more than 8 bits, or of 8 bits with a sign."""
    return bool(max(tags.get(_BITS_PER_SAMPLE, (1,))) > 8 or tags.get(_SAMPLE_FORMAT, (1,))[0] == 2)


def _stated(image: Image.Image, content: bytes) -> int:
    """Return the bits that the file's header states, 0 if it states none."""
    if image.format == "PNG":
        return _significant_bits(content)
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    largest = tags.get(_MAX_SAMPLE_VALUE, 0)
    largest = max(largest) if isinstance(largest, tuple) else largest
    return int(largest).bit_length() if bits >= 16 else int(bits)


def _significant_bits(content: bytes) -> int:
    """Return the largest number of a PNG's ``sBIT`` chunk, which precedes the pixels; 0 without one."""
    for kind, data in chunks(content):
        if kind == b"sBIT" and 1 <= len(data) <= 4:
            return max(data)
        if kind == b"IDAT":
            break
    return 0


def _two_bytes(image: Image.Image, content: bytes, grey: bool) -> NDArray[np.uint16]:
    """Return uint16 ``[height, width, 3]``; Pillow unpacks one byte of each value, so the file is read twice."""
    if grey:  # with alpha: the four bytes of a pixel are those of a value and of its alpha
        four = np.asarray(_unpacked(image, lambda rawmode: "RGBA" if rawmode.startswith("LA") else rawmode))
        value = four[:, :, 0].astype(np.uint16) << 8 | four[:, :, 1]
        return np.repeat(value[:, :, None], 3, axis=2)
    low = _unpacked(opened(content), _other_byte)
    high = np.asarray(image)[:, :, :3].astype(np.uint16)
    return np.asarray(high << 8 | np.asarray(low)[:, :, :3], np.uint16)


def _unpacked(image: Image.Image, change: Any) -> Image.Image:
    """Return the image, loaded with another rule for unpacking its bytes."""
    tiles = []
    for tile in image.tile:  # type: ignore[attr-defined]  # an opened file has tiles
        args = tile.args
        changed = change(args) if isinstance(args, str) else (change(args[0]), *args[1:])
        tiles.append(tile._replace(args=changed))
    image.tile = tiles  # type: ignore[attr-defined]
    image.load()
    return image


def _other_byte(rawmode: str) -> str:
    order = rawmode[-1]
    if order == "N":
        order = "L" if sys.byteorder == "little" else "B"
    return rawmode[:-1] + ("L" if order == "B" else "B")


def _rawmode(args: Any) -> str:
    return args if isinstance(args, str) else str(args[0]) if args else ""
