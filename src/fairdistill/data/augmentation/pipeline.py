"""Preparing a batch on the device: gather, crop, shift, flip, RandAugment, cutout, scale, normalize."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from fairdistill.data.augmentation.randaug import draw_operations, randaug, randaug_transform
from fairdistill.data.augmentation.shifting import cut_out, draw_holes, draw_shifts, shifted
from fairdistill.data.dataset import GroupedDataset
from fairdistill.data.images.reading import ImageFiles, InMemory, Reader
from fairdistill.data.images.view import View
from fairdistill.data.recipe import Augmenting, Recipe
from fairdistill.system.processes import ALONE, World
from fairdistill.system.randomness import generator
from fairdistill.types import Batch, Draws

AS_THE_DATA_SET = Augmenting()
"""The data set's own crops and flips alone."""


class Pipeline:
    """Batches of one data set, prepared on the device.

    Images in memory live on the device as uint8; images in files are read from their cache.

    Args:
        dataset: the images.
        device: the device of the batches.
        seed: the run's seed; the augmentation of a batch depends only on it and the step.
        recipe: preprocessing to use in place of the data set's own, for example a teacher's.
        augmenting: what else is done to training images.

    Attributes:
        labels: int64 ``[rows]`` on the device.
        groups: int64 ``[rows]`` on the device.
        num_rows: rows of the data set.

    Raises:
        UsageError: with ``randaug``, if torchvision is not installed.
    """

    def __init__(
        self,
        dataset: GroupedDataset,
        *,
        device: torch.device,
        seed: int,
        recipe: Recipe | None = None,
        augmenting: Augmenting = AS_THE_DATA_SET,
    ) -> None:
        self._dataset = dataset
        self._readers: dict[View, Reader] = {}
        self.labels = dataset.labels.to(device)
        self.groups = dataset.groups.to(device)
        self._recipe = recipe or dataset.recipe
        self._normalise = Normalise(self._recipe, device)
        self._device = device
        self._seed = seed
        self.num_rows = len(dataset)
        self._augmenting = augmenting
        gray = [255 * mean if any(self._recipe.mean) else 128 for mean in self._recipe.mean]
        self._gray = torch.tensor(gray[::-1] if self._recipe.bgr else gray, device=device).round().to(torch.uint8)
        if augmenting.policy == "randaug":
            randaug_transform()  # fails here, not in mid-run

    def train_batch(self, index: Tensor, *, step: int, world: World = ALONE, passes: Tensor | None = None) -> Batch:
        """Return the rows ``index`` (int64, CPU) with the augmentation of step ``step`` of the run.

        Each of several processes takes its own part of the rows; their number does not affect the augmentation.

        Args:
            index: the rows.
            step: the step.
            world: the processes that train together.
            passes: int64 ``[n]``, how often each row was drawn before, for alternating flips.
        """
        draws = self._draws(index, step=step, passes=passes)
        if world.alone:
            return self.batch(index, draws=draws)
        batch = self.batch(index[world.own], draws=draws.of(world.own))
        return replace(batch, global_batch_size=len(index))

    def _draws(self, index: Tensor, *, step: int, passes: Tensor | None) -> Draws:
        recipe, augmenting, n = self._recipe, self._augmenting, len(index)
        state, boxes, operations, shifts, holes = torch.zeros_like(index), None, None, None, None
        if recipe.flip and augmenting.alternating_flip and passes is not None:
            state = (self._first_flips[index] + passes) % 2
        elif recipe.flip:
            state = torch.randint(0, 2, (n,), generator=generator(self._seed, "flip", step))
        if recipe.random_crop:
            boxes = draw_boxes(recipe, n, generator(self._seed, "crop", step))
        if augmenting.policy == "randaug":
            operations = draw_operations(n, generator(self._seed, "randaug", step))
        if augmenting.crop_padding:
            draw = generator(self._seed, "shift", step)
            shifts = draw_shifts(n, padding=augmenting.crop_padding, size=recipe.size, draw=draw)
        if augmenting.cutout:
            draw = generator(self._seed, "cutout", step)
            holes = draw_holes(n, side=augmenting.cutout, size=recipe.size, draw=draw)
        return Draws(state=state, boxes=boxes, operations=operations, shifts=shifts, holes=holes)

    @cached_property
    def _first_flips(self) -> Tensor:
        """Whether each row is flipped in its first pass, int64 ``[rows]`` on the CPU."""
        return torch.randint(0, 2, (self.num_rows,), generator=generator(self._seed, "flip", 0))

    def batch(self, index: Tensor, state: Tensor | None = None, *, draws: Draws | None = None) -> Batch:
        """Return the rows ``index``, flipped or changed as requested (default: unchanged)."""
        if draws is None:
            draws = Draws(state=torch.zeros_like(index) if state is None else state)
        rows = index.to(self._device, non_blocking=True)
        images, labels, groups = self.images(index, draws), self.labels[rows], self.groups[rows]
        return Batch(images=images, labels=labels, groups=groups, index=index, draws=draws)

    def images(self, index: Tensor, draws: Draws) -> Tensor:
        """Return normalized float32 images ``[n, 3, size, size]`` of int64 ``[n]`` rows (CPU), changed as drawn."""
        recipe = self._recipe
        if draws.boxes is None:
            images = self._reader(recipe.view).take(index).to(self._device, non_blocking=True)
        else:
            images = self._cropped(index, draws.boxes)
        if draws.shifts is not None:
            images = shifted(images, draws.shifts)
        if recipe.flip:
            images = mirror(images, draws.state.to(self._device, non_blocking=True))
        if draws.operations is not None:
            images = randaug(images, draws.operations)
        if draws.holes is not None:
            images = cut_out(images, draws.holes, color=self._gray)
        return self._normalise(images)

    def _cropped(self, index: Tensor, boxes: Tensor) -> Tensor:
        recipe, reader = self._recipe, self._reader(self._recipe.training_view)
        if recipe.crop == "random":
            return reader.windows(index, boxes, recipe.size).to(self._device, non_blocking=True)
        return resized_crop(reader.take(index).to(self._device, non_blocking=True), boxes, recipe.size)

    def _reader(self, view: View) -> Reader:
        if view not in self._readers:
            images = self._dataset.images
            if isinstance(images, ImageFiles):
                self._readers[view] = images.reader(view)
            else:
                self._readers[view] = InMemory(images, view=view, device=self._device)
        return self._readers[view]


def draw_boxes(recipe: Recipe, n: int, draw: torch.Generator) -> Tensor:
    """Return random crops as fractions of the stored image: float64 ``[n, 4]`` of top, left, height and width.

    ``random``: every window of ``size`` by ``size`` pixels is equally likely, as in torchvision's ``RandomCrop``.
    ``resized``: area uniform in [0.08, 1] of the image, aspect ratio log-uniform in [3/4, 4/3], the first of ten tries
    that fits, else the largest central box with an aspect ratio in that range, as in torchvision's
    ``RandomResizedCrop``.
    """
    height, width = recipe.stored
    if recipe.crop == "random":
        h = w = torch.full((n,), recipe.size, dtype=torch.int64)
    else:
        h, w = _random_sizes(height, width, n, draw)
    share = torch.rand(2, n, generator=draw, dtype=torch.float64)
    top = (share[0] * (height - h + 1)).floor()
    left = (share[1] * (width - w + 1)).floor()
    if recipe.crop == "resized":  # a box that was not drawn is centred
        central = h < 0
        h, w = h.abs(), w.abs()
        top = torch.where(central, (height - h) // 2, top)
        left = torch.where(central, (width - w) // 2, left)
    scale = torch.tensor([height, width, height, width], dtype=torch.float64)
    return torch.stack([top, left, h.double(), w.double()], dim=1) / scale


_TRIES = 10


def _random_sizes(height: int, width: int, n: int, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return heights and widths, int64 ``[n]``, negative where none of the tries fitted."""
    area = height * width * (0.08 + 0.92 * torch.rand(n, _TRIES, generator=draw, dtype=torch.float64))
    low, high = math.log(3 / 4), math.log(4 / 3)
    aspect = (low + (high - low) * torch.rand(n, _TRIES, generator=draw, dtype=torch.float64)).exp()
    w = (area * aspect).sqrt().round().long()
    h = (area / aspect).sqrt().round().long()
    fits = (w > 0) & (w <= width) & (h > 0) & (h <= height)
    first = fits.int().argmax(1, keepdim=True)
    ratio = min(max(width / height, 3 / 4), 4 / 3)
    central_h, central_w = min(height, round(width / ratio)), min(width, round(height * ratio))
    none = ~fits.any(1)
    return (
        torch.where(none, -central_h, h.gather(1, first).squeeze(1)),
        torch.where(none, -central_w, w.gather(1, first).squeeze(1)),
    )


def mirror(images: Tensor, state: Tensor) -> Tensor:
    """Flip horizontally the images ``[n, 3, H, W]`` whose ``state`` (int64 ``[n]``) is 1."""
    # Choosing whole rows of both is five times faster than torch.where.
    both = torch.cat([images, images.flip(3)]).permute(0, 2, 3, 1)
    n, height, width, _ = images.permute(0, 2, 3, 1).shape
    chosen = both.reshape(2 * n, -1).index_select(0, state * n + torch.arange(n, device=images.device))
    return chosen.view(n, height, width, 3).permute(0, 3, 1, 2)


def resized_crop(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    """Cut a box from each image and resize it to ``size`` by ``size``, bilinear with antialiasing as Pillow does.

    Args:
        images: uint8 ``[n, 3, H, W]``.
        boxes: float64 ``[n, 4]`` of top, left, height and width, as fractions of H and W.
        size: height and width of the result.

    Returns:
        uint8 ``[n, 3, size, size]``, within one of Pillow's values.
    """
    if images.device.type == "cpu":
        return _resized_crop_on_cpu(images, boxes, size)
    return _resized_crop_batched(images, boxes, size)


def _resized_crop_on_cpu(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    # PyTorch's uint8 kernel takes one box at a time, and is still 6 times faster on a CPU than one product for all.
    _, _, height, width = images.shape
    pixels = (boxes * torch.tensor([height, width, height, width], dtype=torch.float64)).round().long()
    resized = []
    for image, (top, left, high, wide) in zip(images.split(1), pixels.tolist(), strict=True):
        part = image[:, :, top : top + max(high, 1), left : left + max(wide, 1)]
        resized.append(F.interpolate(part, (size, size), mode="bilinear", antialias=True, align_corners=False))
    return torch.cat(resized).contiguous(memory_format=torch.channels_last)


def _resized_crop_batched(images: Tensor, boxes: Tensor, size: int) -> Tensor:
    # Each output row is a weighted mean of the box's rows, and the same holds for columns: two batched matrix products.
    n, _, height, width = images.shape
    boxes = boxes.to(images.device)
    rows = _weights(boxes[:, 0] * height, boxes[:, 2] * height, height, size)
    columns = _weights(boxes[:, 1] * width, boxes[:, 3] * width, width, size)
    pixels = images.permute(0, 2, 3, 1).reshape(n, height, width * 3).float()
    shorter = torch.bmm(rows, pixels).view(n, size, width, 3)
    narrower = torch.bmm(columns, shorter.transpose(1, 2).reshape(n, width, size * 3))
    return narrower.view(n, size, size, 3).permute(0, 3, 2, 1).round().clamp(0, 255).to(torch.uint8)


def _weights(start: Tensor, length: Tensor, pixels: int, size: int) -> Tensor:
    """Return float32 ``[n, size, pixels]``: the share of each input pixel in each output pixel along one axis."""
    start, length = start.round().view(-1, 1, 1), length.round().clamp_min(1).view(-1, 1, 1)
    scale = length / size
    centre = start + (torch.arange(size, device=start.device).view(1, -1, 1) + 0.5) * scale
    at = torch.arange(pixels, device=start.device).view(1, 1, -1) + 0.5
    weight = (1 - (at - centre).abs() / scale.clamp_min(1)).clamp_min(0)
    weight = weight * ((at > start) & (at < start + length))
    return (weight / weight.sum(2, keepdim=True)).float()


class Normalise:
    """Scales uint8 images to [0, 1] and normalizes them: ``(x / 255 - mean) / std``, float32, channels last."""

    def __init__(self, recipe: Recipe, device: torch.device) -> None:
        # One factor for each value in a row of pixels: twice as fast as one per channel.
        mean = torch.tensor(recipe.mean, dtype=torch.float32, device=device).repeat(recipe.size)
        std = torch.tensor(recipe.std, dtype=torch.float32, device=device).repeat(recipe.size)
        self._scale = 1 / (255 * std)
        self._shift = -mean / std
        self._bgr = recipe.bgr
        self._plain = recipe.mean == (0.0, 0.0, 0.0) and recipe.std == (1.0, 1.0, 1.0)

    def __call__(self, images: Tensor) -> Tensor:
        """Return float32 ``[N, 3, size, size]`` of uint8 ``[N, 3, size, size]``."""
        n, _, height, width = images.shape
        images = images.flip(1) if self._bgr else images
        rows = images.permute(0, 2, 3, 1).reshape(n * height, width * 3).float()
        rows = rows.div_(255) if self._plain else rows.mul_(self._scale).add_(self._shift)
        return rows.view(n, height, width, 3).permute(0, 3, 1, 2)
