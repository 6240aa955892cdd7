"""Complete programs: files that hold a network together with its weights, and need none of its code."""

from __future__ import annotations

from pathlib import Path

from fairdistill.models.files.kinds import check_itself, program_kind
from fairdistill.models.intake import Remedies
from fairdistill.models.programs.exported import ExportedNetwork, load_program
from fairdistill.models.programs.onnx_file import load_onnx
from fairdistill.models.programs.torchscript import load_torchscript


def read_program(path: Path, *, size: int, remedies: Remedies) -> tuple[ExportedNetwork, tuple[str, ...]]:
    """Return the network in a file of ``torch.export``, TorchScript or ONNX, and what was assumed about it.

    Args:
        path: the file.
        size: height and width of the images that it is given, if the file does not say.
        remedies: the options that change what it is given, for errors.

    Raises:
        UsageError: if it cannot be read, or takes anything but images.
    """
    check_itself(path)
    kind = program_kind(path)
    if kind == "onnx":
        return load_onnx(path)
    if kind == "torchscript":
        return load_torchscript(path, size=size, remedies=remedies), ()
    return load_program(path), ()
