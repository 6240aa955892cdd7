"""A linear last layer, and the straight line between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fairdistill.errors import UsageError


@dataclass(frozen=True, eq=False)
class Head:
    """The last layer of a classifier: logits = features W^T + b.

    Attributes:
        weight: floating point ``[C, D]``.
        bias: floating point ``[C]``.
        has_bias: whether its layer can hold a bias.

    Raises:
        UsageError: if the shapes do not fit.

    Example:
        >>> head = Head(torch.tensor([[1.0, 0.0], [0.0, 2.0]]), torch.tensor([0.0, 1.0]))
        >>> head.logits(torch.tensor([[3.0, 4.0]])).tolist()
        [[3.0, 9.0]]
    """

    weight: Tensor
    bias: Tensor
    has_bias: bool = True

    def __post_init__(self) -> None:
        if self.weight.ndim != 2 or self.bias.shape != self.weight.shape[:1]:
            raise UsageError(
                "Expected arguments `weight` and `bias` to have shapes [C, D] and [C], "
                f"but got {tuple(self.weight.shape)} and {tuple(self.bias.shape)}"
            )

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits ``[N, C]`` of features ``[N, D]``, computed block by block in the head's dtype."""
        return torch.cat([block.to(self.weight.dtype) @ self.weight.T + self.bias for block in features.split(_BLOCK)])

    def toward(self, other: Head, share: float) -> Head:
        """Return the head at ``share`` of the way from this one to ``other``: 0 is this one, 1 the other.

        Logits are linear in the head, so those of the new head lie at the same share between the logits of both:
        ``torch.lerp(self.logits(x), other.logits(x), share)``. Interpolating weights for robustness: Wortsman et al.,
        *Robust fine-tuning of zero-shot models* (WiSE-FT, CVPR 2022).
        """
        weight, bias = torch.lerp(self.weight, other.weight, share), torch.lerp(self.bias, other.bias, share)
        return replace(self, weight=weight, bias=bias)


_BLOCK = 8192  # rows that are converted at a time: 16 MiB of 512 features in float32


def logits_toward(logits: Tensor, other: Tensor, share: float) -> Tensor:
    """Return the logits at ``share`` of the way from one head's logits ``[N, C]`` to those of another.

    Exactly those of :meth:`Head.toward`. With cross-fitted logits, where every fold has a head of its own, they are
    those of each fold's line.

    Raises:
        UsageError: if the shapes differ.
    """
    if logits.shape != other.shape:
        raise UsageError(f"Expected logits of the same shape, but got {tuple(logits.shape)} and {tuple(other.shape)}")
    return torch.lerp(logits, other.to(logits.dtype), share)
