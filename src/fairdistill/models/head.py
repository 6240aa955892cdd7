"""The last layer of a classifier: finding it, and replacing it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fairdistill.errors import UsageError


def head_name(network: nn.Module) -> str | None:
    """Return the name of a network's last linear layer, or of its last convolution if it has none, else None.

    "Last" is the one defined last.

    Example:
        >>> head_name(nn.Sequential(nn.Flatten(), nn.Linear(3, 2)))
        '1'
    """
    for kind in (nn.Linear, nn.Conv2d):
        names: list[str] = [name for name, module in network.named_modules() if isinstance(module, kind)]
        if names:
            return names[-1]
    return None


def with_two_outputs(network: nn.Module, *, order: Sequence[int] | None = None) -> dict[str, Tensor]:
    """Return a network's weights; a single output, the logit ``z`` of a sigmoid, becomes two that give ``(0, z)``.

    Args:
        network: the network.
        order: the output of each class, to arrange them in the order of the classes; None to leave them.

    Example:
        >>> [tuple(value.shape) for value in with_two_outputs(nn.Sequential(nn.Linear(3, 1))).values()]
        [(2, 3), (2,)]
    """
    weights = dict(network.state_dict())
    for name in (f"{head_name(network)}.weight", f"{head_name(network)}.bias"):
        if name in weights and len(weights[name]) == 1:
            weights[name] = torch.cat([torch.zeros_like(weights[name]), weights[name]])
        if name in weights and order is not None:
            weights[name] = weights[name][list(order)]
    return weights


def replace_head(network: nn.Module, num_classes: int) -> None:
    """Replace a network's last layer with a new one that has ``num_classes`` outputs.

    Raises:
        UsageError: if the network has neither a linear layer nor a convolution.
    """
    name = head_name(network)
    if not name:
        raise UsageError(
            f"{type(network).__name__} has no linear or convolutional head that could be replaced for "
            f"{num_classes} classes"
        )
    old = network.get_submodule(name)
    new: nn.Module
    if isinstance(old, nn.Linear):
        new = nn.Linear(old.in_features, num_classes, bias=old.bias is not None)
    else:
        assert isinstance(old, nn.Conv2d)
        new = nn.Conv2d(
            old.in_channels,
            num_classes,
            old.kernel_size,  # type: ignore[arg-type]  # torch types it as a tuple of any length
            stride=old.stride,  # type: ignore[arg-type]
            padding=old.padding,  # type: ignore[arg-type]
            bias=old.bias is not None,
        )
    parent, _, child = name.rpartition(".")
    setattr(network.get_submodule(parent), child, new)
