"""From the bytes of an image file to pixels of one size."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional as F

from fairdistill.data.images.depth import IMPLIED, Depth, deep_image
from fairdistill.data.images.facts import Facts
from fairdistill.data.images.orientation import jpeg_orientation, orientation, upright
from fairdistill.data.images.view import View
from fairdistill.errors import DataError

Pixels = NDArray[np.uint8]

_SAME = 2  # how far the values of one color may be apart


@dataclass(frozen=True)
class Decoding:
    """How the content of a file becomes an image.

    Attributes:
        exif: turn and mirror it as its EXIF orientation says.
        depth: the range of values with more than 8 bits.
    """

    exif: bool = False
    depth: Depth = IMPLIED

    def __str__(self) -> str:
        return ("-exif" if self.exif else "") + str(self.depth)


AS_STORED = Decoding()


@dataclass(frozen=True)
class Decoded:
    """A decoded image, uint8 ``[height, width, 3]`` RGB, and what its file says."""

    pixels: Pixels
    facts: Facts


def decode(content: bytes, view: View, how: Decoding = AS_STORED) -> Decoded:
    """Return an image as uint8 RGB, resized and cropped as torchvision's ``Resize`` and ``CenterCrop`` do.

    The resizing is bilinear with antialiasing, within one of Pillow's values. Alpha is dropped, and the first frame of
    an animation is used, as in torchvision's ``ImageFolder``. Channels with more than 8 bits are scaled to 8 by the
    range that ``how`` gives, or else that the file implies. A TIFF file is always read upright.

    Raises:
        DataError: with the reason, if the bytes are not an image, or the image is truncated, damaged or out of range.
    """
    if not content:
        raise DataError("the file is empty (0 bytes)")
    try:
        whole = _jpeg(content) or _with_pillow(content, how)
        if how.exif and whole.facts.orientation > 1:
            whole = Decoded(upright(whole.pixels, whole.facts.orientation), whole.facts)
        return Decoded(_seen(whole.pixels, view), whole.facts)
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError(_unknown(content)) from None
    # Pillow's decoders raise many kinds of errors for damaged files: SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(f"it cannot be decoded: {error}") from error


def _unknown(content: bytes) -> str:
    if content[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return "it is a TIFF file with channels of an unknown kind; convert it to 8 bits a channel"
    return "it is not an image, or has an unknown format"


def _jpeg(content: bytes) -> Decoded | None:
    """Return the pixels of a plain JPEG, equal to Pillow's but faster; None if Pillow has to decode it."""
    if content[:2] != b"\xff\xd8":
        return None
    try:
        _, _, colours, _ = simplejpeg.decode_jpeg_header(content)
        if colours not in ("YCbCr", "Gray", "RGB"):
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(content, colorspace="RGB")
    except ValueError:
        return None
    return Decoded(pixels, Facts(orientation=jpeg_orientation(content), constant=is_constant(pixels)))


def _with_pillow(content: bytes, how: Decoding) -> Decoded:
    image: Image.Image = Image.open(io.BytesIO(content))
    deep, depth = deep_image(image, content), IMPLIED
    if deep is not None:
        pixels, depth = deep.scaled(how.depth)
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    else:
        # Straight to RGB, Pillow warns about a palette with transparency.
        plain = image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image
        pixels = np.array(plain.convert("RGB"))
    # Pillow has turned a TIFF file, and removed the tag, by now.
    return Decoded(pixels, Facts(depth, orientation(image), is_constant(pixels)))


def is_constant(pixels: Pixels) -> bool:
    """Return whether all pixels ``[height, width, 3]`` have the same color, within 2 of 255 values."""
    # Two pixels, then a few, spare looking at every pixel of almost every image.
    corner, center = pixels[0, 0].tolist(), pixels[len(pixels) // 2, pixels.shape[1] // 2].tolist()
    if any(abs(one - other) > _SAME for one, other in zip(corner, center, strict=True)):
        return False
    return all(bool((np.ptp(part, axis=(0, 1)) <= _SAME).all()) for part in (pixels[::8, ::8], pixels))


def _seen(pixels: Pixels, view: View) -> Pixels:
    if view.short is None and pixels.shape[:2] == (view.height, view.width):
        return pixels
    # PyTorch's kernel is 4 times faster than Pillow's and lets other threads run; the results differ by at most 1.
    seen = seen_part(torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0), view)
    # It gives one plane a colour; stacking them is three times faster than NumPy's copy of the transposed image.
    return torch.stack(seen[0].unbind(), dim=-1).numpy()


def seen_part(images: Tensor, view: View) -> Tensor:
    """Return images ``[n, 3, H, W]``, uint8 or float, resized and cropped to a view."""
    window = view.window(*images.shape[2:])
    if tuple(images.shape[2:]) != (window.height, window.width):
        size = (window.height, window.width)
        images = F.interpolate(images, size, mode="bilinear", antialias=True, align_corners=False)
    if view.short is None:
        return images
    return images[:, :, window.top : window.top + view.height, window.left : window.left + view.width]
