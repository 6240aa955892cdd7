"""The command ``doctor``: say what is installed, which device and precision are used, and what is missing."""

from __future__ import annotations

import importlib
import platform
from dataclasses import replace
from importlib import metadata

from fairdistill._version import __version__
from fairdistill.diagnosing.packages import extras, package, required
from fairdistill.diagnosing.result import DoctorResult, Extra, Package
from fairdistill.system.folders import data_folder, image_cache_folder
from fairdistill.system.threads import processors
from fairdistill.text.sentences import first_line


def diagnose() -> DoctorResult:
    """Look at the installation; nothing is changed, and missing packages are no error.

    Example:
        >>> result = diagnose()
        >>> result.fairdistill == __version__, "torch" in {each.name for each in result.packages}
        (True, True)
    """
    try:
        requirements = metadata.requires("fairdistill") or []
    except metadata.PackageNotFoundError:  # run from its source folder
        requirements = ["torch", "numpy"]
    by_extra = required(requirements)
    packages = tuple(map(package, by_extra.get(None, [])))
    torch = _usable("torch", packages)
    device, precision, threads = _torch() if torch.problem is None else (None, None, None)
    data_root = data_folder()
    return DoctorResult(
        fairdistill=__version__,
        python=platform.python_version(),
        platform=platform.platform(),
        device=device,
        precision=precision,
        processors=processors(),
        threads=threads,
        data_root=None if data_root is None else str(data_root),
        image_cache=str(image_cache_folder()),
        packages=tuple(torch if each.name == "torch" else each for each in packages),
        extras=tuple(map(_with_usable_torchvision, extras(by_extra))),
    )


def _usable(name: str, packages: tuple[Package, ...]) -> Package:
    """Return a package, with its problem if it is installed but cannot be imported."""
    found = next((each for each in packages if each.name == name), package(name))
    if found.version is None:
        return found
    try:
        importlib.import_module(name)
    except Exception as error:  # a broken installation may raise anything
        reason = (first_line(error) or type(error).__name__)[:200]
        return replace(found, problem=f"cannot be imported: {type(error).__name__}: {reason}")
    return found


def _with_usable_torchvision(extra: Extra) -> Extra:
    """Return an extra, with torchvision's problem if it is not of the same build as PyTorch."""
    packages = (_usable(each.name, (each,)) if each.name == "torchvision" else each for each in extra.packages)
    return replace(extra, packages=tuple(packages))


def _torch() -> tuple[str, str, int]:
    """Return the device and precision that ``auto`` stands for, and the number of threads."""
    import torch

    from fairdistill.system.runtime import choose_runtime

    runtime = choose_runtime("auto", "auto")
    name = (
        f"{runtime.device} ({torch.cuda.get_device_name(runtime.device)})" if runtime.device.type == "cuda" else "cpu"
    )
    return name, str(runtime.dtype).removeprefix("torch."), torch.get_num_threads()
