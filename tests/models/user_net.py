"""Networks as people write them, and things that are mistaken for a network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class FunctionalNet(nn.Module):
    """Activations and pooling are functions; nothing but layers with weights is a module."""

    def __init__(self, num_classes: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.conv2 = nn.Conv2d(6, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.fc1 = nn.Linear(8, 7)
        self.fc2 = nn.Linear(7, num_classes)

    def map_of(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(torch.relu(self.conv1(images)), 2)
        return F.relu(self.norm(self.conv2(x)))

    def forward(self, images: Tensor) -> Tensor:
        x = F.adaptive_avg_pool2d(self.map_of(images), 1).flatten(1)
        logits: Tensor = self.fc2(F.dropout(F.relu(self.fc1(x)), training=self.training))
        return logits


class OneLogitNet(nn.Module):
    """Squeeze-and-excitation, activations of other kinds, one output a sample."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.squeeze = nn.Conv2d(8, 8, 1)
        self.last = nn.Conv2d(8, 12, 1)
        self.act = nn.SiLU(inplace=True)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(12, 1)

    def map_of(self, images: Tensor) -> Tensor:
        x = F.hardswish(self.norm(self.stem(images)))
        x = x * torch.sigmoid(self.squeeze(x.mean((2, 3), keepdim=True)))
        scaled: Tensor = self.act(self.last(x))
        return scaled

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.dropout(self.pool(self.map_of(images)).flatten(1)))
        return logits.squeeze(1)


class ConvHeadNet(nn.Module):
    """The head is a 1x1 convolution of the pooled map; the sum is no module's output."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.block = nn.Conv2d(8, 8, 3, padding=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Conv2d(8, num_classes, 1)

    def map_of(self, images: Tensor) -> Tensor:
        x = self.stem(images)
        return F.gelu(self.block(x) + x)

    def forward(self, images: Tensor) -> Tensor:
        logits: Tensor = self.head(self.pool(self.map_of(images)))
        return logits.flatten(1)


class CosineHead(nn.Module):
    """Logits are the cosines to a learned direction a class."""

    def __init__(self, width: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_classes, width))

    def forward(self, embedding: Tensor) -> Tensor:
        return F.linear(F.normalize(embedding), F.normalize(self.weight))


class CosineNet(nn.Module):
    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = CosineHead(8, num_classes)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"loss": torch.zeros(()), "logits": self.head(self.body(images))}


def make(num_classes: int) -> nn.Module:
    return FunctionalNet(num_classes)


def cosine(num_classes: int) -> nn.Module:
    return CosineNet(num_classes)


def make_positional(classes: int, width: int = 8) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(48, width), nn.Linear(width, classes))


def make_keyword(*, num_classes: int = 10) -> nn.Module:
    return FunctionalNet(num_classes)


def make_forwarding(**options: int) -> nn.Module:
    return FunctionalNet(**options)


def make_fixed(width: int = 5) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(48, width))


def make_lazy() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.LazyLinear(3))


def needs_more(num_classes: int, depth: int) -> nn.Module:
    raise AssertionError("never called")


def fails(num_classes: int) -> nn.Module:
    raise KeyError("no such block")


def returns_none() -> None:
    pass


an_instance = nn.Linear(1, 1)
a_number = 3
