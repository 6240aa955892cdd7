"""Dropout whose masks can come from a block of random bits."""

from __future__ import annotations

import torch
from torch import Tensor, nn

_PER_BYTE = 4  # activations that a byte decides, two bits each


class Dropout(nn.Dropout):
    """``torch.nn.Dropout``, which can draw its masks faster on a CPU.

    PyTorch draws a number for each activation, which takes a tenth of a training step of a small network on a CPU. With
    ``blocks`` set, two random bits decide. The rate is exact and the activations are still dropped independently, but
    other ones than PyTorch would drop for the same seed. PyTorch draws the masks nevertheless if the rate is not
    1/4, 1/2 or 3/4, on other devices, and under ``torch.compile``.

    Args:
        p: probability of dropping an activation.

    Attributes:
        blocks: whether masks come from blocks of random bits.

    Example:
        >>> dropout = Dropout(0.25)
        >>> dropout.blocks = True
        >>> sorted(dropout(torch.ones(1000)).unique().tolist())
        [0.0, 1.3333333730697632]
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__(p)
        self.blocks = False

    def forward(self, input: Tensor) -> Tensor:
        """Return activations of any shape, some set to 0 and the others divided by ``1 - p``."""
        quarters = self.p in (0.25, 0.5, 0.75) and input.is_floating_point() and input.device.type == "cpu"
        if not (self.blocks and self.training and quarters) or torch.compiler.is_compiling():
            return super().forward(input)
        return input * factors_like(input, rate=self.p)


def factors_like(values: Tensor, *, rate: float) -> Tensor:
    """Return 0 with probability ``rate``, otherwise ``1 / (1 - rate)``, for each of some values on the CPU.

    Args:
        values: floating-point numbers of any shape.
        rate: 1/4, 1/2 or 3/4. Two bits of PyTorch's global generator, read as a number from 0 to 3, keep a value if
            they are at least four times the rate.
    """
    bits = torch.arange(256).unsqueeze(1) >> torch.arange(0, 8, 8 // _PER_BYTE)
    of_byte = (bits & 3).ge(4 * rate).to(values.dtype).div_(1 - rate)
    count = values.numel()
    words = torch.empty(-(-count // (8 * _PER_BYTE)), dtype=torch.int64).random_(-(2**63), None)
    # Copying a byte's factors as 64-bit words is faster than one by one.
    chosen = of_byte.view(torch.int64).index_select(0, words.view(torch.uint8).int())
    factors = chosen.view(values.dtype).flatten()[:count]
    if values.ndim == 4 and values.is_contiguous(memory_format=torch.channels_last):
        images, channels, height, width = values.shape
        return factors.view(images, height, width, channels).permute(0, 3, 1, 2)
    return factors.view(values.shape)
