"""How images were decoded, as the metadata of a model's file says it."""

from __future__ import annotations

from collections.abc import Mapping

from fairdistill.data.images.decoding import Decoding
from fairdistill.data.images.depth import Depth
from fairdistill.errors import UsageError

_EXIF, _BITS, _REAL_BITS = "exif", "bits", "real_bits"


def described(how: Decoding) -> dict[str, str]:
    """Return what a model's file says: the orientation, and the range of images of more than 8 bits if there are any.

    Example:
        >>> described(Decoding(depth=Depth(whole=12)))
        {'exif': 'false', 'bits': '12'}
    """
    ranges = {_BITS: how.depth.whole, _REAL_BITS: how.depth.real}
    return {_EXIF: str(how.exif).lower(), **{key: str(bits) for key, bits in ranges.items() if bits is not None}}


def decoding_in(metadata: Mapping[str, str]) -> Decoding:
    """Return how images are decoded for a model; what its file does not say is the default.

    Raises:
        UsageError: for a number of bits that is none.
    """
    return Decoding(
        exif=metadata.get(_EXIF) == "true", depth=Depth(whole=_bits(metadata, _BITS), real=_bits(metadata, _REAL_BITS))
    )


def _bits(metadata: Mapping[str, str], key: str) -> int | None:
    text = metadata.get(key)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:3]) <= 32):
        raise UsageError(f"the model's file says {key}={text!r}; expected a number from 1 to 32")
    return int(text)
