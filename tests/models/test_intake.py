from __future__ import annotations

import pytest
import torch
from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import digit_net
from fairdistill.models.intake import Remedies, check_images

REMEDIES = Remedies(size="--model-size", network="--model")


def flat(channels: int, size: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(4 * size**2, 2)
    )


class Tutorial(nn.Module):
    """The classifier of PyTorch's tutorial, for 32 x 32 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 6, 5), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.MaxPool2d(2))
        self.head = nn.Linear(400, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.head(self.body(images).view(-1, 400))
        return logits


def images(size: int) -> torch.Tensor:
    return torch.rand(2, 3, size, size)


def test_a_network_that_fits_gives_its_outputs_and_keeps_its_statistics():
    network = flat(3, 8)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    assert check_images(network, images(8), name="the model m.pt", remedies=REMEDIES).shape == (2, 2)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize(
    ("network", "size", "text"),
    [
        (
            flat(1, 8),
            8,
            r"takes 1 channel and 8 x 8 pixels; wrap it .*mean\(1, keepdim=True\)\), .*--model MODULE:FACTORY",
        ),
        (flat(1, 28), 8, r"takes 1 channel and 28 x 28 pixels; set --model-size 28; wrap it"),
        (flat(3, 32), 8, r"takes 3 channels and 32 x 32 pixels; set --model-size 32$"),
        (digit_net(2), 64, r"takes 3 channels and 16 x 16 pixels; set --model-size 16$"),
        (Tutorial(), 64, r"takes 3 channels and 32 x 32 pixels; set --model-size 32$"),
        (
            nn.Sequential(nn.Flatten(), nn.Linear(3 * 11**2, 2)),
            8,
            r"3 channels and 11 x 11 pixels; set --model-size 11$",
        ),
        (nn.Sequential(nn.Flatten(), nn.Linear(81, 2)), 8, r"takes 1 channel and 9 x 9 pixels"),
        (flat(5, 700), 8, r"RuntimeError: .*; if it takes images of another size, give it with --model-size"),
    ],
)
def test_a_network_that_does_not_fit_is_one_line_that_says_what_it_takes(network, size, text):
    with pytest.raises(UsageError, match=text) as caught:
        check_images(network, images(size), name="the model m.pt", remedies=REMEDIES)
    assert str(caught.value).startswith(f"the model m.pt cannot take images of shape (3, {size}, {size}): ")
    assert "\n" not in str(caught.value)


def test_a_network_that_mixes_images_into_more_rows_is_noticed():
    network = Tutorial()
    network.head = nn.Linear(16, 2)
    network.forward = lambda images: network.head(network.body(images).permute(0, 2, 3, 1).reshape(-1, 16))
    with pytest.raises(UsageError, match="takes 3 channels and 16 x 16 pixels"):
        check_images(network, images(32), name="it", remedies=REMEDIES)
