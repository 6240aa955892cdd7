from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.fixing.last_layer.file_check import check_loaded


class Answer(nn.Module):
    """A network that returns an object with logits, as those of transformers, or one logit for each image."""

    def __init__(self, bias: float, *, single: bool) -> None:
        super().__init__()
        self.bias, self.single = bias, single

    def forward(self, images: torch.Tensor) -> object:
        positive = images.mean((1, 2, 3))[:, None] + self.bias
        return positive if self.single else SimpleNamespace(logits=torch.cat([-positive, positive], dim=1))


@pytest.mark.parametrize("single", [True, False])
def test_outputs_of_every_form_are_compared(single):
    images = torch.rand(4, 3, 8, 8)
    work = SimpleNamespace(some_images=lambda recipe, most: images)
    same, other = (SimpleNamespace(network=Answer(bias, single=single), recipe=None) for bias in (0.0, 1.0))
    check_loaded(work, Path("m.pt"), same, same)
    with pytest.raises(UsageError, match=r"m\.pt does not give the outputs of the last layer that was fitted"):
        check_loaded(work, Path("m.pt"), other, same)
