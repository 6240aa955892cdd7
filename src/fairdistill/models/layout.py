"""The memory layout of a network: channels last, which is faster, unless its code needs the ordinary layout."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


def to_device(network: nn.Module, device: torch.device) -> None:
    """Move a network to a device, in the channels-last layout unless that was found to fail."""
    layout = torch.contiguous_format if _is_ordinary(network) else torch.channels_last
    network.to(device=device, memory_format=layout)  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format


def settle_layout(network: nn.Module, example: Tensor) -> None:
    """Keep a network in the ordinary layout from now on if it fails in the channels-last one only.

    ``features.view(len(features), -1)`` is such code. The network is moved to the example's device.

    Args:
        network: in eval mode.
        example: ``[N, 3, H, W]`` images.
    """
    to_device(network, example.device)
    if _is_ordinary(network) or _runs(network, example.contiguous(memory_format=torch.channels_last)):
        return
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # as above
    handle = network.register_forward_pre_hook(_Ordinary())
    if not _runs(network, example):
        handle.remove()
        to_device(network, example.device)


class _Ordinary:
    """A hook that gives a network its images in the ordinary layout."""

    def __call__(self, _network: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(value.contiguous() if isinstance(value, Tensor) else value for value in inputs)


def _is_ordinary(network: nn.Module) -> bool:
    return any(isinstance(hook, _Ordinary) for hook in network._forward_pre_hooks.values())


def _runs(network: nn.Module, images: Tensor) -> bool:
    try:
        with torch.no_grad():
            network(images)
    except Exception:  # a network may raise anything
        return False
    return True
