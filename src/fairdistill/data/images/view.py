"""Which part of an image is seen, and at which size."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class View:
    """Which part of an image is seen, and at which size.

    Attributes:
        height: height of the result, in pixels.
        width: its width.
        short: None: the whole image is resized to that, whatever its aspect ratio. Otherwise the short side is resized
            to this, which keeps the aspect ratio, and the center is cut out, as torchvision's ``Resize(short)`` and
            ``CenterCrop`` do.
    """

    height: int
    width: int
    short: int | None = None

    def __str__(self) -> str:
        center = "" if self.short is None else f"-center{self.short}"
        return f"{self.width}x{self.height}{center}"

    def window(self, height: int, width: int) -> Window:
        """Return how an image of this size is resized, and where the result is cut from.

        Example:
            >>> View(224, 224, short=256).window(480, 640)
            Window(height=256, width=341, top=16, left=58)
        """
        if self.short is None:
            return Window(self.height, self.width, 0, 0)
        if width <= height:
            resized = (int(self.short * height / width), self.short)
        else:
            resized = (self.short, int(self.short * width / height))
        return Window(*resized, round((resized[0] - self.height) / 2), round((resized[1] - self.width) / 2))


@dataclass(frozen=True)
class Window:
    """The size that an image is resized to, and the top left corner of the part that is kept."""

    height: int
    width: int
    top: int
    left: int
