"""The graph of an exported program: adapted to any layout and precision, and searched for its features."""

from __future__ import annotations

import operator
from collections.abc import Sequence

import torch
from torch import Tensor, fx

from fairdistill.models.features.anatomy import Op, Value, find_values
from fairdistill.types import TapName

_CHECKS = ("_guards_fn", "_assert_tensor_metadata", "_assert_scalar")
_DROPOUT = ("dropout", "dropout_", "feature_dropout", "feature_dropout_", "alpha_dropout", "alpha_dropout_")
_VIEWS = ("view", "_unsafe_view")


def is_in_train_mode(graph: fx.Graph) -> bool:
    """Return whether batch-norm or dropout was exported in train mode."""
    for node in graph.nodes:
        if isinstance(node.target, torch._ops.OpOverload):
            names = [argument.name for argument in node.target._schema.arguments]
            given = {**dict(zip(names, node.args, strict=False)), **node.kwargs}
            if given.get("training") is True or given.get("train") is True:
                return True
    return False


def simplify(graph: fx.Graph) -> None:
    """Change a graph in eval mode in place so that it takes any layout and precision.

    Checks of the traced types reject autocast's results, views fail in the channels-last layout, and dropout has no
    effect.
    """
    for node in list(graph.nodes):
        name = _name(node)
        if name in _CHECKS:
            graph.erase_node(node)
        elif name in _DROPOUT:
            node.replace_all_uses_with(node.args[0])
            graph.erase_node(node)
        elif name in _VIEWS:
            node.target = torch.ops.aten.reshape.default


def find_tap_nodes(graph: fx.Graph, outputs: Sequence[fx.Node]) -> dict[TapName, fx.Node]:
    """Return the nodes of the embedding and of the last convolutional map, if they exist."""
    values = {node: _value(node) for node in graph.nodes if isinstance(node.meta.get("val"), Tensor | tuple | list)}
    made_by = {value.key: node for node, value in values.items()}
    ops = [
        Op(_name(node), tuple(values[given] for given in node.all_input_nodes if given in values), (value,))
        for node, value in values.items()
        if node.op == "call_function"
    ]
    widths = [values[node].shape[1] for node in outputs if node in values and len(values[node].shape) == 2]
    return {name: made_by[value.key] for name, value in find_values(ops, next(iter(widths), 2)).items()}


def _name(node: fx.Node) -> str:
    if isinstance(node.target, torch._ops.OpOverload):
        return str(node.target.overloadpacket.__name__)
    if node.op == "call_module":
        return str(node.target)
    return "getitem" if node.target is operator.getitem else ""


def _value(node: fx.Node) -> Value:
    """Return a node's value; one of several tensors has no shape of its own."""
    shape = getattr(node.meta["val"], "shape", ())
    return Value(node.name, tuple(size if isinstance(size, int) else str(size) for size in shape))
