"""RandAugment, random changes of color and geometry, on batches of uint8 images.

Cubuk, Zoph, Shlens and Le, *RandAugment: Practical Automated Data Augmentation with a Reduced Search Space* (NeurIPS
2020), as in torchvision, with its defaults: 2 of 14 operations after one another, each at magnitude 9 of 30.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from fairdistill.system.vision import import_torchvision

_SHARING = 4  # images that share their operations: a quarter of the time, and still 30 draws in a batch of 120


def draw_operations(n: int, draw: torch.Generator) -> Tensor:
    """Return a seed of the operations for each image, int64 ``[n]`` on the CPU; 4 images chosen at random share one."""
    count = -(-n // _SHARING)
    seeds = torch.randint(2**62, (count,), generator=draw)
    return seeds[torch.randperm(n, generator=draw) % count]


def randaug(images: Tensor, seeds: Tensor) -> Tensor:
    """Return images changed by RandAugment; PyTorch's random state is left as it was.

    Args:
        images: uint8 ``[n, 3, H, W]``.
        seeds: int64 ``[n]`` on the CPU; images with the same seed undergo the same operations.

    Returns:
        uint8 ``[n, 3, H, W]``.

    Raises:
        UsageError: if torchvision is not installed; the message gives the command that installs it.
    """
    transform, changed = randaug_transform(), torch.empty_like(images)
    drawn, which = seeds.unique(return_inverse=True)
    with torch.random.fork_rng(devices=[]):
        for number, seed in enumerate(drawn.tolist()):
            rows = (which == number).nonzero().flatten().to(images.device, non_blocking=True)
            torch.default_generator.manual_seed(seed)  # torchvision draws from it, whatever the images' device
            changed[rows] = transform(images[rows])
    return changed


@cache
def randaug_transform() -> Callable[[Tensor], Tensor]:
    """Return torchvision's transform of a batch, the same operations for all of its images.

    Raises:
        UsageError: if torchvision is not installed; the message gives the command that installs it.
    """
    import_torchvision()
    transform: Callable[[Tensor], Tensor] = importlib.import_module("torchvision.transforms.v2").RandAugment()
    return transform
