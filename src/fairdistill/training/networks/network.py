"""Placing a network on the device and finding the features that a method reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import nn

from fairdistill.data import GroupedDataset
from fairdistill.errors import MethodError, TeacherError, UsageError
from fairdistill.methods import Method
from fairdistill.models import Tapped, TapPoint, find_taps, parse_taps
from fairdistill.models.intake import Remedies, check_images
from fairdistill.models.layout import settle_layout
from fairdistill.system.runtime import Runtime
from fairdistill.types import TapName


@dataclass(frozen=True)
class Features:
    """Where a network's features are.

    Attributes:
        points: the place of each feature in the network.
        shapes: the shape of each feature, without the batch dimension.
    """

    points: Mapping[TapName, TapPoint]
    shapes: Mapping[TapName, tuple[int, ...]]


def place(
    network: nn.Module, *, size: int, named: str | None, runtime: Runtime, remedies: Remedies | None = None
) -> Features:
    """Move a network to the device, in the channels-last layout if it can take that, and find its features.

    Args:
        network: it is left in eval mode.
        size: height and width of its input.
        named: the ``--tap`` option.
        runtime: the device.
        remedies: the options that change what it is given, for errors.

    Raises:
        UsageError: if it cannot take images of this size.
    """
    network.eval()
    example = torch.zeros(1, 3, size, size, device=runtime.device).to(memory_format=torch.channels_last)
    settle_layout(network, example)
    if remedies is not None:
        check_images(network, example.expand(2, -1, -1, -1), name=type(network).__name__, remedies=remedies)
    points = find_taps(network, example, named=parse_taps(named))
    tapped = Tapped(network, points)
    with torch.no_grad():
        shapes = {name: tuple(value.shape[1:]) for name, value in tapped(example).items()}
    tapped.remove()
    return Features(points, shapes)


def check_features(
    features: Features, method: Method, data: GroupedDataset, who: Literal["student", "teacher"]
) -> None:
    """Check that a network has the features a method reads, and an output for each class.

    Raises:
        MethodError: for a feature that was not found.
        TeacherError: for a teacher with another number of outputs.
        UsageError: for a student with another number of outputs.
    """
    wanted = method.teacher_taps if who == "teacher" else method.student_taps
    for name in sorted(wanted - set(features.shapes)):
        option = "--teacher-tap" if who == "teacher" else "--tap"
        raise MethodError(
            f"method {method.name!r} reads the {who}'s {name!r}, which was not found in its network; name the module "
            f"with {option} {name}=MODULE"
        )
    if features.shapes["logits"] != (data.num_classes,):
        raise (TeacherError if who == "teacher" else UsageError)(
            f"the {who}'s network has {features.shapes['logits'][0]} outputs, but {data.name} has {data.num_classes} "
            f"classes: {', '.join(data.class_names)}"
        )
