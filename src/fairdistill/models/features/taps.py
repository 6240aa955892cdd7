"""Named features of any network, read with forward hooks on one instance; classes are not patched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle

from fairdistill.errors import UsageError
from fairdistill.models.outputs import class_logits
from fairdistill.types import TAP_NAMES, TapName, Taps


@dataclass(frozen=True)
class TapPoint:
    """A place in a network: the input or the output of one of its named modules.

    Attributes:
        module: the module's name.
        side: whether its input or its output is read.
        call: which call is read, from 0, if the module runs several times; the last one if None.
        relu: whether a ReLU is applied to what is read, for networks whose own ReLU is a function and not a module.
    """

    module: str
    side: Literal["input", "output"] = "output"
    call: int | None = None
    relu: bool = False


class Tapped:
    """A network together with the places where its features are read.

    A call runs the network and returns its logits and features by name; gradients flow through them. The hooks are on
    this instance of the network only; ``remove``, or the end of a ``with`` block, removes them.

    Args:
        network: any module that maps images to something :func:`~fairdistill.models.outputs.class_logits` can read.
        points: where each feature is read, for example as :func:`~fairdistill.models.find_taps` finds it. ``logits``
            are always returned and need no point.
        layer: modules by name, in place of ``points`` or in addition: ``"layer4"`` is the output of that module, as
            ``feature``; ``"map=layer4,embedding=fc:input"`` names several features and can read a module's input.

    Raises:
        UsageError: if the network has no module of a given name; when called, if a module named in ``layer`` does not
            run or has no tensor there.

    Example:
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(48, 16), nn.ReLU(), nn.Linear(16, 2))
        >>> tapped = Tapped(model, layer="2")
        >>> {name: tuple(value.shape) for name, value in tapped(torch.zeros(8, 3, 4, 4)).items()}
        {'feature': (8, 16), 'logits': (8, 2)}

        The places can also be found automatically:

        >>> from fairdistill.models import digit_net, find_taps
        >>> network = digit_net()
        >>> images = torch.zeros(2, 3, 16, 16)
        >>> tapped = Tapped(network, find_taps(network, images))
        >>> {name: tuple(value.shape) for name, value in sorted(tapped(images).items())}
        {'embedding': (2, 96), 'feature': (2, 96), 'logits': (2, 10), 'map': (2, 48, 4, 4)}
    """

    def __init__(
        self, network: nn.Module, points: Mapping[TapName, TapPoint] | None = None, *, layer: str | None = None
    ) -> None:
        modules = dict(network.named_modules())
        named = {name: point_of(name, place) for name, place in parse_taps(layer).items()}
        points = {**(points or {}), **named}
        for name, point in points.items():
            if point.module not in modules:
                some = ", ".join([m for m in modules if m][-8:])
                raise UsageError(
                    f"tap {name!r}: the network has no module {point.module!r}; the last modules are: {some}"
                )
        self.network = network
        self._named = named
        self._run: Callable[[Tensor], object] = network
        self._caught: dict[TapName, Tensor] = {}
        self._calls: Counter[TapName] = Counter()
        self._handles = [
            self._hook(modules[point.module], name, point) for name, point in points.items() if name != "logits"
        ]

    def __call__(self, images: Tensor) -> Taps:
        """Run the network on ``[N, 3, H, W]`` images; return the features by name."""
        self._caught.clear()
        self._calls.clear()
        logits = class_logits(self._run(images))
        taps = {**self._caught, "logits": logits}
        self._caught.clear()
        for name, point in self._named.items():
            if name not in taps:
                raise UsageError(f"tap {name!r}: the module {point.module!r} did not run; choose another module")
        return taps

    def compile(self) -> None:
        """Run the network through ``torch.compile`` from now on."""
        self._run = torch.compile(self.network)

    def remove(self) -> None:
        """Remove the hooks from the network; from then on a call returns only the logits."""
        for handle in self._handles:
            handle.remove()
        self._named = {}

    def __enter__(self) -> Tapped:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _hook(self, module: nn.Module, name: TapName, point: TapPoint) -> RemovableHandle:
        def catch(value: object) -> None:
            if not isinstance(value, Tensor):
                raise UsageError(
                    f"tap {name!r}: the {point.side} of the module {point.module!r} is a {type(value).__name__}, not a "
                    "tensor; choose another module"
                )
            if point.call is None or self._calls[name] == point.call:
                self._caught[name] = F.relu(value) if point.relu else value
            self._calls[name] += 1

        if point.side == "input":
            return module.register_forward_pre_hook(lambda _module, inputs: catch(next(iter(inputs), None)))
        return module.register_forward_hook(lambda _module, _inputs, output: catch(output))


def point_of(name: TapName, place: str) -> TapPoint:
    """Return where a feature is read, from ``MODULE`` (its output) or ``MODULE:input``.

    Raises:
        UsageError: if it has neither form; the text names the feature.
    """
    module, _, side = place.partition(":")
    if side not in ("", "input", "output"):
        raise UsageError(
            f"tap {name!r}: cannot read {place!r}; write {module} for the module's output or {module}:input"
        )
    return TapPoint(module, "input" if side == "input" else "output")


def parse_taps(text: str | None) -> dict[TapName, str]:
    """Return the places a user names, by feature, as :func:`.find_taps` takes them.

    Args:
        text: a module's name, for ``feature``, or ``NAME=MODULE`` pairs separated by commas. ``MODULE:input`` means the
            module's input, ``MODULE`` its output.

    Raises:
        UsageError: for a feature that does not exist or is named twice, or a missing name.

    Example:
        >>> parse_taps("layer4")
        {'feature': 'layer4'}
        >>> parse_taps("map=features.5,embedding=head.0:input")
        {'map': 'features.5', 'embedding': 'head.0:input'}
    """
    named: dict[TapName, str] = {}
    if text is None:
        return named
    for part in text.split(","):
        given, equals, module = part.partition("=")
        name, module = (given.strip(), module.strip()) if equals else ("feature", part.strip())
        if name not in TAP_NAMES or name == "logits":
            others = ", ".join(tap for tap in TAP_NAMES if tap != "logits")
            raise UsageError(
                f"cannot name the feature {name!r} in {text!r}: expected one of {others}; logits are always what the "
                "network returns"
            )
        if not module.removesuffix(":input"):
            raise UsageError(f"{name!r} in {text!r} names no module; write for example {name}=layer4")
        if name in named:
            raise UsageError(f"{name!r} is named twice in {text!r}")
        named[cast("TapName", name)] = module
    return named
