"""The environment of a run: versions, hardware, commit."""

from __future__ import annotations

import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from fairdistill import _version
from fairdistill.system.runtime import Runtime

_SOURCE = Path(_version.__file__).resolve().parent
_PACKAGES = ("torch", "numpy", "scikit-learn", "safetensors")


@dataclass(frozen=True, kw_only=True)
class Environment:
    """Versions, hardware, commit, seed and own code; ``environment.json`` of a run, and part of a study.

    Attributes:
        fairdistill: the version.
        commit: of the source tree, with ``+`` if it has uncommitted changes; None for an installed package.
        python: the version.
        packages: the version of each package that matters; None for one that is absent.
        platform: the operating system.
        processor: its name.
        threads: CPU threads of each process.
        processes: that train together.
        device: device and precision.
        seed: of the run.
        code: a hash of each file of the user's own code, see :func:`fairdistill.models.own_source.code_digests`.
    """

    fairdistill: str
    commit: str | None
    python: str
    packages: Mapping[str, str | None]
    platform: str
    processor: str
    threads: int
    processes: int
    device: str
    seed: int
    code: Mapping[str, str] = field(default_factory=dict)


def describe_environment(
    runtime: Runtime, *, seed: int, processes: int = 1, code: Mapping[str, str] | None = None
) -> Environment:
    """Return the environment of this process."""
    return Environment(
        fairdistill=_version.__version__,
        commit=_own_commit(),
        python=platform.python_version(),
        packages={name: _version_of(name) for name in _PACKAGES},
        platform=platform.platform(),
        processor=_processor(),
        threads=torch.get_num_threads(),
        processes=processes,
        device=str(runtime),
        seed=seed,
        code=code or {},
    )


def peak_memory_bytes(device: torch.device) -> int:
    """Return the peak memory so far: of the GPU if the run uses one, otherwise of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


@cache
def _version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


@cache
def _own_commit() -> str | None:
    """Return the commit of this package, asked for once: what the process has imported does not change later."""
    return commit_of(_SOURCE)


def commit_of(folder: Path) -> str | None:
    """Return the commit of a package's source tree, with ``+`` if it has uncommitted changes.

    Args:
        folder: the package's folder; None is returned if it is in no repository, or installed inside another project's.
    """
    git = ["git", "-C", str(folder)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)
        tracked = subprocess.run(
            [*git, "ls-files", "--error-unmatch", "__init__.py"], capture_output=True, check=False, timeout=10
        )
        changed = subprocess.run(
            [*git, "status", "--porcelain", "--untracked-files=no", "."],
            capture_output=True, text=True, check=True, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    if tracked.returncode:
        return None
    return commit.stdout.strip() + ("+" if changed.stdout.strip() else "")


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
