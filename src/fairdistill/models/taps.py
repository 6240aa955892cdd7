"""Named features of any network, read with forward hooks on one instance; no class is patched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from fairdistill.errors import UsageError
from fairdistill.types import TapName, Taps

_POOLING = (
    nn.MaxPool2d, nn.AvgPool2d, nn.LPPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Dropout, nn.Dropout2d,
)  # fmt: skip


@dataclass(frozen=True)
class TapPoint:
    """A place in a network: the input or the output of one of its named modules.

    Attributes:
        module: the module's name.
        side: whether its input or its output is read.
        call: which call of a module that runs several times is read, from 0; the last if None.
    """

    module: str
    side: Literal["input", "output"] = "output"
    call: int | None = None


class Tapped:
    """A network together with the places its features are read at.

    A call runs the network and returns the features by name; gradients flow through them. Hooks are on this
    instance of the network only, and ``remove`` takes them away.

    Args:
        network: any module that maps images to logits.
        points: where each feature is read. ``logits`` is always there and needs no point.

    Raises:
        UsageError: if the network has no module of a given name.

    Example:
        >>> from fairdistill.models import digit_net, find_taps
        >>> network = digit_net()
        >>> images = torch.zeros(2, 3, 16, 16)
        >>> tapped = Tapped(network, find_taps(network, images))
        >>> {name: tuple(value.shape) for name, value in sorted(tapped(images).items())}
        {'embedding': (2, 96), 'feature': (2, 96), 'logits': (2, 10), 'map': (2, 48, 4, 4)}
    """

    def __init__(self, network: nn.Module, points: Mapping[TapName, TapPoint]) -> None:
        modules = dict(network.named_modules())
        for name, point in points.items():
            if point.module not in modules:
                some = ", ".join([m for m in modules if m][-8:])
                raise UsageError(f"tap {name!r}: the network has no module {point.module!r}; its last are: {some}")
        self.network = network
        self._run: Callable[[Tensor], Tensor] = network
        self._caught: dict[TapName, Tensor] = {}
        self._calls: Counter[TapName] = Counter()
        self._handles = [
            self._hook(modules[point.module], name, point) for name, point in points.items() if name != "logits"
        ]

    def __call__(self, images: Tensor) -> Taps:
        """Run the network on ``[N, 3, H, W]`` images; return the features by name."""
        self._caught.clear()
        self._calls.clear()
        logits = self._run(images)
        taps = {**self._caught, "logits": logits}
        self._caught.clear()
        return taps

    def compile(self) -> None:
        """Run the network through ``torch.compile`` from now on."""
        self._run = torch.compile(self.network)

    def remove(self) -> None:
        """Take the hooks off the network."""
        for handle in self._handles:
            handle.remove()

    def _hook(self, module: nn.Module, name: TapName, point: TapPoint) -> RemovableHandle:
        def catch(value: Tensor) -> None:
            if point.call is None or self._calls[name] == point.call:
                self._caught[name] = value
            self._calls[name] += 1

        if point.side == "input":
            return module.register_forward_pre_hook(lambda _module, inputs: catch(inputs[0]))
        return module.register_forward_hook(lambda _module, _inputs, output: catch(output))


def find_taps(network: nn.Module, example: Tensor) -> dict[TapName, TapPoint]:
    """Find where a convolutional classifier's features are, by running it once on an example.

    ``embedding`` is the input of the last linear layer that runs; ``map`` is the last output of the shape of the
    last convolution's that is not a pooling or dropout layer's; ``feature`` is the embedding.

    Args:
        network: any module of convolutions and a linear head; its mode and statistics are left as they were.
        example: ``[N, 3, H, W]`` images, one is enough.

    Raises:
        UsageError: if no linear layer or no convolution runs, or the network cannot take the example.
    """
    calls: list[tuple[str, nn.Module, tuple[int, ...]]] = []

    def record(name: str) -> Any:
        def hook(module: nn.Module, _inputs: Any, output: Any) -> None:
            if isinstance(output, Tensor):
                calls.append((name, module, tuple(output.shape)))

        return hook

    leaves = [(name, module) for name, module in network.named_modules() if not any(True for _ in module.children())]
    handles = [module.register_forward_hook(record(name)) for name, module in leaves]
    training = {module: module.training for module in network.modules()}
    network.eval()
    try:
        with torch.no_grad():
            network(example)
    except RuntimeError as error:
        raise UsageError(
            f"{type(network).__name__} cannot take images of shape {tuple(example.shape[1:])}: {error}"
        ) from error
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in training.items():
            module.training = mode

    linear = [at for at, (_, module, _) in enumerate(calls) if isinstance(module, nn.Linear)]
    convolutions = [at for at, (_, module, _) in enumerate(calls) if isinstance(module, nn.Conv2d)]
    if not linear or not convolutions:
        missing = "linear layer" if not linear else "convolution"
        raise UsageError(f"found no {missing} in {type(network).__name__}, so its features cannot be found")
    last = convolutions[-1]
    at_map = last
    for at, (_, module, shape) in enumerate(calls):
        if at > last and shape == calls[last][2] and not isinstance(module, _POOLING):
            at_map = at

    def point(at: int, side: Literal["input", "output"]) -> TapPoint:
        name = calls[at][0]
        return TapPoint(name, side, call=sum(earlier == name for earlier, _, _ in calls[:at]))

    embedding = point(linear[-1], "input")
    return {"embedding": embedding, "map": point(at_map, "output"), "feature": embedding}
