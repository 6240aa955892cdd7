"""Modules whose state needs more digits than half precision has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Self

import torch
from torch import Tensor, nn


class KeptPrecision(nn.Module):
    """A module whose buffers stay in float32 if it is cast to half precision, for example with the network it is in.

    Running sums and weights that move a little in each step would be rounded back to what they were.
    """

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        def kept(tensor: Tensor) -> Tensor:
            cast = fn(tensor)
            return tensor.to(cast.device) if cast.dtype in (torch.float16, torch.bfloat16) else cast

        moved: Self = super()._apply(kept, recurse)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return moved
