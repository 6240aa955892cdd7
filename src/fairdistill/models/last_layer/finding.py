"""Finding a classifier's last linear layer, by running the network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.overrides import TorchFunctionMode

from fairdistill.errors import LastLayerError
from fairdistill.models.ending import RESHAPES
from fairdistill.models.features.discovery import modules_to_name
from fairdistill.models.last_layer.layer import LastLayer, features_read, is_linear, set_layer, watching
from fairdistill.models.outputs import class_logits
from fairdistill.models.programs.exported import ExportedNetwork
from fairdistill.models.reading import OutputReading

_CLOSE = 2e-3  # of the largest logit: TF32 keeps ten bits
_SATURATED = 1e-6  # a probability this close to 0 or 1 no longer tells its logit


def find_last_layer(network: nn.Module, images: Tensor, *, name: str | None = None) -> LastLayer:
    """Find the linear layer, or the 1x1 convolution before or after pooling, that makes a network's logits.

    Layers with one output per class are tried in the reverse order in which they run. A layer is taken if, for the
    given images and for noise, with its own weights and with others, ``softmax(features W^T + b)`` equals the softmax
    of the network's logits. So whatever follows it changes the logits by a constant per image at most, for example a
    softmax whose output is read as probabilities. The network is left as it was.

    Args:
        network: in eval mode; if an :class:`~fairdistill.models.reading.OutputReading` is attached, its logits are in
            the order of the data set's classes.
        images: ``[N, 3, H, W]``, normalized, on the network's device; two or more.
        name: the name of the module, if it is known.

    Raises:
        LastLayerError: if there is no such layer; the message gives the reason.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 2)).eval()
        >>> layer = find_last_layer(network, torch.randn(4, 3, 4, 4))
        >>> layer.name, tuple(layer.weight.shape)
        ('3', (2, 8))
    """
    kind = type(network).__name__
    if isinstance(network, ExportedNetwork):
        raise LastLayerError("the model is a complete program: its last layer cannot be changed")
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(0)).to(images)
    trial = _Trial(network, torch.cat([images, noise]))
    if name is not None:
        return trial.layer(name, trial.named(name))
    tried = list(dict.fromkeys(module for module, _ in reversed(trial.calls) if _outputs(module) in trial.widths))
    if not tried:
        last = trial.names[trial.calls[-1][0]] if trial.calls else None
        hint = "" if last is None else f"; the last linear layer that runs, {last}, has another number of outputs"
        raise LastLayerError(
            f"{kind} has no linear layer or 1x1 convolution that makes its {trial.classes} outputs{hint}"
        )
    errors = []
    for module in tried:
        try:
            return trial.layer(trial.names[module], module)
        except LastLayerError as error:
            errors.append(error)
    raise errors[0]


class _Trial:
    """A network on some images: which linear layers run, and whether one of them makes the logits."""

    def __init__(self, network: nn.Module, images: Tensor) -> None:
        self.network, self.images = network, images
        self.names: dict[nn.Module, str] = {module: name for name, module in network.named_modules()}
        linear = {module for module in self.names if is_linear(module)}
        self.calls: list[tuple[nn.Module, Tensor]] = []
        with watching(linear, lambda module, given: self.calls.append((module, given))):
            self.classes = self.logits().shape[1]
        self.widths = {self.classes, 1} if self.classes == 2 else {self.classes}

    def logits(self) -> Tensor:
        with torch.no_grad(), torch.autocast(self.images.device.type, enabled=False):
            return class_logits(self.network(self.images)).float()

    def named(self, name: str) -> nn.Module:
        """Return the module that the user names."""
        modules = {known: module for known, module in self.network.named_modules(remove_duplicate=False) if known}
        if name not in modules:
            to_name = modules_to_name(name, list(modules))
            raise LastLayerError(f"--head {name}: {type(self.network).__name__} has no such module{to_name}")
        module: nn.Module = modules[name]
        if not is_linear(module):
            raise LastLayerError(
                f"--head {name} is a {type(module).__name__}; it must be a linear layer or a 1x1 convolution"
            )
        if all(one is not module for one, _ in self.calls):
            raise LastLayerError(f"--head {name}: the module does not run when the network sees an image")
        return module

    def layer(self, name: str, module: nn.Module) -> LastLayer:
        """Return the layer, or raise a LastLayerError that says why it is none."""
        self._check_own(name, module)
        given = [value for one, value in self.calls if one is module]
        if len(given) > 1:
            raise LastLayerError(f"the layer {name} runs {len(given)} times for an image, so it is not only the last")
        reading = next((h for h in self.network._forward_hooks.values() if isinstance(h, OutputReading)), None)
        order = reading.order if reading is not None else None
        weight = module.get_parameter("weight").detach().flatten(1).float().cpu()
        has_bias = module.bias is not None
        bias = module.get_parameter("bias").detach().float().cpu() if has_bias else torch.zeros(len(weight))
        single = len(weight) == 1 and self.classes == 2
        if len(weight) not in self.widths:
            raise LastLayerError(
                f"the layer {name} has {len(weight)} outputs, but the network has {self.classes}, so it does not make "
                "its logits"
            )
        if single:
            weight, bias = torch.cat([torch.zeros_like(weight), weight]), torch.cat([torch.zeros_like(bias), bias])
        rows = tuple(order) if order is not None else tuple(range(len(weight)))
        layer = LastLayer(
            name, weight[list(rows)].clone(), bias[list(rows)].clone(), has_bias, given[0].ndim > 2, rows, single,
            names=tuple(self.network.state_dict()), aliases=self._aliases(module),
        )  # fmt: skip
        if len(features_read(module, given[0])) != len(self.images):
            raise LastLayerError(f"the layer {name} does not give one row of outputs per image")
        self._check(layer)
        return layer

    def _check_own(self, name: str, module: nn.Module) -> None:
        """Raise a LastLayerError unless the layer's weight is a parameter of its own."""
        parameters = dict(module.named_parameters(recurse=False))
        if parametrize.is_parametrized(module) or "weight" not in parameters:
            raise LastLayerError(
                f"the weight of the last layer {name} is computed from other parameters (such as weight_norm or "
                "spectral_norm); remove the parametrization and save the model again"
            )
        aliases = self._aliases(module)
        for place, parameter in self.network.named_parameters(remove_duplicate=False):
            owner = place.rpartition(".")[0]
            if owner not in aliases and any(parameter is own for own in parameters.values()):
                raise LastLayerError(
                    f"the last layer {name} shares its weights with {owner or place}, which would change too"
                )

    def _aliases(self, module: nn.Module) -> tuple[str, ...]:
        return tuple(name for name, one in self.network.named_modules(remove_duplicate=False) if one is module)

    def _check(self, layer: LastLayer) -> None:
        """Raise a LastLayerError unless the logits are those of the layer, with its own weights and with others."""
        others = (-layer.weight.roll(1, dims=1), -layer.bias if layer.has_bias else layer.bias)
        before = {name: value.clone() for name, value in self.network.get_submodule(layer.name).state_dict().items()}
        try:
            for weight, bias in ((layer.weight, layer.bias), others):
                set_layer(self.network, layer, weight, bias)
                caught: list[Tensor] = []
                module = self.network.get_submodule(layer.name)
                with watching({module}, lambda _module, given: caught.append(given)):  # noqa: B023  # called within
                    logits = self.logits().cpu()
                features = features_read(module, caught[-1]).float().cpu()
                if not _same(logits, features @ weight.T + bias):
                    raise LastLayerError(self._reason(layer.name))
        finally:
            self.network.get_submodule(layer.name).load_state_dict(before)

    def _reason(self, name: str) -> str:
        after = _After()
        handle = self.network.get_submodule(name).register_forward_hook(after.begin)
        with after:
            self.logits()
        handle.remove()
        by = ", ".join(dict.fromkeys(after.names)) or "not by a PyTorch function"
        return f"the outputs of the layer {name} are not the network's logits: something after it changes them ({by})"


class _After(TorchFunctionMode):
    """Records the operations that run after a module, apart from changes of shape."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self._ran = False

    def begin(self, *_: object) -> None:
        """Record from now on; this is a forward hook."""
        self._ran = True

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if self._ran and isinstance(result, Tensor) and name not in RESHAPES and not name.startswith("__"):
            self.names.append(name)
        return result


def _outputs(module: nn.Module) -> int:
    return module.out_channels if isinstance(module, nn.Conv2d) else int(module.out_features)  # type: ignore[arg-type]


def _same(logits: Tensor, expected: Tensor) -> bool:
    """Return whether the softmaxes of two ``[N, C]`` are equal, up to rounding."""
    a, b = logits.log_softmax(1), expected.log_softmax(1)
    scale = (expected - expected.mean(1, keepdim=True)).abs().max()
    close = (a - b).abs() <= _CLOSE * scale + 1e-6
    return bool((close | ((a.exp() - b.exp()).abs() <= _SATURATED)).all())
