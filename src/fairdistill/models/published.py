"""The networks of torchvision and timm, with new or with published weights."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from fairdistill.errors import UsageError
from fairdistill.models.head import replace_head
from fairdistill.system.vision import import_timm, import_torchvision
from fairdistill.text.meant import did_you_mean
from fairdistill.text.sentences import first_line

# These two warn that their weight initialization will change unless it is requested explicitly.
_TOLD = {"googlenet": {"init_weights": True}, "inception_v3": {"init_weights": True}}


def torchvision_network(name: str, num_classes: int, *, image_size: int | None, pretrained: bool) -> nn.Module:
    """Return one of torchvision's classification networks.

    Raises:
        UsageError: if there is no network of this name, it cannot be built this way, or its weights cannot be fetched.
    """
    models = import_torchvision().models
    names = models.list_models(module=models)
    if name not in names:
        raise _unknown("torchvision", name, names)
    sized = {"image_size": image_size} if name.startswith("vit_") and image_size is not None else {}
    weights = models.get_model_weights(name).DEFAULT if pretrained else None
    new = {} if pretrained else {"num_classes": num_classes, **_TOLD.get(name, {})}
    try:
        network: nn.Module = models.get_model(name, weights=weights, progress=False, **new, **sized)
    except OSError as error:
        assert weights is not None
        raise _unreachable(f"torchvision:{name}", f" from {weights.url}", error) from error
    except Exception as error:  # each network checks its arguments differently
        raise _unbuildable(f"torchvision:{name}", image_size, error) from error
    if pretrained:
        replace_head(network, num_classes)
    return network


def timm_network(name: str, num_classes: int, *, image_size: int | None, pretrained: bool) -> nn.Module:
    """Return one of timm's networks, built for ``image_size`` if it takes images of only one size.

    Raises:
        UsageError: if there is no network of this name, it cannot be built this way, or its weights cannot be fetched.
    """
    timm = import_timm()
    if not timm.is_model(name):
        raise _unknown("timm", name, timm.list_models())
    config = timm.get_pretrained_cfg(name)
    sized = {"img_size": image_size} if config and config.fixed_input_size and image_size is not None else {}
    if pretrained and not (config and config.has_weights):
        raise UsageError(f"timm publishes no weights for {name!r}; use weights of your own with --init FILE")
    try:
        network: nn.Module = timm.create_model(name, pretrained=pretrained, num_classes=num_classes, **sized)
    except OSError as error:
        hub = config.hf_hub_id if config else None
        place = f" from https://huggingface.co/{hub}/resolve/main/model.safetensors" if hub else ""
        raise _unreachable(f"timm:{name}", place, error) from error
    except Exception as error:  # as above
        raise _unbuildable(f"timm:{name}", image_size, error) from error
    return network


def _unknown(source: str, name: str, names: Iterable[str]) -> UsageError:
    return UsageError(f"{source} has no classification network {name!r}{did_you_mean(name, names, most=3)}")


def _unreachable(name: str, place: str, error: OSError) -> UsageError:
    reason = first_line(error) or type(error).__name__
    return UsageError(
        f"the published weights of {name} could not be fetched{place}: {reason}; fetch them on a connected machine "
        "and give them with --init FILE"
    )


def _unbuildable(name: str, image_size: int | None, error: Exception) -> UsageError:
    size = f" for images of {image_size} pixels" if image_size is not None else ""
    return UsageError(f"cannot build {name}{size}: {type(error).__name__}: {error}")
