"""From the bytes of an image file to pixels of one size."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import simplejpeg
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from fairdistill.data.images.depth import IMPLIED, Depth, deep_image, is_deep
from fairdistill.data.images.facts import Facts
from fairdistill.data.images.gate import Gate
from fairdistill.data.images.opening import check_pixels, check_scans, opened
from fairdistill.data.images.orientation import jpeg_orientation, orientation, upright
from fairdistill.data.images.view import Resizing, View
from fairdistill.errors import DataError, FairdistillError

Pixels = NDArray[np.uint8]

_DECODING = Gate(2 << 30)  # bytes that all threads take together to decode images
_OF_JPEG, _OF_OTHERS, _OF_DEEP = 9, 22, 26  # bytes a pixel that decoding takes, at most
_SLIM = 10_000_000  # pixels of a resized image; one that is very long and narrow gets more
_SAME = 2  # how far the values of one color may be apart


@dataclass(frozen=True)
class Decoding:
    """How the content of a file becomes an image.

    Attributes:
        exif: turn and mirror it as its EXIF orientation says.
        depth: the range of values with more than 8 bits.
        jpeg: whether the cached image is a JPEG, which changes its pixels a little.
    """

    exif: bool = False
    depth: Depth = IMPLIED
    jpeg: bool = False

    def __str__(self) -> str:
        return ("-exif" if self.exif else "") + str(self.depth) + ("-jpeg" if self.jpeg else "")


AS_STORED = Decoding()


@dataclass(frozen=True)
class Decoded:
    """A decoded image, uint8 ``[height, width, 3]`` RGB, and what its file says."""

    pixels: Pixels
    facts: Facts


def decode(content: bytes, view: View, how: Decoding = AS_STORED) -> Decoded:
    """Return an image as uint8 RGB, resized and cropped as torchvision's ``Resize`` and ``CenterCrop`` do.

    Unless the view says otherwise, the resizing is bilinear with antialiasing, within one of Pillow's values. Alpha is
    dropped, and the first frame of an animation is used, as in torchvision's ``ImageFolder``. Channels with more than 8
    bits are scaled to 8 by the range that ``how`` gives, or else that the file implies. A TIFF file is always read
    upright.

    Raises:
        DataError: with the reason, if the bytes are not an image, or the image is truncated, damaged or out of range.
        TooLargeError: if it has more pixels than :func:`.opening.max_pixels`.
    """
    if not content:
        raise DataError("the file is empty (0 bytes)")
    try:
        return _jpeg(content, view, how) or _with_pillow(content, view, how)
    except FairdistillError:
        raise
    # Pillow's decoders raise many kinds of errors for damaged files: SyntaxError, struct.error, ...
    except Exception as error:
        raise DataError(f"it cannot be decoded: {error}") from error


def of_picture(image: Image.Image, view: View, how: Decoding = AS_STORED) -> Pixels:
    """Return a Pillow image in memory as :func:`decode` returns the same image in a file.

    Raises:
        DataError: if it has more than 8 bits a channel, whose range only a file tells.
    """
    if is_deep(image):
        raise DataError(
            f"a Pillow image of mode {image.mode} may have more than 8 bits a channel; give the path of its file, or "
            "convert it to RGB"
        )
    pixels = _rgb(image)
    turned = orientation(image) if how.exif else 1
    return _seen(upright(pixels, turned) if turned > 1 else pixels, view)


def _rgb(image: Image.Image) -> Pixels:
    # Straight to RGB, Pillow warns about a palette with transparency.
    plain = image.convert("RGBA") if image.mode == "P" and "transparency" in image.info else image
    return np.array(plain.convert("RGB"))


def _is_transparent(image: Image.Image) -> bool:
    """Return whether an image in memory has a transparent pixel."""
    if not image.has_transparency_data:
        return False
    alpha = image if "A" in image.getbands() else image.convert("RGBA")
    return bool(alpha.getchannel("A").getextrema()[0] < 255)  # type: ignore[operator]  # of one channel, two numbers


def _has_several(image: Image.Image) -> bool:
    """Return whether an image whose first frame or page is in memory has more."""
    try:
        return bool(getattr(image, "is_animated", False))
    except Exception:  # Pillow raises many kinds of errors for a damaged second frame; the first is not affected
        return False


def _jpeg(content: bytes, view: View, how: Decoding) -> Decoded | None:
    """Decode a plain JPEG to the same pixels as Pillow's, but faster; return None if Pillow has to decode it."""
    if content[:2] != b"\xff\xd8":
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
    except ValueError:
        return None
    check_pixels(width, height)
    if colours not in ("YCbCr", "Gray", "RGB"):
        return None
    check_scans(content)
    with _DECODING.taking(width * height * _OF_JPEG):
        try:
            pixels: Pixels = simplejpeg.decode_jpeg(content, colorspace="RGB")
        except ValueError:
            return None
        return _finished(pixels, Facts(orientation=jpeg_orientation(content)), view, how)


def _with_pillow(content: bytes, view: View, how: Decoding) -> Decoded:
    image = opened(content)
    width, height = image.size
    with _DECODING.taking(width * height * (_OF_DEEP if is_deep(image) else _OF_OTHERS)):
        deep, depth, transparent = deep_image(image, content), IMPLIED, False
        if deep is not None:
            pixels, depth = deep.scaled(how.depth)
            if pixels.ndim == 2:
                pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        else:
            pixels, transparent = _rgb(image), _is_transparent(image)
        # Pillow has turned a TIFF file, and removed the tag, by now.
        facts = Facts(depth, orientation(image), transparent=transparent, several=_has_several(image))
        return _finished(pixels, facts, view, how)


def _finished(pixels: Pixels, facts: Facts, view: View, how: Decoding) -> Decoded:
    facts = replace(facts, constant=is_constant(pixels))
    if how.exif and facts.orientation > 1:
        pixels = upright(pixels, facts.orientation)
    return Decoded(_seen(pixels, view), facts)


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
    if window.height * window.width > max(images.shape[2] * images.shape[3], _SLIM):
        check_pixels(window.width, window.height, "its sides are so different that for --crop center it would get")
    if tuple(images.shape[2:]) != (window.height, window.width):
        size = (window.height, window.width)
        images = _resized(images, size, view.resizing)
    if view.short is None:
        return images
    return images[:, :, window.top : window.top + view.height, window.left : window.left + view.width]


def _resized(images: Tensor, size: tuple[int, int], how: Resizing) -> Tensor:
    """Return images ``[n, 3, H, W]`` at another size, of the same type."""
    if how.interpolation in ("bilinear", "bicubic"):
        found = F.interpolate(images, size, mode=how.interpolation, antialias=how.antialias, align_corners=False)
        return found.clamp_(0, 255) if how.interpolation == "bicubic" else found  # bicubic overshoots at edges
    if how.interpolation == "nearest":
        return F.interpolate(images, size, mode="nearest-exact")
    kernel = Image.Resampling[how.interpolation.upper()]  # those that only Pillow has
    pixels = images.round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    made = [np.asarray(Image.fromarray(each).resize(size[::-1], kernel)) for each in pixels]
    return torch.from_numpy(np.stack(made)).permute(0, 3, 1, 2).to(images)
