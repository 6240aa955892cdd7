"""Preparing a batch on the device: gather, mirror, scale, normalise."""

from __future__ import annotations

import torch
from torch import Tensor

from fairdistill.data.dataset import GroupedDataset, Recipe
from fairdistill.randomness import generator
from fairdistill.types import Batch


class Pipeline:
    """Batches of one data set, prepared on the device; the whole data set lives there as uint8.

    Args:
        dataset: what to read.
        device: where batches are made.
        seed: the run's seed; the mirroring of a batch depends on it and on the step alone.

    Attributes:
        labels: int64 ``[rows]`` on the device.
        groups: int64 ``[rows]`` on the device.
        num_rows: rows of the data set.
        num_states: how many augmentation states an image has: 2 with mirroring, else 1.
    """

    def __init__(self, dataset: GroupedDataset, *, device: torch.device, seed: int) -> None:
        self._images = dataset.images.to(device)
        self.labels = dataset.labels.to(device)
        self.groups = dataset.groups.to(device)
        self._recipe = dataset.recipe
        self._normalise = Normalise(dataset.recipe, device)
        self._device = device
        self._seed = seed
        self.num_rows = len(dataset)
        self.num_states = dataset.recipe.num_states

    def train_batch(self, index: Tensor, *, step: int) -> Batch:
        """Return the rows ``index`` (int64, CPU), augmented as step ``step`` of the run does."""
        state = torch.zeros_like(index)
        if self._recipe.flip:
            draw = generator(self._seed, "flip", step)
            state = torch.randint(0, 2, (len(index),), generator=draw)
        return self.batch(index, state)

    def batch(self, index: Tensor, state: Tensor | None = None) -> Batch:
        """Return the rows ``index`` in the augmentation states ``state`` (default: as they are)."""
        if state is None:
            state = torch.zeros_like(index)
        rows = index.to(self._device, non_blocking=True)
        images = self._images[rows]
        if self._recipe.flip:
            mirrored = state.to(self._device, non_blocking=True).bool().view(-1, 1, 1, 1)
            images = torch.where(mirrored, images.flip(3), images)
        return Batch(
            images=self._normalise(images),
            labels=self.labels[rows],
            groups=self.groups[rows],
            index=index,
            state=state,
        )


class Normalise:
    """Scales uint8 images to [0, 1] and normalises them: ``(x / 255 - mean) / std``, float32, channels last."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        mean = torch.tensor(recipe.mean, dtype=torch.float32, device=device).view(1, 3, 1, 1)
        std = torch.tensor(recipe.std, dtype=torch.float32, device=device).view(1, 3, 1, 1)
        self._scale = 1 / (255 * std)
        self._shift = -mean / std
        self._plain = recipe.mean == (0.0, 0.0, 0.0) and recipe.std == (1.0, 1.0, 1.0)

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 ``[N, 3, H, W]`` of uint8 ``[N, 3, H, W]``."""
        scaled = images.contiguous(memory_format=torch.channels_last).float()
        if self._plain:
            return scaled.div_(255)
        return scaled.mul_(self._scale).add_(self._shift)
