"""The operation that a network ends in, which tells logits from probabilities."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils import _pytree as pytree

from fairdistill.models.outputs import raw_outputs

LINEAR = frozenset({"linear", "addmm", "mm", "matmul", "conv2d"})
RESHAPES = frozenset({
    "view", "reshape", "squeeze", "squeeze_", "unsqueeze", "flatten", "ravel", "getitem", "__getitem__", "to", "float",
    "double", "contiguous", "clone", "select", "slice", "permute", "transpose", "detach",
})  # fmt: skip


def last_operation(network: nn.Module, example: Tensor) -> str | None:
    """Return the name of the operation that a network's output comes from, apart from changes of its shape.

    Args:
        network: any network, run as it is, without gradients.
        example: ``[N, 3, H, W]`` images.

    Returns:
        For example ``softmax``, ``sigmoid`` or ``linear``; None if no PyTorch function made the output, as in an ONNX
        file.

    Example:
        >>> last_operation(nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Sigmoid()), torch.zeros(1, 3, 2, 2))
        'sigmoid'
    """
    made = _Made()
    with torch.no_grad(), made:
        output = network(example)
    tensor = raw_outputs(output)
    key: int | None = id(tensor)
    if key not in made.by and isinstance(output, Tensor):
        key = id(output)  # ``raw_outputs`` gave it a second dimension
    while key in made.by:
        name, source = made.by[key]
        if name not in RESHAPES or source is None:
            return name
        key = source
    return None


class _Made(TorchFunctionMode):
    """Records for every tensor which function made it, and from which tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.by: dict[int | None, tuple[str, int | None]] = {}
        self._held: list[Tensor] = []  # an identity is unique only while its tensor lives

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "").partition(".")[0]  # of an exported program's: sigmoid.default
        given = [leaf for leaf in pytree.tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)]
        for tensor in pytree.tree_leaves(result):
            if not isinstance(tensor, Tensor):
                continue
            if all(tensor is not one for one in given):
                self._held.append(tensor)
                self.by[id(tensor)] = (name, id(given[0]) if given else None)
            elif name.endswith("_") and name not in RESHAPES:  # in place
                self.by[id(tensor)] = (name.strip("_"), None)
        return result
