"""Which code of the user's own may be imported: only what this process was told to use.

A run folder contains the names of its network and its method, and the metadata of a weights file that of its network.
If such a name is a module and something in it, using it imports and runs that module. A file from elsewhere must not
decide that, so the name has to come from the command line, a configuration file given there, or an argument in Python.
An exported program is code as well: PyTorch runs parts of it while it reads the file. A TorchScript file runs no
Python, but its operations can write files.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from fairdistill.errors import UsageError
from fairdistill.models.files.kinds import program_kind

_TRUSTED: set[str] = set()


class UntrustedError(UsageError):
    """Code that a file names, not the user."""


def trust_code(*names: str | None) -> None:
    """Let this process import the code of networks and methods, and read exported programs; other names do nothing.

    Args:
        names: networks (``package.module:factory``), methods (``package.module:name``) and paths as the user gave them,
            None for those not given.
    """
    _TRUSTED.update(name for name in names if name)


def check_trusted(name: str, *, kind: str = "network") -> None:
    """Raise an UntrustedError unless the user has named this network or method, ``module:name``, in this process."""
    if name not in _TRUSTED:
        how = f"--model {name} (--teacher-model for a teacher; in Python, model={name!r})"
        if kind == "method":  # only a run that is resumed names one
            how = f"--method {name} (in Python, resume(..., code={name!r}))"
        raise UntrustedError(
            f"the {kind} {name} is code that a file names, not you, so it was not imported. If you trust it, add {how}"
        )


def runs_code(path: str | None) -> bool:
    """Return whether reading a model runs parts of it: an exported program or TorchScript, but not ONNX."""
    return path is not None and program_kind(Path(path)) in ("program", "torchscript")


def check_program(path: str | None) -> None:
    """Raise an UntrustedError if a file names an exported program that the user has not named in this process."""
    if path is None or not runs_code(path):
        return
    if os.path.realpath(path) not in map(os.path.realpath, _TRUSTED):
        raise UntrustedError(
            f"the exported program {path} is code that a file names, not you, so it was not read. If you trust it, add "
            f"--teacher-model {shlex.quote(path)} (in Python, model={path!r})"
        )
