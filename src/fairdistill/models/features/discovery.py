"""Find where a network's features are by running it on an example."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from fairdistill.errors import UsageError
from fairdistill.models.features.anatomy import Op, Value, embedding_of, find_head, find_maps
from fairdistill.models.features.taps import TapPoint, point_of
from fairdistill.models.outputs import class_logits
from fairdistill.text.meant import did_you_mean
from fairdistill.types import TapName

_LARGE = 128  # pixels; a network that halves its maps five times still has maps of 4 x 4
_RELU = ("relu", "relu_")
_FEATURE_IS_THE_MAP = (("torchvision.models.resnet", "ResNet"), ("torchvision.models.shufflenetv2", "ShuffleNetV2"))


def find_taps(
    network: nn.Module, example: Tensor, *, named: Mapping[TapName, str] | None = None
) -> dict[TapName, TapPoint]:
    """Find where a classifier's features are, by running it once or twice on an example.

    ``embedding`` is the input of the head: the last linear layer, or a 1x1 convolution after pooling. ``map`` is the
    last convolutional map after its activation and before pooling; transformers have none. ``feature`` is the map
    for torchvision's ResNet and ShuffleNetV2; for other networks it is the embedding, or the map if there is no
    embedding. Features that are not found are left out. A network can state its own places in its attribute
    ``tap_points``, and turn names of its own into those of modules with its method ``reveal``.

    Args:
        network: any module that maps images to logits; its mode and statistics are left as they were.
        example: ``[N, 3, H, W]`` images; one is enough.
        named: places named by the user, each a module's name (its output) or ``NAME:input``; if a module runs several
            times, its last call is read.

    Raises:
        UsageError: if the network cannot take the example or returns no logits, or a named module does not exist,
            does not run or has no tensor there.

    Example:
        >>> network = nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> sorted(find_taps(network, torch.zeros(1, 3, 4, 4)))
        ['embedding', 'feature']
    """
    reveal: Any = getattr(network, "reveal", None)
    if reveal is not None:
        named = {name: reveal(place) for name, place in (named or {}).items()}
    with _evaluating(network):
        small = _Pass(network)
        try:
            logits = small.run(example)
        except UsageError:
            raise
        except Exception as error:  # a network may raise anything
            raise UsageError(
                f"{type(network).__name__} cannot take images of shape {tuple(example.shape[1:])}: "
                f"{type(error).__name__}: {error}"
            ) from error
        known: Any = getattr(network, "tap_points", None)
        points: dict[TapName, TapPoint] = (
            dict(known) if known is not None else _search(_enlarged(network, example, logits) or small, logits.shape[1])
        )
    points |= {name: _named_point(name, place, network, small) for name, place in (named or {}).items()}
    names = {(kind.__module__, kind.__name__) for kind in type(network).__mro__}
    preferred: tuple[TapName, ...] = ("map",) if names.intersection(_FEATURE_IS_THE_MAP) else ("embedding", "map")
    same = next((tap for tap in preferred if tap in points), None)
    if same is not None:
        points.setdefault("feature", points[same])
    return points


@dataclass
class _Call:
    """One call of a module; ``begin`` and ``end`` count the operations that ran before its begin and its end."""

    name: str
    module: nn.Module
    ordinal: int
    given: Any
    begin: int
    returned: Any = None
    end: int = -1


class _Pass(TorchFunctionMode):
    """One pass through a network: its operations, and which modules ran when.

    It holds every tensor, so that each can be recognized by its identity.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self.ops: list[Op] = []
        self.calls: list[_Call] = []
        self.tensors: dict[Hashable, Tensor] = {}

    def run(self, images: Tensor) -> Tensor:
        """Run the network; return its logits."""
        handles = []
        open_calls: list[_Call] = []

        def begin(name: str) -> Callable[[nn.Module, Any], None]:
            def hook(module: nn.Module, inputs: Any) -> None:
                ordinal = sum(call.module is module for call in self.calls)
                given = inputs[0] if inputs else None
                call = _Call(name, module, ordinal, given, begin=len(self.ops))
                self.calls.append(call)
                open_calls.append(call)

            return hook

        def end(_module: nn.Module, _inputs: Any, output: Any) -> None:
            call = open_calls.pop()
            call.returned, call.end = output, len(self.ops)

        for name, module in self.network.named_modules():
            if name:
                handles += [module.register_forward_pre_hook(begin(name)), module.register_forward_hook(end)]
        try:
            with torch.no_grad(), self:
                return class_logits(self.network(images))
        finally:
            for handle in handles:
                handle.remove()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        outputs = self._values(result)
        if outputs:
            name = getattr(func, "__name__", "")
            self.ops.append(Op(name, self._values((args, kwargs)), outputs))
        return result

    def _values(self, tree: Any) -> tuple[Value, ...]:
        tensors = [leaf for leaf in pytree.tree_leaves(tree) if isinstance(leaf, Tensor)]
        self.tensors.update({id(tensor): tensor for tensor in tensors})
        return tuple(Value(id(tensor), tuple(tensor.shape)) for tensor in tensors)

    def place_of(self, value: Value, *, after: int, until: int) -> TapPoint | None:
        """Return where a hook sees a tensor between the ends of two operations; None if nowhere."""
        tensor = self.tensors[value.key]
        dropped = (i for i, op in enumerate(self.ops) if i > after and "drop" in op.name and value in op.inputs)
        until = min(until, next(dropped, until))  # in eval mode dropout returns its very input
        out = [call for call in self.calls if call.returned is tensor and after < call.end <= until]
        leaves = [call for call in out if next(call.module.children(), None) is None]
        if leaves:
            return _point(leaves[-1], "output")
        if out:
            return _point(min(out, key=lambda call: call.end - call.begin), "output")
        into = [call for call in self.calls if call.given is tensor and after < call.begin <= until]
        return _point(into[0], "input") if into else None


def _search(found: _Pass, num_classes: int) -> dict[TapName, TapPoint]:
    points: dict[TapName, TapPoint] = {}
    head = find_head(found.ops, num_classes)
    embedding = _embedding_point(found, head) if head is not None else None
    if embedding is not None:
        points["embedding"] = embedding
    for index, value in reversed(find_maps(found.ops, head)):
        place = found.place_of(value, after=index, until=len(found.ops)) or _before_relu(found, index)
        if place is not None:
            points["map"] = place
            break
    return points


def _embedding_point(found: _Pass, head: int) -> TapPoint | None:
    value = embedding_of(found.ops[head])
    if value is None:
        return None
    around = [call for call in found.calls if call.begin <= head < call.end]
    layer = around[-1] if around and isinstance(around[-1].given, Tensor) else None
    if layer is not None and layer.given is found.tensors[value.key]:
        return _point(layer, "input")
    made = max((i for i, op in enumerate(found.ops[:head]) if value in op.outputs), default=-1)
    exact = found.place_of(value, after=made, until=head)
    if exact is None and layer is not None and tuple(layer.given.shape) == value.shape:
        return _point(layer, "input")  # a special kind of head, which normalizes its input first
    return exact


def _before_relu(found: _Pass, index: int) -> TapPoint | None:
    """Return where the input of a functional ReLU can be read, to which a ReLU is then applied."""
    op = found.ops[index]
    if op.name not in _RELU:
        return None
    made = max((i for i, earlier in enumerate(found.ops[:index]) if op.inputs[0] in earlier.outputs), default=-1)
    place = found.place_of(op.inputs[0], after=made, until=index)
    return TapPoint(place.module, place.side, place.call, relu=True) if place is not None else None


def _point(call: _Call, side: Literal["input", "output"]) -> TapPoint:
    return TapPoint(call.name, side, call=call.ordinal)


def _enlarged(network: nn.Module, example: Tensor, logits: Tensor) -> _Pass | None:
    """Return a pass on a larger image, on which no map shrinks to 1x1; None if the network takes no larger image."""
    height, width = example.shape[-2:]
    scale = -(-_LARGE // min(height, width))
    if scale <= 1:
        return None
    large = _Pass(network)
    try:
        answer = large.run(F.interpolate(example[:1], scale_factor=scale))
    except Exception:  # a network of a fixed size may raise anything
        return None
    return large if answer.shape[1] == logits.shape[1] else None


def modules_to_name(wrong: str, modules: Sequence[str]) -> str:
    """Return which modules may have been meant by a name that none has, and the last ones, as the end of a sentence."""
    hint = did_you_mean(wrong, modules, otherwise=";", most=3)
    return f"{hint} the last modules are: {', '.join(modules[-8:])}"


def _named_point(name: TapName, place: str, network: nn.Module, found: _Pass) -> TapPoint:
    point = point_of(name, place)
    module = point.module
    modules = [known for known, _ in network.named_modules() if known]
    if module not in modules:
        raise UsageError(
            f"tap {name!r}: {type(network).__name__} has no module {module!r}{modules_to_name(module, modules)}"
        )
    target = network.get_submodule(module)
    calls = [call for call in found.calls if call.module is target]
    if not calls:
        raise UsageError(f"tap {name!r}: the module {module!r} does not run when the network sees an image")
    value = calls[-1].given if point.side == "input" else calls[-1].returned
    if not isinstance(value, Tensor):
        raise UsageError(
            f"tap {name!r}: the {point.side} of the module {module!r} is a {type(value).__name__}, not a tensor; "
            "choose another module"
        )
    return point


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    """Set eval mode, and restore each module's own mode afterwards."""
    training = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in training.items():
            module.training = mode
