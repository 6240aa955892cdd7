"""Features standardized block by block, and heads translated to and from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from fairdistill.errors import DataError
from fairdistill.heads.head import Head

_BLOCK = 8192
_IN_MEMORY = 2**30  # bytes up to which the standardized features are kept rather than computed at each pass


@dataclass(frozen=True, eq=False)
class Standardized:
    """Features with mean 0 and standard deviation 1 in every dimension: x = (f - mean) / scale.

    Attributes:
        parts: features ``[n, D]`` each; either raw, or float32 and standardized.
        ready: whether the parts are standardized.
        mean: float64 ``[D]``.
        scale: float64 ``[D]``, the standard deviation (ddof 0), 1 where a feature is constant.
    """

    parts: tuple[Tensor, ...]
    ready: bool
    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, parts: Sequence[Tensor], *, in_memory: int = _IN_MEMORY) -> Standardized:
        """Standardize features by their mean and standard deviation; raise a DataError if they are not finite."""
        mean, scale = _moments(parts)
        if not bool(mean.isfinite().all()):
            raise DataError(
                "some features of the last layer are not finite (NaN or infinite), so no last layer can be fitted to "
                "them: check the network's weights and how the images are prepared"
            )
        raw = cls(tuple(parts), False, mean, scale)
        if 4 * sum(part.numel() for part in parts) > in_memory:
            return raw
        ready = tuple(torch.cat(list(replace(raw, parts=(part,)).blocks())) for part in parts)
        return replace(raw, parts=ready, ready=True)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def blocks(self) -> Iterator[Tensor]:
        """Yield the standardized features as float32 ``[n, D]``, in order."""
        if self.ready:
            yield from self._blocks
            return
        mean, scale = self.mean.float(), self.scale.float()
        for block in self._blocks:
            yield (block.float() - mean) / scale

    @cached_property
    def _blocks(self) -> tuple[Tensor, ...]:
        """The parts in blocks; a fit reads them hundreds of times."""
        return tuple(block for part in self.parts for block in part.split(_BLOCK))

    def take(self, rows: Tensor) -> Tensor:
        """Return the standardized features of some rows, float32 ``[n, D]``."""
        ends = torch.tensor([len(part) for part in self.parts]).cumsum(0)
        found = torch.empty(len(rows), len(self.mean))
        for part, end in zip(self.parts, ends.tolist(), strict=True):
            own = (rows < end) & (rows >= end - len(part))
            found[own] = part[rows[own] - (end - len(part))].float()
        return found if self.ready else (found - self.mean.float()) / self.scale.float()

    def logits(self, head: Head) -> Tensor:
        """Return the logits ``[N, C]`` of a head of the standardized features, float32."""
        weight, bias = head.weight.float().T, head.bias.float()
        return torch.cat([block @ weight + bias for block in self.blocks()])

    def pulled_back(self, gradient: Tensor) -> Head:
        """Return the gradient of a weight and a bias from that of the logits, ``[N, C]``: dZ^T X and its sums."""
        weight = torch.zeros(gradient.shape[1], len(self.mean), dtype=torch.float64)
        start = 0
        for block in self.blocks():
            weight += gradient[start : start + len(block)].T.float() @ block
            start += len(block)
        return Head(weight, gradient.double().sum(0))

    def inward(self, head: Head) -> Head:
        """Return the head of the standardized features, float64, with the same logits as one of the raw features."""
        weight = head.weight.double()
        return Head(weight * self.scale, head.bias.double() + weight @ self.mean)

    def outward(self, head: Head) -> Head:
        """Return the head of the raw features, float32, with the same logits as one of the standardized features."""
        weight = head.weight.double() / self.scale
        return Head(weight.float(), (head.bias.double() - weight @ self.mean).float())


def _moments(parts: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation of every feature, float64 ``[D]``, in two passes."""
    rows = sum(len(part) for part in parts)
    mean = sum(block.double().sum(0) for part in parts for block in part.split(_BLOCK)) / rows
    squares = sum((block.double() - mean).square().sum(0) for part in parts for block in part.split(_BLOCK))
    scale = (squares / rows).sqrt()
    smallest = 1e-6 * mean.abs().clamp_min(1e-6)
    return mean, torch.where(scale > smallest, scale, torch.ones_like(scale))
