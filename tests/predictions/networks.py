"""Networks of a user, with outputs and inputs of every kind; ``--model tests.predictions.networks:NAME``."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Small(nn.Module):
    """A network for 16 x 16 pixels whose logits ``end`` turns into what it returns."""

    def __init__(self, outputs: int, *, channels: int = 3, size: int = 16) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(channels, 8, 3, stride=4, padding=1), nn.BatchNorm2d(8)
        self.head = nn.Linear(8 * (size // 4) ** 2, outputs)

    def forward(self, images: Tensor) -> object:
        return self.end(self.head(self.norm(self.conv(images)).relu().flatten(1)))

    def end(self, logits: Tensor) -> object:
        return logits


class Softmax(Small):
    def end(self, logits: Tensor) -> object:
        return logits.softmax(1)


class Sigmoid(Small):
    def end(self, logits: Tensor) -> object:
        return logits.sigmoid()


class Undefined(Small):
    def end(self, logits: Tensor) -> object:
        return logits * float("nan")


class Tuple(Small):
    def end(self, logits: Tensor) -> object:
        return logits, logits


def plain(num_classes: int) -> nn.Module:
    return Small(num_classes)


def softmax(num_classes: int) -> nn.Module:
    return Softmax(num_classes)


def one_logit() -> nn.Module:
    return Small(1)


def sigmoid() -> nn.Module:
    return Sigmoid(1)


def sigmoids(num_classes: int) -> nn.Module:
    return Sigmoid(num_classes)


def undefined(num_classes: int) -> nn.Module:
    return Undefined(num_classes)


def of_tuple(num_classes: int) -> nn.Module:
    return Tuple(num_classes)


def grey(num_classes: int) -> nn.Module:
    return Small(num_classes, channels=1)


def large(num_classes: int) -> nn.Module:
    return Small(num_classes, size=32)


def three() -> nn.Module:
    return Small(3)


def drawn(network: nn.Module) -> nn.Module:
    """Return a network with weights that give different outputs for different images, and statistics of its own."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in network.state_dict().values():
            if value.is_floating_point():
                value.copy_(torch.rand(value.shape, generator=generator) - 0.5)
        network.get_buffer("norm.running_var").fill_(0.5)
        network.get_buffer("norm.running_mean").fill_(0.1)
    return network
