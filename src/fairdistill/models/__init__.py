"""Networks by name, their named features, the frozen teacher and the projector."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models.conv_net import cifar_net, digit_net
from fairdistill.models.projector import Projector
from fairdistill.models.taps import Tapped, TapPoint, find_taps
from fairdistill.models.teacher import Teacher

__all__ = [
    "NETWORKS", "Projector", "TapPoint", "Tapped", "Teacher", "build", "cifar_net", "digit_net", "find_taps",
]  # fmt: skip

NETWORKS: Mapping[str, Callable[[int], nn.Module]] = {"cifar_net": cifar_net, "digit_net": digit_net}


def build(name: str, num_classes: int) -> nn.Module:
    """Return a new network by name, its weights drawn from PyTorch's global generator.

    Raises:
        UsageError: if there is no network of this name; the text names those there are.

    Example:
        >>> sum(p.numel() for p in build("cifar_net", 10).parameters())
        814122
    """
    try:
        factory = NETWORKS[name]
    except KeyError:
        close = difflib.get_close_matches(name, NETWORKS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else "."
        raise UsageError(f"unknown network {name!r}{hint} Choose one of: {', '.join(NETWORKS)}") from None
    return factory(num_classes)
