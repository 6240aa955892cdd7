"""Import torchvision, timm and transformers, even if torchvision was built for CUDA and PyTorch was not."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from types import ModuleType

import torch

from fairdistill.system.optional import needed

_MISSING_SCHEMAS = ("nms", "qnms")
_kept: list[torch.library.Library] = []  # a schema lives only as long as the library object that defined it


def import_torchvision() -> ModuleType:
    """Return torchvision.

    Its CUDA build cannot be imported next to a CPU-only PyTorch, because two operators it describes were never
    loaded. Networks need neither, so their schemas are declared and the import is tried again. A working build is
    left alone.

    Raises:
        UsageError: if torchvision is not installed; the message gives the command that installs it.
        Exception: any other error that its import raises.

    Example:
        >>> import_torchvision().models.resnet18(num_classes=3).fc.out_features
        3
    """
    try:
        return needed("torchvision", extra="vision")
    except RuntimeError as error:
        if str(error) != "operator torchvision::nms does not exist":
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # remains of the failed import
    if not _kept:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in _MISSING_SCHEMAS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
    return needed("torchvision", extra="vision")


def import_timm() -> ModuleType:
    """Return timm, which itself imports torchvision.

    Raises:
        UsageError: if timm or torchvision is not installed; the message gives the command that installs them.
        Exception: any other error that their import raises.
    """
    import_torchvision()
    return needed("timm", extra="vision")


def import_transformers() -> ModuleType:
    """Return Hugging Face's transformers, which imports torchvision if that is installed.

    Raises:
        UsageError: if transformers is not installed; the message gives the command that installs it.
        Exception: any other error that its import raises.
    """
    if importlib.util.find_spec("torchvision") is not None:
        import_torchvision()
    return needed("transformers", extra="hf")
