"""Which part of an image is seen, and at which size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Interpolation = Literal["nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"]
"""How pixels are computed from those around them, as Pillow names it."""


@dataclass(frozen=True)
class Resizing:
    """How images are resized, beyond the size.

    Attributes:
        interpolation: how pixels are computed.
        antialias: whether an image that becomes smaller is smoothed, for bilinear and bicubic.
        square: with a center crop: whether both sides are resized to the size that the center is cut from, whatever the
            aspect ratio.
        floor: where a center begins that cannot be exact: at the pixel before, as in transformers, instead of the even
            one of the two, as in torchvision.
    """

    interpolation: Interpolation = "bilinear"
    antialias: bool = True
    square: bool = False
    floor: bool = False

    def __str__(self) -> str:
        parts = (
            ("" if self.interpolation == "bilinear" else self.interpolation), ("" if self.antialias else "aliased"),
            ("square" if self.square else ""), ("floor" if self.floor else ""),
        )  # fmt: skip
        return "".join(f"-{part}" for part in parts if part)


PLAIN = Resizing()


@dataclass(frozen=True)
class View:
    """Which part of an image is seen, and at which size.

    Attributes:
        height: height of the result, in pixels.
        width: its width.
        short: None: the whole image is resized to that, whatever its aspect ratio. Otherwise the short side is resized
            to this, which keeps the aspect ratio, and the center is cut out, as torchvision's ``Resize(short)`` and
            ``CenterCrop`` do.
        resizing: how, beyond that.
    """

    height: int
    width: int
    short: int | None = None
    resizing: Resizing = PLAIN

    def __str__(self) -> str:
        center = "" if self.short is None else f"-center{self.short}"
        return f"{self.width}x{self.height}{center}{self.resizing}"

    def window(self, height: int, width: int) -> Window:
        """Return how an image of this size is resized, and where the result is cut from.

        Example:
            >>> View(224, 224, short=256).window(480, 640)
            Window(height=256, width=341, top=16, left=58)
        """
        if self.short is None:
            return Window(self.height, self.width, 0, 0)
        if self.resizing.square:
            resized = (self.short, self.short)
        elif width <= height:
            resized = (int(self.short * height / width), self.short)
        else:
            resized = (self.short, int(self.short * width / height))
        left_over = (resized[0] - self.height, resized[1] - self.width)
        top, left = (each // 2 if self.resizing.floor else round(each / 2) for each in left_over)
        return Window(*resized, top, left)


@dataclass(frozen=True)
class Window:
    """The size that an image is resized to, and the top left corner of the part that is kept."""

    height: int
    width: int
    top: int
    left: int
