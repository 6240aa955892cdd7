"""Whether a network can take the images it is given, and what it would take instead."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fairdistill.errors import FairdistillError, UsageError
from fairdistill.models.outputs import raw_outputs
from fairdistill.text.sentences import first_line

_SIZES = (224, 32, 28, 64, 96, 128, 256, 299, 384, 48, 112, 160, 192, 16, 24, 56, 75, 100, 150, 200, 240, 288, 320, 512)


@dataclass(frozen=True)
class Remedies:
    """Which options change what a network is given.

    Attributes:
        size: the option for the size of its input, for example ``--model-size``.
        network: the option that names it, for example ``--model``.
    """

    size: str | None = None
    network: str = "--model"


def check_images(network: nn.Module, example: Tensor, *, name: str, remedies: Remedies) -> Tensor:
    """Run a network in eval mode; return its outputs ``[N, C]``.

    Args:
        network: left in eval mode; its statistics are not changed.
        example: ``[N, 3, H, W]`` images, at least two.
        name: what to call it in errors.
        remedies: the options that the user has.

    Raises:
        UsageError: if it cannot take such images, or returns something other than a row of outputs for each.
    """
    network.eval()
    try:
        with torch.no_grad():
            outputs = raw_outputs(network(example))
    except FairdistillError:
        raise
    except Exception as error:  # a network may raise anything
        raise refusal(network, example, error, name=name, remedies=remedies) from error
    if len(outputs) != len(example):
        many = ValueError(f"it returned {len(outputs)} rows of outputs for {len(example)} images")
        raise refusal(network, example, many, name=name, remedies=remedies)
    return outputs


def refusal(network: nn.Module, example: Tensor, error: Exception, *, name: str, remedies: Remedies) -> UsageError:
    """Return the error for a network that cannot take images: what it would take, where that can be found."""
    channels, height, width = example.shape[1:]
    given = f"{name} cannot take images of shape {(channels, height, width)}"
    found = _accepted(network, example)
    if found is None:
        way_out = f"; if it takes images of another size, give it with {remedies.size}" if remedies.size else ""
        return UsageError(f"{given}: {type(error).__name__}: {first_line(error)}{way_out}")
    takes, size = found
    steps = []
    if size not in (height, width) and remedies.size:
        steps.append(f"set {remedies.size} {size}")
    if takes != channels:
        of_one = "averages the three channels: network(images.mean(1, keepdim=True))" if takes == 1 else "converts them"
        steps.append(
            f"wrap it in a module whose forward {of_one}, and name that with {remedies.network} MODULE:FACTORY"
        )
    many = "channel" if takes == 1 else "channels"
    way_out = f"; {'; '.join(steps)}" if steps else ""
    return UsageError(f"{given}: it takes {takes} {many} and {size} x {size} pixels{way_out}")


def _accepted(network: nn.Module, example: Tensor) -> tuple[int, int] | None:
    """Return the channels and the size of images that a network takes; None if none of those tried fits."""
    trial = copy.deepcopy(network).eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # of torch's stub
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        tried = ((channels, size) for channels in _channels(trial, example) for size in _sizes(trial, example))
        return next((shape for shape in tried if _takes(trial, example, shape)), None)


def _takes(network: nn.Module, example: Tensor, shape: tuple[int, int]) -> bool:
    channels, size = shape
    try:
        return len(raw_outputs(network(example.new_zeros(len(example), channels, size, size)))) == len(example)
    except Exception:  # as above
        return False


def _channels(network: nn.Module, example: Tensor) -> list[int]:
    first = next((module for module in network.modules() if isinstance(module, nn.Conv2d)), None)
    return [int(example.shape[1]), 1] if first is None else [first.in_channels]


def _sizes(network: nn.Module, example: Tensor) -> Iterator[int]:
    """Yield the given size, then usual ones, then those whose pixels a linear layer would have to take."""
    own = [example.shape[-1], *_SIZES]
    for module in network.modules():
        if isinstance(module, nn.Linear):
            own += [math.isqrt(module.in_features // channels) for channels in (1, 3)]
    yield from (size for size in dict.fromkeys(own) if 1 <= size <= 512)
