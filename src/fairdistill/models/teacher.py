"""A frozen teacher: always in eval mode, never with gradients, its statistics fixed."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping

import torch
from torch import Tensor, nn

from fairdistill.models.features.taps import Tapped, TapPoint
from fairdistill.models.layout import to_device
from fairdistill.types import TapName, Taps


class Teacher:
    """A private, frozen copy of a network, read at named features.

    It is deliberately not an ``nn.Module``: ``train()`` of a surrounding module does not reach it, optimizers do not
    find its parameters, and checkpoints do not save it. Changes to the original do not affect the copy.

    Args:
        network: the trained network; it is copied.
        points: where its features are read.
        keep: the features to return; others are not stored.
    """

    def __init__(self, network: nn.Module, points: Mapping[TapName, TapPoint], *, keep: Collection[TapName]) -> None:
        frozen = copy.deepcopy(network).eval().requires_grad_(False)
        self.keep = frozenset(keep)
        self._tapped = Tapped(frozen, {name: point for name, point in points.items() if name in self.keep})

    def __call__(self, images: Tensor) -> Taps:
        """Return the kept features of ``[N, 3, H, W]`` images, without gradients."""
        self._tapped.network.eval()  # regardless of changes to the modules from outside
        with torch.no_grad():
            taps = self._tapped(images)
        return {name: value for name, value in taps.items() if name in self.keep}

    def to(self, device: torch.device) -> Teacher:
        """Move to ``device``; return self."""
        to_device(self._tapped.network, device)
        return self
