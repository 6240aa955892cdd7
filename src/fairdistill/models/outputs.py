"""The output of a network, as logits."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fairdistill.errors import UsageError


def class_logits(output: object) -> Tensor:
    """Return a network's output as logits ``[N, C]``, C >= 2.

    A tensor ``[N, C]`` is returned as it is, and one ``[N, C, 1, 1]`` without its last dimensions. A mapping or object
    with ``logits`` (Hugging Face's outputs, torchvision's networks with auxiliary heads) is read from that field.
    One number ``z`` per sample, ``[N]`` or ``[N, 1]``, is the logit of a sigmoid and becomes ``(0, z)``:
    ``softmax(0, z) = (1 - sigmoid(z), sigmoid(z))``, so class 1 is the positive one.

    Raises:
        UsageError: for any other output; the message names its type or shape.

    Example:
        >>> class_logits(torch.tensor([[2.0], [-1.0]]))
        tensor([[ 0.,  2.],
                [ 0., -1.]])
    """
    outputs = raw_outputs(output)
    return with_two_columns(outputs) if outputs.shape[1] == 1 else outputs


def with_two_columns(positive: Tensor) -> Tensor:
    """Return the logits ``(0, z)`` of a sigmoid's logit ``z``, ``[N, 1]``."""
    return torch.cat((torch.zeros_like(positive), positive), dim=1)


def raw_outputs(output: object) -> Tensor:
    """Return a network's output as a matrix ``[N, C]``, C >= 1, whatever its numbers mean.

    Raises:
        UsageError: as :func:`class_logits`.
    """
    if isinstance(output, Mapping):
        output = output.get("logits", output)
    elif not isinstance(output, Tensor):
        output = getattr(output, "logits", output)
    if not isinstance(output, Tensor):
        raise UsageError(
            f"expected a network that returns logits [N, C] or an object with .logits, but it returned "
            f"{_described(output)}; wrap it in a module whose forward returns only the logits"
        )
    if not output.is_floating_point():
        raise UsageError(
            f"expected a network that returns logits [N, C], but it returned whole numbers ({output.dtype}), such as "
            "the numbers of the predicted classes; take the outputs from which they are made"
        )
    if output.ndim == 1:
        return output.unsqueeze(1)
    if output.ndim == 4 and output.shape[2:] == (1, 1):
        output = output.flatten(1)
    if output.ndim != 2 or output.shape[1] == 0:
        raise UsageError(
            f"expected a network that returns logits [N, C], but it returned a tensor of shape {tuple(output.shape)}; "
            "wrap it in a module whose forward returns one row of logits per sample"
        )
    return output


def _described(output: object) -> str:
    if isinstance(output, Mapping):
        return f"a {type(output).__name__} with the keys {', '.join(map(str, output)) or '(none)'}"
    if isinstance(output, tuple | list):
        return f"a {type(output).__name__} of {len(output)}: {', '.join(type(item).__name__ for item in output)}"
    return f"a {type(output).__name__}"
