"""Find a classifier's features in the list of operations that one pass through it runs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from fairdistill.types import TapName

_LINEAR_INPUT = {"linear": 0, "addmm": 1, "mm": 0}
_CONVOLUTIONS = ("conv2d", "convolution", "_convolution")
_ATTENTION = ("scaled_dot_product_attention", "multi_head_attention_forward")
_ENDS_THE_MAP = ("pool", "mean", "drop")


@dataclass(frozen=True)
class Value:
    """A tensor: its identity and its shape; a size that is not fixed is given by its symbol."""

    key: Hashable
    shape: tuple[int | str, ...]

    @property
    def space(self) -> tuple[int | str, ...]:
        """Height and width of a map; empty for anything else."""
        return self.shape[2:] if len(self.shape) == 4 else ()


@dataclass(frozen=True)
class Op:
    """One operation: its name in PyTorch, its input tensors and its output tensors."""

    name: str
    inputs: tuple[Value, ...]
    outputs: tuple[Value, ...]


def find_head(ops: Sequence[Op], num_classes: int) -> int | None:
    """Return the index of the operation that makes the logits.

    It is the last linear layer, or the last convolution if that runs later and has one output per class.

    Args:
        ops: operations in the order they ran.
        num_classes: width of the network's output; 1 or 2 if it returned one number per sample.
    """
    widths = {num_classes, 1} if num_classes == 2 else {num_classes}
    for index, op in reversed(list(enumerate(ops))):
        if op.name in _LINEAR_INPUT:
            return index
        if op.name in _CONVOLUTIONS and op.outputs[0].shape[1] in widths:
            return index
    return None


def embedding_of(head: Op) -> Value | None:
    """Return the input of the head; None if that is a map that is pooled only afterwards."""
    value = head.inputs[_LINEAR_INPUT.get(head.name, 0)]
    return None if head.name in _CONVOLUTIONS and value.space != (1, 1) else value


def find_maps(ops: Sequence[Op], head: int | None) -> list[tuple[int, Value]]:
    """Return the last convolution's map and its later stages before pooling, each with the operation that made it.

    Starting from the output of the last convolution of maps, results computed from it are followed as long as they
    are maps of the same height and width: normalization, activation, sums with shortcuts, concatenation. Pooling,
    averaging and dropout end the search. The last map returned is the one after the activation. A 1x1 convolution of
    pooled 1x1 maps (squeeze-and-excitation, a layer of the head) does not count as a convolution of maps, nor does one
    whose kernel covers its input. If tokens are read afterwards (transformers), there is no such map.
    """
    convolutions = [i for i, op in enumerate(ops) if op.name in _CONVOLUTIONS and i != head and _reads_maps(op)]
    if not convolutions:
        return []
    start = convolutions[-1]
    first = ops[start].outputs[0]
    followed = {first.key}
    maps = [(start, first)]
    for index, op in enumerate(ops[start + 1 :], start + 1):
        if index == head or any(word in op.name for word in _ENDS_THE_MAP):
            continue
        if any(value.key in followed for value in op.inputs):
            followed.update(value.key for value in op.outputs)
            maps += [(index, value) for value in op.outputs if value.space == first.space]
    return [] if any(_reads_tokens(op, first.shape[0]) for op in ops[maps[-1][0] + 1 :]) else maps


def find_values(ops: Sequence[Op], width: int | str) -> dict[TapName, Value]:
    """Return the embedding and the last convolutional map after its activation, as far as they exist.

    Args:
        ops: operations in the order they ran.
        width: of the network's output; a width that is not known counts as two, and so does a single number.
    """
    head = find_head(ops, width if isinstance(width, int) and width != 1 else 2)
    embedding = embedding_of(ops[head]) if head is not None else None
    maps = find_maps(ops, head)
    found: dict[TapName, Value] = {} if embedding is None else {"embedding": embedding}
    return {**found, "map": maps[-1][1]} if maps else found


def _reads_maps(op: Op) -> bool:
    space, kernel = op.inputs[0].space, op.inputs[1].space
    if kernel == (1, 1):
        return space != (1, 1)
    return not (kernel == space and op.outputs[0].space == (1, 1))


def _reads_tokens(op: Op, batch_size: int | str) -> bool:
    """Return whether an operation works on several vectors per sample, possibly laid out as additional samples."""
    if op.name in _LINEAR_INPUT:
        shape = op.inputs[_LINEAR_INPUT[op.name]].shape
        return len(shape) > 2 or shape[0] != batch_size
    return op.name in _ATTENTION
