"""Initial weights that let a small network learn in few steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fairdistill.models.head import head_name


def he_weights(network: nn.Module) -> None:
    """Draw the weights of all layers but the last from a normal distribution of variance 2 / inputs; biases are 0.

    He et al., *Delving Deep into Rectifiers* (ICCV 2015): activations then keep their scale from layer to layer.
    PyTorch's own are smaller, and take part of a short run to grow. Draws from PyTorch's global generator.
    """
    last = head_name(network)
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and name != last:
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def dirac_weights(network: nn.Module) -> None:
    """Let every convolution but the first pass its input through: output channel i starts as input channel i.

    Output channels beyond the inputs keep their weights (Jordan, *94% on CIFAR-10 in 3.29 Seconds on a Single GPU*,
    2024).
    """
    for module in _convolutions(network)[1:]:
        if module.groups == 1:
            nn.init.dirac_(module.weight[: module.in_channels].detach())


def whitening_filters(images: Tensor, *, size: tuple[int, int], at_most: int) -> tuple[Tensor, Tensor]:
    """Return filters and biases whose outputs on patches of images are uncorrelated, with mean 0 and variance 1.

    The filters are the eigenvectors v of the patches' covariance with the largest eigenvalues l, each as
    v / sqrt(l + e) and as its negative, since a ReLU would lose one of the two signs (Jordan 2024); e is 0.0005 of the
    pixels' variance.

    Args:
        images: floating point ``[N, C, H, W]``, as the network sees them.
        size: height and width of the patches.
        at_most: the number F of filters, if the patches have so many: there are two for each of their values.

    Returns:
        Weights ``[F, C, *size]`` and biases ``[F]``, float32.
    """
    mean, covariance = _patch_moments(images, size)
    values, vectors = torch.linalg.eigh(covariance)
    vectors = vectors * torch.where(vectors.sum(0) < 0, -1.0, 1.0)  # else the signs depend on the processor
    filters = (vectors / (values + 5e-4 * values.mean()).sqrt()).T.flip(0)
    both = torch.stack([filters, -filters], dim=1).flatten(0, 1)[:at_most]
    return both.unflatten(1, (images.shape[1], *size)).float(), -(both @ mean).float()


def _patch_moments(images: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return the mean ``[C * height * width]`` of the patches of images, and their covariance, float64."""
    stride = max(1, images.shape[2] // 32)  # patches of large images overlap less, since a thousand of each will do
    count, total, products = 0, torch.zeros(()), torch.zeros(())
    for some in images.double().split(64):
        patches = F.unfold(some, size, stride=stride).transpose(1, 2).flatten(0, 1)
        count, total, products = count + len(patches), total + patches.sum(0), products + patches.T @ patches
    mean = total / count
    return mean, (products - count * mean.outer(mean)) / (count - 1)


def whiten(network: nn.Module, images: Tensor, *, frozen: bool) -> bool:
    """Let a network's first convolution whiten patches of images; channels beyond the filters keep their weights.

    Args:
        network: the network.
        images: floating point ``[N, 3, H, W]``, as the network sees them.
        frozen: whether the weights then stay; the biases are trained.

    Returns:
        Whether the network has a first convolution that takes these images.
    """
    layers = _convolutions(network)[:1]
    if not layers or layers[0].in_channels != images.shape[1] or layers[0].groups != 1:
        return False
    (first,) = layers
    height, width = first.kernel_size
    weights, biases = whitening_filters(images, size=(height, width), at_most=first.out_channels)
    with torch.no_grad():
        first.weight[: len(weights)] = weights
        if first.bias is not None:
            first.bias[: len(biases)] = biases
    first.weight.requires_grad_(not frozen)
    return True


def _convolutions(network: nn.Module) -> list[nn.Conv2d]:
    return [module for module in network.modules() if isinstance(module, nn.Conv2d)]
