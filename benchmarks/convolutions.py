"""The convolutions of a network alone, and products of matrices, for benchmarks.step."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

_SIDE = 1024  # large enough to be bound by arithmetic


@dataclass(frozen=True)
class Pass:
    """One convolution as it runs in a training step: its layer, and what goes in and comes back."""

    layer: nn.Conv2d
    images: Tensor
    gradient: Tensor

    @property
    def operations(self) -> int:
        """Multiplications and additions, forward and backward; the gradient of the network's images is not computed."""
        once = 2 * self.gradient.numel() * math.prod(self.layer.weight.shape[1:])
        return once * (3 if self.images.requires_grad else 2)

    def run(self) -> None:
        """Run it forward and backward."""
        inputs = [self.layer.weight, *([self.images] if self.images.requires_grad else [])]
        torch.autograd.grad(self.layer(self.images), inputs, self.gradient)


def convolutions(network: nn.Module, images: Tensor, dtype: torch.dtype) -> list[Pass]:
    """Return the convolutions of a network, in the precision and layout in which they run on these images."""
    found: list[Pass] = []

    def catch(first: bool, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.Conv2d)
        given = torch.rand_like(inputs[0], dtype=dtype).requires_grad_(not first)
        copy = nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1, device=images.device, dtype=dtype)
        copy.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it alone
        found.append(Pass(copy, given, torch.rand_like(output, dtype=dtype)))

    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    handles = [layer.register_forward_hook(partial(catch, layer is layers[0])) for layer in layers]
    with torch.no_grad():
        network(images)
    for handle in handles:
        handle.remove()
    return found


def run_all(passes: Iterable[Pass]) -> None:
    """Run convolutions one after the other."""
    for each in passes:
        each.run()


def product(dtype: torch.dtype, device: torch.device) -> tuple[Callable[[], Tensor], int]:
    """Return a function that multiplies two square matrices, and its number of multiplications and additions."""
    first, second = (torch.rand(_SIDE, _SIDE, dtype=dtype, device=device) for _ in range(2))
    return lambda: first @ second, 2 * _SIDE**3
