"""The network as it is exported: from its input to logits in the order of its classes."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from fairdistill.models import class_logits
from fairdistill.predictions.trained.model import DeployedModel


class ExportedGraph(nn.Module):
    """A network that returns logits ``[N, C]`` in the order of its own outputs.

    Args:
        model: the model; its network is copied.
        pixels: whether the input is uint8 pixels ``[N, H, W, 3]`` instead of normalized images ``[N, 3, H, W]``.
        offsets: added to the logits, in the order of its own outputs; None for none.
    """

    def __init__(self, model: DeployedModel, *, pixels: bool, offsets: Tensor | None = None) -> None:
        super().__init__()
        self.network = copy.deepcopy(model.network).eval().to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch's stub lacks device together with memory_format
        order = model.outputs.order  # the output of each class of the data
        self._back = None if order is None else [order.index(output) for output in range(len(order))]
        self._pixels = pixels
        recipe = model.recipe
        self._bgr = recipe.bgr
        scale = torch.tensor(recipe.std).view(3, 1, 1) * 255
        self.register_buffer("scale", 1 / scale, persistent=False)
        self.register_buffer("shift", -torch.tensor(recipe.mean).view(3, 1, 1) / torch.tensor(recipe.std).view(3, 1, 1))
        self.size = recipe.size
        self._corrected = offsets is not None
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits of a batch."""
        if self._pixels:
            images = images.permute(0, 3, 1, 2).flip(1) if self._bgr else images.permute(0, 3, 1, 2)
            images = images.float() * self.get_buffer("scale") + self.get_buffer("shift")
        logits = class_logits(self.network(images)).float()
        logits = logits if self._back is None else logits[:, self._back]
        return logits + self.get_buffer("offsets") if self._corrected else logits

    @property
    def example(self) -> Tensor:
        """A batch of two images as it takes them."""
        if self._pixels:
            return torch.zeros(2, self.size, self.size, 3, dtype=torch.uint8)
        return torch.zeros(2, 3, self.size, self.size)
