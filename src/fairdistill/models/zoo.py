"""Networks by name: ours, torchvision's, timm's, transformers', and the user's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models import published
from fairdistill.models.conv_net import cifar_net, digit_net
from fairdistill.models.hugging_face import face_network
from fairdistill.models.own_code import as_module
from fairdistill.models.trust import check_trusted
from fairdistill.models.user_network import user_network
from fairdistill.text.meant import SIMILAR, did_you_mean

NETWORKS: Mapping[str, Callable[[int], nn.Module]] = {"cifar_net": cifar_net, "digit_net": digit_net}

_SHORT = {"resnet18": "torchvision:resnet18", "shufflenet_v2_x1_0": "torchvision:shufflenet_v2_x1_0"}
_FORMS = "torchvision:NAME, timm:NAME, hf:FOLDER or package.module:factory"
_PACKAGES = ("torchvision", "timm", "hf")


def split_name(name: str) -> tuple[str, str]:
    """Return where a network comes from and its name there, without importing or building anything.

    The source is ``fairdistill``, ``torchvision``, ``timm``, ``hf`` or the module of the user's factory.

    Raises:
        UsageError: if the name has none of these forms; the message suggests the closest name.

    Example:
        >>> split_name("resnet18"), split_name("my_nets.small:make")
        (('torchvision', 'resnet18'), ('my_nets.small', 'make'))
    """
    if name in NETWORKS:
        return "fairdistill", name
    source, colon, rest = _SHORT.get(name, name).partition(":")
    if not colon:
        known = [*NETWORKS, *_SHORT]
        raise UsageError(
            f"unknown network {name!r}{_meant(name, known)} Choose one of: {', '.join(known)}, or {_FORMS}"
        )
    if source in _PACKAGES and rest:
        return source, rest
    dotted = all(part.isidentifier() for part in source.split(".")) and not source.endswith(".py")
    if not dotted or not rest.isidentifier():
        raise UsageError(
            f"cannot read the network {name!r}: expected {_FORMS}, for example my_nets:make for the function make "
            f"in my_nets.py{as_module(name)}"
        )
    return source, rest


def _meant(name: str, known: Sequence[str]) -> str:
    """Return what may have been meant by an unknown name, as the end of a sentence."""
    if name.endswith(".py"):
        return f"; add the function or class in it that makes the network: {PurePath(name).stem}:NAME."
    elsewhere = f"; if it is one of torchvision or timm, write torchvision:{name} or timm:{name}."
    return did_you_mean(name, known, similarity=SIMILAR, otherwise=elsewhere if name.isidentifier() else ".")


def is_own_code(name: str) -> bool:
    """Return whether a network is the user's own code, ``package.module:factory``.

    Example:
        >>> is_own_code("my_nets:make"), is_own_code("timm:resnet18"), is_own_code("resnet18")
        (True, False, False)
    """
    return ":" in name and name.partition(":")[0] not in _PACKAGES


def build(name: str, num_classes: int, *, image_size: int | None = None, pretrained: bool = False) -> nn.Module:
    """Return a new network by name, its weights drawn from PyTorch's global generator.

    Args:
        name: one of ``NETWORKS``, ``resnet18``, ``shufflenet_v2_x1_0``, ``torchvision:NAME``, ``timm:NAME``,
            ``hf:FOLDER`` or ``package.module:factory``, which must have been given to :func:`trust_code` before.
        num_classes: number of outputs.
        image_size: height and width of the images, for networks built for one image size; ignored by others.
        pretrained: whether to fetch the weights published by torchvision or timm, or to read those in the folder; the
            head is new.

    Raises:
        UsageError: if there is no such network, it cannot be built this way, a package is not installed, or the
            published weights cannot be fetched, or it is the user's own code and was not named in this process.

    Example:
        >>> sum(p.numel() for p in build("cifar_net", 10).parameters())
        814122
    """
    source, rest = split_name(name)
    if source == "torchvision":
        return published.torchvision_network(rest, num_classes, image_size=image_size, pretrained=pretrained)
    if source == "timm":
        return published.timm_network(rest, num_classes, image_size=image_size, pretrained=pretrained)
    if source == "hf":
        return face_network(rest, num_classes, image_size=image_size, pretrained=pretrained)
    if pretrained:
        raise UsageError(
            f"there are no published weights for the network {name!r}; use weights of your own with --init FILE"
        )
    if source == "fairdistill":
        return NETWORKS[rest](num_classes)
    check_trusted(name)
    return user_network(source, rest, num_classes)
