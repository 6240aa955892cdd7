"""Texts in the file of a complete program: beside the graph of an exported program, or in an ONNX file."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from fairdistill.errors import UsageError
from fairdistill.models.files.kinds import program_kind
from fairdistill.models.programs.onnx_file import onnx_metadata
from fairdistill.text.parsing import from_json

METADATA = "fairdistill.json"
"""The name of the extra file that ``torch.export.save`` writes into an exported program."""

_LARGEST = 1 << 24


def program_metadata(path: Path) -> Mapping[str, str]:
    """Return the metadata in a complete program; empty if it has none.

    Raises:
        UsageError: if they are damaged.
    """
    if program_kind(path) == "onnx":
        return onnx_metadata(path)
    try:
        with zipfile.ZipFile(path) as archive:
            found = [member for member in archive.infolist() if PurePosixPath(member.filename).name == METADATA]
            if not found or found[0].file_size > _LARGEST:
                return {}
            content = from_json(archive.read(found[0]).decode())
    except (OSError, zipfile.BadZipFile):
        return {}  # whoever reads the program says what is wrong with it
    except ValueError as error:
        raise UsageError(f"{path} has unreadable model metadata: {error}") from error
    if not isinstance(content, Mapping) or not all(isinstance(text, str) for text in content.values()):
        raise UsageError(f"{path} has unreadable model metadata: expected texts by name")
    return content
