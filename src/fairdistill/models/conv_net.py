"""The paper's plain convolutional network, in the size for CIFAR-10S and a small one for digits-s."""

from __future__ import annotations

from torch import Tensor, nn

from fairdistill.models.dropout import Dropout


class ConvNet(nn.Module):
    """Six 3x3 convolutions in three stages, one hidden layer, one output layer (supplement 1.1, as released).

    Every convolution is followed by a ReLU; every second one by 2x2 max-pooling and dropout. The hidden
    activations are the embedding. In the first two stages the maps are pooled before the ReLU, which gives the same
    numbers and gradients with a quarter of the work; the last stage's map is a feature, read after its ReLU.

    Args:
        num_classes: number of outputs.
        image_size: height and width of the input, a multiple of 8.
        channels: channels of the three stages; each stage has two convolutions.
        hidden: units of the hidden layer.
        dropout: probability of dropping an activation after each pooling.

    Shape:
        Input ``[N, 3, image_size, image_size]``, output logits ``[N, num_classes]``.
    """

    def __init__(
        self,
        num_classes: int,
        *,
        image_size: int,
        channels: tuple[int, int, int],
        hidden: int,
        dropout: float = 0.25,
    ) -> None:
        super().__init__()
        stages: list[nn.Module] = []
        width = 3
        for stage, out in enumerate(channels):
            first, second = nn.Conv2d(width, out, 3, padding=1), nn.Conv2d(out, out, 3, padding=1)
            pooled = [nn.MaxPool2d(2), nn.ReLU()] if stage < len(channels) - 1 else [nn.ReLU(), nn.MaxPool2d(2)]
            stages += [first, nn.ReLU(), second, *pooled, Dropout(dropout)]
            width = out
        self.stages = nn.Sequential(*stages)
        self.flatten = nn.Flatten()
        self.hidden = nn.Linear(width * (image_size // 8) ** 2, hidden)
        self.hidden_relu = nn.ReLU()
        self.output = nn.Linear(hidden, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits ``[N, num_classes]`` of images ``[N, 3, H, W]``."""
        hidden = self.hidden_relu(self.hidden(self.flatten(self.stages(images))))
        logits: Tensor = self.output(hidden)
        return logits


def cifar_net(num_classes: int = 10) -> ConvNet:
    """Return the paper's network for 32x32 images: channels 32, 64, 128 and 256 hidden units.

    Example:
        >>> cifar_net(3).output
        Linear(in_features=256, out_features=3, bias=True)
    """
    return ConvNet(num_classes, image_size=32, channels=(32, 64, 128), hidden=256)


def digit_net(num_classes: int = 10) -> ConvNet:
    """Return a small network of the same shape for 16x16 images: channels 12, 24, 48 and 96 hidden units.

    Its weights start as in He et al., *Delving Deep into Rectifiers* (2015), since PyTorch's smaller ones take
    most of a short run to grow.

    Example:
        >>> digit_net().output
        Linear(in_features=96, out_features=10, bias=True)
    """
    network = ConvNet(num_classes, image_size=16, channels=(12, 24, 48), hidden=96)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            assert module.bias is not None
            nn.init.zeros_(module.bias)
    return network
