"""Import torchvision and timm, also where torchvision was built for CUDA and PyTorch was not."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import torch

from fairdistill.errors import UsageError

_MISSING_SCHEMAS = ("nms", "qnms")
_kept: list[torch.library.Library] = []  # a schema lives only as long as the library object that defined it


def import_torchvision() -> ModuleType:
    """Return torchvision.

    Its CUDA build fails to import next to a CPU-only PyTorch, since two operators it describes were never
    loaded. Networks need neither, so their schemas are declared and the import is tried again. A build that works
    is never touched.

    Raises:
        UsageError: if torchvision is not installed; the text has the line that installs it.
        Exception: whatever else its import raises.

    Example:
        >>> import_torchvision().models.resnet18(num_classes=3).fc.out_features
        3
    """
    try:
        return _import("torchvision")
    except RuntimeError as error:
        if str(error) != "operator torchvision::nms does not exist":
            raise
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]  # parts of the import that failed
    if not _kept:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in _MISSING_SCHEMAS:
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _kept.append(library)
    return _import("torchvision")


def import_timm() -> ModuleType:
    """Return timm, which imports torchvision in its turn.

    Raises:
        UsageError: if timm or torchvision is not installed; the text has the line that installs them.
        Exception: whatever else their import raises.
    """
    import_torchvision()
    return _import("timm")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise UsageError(f"this needs {name}; install it with: pip install 'fairdistill[vision]'") from error
