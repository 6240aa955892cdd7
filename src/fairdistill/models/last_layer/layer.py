"""A classifier's last linear layer: what it is, the features it reads, and how it is changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from fairdistill.errors import LastLayerError


@dataclass(frozen=True)
class LastLayer:
    """The linear layer that makes a network's logits: ``features @ weight.T + bias``.

    Attributes:
        name: the module's name.
        weight: float32 ``[C, D]`` on the CPU, in the order of the data set's classes. If the network has a single
            logit ``z``, the logits are ``(0, z)`` and one row is zero.
        bias: float32 ``[C]``; zeros without a bias.
        has_bias: whether the layer has a bias that can be changed.
        pooled: whether the features are the mean of the module's input over space (or over tokens).
        rows: for each class its row of the layer's own weight; with a single logit, its place in ``(0, z)``.
        single: whether the layer has a single output.
        names: the names of the network's parameters and buffers.
        aliases: the module's names, several if it is registered more than once.
    """

    name: str
    weight: Tensor
    bias: Tensor
    has_bias: bool
    pooled: bool
    rows: tuple[int, ...]
    single: bool = False
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    def own(self, weight: Tensor, bias: Tensor) -> dict[str, Tensor]:
        """Return the layer's own ``weight`` ``[K, D]`` and, if it has one, ``bias`` ``[K]`` for rows in class order.

        Args:
            weight: ``[C, D]``.
            bias: ``[C]``; for a layer without a bias, equal for all classes.

        Raises:
            LastLayerError: if the layer has no bias and the new one needs it.
        """
        if weight.shape != self.weight.shape or bias.shape != self.bias.shape:
            raise LastLayerError(
                f"expected a weight {list(self.weight.shape)} and a bias {list(self.bias.shape)} for the last layer "
                f"{self.name}, but got {list(weight.shape)} and {list(bias.shape)}"
            )
        if not self.has_bias and not torch.allclose(bias, bias[:1].expand_as(bias), rtol=0, atol=1e-6):
            raise LastLayerError(f"the last layer {self.name} has no bias, so a head with one cannot be stored in it")
        places = torch.tensor(self.rows)
        values = {"weight": torch.empty_like(weight), "bias": torch.empty_like(bias)}
        values["weight"][places], values["bias"][places] = weight, bias
        if self.single:
            values = {name: value[1:] - value[:1] for name, value in values.items()}
        return values if self.has_bias else {"weight": values["weight"]}


def layer_features(network: nn.Module, layer: LastLayer, images: Tensor) -> Tensor:
    """Return the features ``[N, D]`` that the last layer reads of ``[N, 3, H, W]`` images, without gradients."""
    module = network.get_submodule(layer.name)
    caught: list[Tensor] = []
    with torch.no_grad(), watching({module}, lambda _module, given: caught.append(given)):
        network(images)
    return features_read(module, caught[-1])


def set_layer(network: nn.Module, layer: LastLayer, weight: Tensor, bias: Tensor) -> None:
    """Give a network another last layer: ``weight`` ``[C, D]`` and ``bias`` ``[C]``, in the order of the classes.

    Raises:
        LastLayerError: if the layer has no bias and the new one needs it.
    """
    module = network.get_submodule(layer.name)
    with torch.no_grad():
        for name, value in layer.own(weight, bias).items():
            place = module.get_parameter(name)
            place.copy_(value.reshape(place.shape))


def is_linear(module: nn.Module) -> bool:
    """Return whether a module is a linear layer or a 1x1 convolution."""
    if isinstance(module, nn.Conv2d):
        return module.kernel_size == (1, 1) and module.groups == 1
    return isinstance(module, nn.Linear)


def features_read(module: nn.Module, given: Tensor) -> Tensor:
    """Return the mean over space of a convolution's input, or over tokens of a linear layer's."""
    if isinstance(module, nn.Conv2d):
        return given.flatten(2).mean(2)
    return given if given.ndim == 2 else given.flatten(1, -2).mean(1)


@contextmanager
def watching(modules: set[nn.Module], see: Callable[[nn.Module, Tensor], object]) -> Iterator[None]:
    """Call ``see`` with the input of each of the modules when it runs."""

    def hook(module: nn.Module, inputs: tuple[Any, ...]) -> None:
        if inputs and isinstance(inputs[0], Tensor):
            see(module, inputs[0].detach().clone())

    handles = [module.register_forward_pre_hook(hook) for module in modules]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
