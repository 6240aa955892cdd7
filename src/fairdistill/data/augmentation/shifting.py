"""Random shifts with reflection at the edges, and cutout, on batches of uint8 images on any device."""

from __future__ import annotations

import torch
from torch import Tensor


def draw_shifts(n: int, *, padding: int, size: int, draw: torch.Generator) -> Tensor:
    """Return shifts of -padding to padding pixels down and to the right, all equally likely.

    The same as padding every edge and cutting out a window of the original size (torchvision's ``RandomCrop``).

    Returns:
        float64 ``[n, 2]``, as fractions of the size.
    """
    return torch.randint(-padding, padding + 1, (n, 2), generator=draw).double() / size


def shifted(images: Tensor, shifts: Tensor) -> Tensor:
    """Return images moved down and to the right; what enters at an edge is the image's reflection there.

    Args:
        images: ``[n, 3, H, W]``.
        shifts: float64 ``[n, 2]`` on the CPU, as fractions of H and W, each less than 1 in size.

    Example:
        >>> image = torch.arange(4).expand(1, 3, 4, 4)
        >>> shifted(image, torch.tensor([[0.0, 0.5]], dtype=torch.float64))[0, 0, 0]
        tensor([2, 1, 0, 1])
    """
    n, channels, height, width = images.shape
    down, right = shifts.to(images.device, non_blocking=True).unbind(1)
    first = torch.arange(n, device=images.device).view(-1, 1, 1) * (height * width)
    at = first + _sources(down, height).unsqueeze(2) * width + _sources(right, width).unsqueeze(1)
    pixels = images.permute(0, 2, 3, 1).reshape(-1, channels)
    return pixels.index_select(0, at.flatten()).view(n, height, width, channels).permute(0, 3, 1, 2)


def _sources(shift: Tensor, size: int) -> Tensor:
    """Return int64 ``[n, size]``: the place along an axis that each pixel of the result comes from."""
    place = (torch.arange(size, device=shift.device) - (shift * size).round().long().unsqueeze(1)).abs()
    return torch.where(place < size, place, 2 * (size - 1) - place)


def draw_holes(n: int, *, side: int, size: int, draw: torch.Generator) -> Tensor:
    """Return squares whose centers are equally likely at every pixel, so that a part may lie outside the image.

    Returns:
        float64 ``[n, 4]`` of top, left, height and width, as fractions of the size.
    """
    corners = torch.randint(size, (n, 2), generator=draw) - side // 2
    return torch.cat([corners, torch.full((n, 2), side)], dim=1).double() / size


def cut_out(images: Tensor, holes: Tensor, *, color: Tensor) -> Tensor:
    """Return images with a part of each in one color.

    DeVries and Taylor, *Improved Regularization of Convolutional Neural Networks with Cutout* (2017).

    Args:
        images: uint8 ``[n, 3, H, W]``.
        holes: float64 ``[n, 4]`` on the CPU: top, left, height and width of the parts, as fractions of H and W.
        color: uint8 ``[3]`` on the device of the images.

    Example:
        >>> image = torch.full((1, 3, 2, 4), 7, dtype=torch.uint8)
        >>> hole, black = torch.tensor([[-0.5, 0.0, 1.0, 0.5]]), torch.zeros(3, dtype=torch.uint8)
        >>> cut_out(image, hole, color=black)[0, 0]
        tensor([[0, 0, 7, 7],
                [7, 7, 7, 7]], dtype=torch.uint8)
    """
    _, _, height, width = images.shape
    top, left, high, wide = holes.to(images.device, non_blocking=True).unbind(1)
    hidden = _within(top, high, height).unsqueeze(2) & _within(left, wide, width).unsqueeze(1)
    return torch.where(hidden.unsqueeze(1), color.view(1, 3, 1, 1), images)


def _within(start: Tensor, length: Tensor, size: int) -> Tensor:
    """Return bool ``[n, size]``: which pixels along an axis a part covers."""
    first, last = (start * size).round().unsqueeze(1), ((start + length) * size).round().unsqueeze(1)
    place = torch.arange(size, device=start.device)
    return (place >= first) & (place < last)
