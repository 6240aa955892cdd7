from __future__ import annotations

import copy

import torch
from torch import nn

from fairdistill.models.layout import settle_layout, to_device

CPU = torch.device("cpu")


class Viewing(nn.Module):
    """Code that fails on images in the channels-last layout."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.head = nn.Conv2d(3, 4, 3), nn.Linear(144, 2)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        features = self.conv(images)
        logits: torch.Tensor = self.head(features.view(len(features), -1))
        return logits


def is_last(network: nn.Module) -> bool:
    return next(network.parameters()).is_contiguous(memory_format=torch.channels_last)


def test_a_network_that_views_its_features_keeps_the_ordinary_layout_also_as_a_copy():
    network, images = Viewing().eval(), torch.rand(2, 3, 8, 8)
    expected = network(images)
    settle_layout(network, images)
    to_device(network, CPU)
    for each in (network, copy.deepcopy(network)):
        torch.testing.assert_close(each(images.contiguous(memory_format=torch.channels_last)), expected)
        assert not is_last(each)


def test_other_networks_are_faster_in_the_channels_last_layout():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(144, 2)).eval()
    settle_layout(network, torch.rand(2, 3, 8, 8))
    assert is_last(network)
    assert not network._forward_pre_hooks


def test_a_network_that_fails_in_both_is_left_for_others_to_report():
    network = Viewing().eval()
    settle_layout(network, torch.rand(2, 3, 9, 9))
    assert not network._forward_pre_hooks
