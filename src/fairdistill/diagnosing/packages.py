"""The packages of this distribution and of its extras, as its own metadata name them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib import metadata

from fairdistill.diagnosing.result import Extra, Package

PURPOSES: Mapping[str, str] = {
    "vision": "networks of torchvision and timm",
    "hf": "models of transformers (Hugging Face)",
    "parquet": "Parquet tables",
    "export": "ONNX files: export, and models",
    "tune": "tune",
    "plot": "figures as files",
    "ray": "bench on a Ray cluster",
    "tensorboard": "--logger tensorboard",
    "wandb": "--logger wandb",
    "mlflow": "--logger mlflow",
    "completion": "completion of commands in a shell",
}
"""What needs each extra; extras for developers are left out."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_OF_EXTRA = re.compile(r"extra\s*==\s*['\"]([^'\"]+)['\"]")


def required(requirements: Sequence[str]) -> dict[str | None, list[str]]:
    """Return the names of packages by extra, None for those that are always needed.

    Example:
        >>> required(["torch>=2.6", "timm>=1 ; extra == 'vision'"])
        {None: ['torch'], 'vision': ['timm']}
    """
    found: dict[str | None, list[str]] = {}
    for line in requirements:
        name, extra = _NAME.match(line), _OF_EXTRA.search(line)
        if name is not None:
            found.setdefault(extra[1] if extra else None, []).append(name[0])
    return found


def package(name: str) -> Package:
    """Return a package with its version, without importing it."""
    try:
        return Package(name=name, version=metadata.version(name), problem=None)
    except metadata.PackageNotFoundError:
        return Package(name=name, version=None, problem="not installed")


def extras(by_extra: Mapping[str | None, Sequence[str]]) -> tuple[Extra, ...]:
    """Return what users need of the extras, and the line that installs what is missing."""
    found = []
    for name, purpose in PURPOSES.items():
        packages = tuple(package(each) for each in by_extra.get(name, ()) if each != "fairdistill")
        if packages:
            missing = any(each.version is None for each in packages)
            install = f"pip install 'fairdistill[{name}]'" if missing else None
            found.append(Extra(name=name, purpose=purpose, packages=packages, install=install))
    return tuple(found)
